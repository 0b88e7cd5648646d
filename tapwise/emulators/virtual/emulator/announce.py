"""Telling the adb server of this host about an emulator, so that it lists it as emulator-N."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

_EVERY_S = 0.5


async def announce(adb_port: int, server_port: int, is_connected: Callable[[], bool]) -> None:
    """Announce the phone now, and again whenever no adb server is connected: one may start, or restart, later."""
    while True:
        if not is_connected():
            with contextlib.suppress(OSError):
                await announce_once(adb_port, server_port)
        await asyncio.sleep(_EVERY_S)


async def announce_once(adb_port: int, server_port: int) -> None:
    """Send `host:emulator:PORT` to the server. Raises OSError when there is none."""
    _, writer = await asyncio.open_connection("127.0.0.1", server_port)
    message = b"host:emulator:%d" % adb_port
    writer.write(b"%04x" % len(message) + message)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
