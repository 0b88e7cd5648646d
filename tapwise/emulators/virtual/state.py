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
    packages: dict[str, Apk] = field(default_factory=dict)
    """what was installed beside the apps; its code does not run"""
