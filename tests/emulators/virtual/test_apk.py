"""APKs: real ones are read, anything else is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.emulators.virtual.apk import Apk, ApkError, read_apk, read_manifest

uiautomator2 = pytest.importorskip("uiautomator2", exc_type=ImportError)
REAL = Path(uiautomator2.__file__).parent / "assets" / "app-uiautomator.apk"


def manifest() -> bytes:
    with zipfile.ZipFile(REAL) as archive:
        return archive.read("AndroidManifest.xml")


MANIFEST = manifest()


def test_a_real_apk_is_read() -> None:
    apk = read_apk(REAL.read_bytes())
    assert (apk.package, apk.version_name, apk.min_sdk, apk.target_sdk) == ("com.github.uiautomator", "2.4.0", 19, 32)


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 1000, b"PK\x05\x06" + b"\0" * 18])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ApkError):
        read_apk(data)


def test_an_archive_without_a_package_is_refused() -> None:
    for content in (b"", b"<manifest/>", b"\x03\x00\x08\x00\x08\x00\x00\x00"):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("AndroidManifest.xml", content)
        with pytest.raises(ApkError):
            read_apk(buffer.getvalue())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(MANIFEST) - 1), st.binary(min_size=1, max_size=4), st.integers(0, len(MANIFEST)))
def test_a_damaged_manifest_is_read_or_refused(place: int, change: bytes, length: int) -> None:
    damaged = (MANIFEST[:place] + change + MANIFEST[place + len(change) :])[: max(length, 8)]
    try:
        assert isinstance(read_manifest(damaged), Apk)
    except ApkError:
        return
