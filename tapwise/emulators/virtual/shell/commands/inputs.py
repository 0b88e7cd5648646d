"""Files or standard input, as the commands on text take them."""

from __future__ import annotations

from tapwise.emulators.virtual.shell.command import CommandError, Invocation


def read_inputs(call: Invocation, names: list[str]) -> list[tuple[str, bytes]]:
    """(name, content) of files, or of standard input; a file that cannot be read ends the command."""
    pairs: list[tuple[str, bytes]] = []
    for name in names or ["-"]:
        try:
            pairs.append((name, call.stdin.read() if name == "-" else call.phone.files.read(call.path(name))))
        except OSError as error:
            raise CommandError(f"{call.name}: {name}: {error.strerror}", 2 if call.name == "grep" else 1) from None
    return pairs
