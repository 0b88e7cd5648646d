"""Every command of the phone's shell, one module per family."""

from __future__ import annotations

from typing import Final

from tapwise.emulators.virtual.shell.command import CommandTable
from tapwise.emulators.virtual.shell.commands import (
    activity,
    automation,
    conditions,
    content,
    dump,
    edit,
    files,
    find,
    grep,
    lines,
    listing,
    logcat,
    machine,
    packages,
    screen,
    services,
    sort,
    sqlite,
    system,
    text,
    touch,
    world,
)

_FAMILIES = (
    activity,
    automation,
    conditions,
    content,
    dump,
    edit,
    files,
    find,
    grep,
    lines,
    listing,
    logcat,
    machine,
    packages,
    screen,
    services,
    sort,
    sqlite,
    system,
    text,
    touch,
    world,
)
COMMANDS: Final[CommandTable] = {name: command for family in _FAMILIES for name, command in family.COMMANDS.items()}
