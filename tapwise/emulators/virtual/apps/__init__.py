"""The apps of the virtual phone, one file each: a state dataclass plus pages."""

from __future__ import annotations

from tapwise.emulators.virtual.apps.base import App


def installed_apps() -> tuple[App, ...]:
    """A fresh instance of every app, the launcher first. Apps are stateless: their state is in the phone."""
    from tapwise.emulators.virtual.apps.browser import Browser
    from tapwise.emulators.virtual.apps.clock import Clock
    from tapwise.emulators.virtual.apps.contacts import Contacts
    from tapwise.emulators.virtual.apps.files import Files
    from tapwise.emulators.virtual.apps.launcher import Launcher
    from tapwise.emulators.virtual.apps.messages import Messages
    from tapwise.emulators.virtual.apps.notes import Notes
    from tapwise.emulators.virtual.apps.settings import SettingsApp

    return (Launcher(), SettingsApp(), Browser(), Clock(), Contacts(), Messages(), Notes(), Files())
