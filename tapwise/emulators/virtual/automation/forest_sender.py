"""Sends a served phone's accessibility forest to the host: at every change, and ten times a second.

It runs in the event loop of the phone, so that a forest is always that of one moment.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from tapwise.emulators.virtual.automation.forest import forest

if TYPE_CHECKING:
    from tapwise.emulators.virtual.automation.forest_channel import ForestChannel
    from tapwise.emulators.virtual.phone import VirtualPhone

EVERY_S: Final = 0.1

_log = logging.getLogger(__name__)


class ForestSender:
    """Works for one phone while its forwarder is configured. Made in the phone's event loop."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._latest: dict[str, Any] | None = None
        self._before: dict[str, Any] | None = None
        phone.forwarder.notice = self._notice

    def _notice(self) -> None:
        self._news.set()
        if self._phone.forwarder.configured and (self._task is None or self._task.done()):
            self._task = self._loop.create_task(self._work())

    async def _work(self) -> None:
        phone = self._phone
        try:
            from tapwise.emulators.virtual.automation.forest_channel import ForestChannel
        except ImportError:
            _log.warning("accessibility forests need the packages grpcio and protobuf: pip install 'tapwise[grpc]'")
            phone.forwarder.failed("UNIMPLEMENTED: this phone was started without tapwise[grpc]")
            phone.forwarder.stop()
            return
        channel = ForestChannel()
        self._news.set()
        try:
            while phone.forwarder.configured:
                await self._send(channel)
                try:
                    await asyncio.wait_for(self._news.wait(), EVERY_S)
                except TimeoutError:
                    phone.poll()
        finally:
            await channel.close()

    async def _send(self, channel: ForestChannel) -> None:
        """Send the forest of now; a fault is looked for at each one that would be sent."""
        forwarder = self._phone.forwarder
        self._renew()
        if not forwarder.enabled:
            return
        fault = self._phone.faults.fires("forest", f"port {forwarder.port}")
        if fault is not None and fault.mode == "silent":
            return
        fields = self._before if fault is not None and fault.mode == "stale" else self._latest
        failure = forwarder.obstacle()
        if fault is not None and fault.mode == "refused":
            failure = "UNAVAILABLE: io exception: Connection refused"
        if not failure and fields is not None:
            failure = await channel.send(forwarder.port, fields)
        if failure:
            forwarder.failed(failure)

    def _renew(self) -> None:
        if not self._news.is_set():
            return
        self._news.clear()
        now = forest(self._phone)
        if now != self._latest:
            self._before, self._latest = self._latest or now, now

    async def close(self) -> None:
        """Stop."""
        self._phone.forwarder.notice = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
