"""Which apps a virtual phone has."""

from __future__ import annotations

from tapwise.emulators.virtual.app import App
from tapwise.emulators.virtual.apps.browser import Browser
from tapwise.emulators.virtual.apps.calendar import Calendar
from tapwise.emulators.virtual.apps.camera import Camera
from tapwise.emulators.virtual.apps.clock import Clock
from tapwise.emulators.virtual.apps.contacts import Contacts
from tapwise.emulators.virtual.apps.dialer import Dialer
from tapwise.emulators.virtual.apps.expenses import Expenses
from tapwise.emulators.virtual.apps.files import Files
from tapwise.emulators.virtual.apps.gallery import Gallery
from tapwise.emulators.virtual.apps.launcher import Launcher
from tapwise.emulators.virtual.apps.messages import Messages
from tapwise.emulators.virtual.apps.music import Music
from tapwise.emulators.virtual.apps.notes import Notes
from tapwise.emulators.virtual.apps.recipes import Recipes
from tapwise.emulators.virtual.apps.recorder import Recorder
from tapwise.emulators.virtual.apps.settings import SettingsApp
from tapwise.emulators.virtual.apps.tasks import Tasks

HOME: tuple[type[App], ...] = (SettingsApp, Browser, Clock, Contacts, Messages, Notes, Files)
"""The apps on the launcher's home page, whose look never changes: models were trained on it."""

INSTALLED: tuple[type[App], ...] = (
    *HOME,
    *(Calendar, Tasks, Expenses, Recipes),
    *(Dialer, Camera, Gallery, Recorder, Music),
)
"""All apps but the launcher; those that are not on the home page stand in its drawer, under a swipe upwards."""


def installed_apps() -> tuple[App, ...]:
    """A fresh instance of every app, the launcher first. Apps are stateless: their state is in the phone."""
    apps = {kind: kind() for kind in INSTALLED}
    return (Launcher([apps[kind] for kind in HOME], list(apps.values())), *apps.values())
