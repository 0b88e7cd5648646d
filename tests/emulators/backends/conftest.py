from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapwise.emulators.backends.adb_phone import AdbPhone
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.processes import ProcessRegistry
from tapwise.records import Size

SMALL = Size(640, 320)


@pytest.fixture
def registry(tmp_path: Path) -> ProcessRegistry:
    return ProcessRegistry(tmp_path / "processes")


@pytest.fixture
def backend(registry: ProcessRegistry) -> VirtualBackend:
    return VirtualBackend(SMALL, seed=3, registry=registry)


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbPhone]:
    """One phone for the tests that leave it as it was."""
    registry = ProcessRegistry(tmp_path_factory.mktemp("processes"))
    booted = VirtualBackend(SMALL, seed=3, registry=registry).boot(0, 60)
    yield booted
    booted.shut_down()
