"""The processes that a phone would have: its system's, and one for each app that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_SYSTEM: Final = {1: "init", 101: "adbd", 102: "surfaceflinger", 103: "system_server"}
_FIRST_APP: Final = 2000


def app_processes(phone: VirtualPhone) -> dict[int, str]:
    """Package by process id of the apps that run; an app's id is always the same."""
    states = phone.state.apps
    return {_FIRST_APP + n: package for n, package in enumerate(phone.apps) if states[package].stack}


def processes(phone: VirtualPhone) -> dict[int, str]:
    """Name by process id of everything that runs."""
    return {**_SYSTEM, **app_processes(phone)}
