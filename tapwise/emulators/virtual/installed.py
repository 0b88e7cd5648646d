"""Which apps a virtual phone has."""

from __future__ import annotations

from tapwise.emulators.virtual.app import App
from tapwise.emulators.virtual.apps.browser import Browser
from tapwise.emulators.virtual.apps.clock import Clock
from tapwise.emulators.virtual.apps.contacts import Contacts
from tapwise.emulators.virtual.apps.files import Files
from tapwise.emulators.virtual.apps.launcher import Launcher
from tapwise.emulators.virtual.apps.messages import Messages
from tapwise.emulators.virtual.apps.notes import Notes
from tapwise.emulators.virtual.apps.settings import SettingsApp


def installed_apps() -> tuple[App, ...]:
    """A fresh instance of every app, the launcher first. Apps are stateless: their state is in the phone."""
    apps = (SettingsApp(), Browser(), Clock(), Contacts(), Messages(), Notes(), Files())
    return (Launcher(apps), *apps)
