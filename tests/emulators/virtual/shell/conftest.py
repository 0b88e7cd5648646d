from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell


@pytest.fixture
def shell() -> PhoneShell:
    return PhoneShell(VirtualPhone())


@pytest.fixture
def sh(shell: PhoneShell) -> Callable[..., str]:
    """Runs a script and gives its standard output; a status other than the expected one fails the test."""

    def run(source: str, status: int = 0, stdin: bytes = b"") -> str:
        result = shell.run(source, stdin, split=True)
        assert result.status == status, b"".join(result.stderr)
        return b"".join(result.stdout).decode()

    return run
