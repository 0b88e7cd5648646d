"""logcat: the log, as it is or as it goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tapwise.emulators.virtual.log import Entry
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_PRIORITIES: Final = "VDIWEFS"
_CLEAR: Final = ("-c", "--clear")
_SETTINGS: Final = ("-g", "-G", "-S")
_VALUED: Final = ("-v", "-b", "-t", "-T", "-e", "-m", "-f", "-r", "-n")
_LAST: Final = ("-t", "-T")


class _Wanted:
    """What the command line asks for."""

    def __init__(self, words: list[str]) -> None:
        self.format = "threadtime"
        self.last: int | None = None
        self.ends = False
        self._least: dict[str, str] = {}
        self._others = "V"
        rest = list(words)
        while rest:
            self._take(rest.pop(0), rest)

    def _take(self, word: str, rest: list[str]) -> None:
        if word in _VALUED:
            if not rest:
                raise CommandError(f"logcat: option requires an argument -- '{word[1:]}'")
            value = rest.pop(0)
            if word == "-v":
                self.format = value if value in ("epoch", "brief", "tag", "raw") else self.format
            elif word in _LAST:
                self.last = int(value) if value.isdecimal() else None
                self.ends = self.ends or word == "-t"
        elif word == "-s":
            self._others = "S"
        elif word == "-d":
            self.ends = True
        elif not word.startswith("-"):
            tag, _, priority = word.partition(":")
            least = priority.upper() if priority and priority.upper() in _PRIORITIES else "V"
            if tag == "*":
                self._others = least
            else:
                self._least[tag] = least

    def admits(self, entry: Entry) -> bool:
        """Whether the filters let a line through."""
        least = self._least.get(entry.tag, self._others)
        return _PRIORITIES.index(entry.priority) >= _PRIORITIES.index(least)

    def line(self, entry: Entry) -> str:
        """A line in the format that is asked for."""
        match self.format:
            case "raw":
                return f"{entry.message}\n"
            case "tag":
                return f"{entry.priority}/{entry.tag:<8}: {entry.message}\n"
            case "brief":
                return f"{entry.priority}/{entry.tag:<8}({entry.process:>5}): {entry.message}\n"
            case "epoch":
                time = f"{entry.time_s:>19.3f}"
            case _:
                time = f"{datetime.fromtimestamp(entry.time_s, UTC):%m-%d %H:%M:%S.%f}"[:-3]
        where = f"{entry.process:>5} {entry.process:>5}"
        return f"{time} {where} {entry.priority} {entry.tag:<8}: {entry.message}\n"


def _logcat(call: Invocation) -> int:
    log = call.phone.log
    if any(option in call.arguments for option in _CLEAR):
        log.clear()
        return 0
    if any(option in call.arguments for option in _SETTINGS):
        return 0
    wanted = _Wanted(call.arguments)
    call.out.line("--------- beginning of main")
    kept = [entry for entry in log.entries() if wanted.admits(entry)]
    for entry in kept if wanted.last is None else kept[len(kept) - min(wanted.last, len(kept)) :]:
        call.out.write(wanted.line(entry))
    if wanted.ends:
        return 0

    def hear(entry: Entry) -> None:
        if wanted.admits(entry):
            say(wanted.line(entry).encode())

    say = call.shell.stay(log.listen(hear))
    return 0


COMMANDS: Final[CommandTable] = {"logcat": _logcat}
