"""find: an expression that is asked for each file below some places."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tapwise.emulators.virtual.filesystem import FileStat
from tapwise.emulators.virtual.shell import patterns
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_UNITS: Final = {"c": 1, "k": 1024, "M": 1 << 20, "G": 1 << 30, "": 512}


@dataclass(slots=True)
class _Place:
    """A file that was come by: as it is printed, where it is, and what it is."""

    shown: str
    path: str
    stat: FileStat
    pruned: bool = False


Test = Callable[[_Place], bool]


@dataclass(slots=True)
class _Plan:
    """What the arguments say."""

    least: int = 0
    most: int = 1_000_000
    deepest_first: bool = False
    follows: bool = False
    """links below, as with -L"""
    follows_roots: bool = False
    """links among the places to start from, as with -H"""
    acts: bool = False
    gathered: list[tuple[list[str], list[str]]] = field(default_factory=list)
    """commands of `-exec ... +`, and what they are to be called with"""


class _Reader:
    """Reads the expression: or, and, not, brackets, primaries."""

    def __init__(self, call: Invocation, words: list[str]) -> None:
        self._call = call
        self._words = words
        self.plan = _Plan()

    def read(self) -> Test:
        if not self._words:
            return self._print("\n")
        test = self._or()
        if self._words:
            raise CommandError(f"find: bad arg '{self._words[0]}'")
        if self.plan.acts:
            return test
        show = self._print("\n")
        return lambda place: test(place) and show(place)

    def _or(self) -> Test:
        tests = [self._and()]
        while self._words[:1] in (["-o"], ["-or"]):
            self._words.pop(0)
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda place: any(test(place) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._words and self._words[0] not in ("-o", "-or", ")"):
            if self._words[0] in ("-a", "-and"):
                self._words.pop(0)
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda place: all(test(place) for test in tests)

    def _not(self) -> Test:
        if self._words[:1] in (["!"], ["-not"]):
            self._words.pop(0)
            test = self._not()
            return lambda place: not test(place)
        if self._words[:1] == ["("]:
            self._words.pop(0)
            test = self._or()
            if self._words[:1] != [")"]:
                raise CommandError("find: need )")
            self._words.pop(0)
            return test
        return self._primary()

    def _value(self, name: str) -> str:
        if not self._words:
            raise CommandError(f"find: {name}: needs an argument")
        return self._words.pop(0)

    def _primary(self) -> Test:
        if not self._words:
            raise CommandError("find: an expression ends early")
        name = self._words.pop(0)
        match name:
            case "-name" | "-iname" | "-path" | "-ipath" | "-wholename":
                return _named(name, self._value(name))
            case "-type":
                kind = self._value(name)
                return lambda place: _kind(place.stat) in kind
            case "-maxdepth":
                self.plan.most = self._call.integer(self._value(name))
                return _always
            case "-mindepth":
                self.plan.least = self._call.integer(self._value(name))
                return _always
            case "-depth" | "-d":
                self.plan.deepest_first = True
                return _always
            case "-size":
                return self._size(self._value(name))
            case "-newer":
                than = self._call.phone.files.stat(self._call.path(self._value(name))).mtime
                return lambda place: place.stat.mtime > than
            case "-mtime" | "-mmin":
                return self._age(self._value(name), 86400 if name == "-mtime" else 60)
            case "-empty":
                return self._is_empty
            case "-true" | "-xdev":
                return _always
            case "-false":
                return lambda place: False
            case "-prune":
                return _prune
            case "-print" | "-print0":
                self.plan.acts = True
                return self._print("\0" if name == "-print0" else "\n")
            case "-delete":
                self.plan.acts = self.plan.deepest_first = True
                return self._delete
            case "-exec" | "-execdir":
                self.plan.acts = True
                return self._execute()
        raise CommandError(f"find: bad arg '{name}'")

    # --- primaries ---------------------------------------------------------------------------------------

    def _print(self, end: str) -> Test:
        def show(place: _Place) -> bool:
            self._call.out.write(place.shown + end)
            return True

        return show

    def _delete(self, place: _Place) -> bool:
        files = self._call.phone.files
        try:
            (files.remove_directory if place.stat.is_dir else files.remove)(place.path)
        except OSError as error:
            self._call.err.line(f"find: {place.shown}: {error.strerror}")
            return False
        return True

    def _execute(self) -> Test:
        command: list[str] = []
        while self._words and self._words[0] not in (";", "+"):
            command.append(self._words.pop(0))
        if not self._words or not command:
            raise CommandError("find: -exec needs \\;")
        if self._words.pop(0) == "+":
            gathered: list[str] = []
            self.plan.gathered.append(([word for word in command if word != "{}"], gathered))

            def gather(place: _Place) -> bool:
                gathered.append(place.shown)
                return True

            return gather

        def run(place: _Place) -> bool:
            words = [word.replace("{}", place.shown) for word in command]
            return self._call.shell.run_words(words, self._call.streams) == 0

        return run

    def _size(self, text: str) -> Test:
        number, unit = (text[:-1], text[-1]) if text[-1:] in ("c", "k", "M", "G") else (text, "")
        compare = _comparison(self._call.integer(number.lstrip("+-")), number)
        width = _UNITS[unit]
        return lambda place: compare(-(-place.stat.size // width))

    def _age(self, text: str, width: int) -> Test:
        compare = _comparison(self._call.integer(text.lstrip("+-")), text)
        now = self._call.phone.clock.now()
        return lambda place: compare(int((now - place.stat.mtime).total_seconds() // width))

    def _is_empty(self, place: _Place) -> bool:
        return not self._call.phone.files.listdir(place.path) if place.stat.is_dir else place.stat.size == 0


def _kind(stat: FileStat) -> str:
    return "l" if stat.link is not None else "d" if stat.is_dir else "f"


def _always(place: _Place) -> bool:
    return True


def _prune(place: _Place) -> bool:
    place.pruned = True
    return True


def _named(name: str, text: str) -> Test:
    folded = name.startswith("-i")
    pattern = patterns.from_text(text.lower() if folded else text)

    def test(place: _Place) -> bool:
        shown = (
            place.shown if "name" not in name or name == "-wholename" else posixpath.basename(place.shown.rstrip("/"))
        )
        return patterns.matches(pattern, shown.lower() if folded else shown)

    return test


def _comparison(number: int, text: str) -> Callable[[int], bool]:
    if text.startswith("+"):
        return lambda value: value > number
    if text.startswith("-"):
        return lambda value: value < number
    return lambda value: value == number


def _below(call: Invocation, shown: str, plan: _Plan, test: Test, above: tuple[str, ...] = ()) -> Iterator[None]:
    """Ask the expression for a place and all below it; `above` are the directories it was come by."""
    depth = len(above)
    path = call.path(shown)
    files = call.phone.files
    follow = (plan.follows or (plan.follows_roots and depth == 0)) and files.exists(path)
    place = _Place(shown, path, files.stat(path, follow=follow))
    wanted = plan.least <= depth <= plan.most
    if wanted and not plan.deepest_first:
        test(place)
        yield
    if place.stat.is_dir and not place.pruned and depth < plan.most and (seen := files.resolve(path)) not in above:
        for name in files.listdir(path):
            yield from _below(call, posixpath.join(shown, name), plan, test, (*above, seen))
    if wanted and plan.deepest_first:
        test(place)
        yield


def _find(call: Invocation) -> int:
    arguments = list(call.arguments)
    roots: list[str] = []
    follows = [arguments.pop(0) for _ in arguments[:] if arguments[0] in ("-H", "-L", "-P")]
    while arguments and not arguments[0].startswith(("-", "!", "(")):
        roots.append(arguments.pop(0))
    reader = _Reader(call, arguments)
    reader.plan.follows, reader.plan.follows_roots = follows[-1:] == ["-L"], follows[-1:] == ["-H"]
    test = reader.read()
    status = 0
    for root in roots or ["."]:
        if not call.phone.files.exists(call.path(root), follow=False):
            call.err.line(f"find: {root}: No such file or directory")
            status = 1
            continue
        for _ in _below(call, root, reader.plan, test):
            pass
    for command, names in reader.plan.gathered:
        if names and call.shell.run_words([*command, *names], call.streams):
            status = 1
    return status


COMMANDS: Final[CommandTable] = {"find": _find}
