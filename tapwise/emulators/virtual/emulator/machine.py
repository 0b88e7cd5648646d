"""The running machine: a phone, the AVD that it came from, and what the outside may do to it."""

from __future__ import annotations

from collections.abc import Callable

from tapwise.emulators.virtual.emulator.avd import BOOT_SNAPSHOT, Avd
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.state import Notification

_SMS = "content://sms"
_CONVERSATIONS = "content://mms-sms/conversations"
_RECEIVED = 1
_MESSAGES = "com.google.android.apps.messaging"


class Machine:
    """A phone with its AVD. `end` asks the program to end."""

    def __init__(self, phone: VirtualPhone, avd: Avd, end: Callable[[], None], *, read_only: bool) -> None:
        self.phone = phone
        self.avd = avd
        self.end = end
        self._read_only = read_only
        for name, state in avd.snapshots().items():
            phone.keep_snapshot(name, state)

    def save_snapshot(self, name: str) -> None:
        """Keep the present state, on disk unless the AVD is used read-only. Raises ConfigError for a bad name."""
        if not self._read_only:
            self.avd.write_snapshot(name, self.phone.snapshot())
        self.phone.save_snapshot(name)

    def load_snapshot(self, name: str) -> bool:
        """Bring back a state; False when there is none of that name. Raises DeviceError when it is damaged."""
        try:
            self.phone.load_snapshot(name)
        except KeyError:
            return False
        return True

    def delete_snapshot(self, name: str) -> bool:
        """Forget a state; False when there is none of that name."""
        if name not in self.phone.snapshot_names():
            return False
        self.phone.forget_snapshot(name)
        if not self._read_only:
            self.avd.delete_snapshot(name)
        return True

    def save_on_exit(self) -> None:
        """Keep the state from which the next run goes on."""
        self.save_snapshot(BOOT_SNAPSHOT)

    def receive_sms(self, number: str, text: str) -> None:
        """A text arrives."""
        phone = self.phone
        threads = phone.content.query(_CONVERSATIONS)
        thread = next((row for row in threads if str(row["recipient"]).casefold() == number.casefold()), None)
        if thread is None:
            phone.content.insert(_CONVERSATIONS, {"recipient": number, "read": 0})
        else:
            phone.content.update(_CONVERSATIONS, {"read": 0}, lambda row: row["_id"] == thread["_id"])
        phone.content.insert(_SMS, {"address": number, "body": text, "type": _RECEIVED})
        phone.panels.notify(Notification(_MESSAGES, f"sms:{number}", number, text))
