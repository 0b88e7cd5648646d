"""What an APK says of itself: package, versions, instrumentation; read from its binary AndroidManifest.xml.

APKs come from outside: every length is checked, and nothing is unpacked but the manifest.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_MANIFEST: Final = "AndroidManifest.xml"
_LARGEST_MANIFEST: Final = 16 << 20
_XML, _STRING_POOL, _RESOURCE_MAP, _START_ELEMENT = 0x0003, 0x0001, 0x0180, 0x0102
_UTF8_FLAG: Final = 0x100
_TYPE_STRING, _TYPE_DECIMAL, _TYPE_HEX = 0x03, 0x10, 0x11
_NO_STRING: Final = 0xFFFFFFFF
_ATTRIBUTES: Final = {
    0x01010003: "name",
    0x0101020C: "minSdkVersion",
    0x0101021B: "versionCode",
    0x0101021C: "versionName",
    0x01010021: "targetPackage",
    0x01010270: "targetSdkVersion",
}


class ApkError(ValueError):
    """Bytes that are no APK."""


@dataclass(frozen=True, slots=True)
class Apk:
    """An APK's own words. `instrumentation` has pairs of a runner and the package that it is made for."""

    package: str
    version_code: int = 0
    version_name: str = ""
    min_sdk: int = 1
    target_sdk: int = 1
    instrumentation: tuple[tuple[str, str], ...] = ()


def read_apk(data: bytes) -> Apk:
    """Read an APK. Raises ApkError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
                raise ApkError("its manifest is absurdly large")
            manifest = archive.read(_MANIFEST)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error) as error:
        raise ApkError(f"it is no archive with a manifest ({error})") from None
    return read_manifest(manifest)


def read_manifest(data: bytes) -> Apk:
    """Read a binary manifest. Raises ApkError."""
    try:
        elements = list(_elements(data))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ApkError(f"its manifest cannot be read ({error})") from None
    found: dict[str, dict[str, str | int]] = {}
    runners = []
    for name, attributes in elements:
        found.setdefault(name, attributes)
        if name == "instrumentation":
            runners.append((str(attributes.get("name", "")), str(attributes.get("targetPackage", ""))))
    root, sdk = found.get("manifest", {}), found.get("uses-sdk", {})
    package = root.get("package")
    if not isinstance(package, str) or not package:
        raise ApkError("its manifest names no package")
    return Apk(
        package,
        _whole(root.get("versionCode"), 0),
        str(root.get("versionName", "")),
        _whole(sdk.get("minSdkVersion"), 1),
        _whole(sdk.get("targetSdkVersion"), 1),
        tuple((name if "." in name[1:] else package + name, target) for name, target in runners),
    )


def _whole(value: str | int | None, usual: int) -> int:
    return value if isinstance(value, int) else usual


def _elements(data: bytes) -> Iterator[tuple[str, dict[str, str | int]]]:
    """Every element's name and attributes, in document order."""
    kind, header, size = struct.unpack_from("<HHI", data)
    if kind != _XML:
        raise ApkError("its manifest is not in the binary form")
    strings: list[str] = []
    resources: tuple[int, ...] = ()
    at, end = header, min(size, len(data))
    while at + 8 <= end:
        kind, header, size = struct.unpack_from("<HHI", data, at)
        if size < 8 or at + size > len(data):
            raise ApkError("its manifest ends within a chunk")
        if kind == _STRING_POOL:
            strings = _strings(data[at : at + size])
        elif kind == _RESOURCE_MAP:
            resources = struct.unpack_from(f"<{(size - header) // 4}I", data, at + header)
        elif kind == _START_ELEMENT:
            yield _element(data, at + header, strings, resources)
        at += size


def _strings(chunk: bytes) -> list[str]:
    count, _, flags, start, _ = struct.unpack_from("<5I", chunk, 8)
    if count > len(chunk):
        raise ApkError("its manifest counts more strings than it has bytes")
    offsets = struct.unpack_from(f"<{count}I", chunk, 28)
    read = _utf8 if flags & _UTF8_FLAG else _utf16
    return [read(chunk, start + offset) for offset in offsets]


def _utf8(chunk: bytes, at: int) -> str:
    for _ in range(2):  # the length in characters, then in bytes; each takes one byte or two
        length, at = chunk[at], at + 1
        if length & 0x80:
            length, at = (length & 0x7F) << 8 | chunk[at], at + 1
    return chunk[at : at + length].decode("utf-8", "replace")


def _utf16(chunk: bytes, at: int) -> str:
    (length,) = struct.unpack_from("<H", chunk, at)
    at += 2
    if length & 0x8000:
        length, at = (length & 0x7FFF) << 16 | struct.unpack_from("<H", chunk, at)[0], at + 2
    return chunk[at : at + 2 * length].decode("utf-16-le", "replace")


def _element(data: bytes, at: int, strings: list[str], resources: tuple[int, ...]) -> tuple[str, dict[str, str | int]]:
    _, name, start, width, count = struct.unpack_from("<IIHHH", data, at)
    attributes: dict[str, str | int] = {}
    for number in range(count):
        _, key, raw, _, _, kind, value = struct.unpack_from("<IIIHBBI", data, at + start + number * width)
        known = _ATTRIBUTES.get(resources[key]) if key < len(resources) else None
        label = known or strings[key]
        if kind == _TYPE_STRING:
            attributes.setdefault(label, strings[value])
        elif kind in (_TYPE_DECIMAL, _TYPE_HEX):
            attributes.setdefault(label, value)
        elif raw != _NO_STRING:
            attributes.setdefault(label, strings[raw])
    return strings[name], attributes
