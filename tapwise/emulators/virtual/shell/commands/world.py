"""`tapwise-phone`: what a virtual phone can do and a real one cannot."""

from __future__ import annotations

from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.errors import DeviceError

_USAGE: Final = (
    "usage: tapwise-phone snapshot save NAME | snapshot load NAME | snapshot diff NAME | snapshot list | state-hash"
    " | data-hash | seed N | open-app NAME"
)
_SEED_PROPERTY: Final = "debug.tapwise.seed"


def _check_saved(call: Invocation, name: str) -> None:
    known = call.phone.snapshot_names()
    if name not in known:
        told = ", ".join(known) or "none yet"
        raise CommandError(f"tapwise-phone: there is no snapshot {name!r}; saved ones: {told}")


def _open(call: Invocation, name: str) -> None:
    apps = call.phone.apps
    found = next((package for package, app in apps.items() if app.label.casefold() == name.casefold()), None)
    if found is None and name in apps:
        found = name
    if found is None or not call.phone.start(found):
        labels = ", ".join(sorted(app.label for app in apps.values()))
        raise CommandError(f"tapwise-phone: there is no app {name!r}; installed: {labels}")


def _tapwise_phone(call: Invocation) -> int:
    try:
        return _do(call)
    except DeviceError as error:
        raise CommandError(f"tapwise-phone: {error}") from None


def _do(call: Invocation) -> int:
    match call.arguments:
        case ["snapshot", "save", name]:
            call.phone.save_snapshot(name)
        case ["snapshot", "load", name]:
            _check_saved(call, name)
            call.phone.load_snapshot(name)
        case ["snapshot", "diff", name]:
            _check_saved(call, name)
            for change in call.phone.changes_since_saved(name):
                call.out.line(str(change))
        case ["snapshot", "list"]:
            for name in call.phone.snapshot_names():
                call.out.line(name)
        case ["state-hash"]:
            call.out.line(call.phone.state_hash())
        case ["data-hash"]:
            call.out.line(call.phone.data_hash())
        case ["seed", number]:
            call.phone.set_property(_SEED_PROPERTY, str(call.integer(number)))
        case ["open-app", *words] if words:
            _open(call, " ".join(words))
        case _:
            raise CommandError(_USAGE, 2)
    return 0


COMMANDS: Final[CommandTable] = {"tapwise-phone": _tapwise_phone}
