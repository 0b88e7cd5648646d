from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tapwise.emulators.port_owners import port_owners

pytestmark = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_listener_is_found_and_a_bound_or_closed_socket_is_none(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip(f"this host has no {address}")
        port = listener.getsockname()[1]
        assert port_owners(port) == set()
        listener.listen()
        assert port_owners(port) == {os.getpid()}
    assert port_owners(port) == set()
