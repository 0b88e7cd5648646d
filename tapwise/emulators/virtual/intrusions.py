"""What the system and the web put in an app's way: requests for permissions, heads-up notifications, walls, failures.

Each is drawn when a page is opened (see `Noise`), is part of the state, and ends by what the user does about it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from tapwise.emulators.virtual.noise import happens
from tapwise.emulators.virtual.state import Entry, HeadsUp, Notification, Permission

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

PERMISSION_CONTROLLER = "com.android.permissioncontroller"
GRANT_ACTIVITY = f"{PERMISSION_CONTROLLER}/.permission.ui.GrantPermissionsActivity"
HEADS_UP_S = 5.0
"""how long a heads-up notification stays, in virtual seconds"""
MOST_FAILURES = 2
"""loads of one page that fail at most"""
RETRY_S = 0.3

SEND_NOTIFICATIONS = "send you notifications"
NEEDS = {
    "com.android.chrome": ("access this device's location", True),
    "com.android.camera2": ("take pictures and record video", True),
    "com.dimowner.audiorecorder": ("record audio", True),
    "com.google.android.contacts": ("access your contacts", False),
    "com.google.android.dialer": ("make and manage phone calls", False),
    "com.google.android.apps.messaging": ("send and view SMS messages", False),
    "com.simplemobiletools.calendar.pro": ("access your calendar", False),
    "com.google.android.documentsui": ("access photos and media on your device", False),
    "com.simplemobiletools.gallery.pro": ("access photos and videos on this device", False),
    "code.name.monkey.retromusic": ("access music and audio on this device", False),
}
"""what apps need beside sending notifications, and whether it may be given for as long as the app is in use"""
NOTICES = (
    ("com.google.android.apps.messaging", "Jonas", "Running ten minutes late, sorry"),
    ("com.google.android.apps.messaging", "Mum", "Call me when you have a moment"),
    ("com.simplemobiletools.calendar.pro", "Team lunch", "Starts in 30 minutes"),
    ("org.tasks", "Water the plants", "Due today"),
    ("com.google.android.dialer", "Missed call", "From an unknown number"),
)


class Intrusions:
    """Draws them, and ends them. `changed` is called after whatever the screen may show."""

    def __init__(self, phone: VirtualPhone, changed: Callable[[], None]) -> None:
        self._phone = phone
        self._changed = changed

    def meet(self, draw: int) -> None:
        """Let the page that has just been opened, by the noise's draw of this number, meet what it may."""
        phone, state = self._phone, self._phone.state
        app, entry = phone.apps[state.foreground], phone.entry
        if app.is_remote(entry.route) and self._happens("failed_loads", f"{draw}"):
            entry.failed, entry.failures = True, 1
        if app.host_of(entry.route) and self._happens("walls", f"{draw}"):
            entry.walled = True
        if state.popup is None and self._happens("permissions", f"{draw}"):
            state.permission = self._request(app.package)
        if self._happens("heads_up", f"{draw}"):
            self._notify(random.Random(f"{state.seed}/notice/{draw}"))

    def _happens(self, dial: str, draw: str) -> bool:
        return happens(self._phone.noise, dial, self._phone.state.seed, draw)

    # --- permissions -------------------------------------------------------------------------------------

    @property
    def asked(self) -> Permission | None:
        """The permission that is asked for on the screen now."""
        state = self._phone.state
        hidden = state.panel is not None or bool(state.lure) or self._phone.entry.loading_s > 0
        return None if hidden else state.permission

    def _request(self, package: str) -> Permission | None:
        wanted = [NEEDS[package]] if package in NEEDS else []
        wanted.append((SEND_NOTIFICATIONS, False))
        answered = self._phone.state.answered
        return next((Permission(package, *one) for one in wanted if f"{package}/{one[0]}" not in answered), None)

    def answer(self, *, for_good: bool) -> None:
        """Close the request; answered for good, it does not come again."""
        state = self._phone.state
        if state.permission is not None and for_good:
            state.answered = (*state.answered, f"{state.permission.package}/{state.permission.what}")
        state.permission = None
        self._changed()

    # --- heads-up notifications --------------------------------------------------------------------------

    def _notify(self, rng: random.Random) -> None:
        state = self._phone.state
        package, title, text = rng.choice([notice for notice in NOTICES if notice[0] != state.foreground])
        posted = Notification(package, "noise", title, text)
        self._phone.panels.notify(posted)
        state.heads_up = HeadsUp(posted, state.now_s + HEADS_UP_S)

    def expire(self) -> None:
        """Take the notification off the top of the screen when its time has come; it stays in the shade."""
        state = self._phone.state
        if state.heads_up is not None and state.now_s >= state.heads_up.until_s:
            self.put_away()

    def put_away(self) -> None:
        """Take the notification off the top of the screen."""
        self._phone.state.heads_up = None
        self._changed()

    def open(self) -> None:
        """Go to the app that posted it."""
        shown = self._phone.state.heads_up
        self.put_away()
        if shown is not None:
            self._phone.panels.notify(shown.posted)  # the shade may have been cleared since
            self._phone.panels.open_notification(shown.posted)

    # --- walls and failures ------------------------------------------------------------------------------

    def pass_wall(self, entry: Entry) -> None:
        """Go on without an account."""
        entry.walled, entry.focus = False, None
        self._changed()

    def retry(self, entry: Entry) -> None:
        """Load the page once more, which may fail again."""
        entry.loading_s = RETRY_S
        entry.failed = entry.failures < MOST_FAILURES and self._happens(
            "failed_loads", f"{self._phone.state.noise_draws}/{entry.failures}"
        )
        entry.failures += entry.failed
        self._changed()
