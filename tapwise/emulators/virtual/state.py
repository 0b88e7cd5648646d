"""The phone as a value: everything that a snapshot keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from tapwise.emulators.virtual.apk import Apk
from tapwise.emulators.virtual.filesystem import VirtualFileSystem

Route = tuple[str, ...]


@dataclass
class Entry:
    """One page on an app's back stack, with what the user did to it."""

    route: Route
    fields: dict[str, str] = field(default_factory=dict)
    focus: str | None = None
    scroll: float = 0.0
    """pixels"""
    loading_s: float = 0.0
    """virtual seconds until the page is there"""
    walled: bool = False
    """whether the site asks for an account first"""
    failed: bool = False
    """whether it could not be loaded"""
    failures: int = 0
    """how often that was so"""
    overlay_scroll: float = 0.0
    """pixels, in a dialog or drawer that is higher than the screen"""


@dataclass
class AppState:
    """An app's own data and its back stack (empty when it is not running)."""

    data: object
    stack: list[Entry] = field(default_factory=list)


@dataclass
class Popup:
    """An interruption by the world: `dismiss` closes it, `accept` leads astray to a page called `lure`."""

    title: str
    dismiss: str
    accept: str
    lure: str


@dataclass
class Notification:
    """What the shade lists: who posted it, under which tag, and what it says. Another with the same tag replaces it."""

    package: str
    tag: str
    title: str
    text: str


@dataclass
class Permission:
    """What an app asks to be allowed: "Allow LABEL to ...?". `graded` things may be so while the app is in use."""

    package: str
    what: str
    graded: bool


@dataclass
class HeadsUp:
    """A notification that has just come in, shown over the top of the screen until a virtual time in seconds."""

    posted: Notification
    until_s: float


@dataclass
class Display:
    """What was changed of the display: size (width, height) in pixels and density, and how the phone is held."""

    size: tuple[int, int] | None = None
    density: int | None = None
    held: int = 0
    """quarters of a turn"""


@dataclass
class PhoneState:
    """Everything that distinguishes one phone from another of the same model."""

    seed: int
    settings: dict[str, dict[str, str]]
    properties: dict[str, str]
    files: VirtualFileSystem
    apps: dict[str, AppState]
    foreground: str
    now_s: float
    """virtual seconds since the epoch, UTC"""
    recents: list[str] = field(default_factory=list)
    popup: Popup | None = None
    toast: str = ""
    lure: str = ""
    noise_draws: int = 0
    clipboard: str = ""
    panel: Entry | None = None
    """the system's own page in front of the app: recents, notifications or quick_settings"""
    notifications: list[Notification] = field(default_factory=list)
    """newest first"""
    display: Display = field(default_factory=Display)
    packages: dict[str, Apk] = field(default_factory=dict)
    """what was installed beside the apps; its code does not run"""
    permission: Permission | None = None
    """what the app in front asks for"""
    answered: tuple[str, ...] = ()
    """what was allowed or denied for good, each as package/what"""
    heads_up: HeadsUp | None = None
