"""The system's own pages in front of the apps: which one is open, and the recent apps and notifications in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tapwise.emulators.virtual.state import Entry, Notification

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

RECENTS, SHADE, QUICK_SETTINGS = "recents", "notifications", "quick_settings"
SYSTEM_UI = "com.android.systemui"


class Panels:
    """What the system shows in front, and what it does to apps and notifications from there. `changed` is called after
    whatever the screen may show."""

    def __init__(self, phone: VirtualPhone, changed: Callable[[], None]) -> None:
        self._phone = phone
        self._changed = changed

    @property
    def shown(self) -> str:
        """The name of the open panel; empty when an app is in front."""
        panel = self._phone.state.panel
        return "" if panel is None else panel.route[0]

    def show(self, name: str) -> None:
        """Put a panel in front."""
        self._phone.state.panel = Entry((name,))
        self._changed()

    def close(self) -> None:
        """Show the app again."""
        self._phone.state.panel = None
        self._changed()

    def pull_down(self) -> None:
        """What a finger from the top edge does: first the shade, then the quick settings."""
        self.show(SHADE if self.shown in ("", RECENTS) else QUICK_SETTINGS)

    # --- recent apps -------------------------------------------------------------------------------------

    def show_recents(self) -> None:
        """Show the recent apps; where they are shown already, go back to the app used before this one."""
        if self.shown != RECENTS:
            self.show(RECENTS)
            return
        state = self._phone.state
        other = next((package for package in state.recents if package != state.foreground), None)
        if other is not None:
            self._phone.open(other)

    def dismiss_task(self, package: str) -> None:
        """Take an app off the recent ones, and end it; the panel stays."""
        panel = self._phone.state.panel
        self._phone.force_stop(package)
        self._phone.state.panel = panel
        self._changed()

    def dismiss_all_tasks(self) -> None:
        """End all recent apps, and show the launcher."""
        for package in list(self._phone.state.recents):
            self._phone.force_stop(package)
        self._phone.go_home()

    # --- notifications -----------------------------------------------------------------------------------

    def notify(self, posted: Notification) -> None:
        """Post a notification, in the place of one with the same package and tag."""
        listed = self._phone.state.notifications
        kept = [one for one in listed if (one.package, one.tag) != (posted.package, posted.tag)]
        listed[:] = [posted, *kept]
        self._changed()

    def open_notification(self, posted: Notification) -> None:
        """Take it off the shade, and go to the app that posted it."""
        self._phone.state.panel = None
        self.dismiss_notification(posted)
        if posted.package in self._phone.apps:
            self._phone.open(posted.package)

    def dismiss_notification(self, posted: Notification) -> None:
        """Take it off the shade."""
        self._phone.state.notifications.remove(posted)
        self._changed()

    def clear_notifications(self) -> None:
        """Empty the shade, and close it."""
        self._phone.state.notifications.clear()
        self.close()
