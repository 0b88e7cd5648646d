"""The phone's own time: it moves with what is done to the phone, never with the host's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tapwise.emulators.virtual.state import PhoneState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


class VirtualClock:
    """Virtual UTC time, kept in the phone's state so that snapshots carry it."""

    def __init__(self, phone_state: PhoneState) -> None:
        self._state = phone_state

    def now(self) -> datetime:
        """The present, UTC."""
        return EPOCH + timedelta(seconds=self._state.now_s)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._state.now_s += seconds

    def set(self, moment: datetime) -> None:
        """Set the present."""
        self._state.now_s = (moment - EPOCH).total_seconds()
