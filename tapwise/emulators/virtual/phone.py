"""The virtual phone: one value of state, events that change it, and views of it.

Everything is synchronous and reaches nothing outside. Coordinates are pixels of the screen.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise.emulators.virtual.apk import Apk
from tapwise.emulators.virtual.app import App
from tapwise.emulators.virtual.apps.launcher import DRAWER
from tapwise.emulators.virtual.automation.forwarder import PACKAGE as FORWARDER
from tapwise.emulators.virtual.automation.forwarder import Forwarder
from tapwise.emulators.virtual.changes import Change, changes_between
from tapwise.emulators.virtual.clock import EPOCH, START, VirtualClock
from tapwise.emulators.virtual.content import ContentProviders
from tapwise.emulators.virtual.databases import DatabaseFiles, database_paths
from tapwise.emulators.virtual.display import rotation_of, shown_size
from tapwise.emulators.virtual.faults import FaultSpec, Switchboard
from tapwise.emulators.virtual.filesystem import VirtualFileSystem
from tapwise.emulators.virtual.installed import installed_apps
from tapwise.emulators.virtual.intrusions import GRANT_ACTIVITY, Intrusions
from tapwise.emulators.virtual.listening import Listener
from tapwise.emulators.virtual.log import Log
from tapwise.emulators.virtual.media_store import MediaStore
from tapwise.emulators.virtual.noise import Noise, interruption, loading_time_s
from tapwise.emulators.virtual.panels import RECENTS, SHADE, SYSTEM_UI, Panels
from tapwise.emulators.virtual.proc import proc_files
from tapwise.emulators.virtual.saved import read_state, write_state
from tapwise.emulators.virtual.settings import DEFAULTS, Settings
from tapwise.emulators.virtual.shown import Screen
from tapwise.emulators.virtual.state import AppState, Entry, PhoneState, Popup
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.views import View
from tapwise.errors import DeviceError
from tapwise.records import Size, UiNode

LAUNCHER = "com.google.android.apps.nexuslauncher"
SEED_PROPERTY = "debug.tapwise.seed"
SECONDS_PER_EVENT = 1.0
SECONDS_PER_POLL = 0.05
TAP_SLOP_DP = 10.0
LONG_PRESS_S = 0.5
_NO_SOCKETS = b"Num       RefCount Protocol Flags    Type St Inode Path\n"
"""what clients find that look for web views to debug"""
NOT_RESPONDING = "Application Not Responding"


class VirtualPhone:
    """An Android phone in a Python object."""

    def __init__(
        self,
        *,
        size: Size = Size(1200, 540),
        density: int = 210,
        seed: int = 0,
        noise: Noise = Noise(),
    ) -> None:
        self.physical_size = size
        self.physical_density = density
        self.noise = noise
        self._apps = {app.package: app for app in installed_apps()}
        self._snapshots: dict[str, bytes] = {}
        self.listeners: dict[int, Listener] = {}
        """programs that listen on ports inside the phone; no part of its state"""
        self.databases = DatabaseFiles()
        """the files of the apps' databases; what they hold is part of the state"""
        self.faults = Switchboard()
        """what goes wrong; no part of its state"""
        self.log = Log()
        """what `logcat` shows; no part of its state"""
        self.forwarder = Forwarder(self)
        """the service that sends the accessibility forest to the host; no part of its state"""
        self.state = self._fresh_state(seed)
        self._bind()
        self.content = ContentProviders(
            self._apps, lambda: self.state.apps, MediaStore(lambda: self.state.files).tables, self._changed
        )
        self._screen = Screen(self)
        self.panels = Panels(self, self._changed)
        """the system's own pages, and notifications"""
        self.intrusions = Intrusions(self, self._changed)
        """what comes in between"""

    # --- state ---------------------------------------------------------------------------------------

    def _fresh_state(self, seed: int) -> PhoneState:
        state = PhoneState(
            seed=seed,
            settings=copy.deepcopy(DEFAULTS),
            properties=_properties(self.physical_size, self.physical_density),
            files=_fresh_files(),
            apps={},
            foreground=LAUNCHER,
            now_s=(START - EPOCH).total_seconds(),
        )
        self._populate(state, seed)
        return state

    def _populate(self, state: PhoneState, seed: int) -> None:
        """Draw the apps' data from a seed, and stop all apps."""
        state.seed = seed
        for package, app in self._apps.items():
            state.apps[package] = AppState(self._fresh_data(package, seed))
            self.databases.drop(state.files, app.databases(state.apps[package].data))
        state.apps[LAUNCHER].stack = [Entry(("home",))]
        state.foreground = LAUNCHER
        state.recents.clear()
        state.popup, state.toast, state.lure, state.noise_draws = None, "", "", 0
        state.panel = None
        state.notifications.clear()
        state.permission, state.heads_up, state.answered = None, None, ()

    def _fresh_data(self, package: str, seed: int) -> object:
        """An app's data as the seed draws them, and as the dial for drift then changes them."""
        data = self._apps[package].initial(random.Random(f"{seed}/{package}"))
        if self.noise.drift:
            return self._apps[package].drift(data, self.noise.drift, random.Random(f"{seed}/{package}/drift"))
        return data

    def _no_space(self, path: str) -> bool:
        return self.faults.fires("full_disk", path) is not None

    def _bind(self) -> None:
        self.state.files.refuses = self._no_space
        self.state.files.live = lambda: proc_files(self)
        self.settings = Settings(self.state.settings)
        self.clock = VirtualClock(self.state)

    @property
    def files(self) -> VirtualFileSystem:
        """The phone's files."""
        return self.state.files

    @property
    def properties(self) -> dict[str, str]:
        """System properties; change them with `set_property`."""
        return self.state.properties

    @property
    def apps(self) -> Mapping[str, App]:
        """Installed apps by package."""
        return self._apps

    def set_property(self, key: str, value: str) -> None:
        """Set a system property. A whole number for `debug.tapwise.seed` draws a new world from that seed."""
        self.state.properties[key] = value
        if key == SEED_PROPERTY and value.lstrip("-").isdigit():
            self._populate(self.state, int(value))
        self._changed()

    def set_noise(self, noise: Noise) -> None:
        """Change the dials of the world's noise."""
        self.noise = noise
        self._changed()

    def snapshot(self) -> bytes:
        """The whole phone as a value, for `restore` of this version of tapwise."""
        return write_state(self.state)

    def restore(self, snapshot: bytes) -> None:
        """Become the phone that `snapshot` gave. Raises DeviceError for other bytes, which do no harm."""
        self.state = read_state(snapshot)
        self.databases.forget()
        self._bind()
        self._changed()

    def fork(self) -> VirtualPhone:
        """Another phone in the same state, which goes its own way from here; named snapshots come along."""
        twin = VirtualPhone(size=self.physical_size, density=self.physical_density, noise=self.noise)
        twin.restore(self.snapshot())
        twin._snapshots = dict(self._snapshots)
        return twin

    def changes_since(self, snapshot: bytes) -> list[Change]:
        """What is otherwise in settings, files and the apps' records than in a state that `snapshot` gave."""
        return changes_between(read_state(snapshot), self.state, self._apps)

    def changes_since_saved(self, name: str) -> list[Change]:
        """The same since the state kept under a name. KeyError when there is none."""
        return self.changes_since(self._snapshots[name])

    def save_snapshot(self, name: str) -> None:
        """Keep the present state under a name. Raises DeviceError when that goes wrong."""
        fault = self.faults.fires("snapshot", f"save {name}")
        if fault is not None and fault.mode == "error":
            raise DeviceError(f"snapshot {name!r} cannot be saved: the operation timed out")
        self._snapshots[name] = self._another_state() if _comes_wrong(fault) else self.snapshot()

    def load_snapshot(self, name: str) -> None:
        """Bring back the state kept under a name. KeyError when there is none, DeviceError when it goes wrong."""
        kept = self._snapshots[name]
        fault = self.faults.fires("snapshot", f"load {name}")
        if fault is not None and fault.mode == "error":
            raise DeviceError(f"snapshot {name!r} cannot be loaded: a snapshot operation is pending")
        self.restore(self._another_state() if _comes_wrong(fault) else kept)

    def _another_state(self) -> bytes:
        """A sound state that nobody asked for."""
        return write_state(self._fresh_state(self.state.seed + 1))

    def saved_snapshot(self, name: str) -> bytes:
        """The state kept under a name. KeyError when there is none."""
        return self._snapshots[name]

    def keep_snapshot(self, name: str, snapshot: bytes) -> None:
        """Put a state under a name, as if it had been saved here."""
        self._snapshots[name] = snapshot

    def forget_snapshot(self, name: str) -> None:
        """Forget the state kept under a name. KeyError when there is none."""
        del self._snapshots[name]

    def snapshot_names(self) -> list[str]:
        """Names of the kept states."""
        return sorted(self._snapshots)

    def state_hash(self) -> str:
        """Hash of everything that a snapshot keeps."""
        state = self.state
        digest = hashlib.sha256(state.files.fingerprint().encode())
        digest.update(json.dumps([state.settings, state.properties], sort_keys=True).encode())
        digest.update(repr([sorted(state.apps.items()), state.foreground, state.now_s, state.popup]).encode())
        digest.update(
            repr([state.seed, state.recents, state.toast, state.lure, state.noise_draws, state.clipboard]).encode()
        )
        digest.update(repr([state.panel, state.notifications, state.display]).encode())
        digest.update(repr([state.permission, state.answered, state.heads_up]).encode())
        return digest.hexdigest()

    def data_hash(self) -> str:
        """Hash of what lasts: settings, files without their times, and the apps' records; not pages, time or seed."""
        digest = hashlib.sha256(json.dumps(self.state.settings, sort_keys=True).encode())
        told = database_paths(self._apps, self.state.apps)  # by the records
        files = [item for item in sorted(self.state.files.contents().items()) if item[0] not in told]
        digest.update(repr(files).encode())
        digest.update(repr([(name, app.data) for name, app in sorted(self.state.apps.items())]).encode())
        return digest.hexdigest()

    def _changed(self) -> None:
        self._screen.invalidate()

    # --- display -------------------------------------------------------------------------------------

    @property
    def rotation(self) -> int:
        """Quarters of a turn of the display."""
        return rotation_of(self.settings, self.state.display)

    @property
    def natural_size(self) -> Size:
        """The display's size in pixels when it is not turned."""
        override = self.state.display.size
        return self.physical_size if override is None else Size(override[1], override[0])

    @property
    def size(self) -> Size:
        """The display's size in pixels as it is turned now."""
        return shown_size(self.natural_size, self.rotation)

    @property
    def density(self) -> int:
        """Dots per inch."""
        return self.state.display.density or self.physical_density

    def hold(self, turn: int) -> None:
        """Hold the phone turned by so many quarters; the display follows where rotation is automatic."""
        self.state.display.held = turn % 4
        self._changed()

    # --- views ---------------------------------------------------------------------------------------

    def frame(self) -> NDArray[np.uint8]:
        """The screen, uint8 of shape (height, width, 3), RGB, read-only."""
        return self._screen.frame()

    def frame_counter(self) -> int:
        """Grows by one whenever the picture has changed."""
        return self._screen.counter()

    def tree(self) -> UiNode:
        """The accessibility tree of what is on screen, bounds in pixels."""
        return self._screen.tree()

    def bars(self) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int] | None]:
        """Bounds of the status bar and of the keyboard, None while there is none, in pixels."""
        return self._screen.bars()

    def views(self) -> Iterator[View]:
        """Every view on screen."""
        return self._screen.views()

    def is_asking(self) -> bool:
        """Whether a dialog or an interruption is open."""
        return self._screen.scene().modal

    def theme(self) -> themes.Theme:
        """The colours of now."""
        return self._screen.metrics().theme

    def thumbnail(self, package: str, width: int, height: int) -> Image.Image:
        """The upper part of a recent app's page, as wide as `width`."""
        return self._screen.thumbnail(package, width, height)

    def window_package(self) -> str:
        """The package of the window in front, which may be the system's."""
        return SYSTEM_UI if self.panels.shown not in ("", RECENTS) else self.foreground().partition("/")[0]

    def foreground(self) -> str:
        """The foreground activity as "package/activity"; recent apps are the launcher's, and a shade has none."""
        if self.panels.shown == RECENTS:
            return f"{LAUNCHER}/{self._apps[LAUNCHER].activity}"
        if self.state.lure:
            return "com.android.vending/.LureActivity"
        if self.intrusions.asked is not None:
            return GRANT_ACTIVITY
        app = self._apps[self.state.foreground]
        return f"{app.package}/{app.activity_of(self.entry.route)}"

    def poll(self) -> None:
        """A look at the phone from outside: a little time passes, and slow pages come nearer."""
        self.intrusions.expire()
        entry = self.entry
        if entry.loading_s > 0:
            self.clock.advance(SECONDS_PER_POLL)
            self._pass_time(entry, SECONDS_PER_POLL)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.clock.advance(seconds)
        self._pass_time(self.entry, seconds)

    def _pass_time(self, entry: Entry, seconds: float) -> None:
        if entry.loading_s > 0:
            entry.loading_s = max(0.0, entry.loading_s - seconds)
        self._changed()

    @property
    def entry(self) -> Entry:
        """The page in front."""
        return self.state.panel or self.state.apps[self.state.foreground].stack[-1]

    # --- input ---------------------------------------------------------------------------------------

    def tap(self, x: float, y: float) -> None:
        """Touch a pixel."""
        if self._begin_event(f"tap {x:g} {y:g}"):
            self._screen.touch(x, y, long=False)

    def long_press(self, x: float, y: float) -> None:
        """Hold a pixel."""
        if self._begin_event(f"long press {x:g} {y:g}"):
            self._screen.touch(x, y, long=True)

    def swipe(self, x1: float, y1: float, x2: float, y2: float, duration_s: float) -> None:
        """Move a finger from (x1, y1) to (x2, y2); hardly moving is a tap, or a long press when slow."""
        if max(abs(x2 - x1), abs(y2 - y1)) < TAP_SLOP_DP * self.density / 160:
            (self.long_press if duration_s >= LONG_PRESS_S else self.tap)(x1, y1)
            return
        if not self._begin_event(f"swipe {x1:g} {y1:g} {x2:g} {y2:g}"):
            return
        if self._screen.fling_banner(x1, y1, x2, y2) or self._screen.swipe_drawer(x1, y1, x2, y2):
            return
        panel, across = self.panels.shown, abs(x2 - x1) > abs(y2 - y1)
        if across and self._screen.slide(x1, y1, x2):
            return
        if y2 - y1 > abs(x2 - x1) and (self._screen.in_status_bar(y1) or panel == SHADE):
            self.panels.pull_down()
            return
        if panel and across:
            self._screen.swipe_aside(x1, y1)
            return
        stack = self.state.apps[LAUNCHER].stack
        on_home = self.state.foreground == LAUNCHER and not panel
        if on_home and len(stack) == 1 and y1 - y2 > abs(x2 - x1) and not self.is_asking():
            stack.append(Entry((DRAWER,)))
            self._changed()
        else:
            self._screen.scroll(x1, y1, y1 - y2)

    def pinch(self, x: float, y: float, factor: float) -> None:
        """Move two fingers around a pixel, by a factor apart (above 1) or together (below 1)."""
        if self._begin_event(f"pinch {x:g} {y:g} {factor:g}"):
            self._screen.pinch(x, y, factor)

    def type_text(self, text: str) -> None:
        """Type into the focused field; without one the text is lost, as on Android."""
        entry = self.entry
        if self._begin_event("text") and entry.focus is not None:
            entry.fields[entry.focus] = self._screen.focused_value() + text
            self._changed()

    def replace_text(self, text: str) -> None:
        """Put a text in the place of what the focused field holds; without one nothing happens."""
        entry = self.entry
        if self._begin_event("text") and entry.focus is not None:
            entry.fields[entry.focus] = text
            self._changed()

    def key_event(self, code: str) -> None:
        """Press a key by its Android name; keys that do nothing here are ignored."""
        if not self._begin_event(f"key {code}"):
            return
        if code == "KEYCODE_BACK":
            self._screen.press_back()
        elif code == "KEYCODE_HOME":
            self.go_home()
        elif code == "KEYCODE_APP_SWITCH":
            self.panels.show_recents()
        elif code == "KEYCODE_NOTIFICATION":
            self.panels.show(SHADE)
        elif code == "KEYCODE_ENTER":
            self._screen.submit()
        elif code == "KEYCODE_ESCAPE" and self.entry.focus is not None:
            self.entry.focus = None
            self._changed()
        elif code == "KEYCODE_DEL" and self.entry.focus is not None:
            self.entry.fields[self.entry.focus] = self._screen.focused_value()[:-1]
            self._changed()

    def _begin_event(self, what: str) -> bool:
        """Let time pass; False when the event is lost."""
        self.state.toast = ""
        self.clock.advance(SECONDS_PER_EVENT)
        self._changed()
        if not self.faults:
            return True
        if self.faults.fires("anr", what) and not self.settings.is_on("global", "hide_error_dialogs"):
            label = self._apps[self.state.foreground].label
            self.state.popup = Popup(f"{label} isn't responding", "Wait", "Close app", NOT_RESPONDING)
        return self.faults.fires("lost_input", what) is None

    # --- apps ----------------------------------------------------------------------------------------

    def start(self, component: str) -> bool:
        """Bring an app to the front by "package" or "package/activity"; False when it is not installed."""
        package, _, activity = component.partition("/")
        app = self._apps.get(package)
        known = app is not None and activity in ("", app.activity, package + app.activity)
        if known:
            self.open(package)
        return known or package in self.state.packages  # whose code does not run, so that nothing comes to the front

    def open(self, package: str, *route: str) -> None:
        """Bring an installed app to the front, with a page on top of its first one when a route is given."""
        state = self.state
        state.popup, state.lure, state.panel, state.permission = None, "", None, None
        app_state = state.apps[package]
        fresh = not app_state.stack
        if fresh:
            app_state.stack = [Entry(("home",))]
        if route:
            del app_state.stack[1:]
            app_state.stack.append(Entry(route))
        if state.foreground != package and state.foreground != LAUNCHER:
            self._remember(state.foreground)
        state.foreground = package
        if package != LAUNCHER:
            self._remember(package)
            if fresh or route:
                self.page_opened()
        self._changed()

    def _remember(self, package: str) -> None:
        recents = self.state.recents
        if package in recents:
            recents.remove(package)
        recents.insert(0, package)

    def open_url(self, url: str) -> None:
        """Answer a VIEW intent for a web address. KeyError when no browser is installed."""
        package = next((p for p, app in self._apps.items() if app.browses), None)
        if package is None:
            raise KeyError("no app opens web addresses")
        self.open(package, "site", url.removeprefix("https://").removeprefix("http://").rstrip("/"))

    def force_stop(self, package: str) -> None:
        """Stop an app; unknown packages are ignored, as on Android."""
        if package == FORWARDER:
            self.forwarder.stop()
        if package in self._apps and package != LAUNCHER:
            if self.state.foreground == package:
                self.go_home()
            self.state.apps[package].stack.clear()
            if package in self.state.recents:
                self.state.recents.remove(package)
        self._changed()

    def clear(self, package: str) -> bool:
        """Stop an app and empty its data; False when it is not installed."""
        if package not in self._apps:
            return False
        self.force_stop(package)
        app, state = self._apps[package], self.state.apps[package]
        state.data = self._fresh_data(package, self.state.seed)
        self.databases.drop(self.files, app.databases(state.data))
        self._changed()
        return True

    def install(self, apk: Apk) -> str:
        """Install an APK, whose code does not run here; the verdict in the package manager's words."""
        if self.faults.fires("full_disk", f"install {apk.package}"):
            return "Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE: Failed to override installation location]"
        if apk.package in self._apps:
            return f"Failure [INSTALL_FAILED_UPDATE_INCOMPATIBLE: {apk.package} is built in]"
        self.state.packages[apk.package] = apk
        self._changed()
        return "Success"

    def uninstall(self, package: str) -> bool:
        """Remove an installed APK; False when there is none, or the app is built in."""
        return self.state.packages.pop(package, None) is not None

    def go_home(self) -> None:
        """Show the launcher."""
        self.open(LAUNCHER)
        del self.state.apps[LAUNCHER].stack[1:]

    def page_opened(self) -> None:
        """Let the world's noise meet a newly opened page."""
        state = self.state
        draw = state.noise_draws
        rng = random.Random(f"{state.seed}/noise/{draw}")
        state.noise_draws += 1
        self.entry.loading_s = loading_time_s(self.noise, rng)
        popup = interruption(self.noise, rng, browser=self._apps[state.foreground].browses)
        if popup is not None:
            state.popup = Popup(popup.title, popup.dismiss, popup.accept, popup.lure)
        self.intrusions.meet(draw)

    # --- what handlers of system views call ------------------------------------------------------------

    def dismiss_popup(self) -> None:
        """Close the world's interruption."""
        self.state.popup = None

    def follow_lure(self) -> None:
        """Fall for the interruption: a page that leads away, left with Back."""
        popup = self.state.popup
        if popup is not None and popup.lure == NOT_RESPONDING:
            self.state.popup = None
            self.force_stop(self.state.foreground)
        elif popup is not None:
            self.state.lure, self.state.popup = popup.lure, None

    def pop_page(self) -> None:
        """Back: leave the panel, the lure, the page, or the app."""
        state = self.state
        if state.panel is not None:
            self.panels.close()
            return
        if state.lure:
            state.lure = ""
            return
        stack = state.apps[state.foreground].stack
        if len(stack) > 1:
            stack.pop()
        elif state.foreground != LAUNCHER:
            stack.clear()
            self.go_home()

    def handler(self, action: Callable[[], Any]) -> Callable[[], None]:
        """Wrap a handler so that the screen is drawn anew after it."""

        def run() -> None:
            action()
            self._changed()

        return run


def _comes_wrong(fault: FaultSpec | None) -> bool:
    """Whether a snapshot is another one than asked for; one that is slow takes its time here."""
    if fault is not None and fault.mode == "slow":
        time.sleep(fault.delay)  # a machine whose memory is written or read stands still
    return fault is not None and fault.mode == "wrong"


def _fresh_files() -> VirtualFileSystem:
    files = VirtualFileSystem(created=START)
    files.make_directory("/proc/net", parents=True, exist_ok=True, mtime=START)
    files.write("/proc/net/unix", _NO_SOCKETS, START)
    return files


def _properties(size: Size, density: int) -> dict[str, str]:
    return {
        "ro.product.name": "tapwise_phone",
        "ro.product.model": "Tapwise Phone",
        "ro.product.device": "tapwise",
        "ro.product.manufacturer": "tapwise",
        "ro.build.version.sdk": "33",
        "ro.build.version.release": "13",
        "ro.product.cpu.abi": "x86_64",
        "ro.sf.lcd_density": str(density),
        "ro.kernel.qemu": "1",
        "ro.boot.qemu": "1",
        "ro.boot.qemu.avd_name": "tapwise",
        "sys.boot_completed": "1",
        "dev.bootcomplete": "1",
        "init.svc.bootanim": "stopped",
        "persist.sys.locale": "en-US",
        "tapwise.screen": f"{size.width}x{size.height}",
    }
