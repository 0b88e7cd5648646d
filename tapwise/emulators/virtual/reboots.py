"""A served phone that reboots by itself every so often, while the fault `reboot` is armed."""

from __future__ import annotations

import asyncio

from tapwise.emulators.virtual.wire.device import WireDevice


class Reboots:
    """Watches one phone. Made in the phone's event loop."""

    def __init__(self, device: WireDevice) -> None:
        self._device = device
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        device.faults.armed = self._look
        self._look()

    def _every_s(self) -> float | None:
        """Seconds between reboots; None when none are armed."""
        return min((spec.delay for spec in self._device.faults.specs().values() if spec.kind == "reboot"), default=None)

    def _look(self) -> None:
        if self._every_s() is not None and (self._task is None or self._task.done()):
            self._task = self._loop.create_task(self._work())

    async def _work(self) -> None:
        while (every_s := self._every_s()) is not None:
            await asyncio.sleep(max(every_s, 0.01))
            if self._device.faults.fires("reboot"):
                self._device.reboot()

    def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
