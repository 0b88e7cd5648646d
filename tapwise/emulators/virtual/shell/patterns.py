"""Shell patterns (`*`, `?`, `[...]`) and their expansion to the paths of the virtual file system."""

from __future__ import annotations

import posixpath
import re

from tapwise.emulators.virtual.filesystem import VirtualFileSystem

Field = list[tuple[str, bool]]
"""A field before globbing: characters, each with whether quotes protect it."""


def literal(field: Field) -> str:
    """The field's characters."""
    return "".join(character for character, _ in field)


def has_pattern(field: Field) -> bool:
    """Whether an unquoted pattern character is among them."""
    return any(character in "*?[" and not quoted for character, quoted in field)


def to_regex(field: Field) -> str:
    """The regular expression that the whole name must match."""
    result: list[str] = []
    position = 0
    while position < len(field):
        character, quoted = field[position]
        position += 1
        if quoted or character not in "*?[":
            result.append(re.escape(character))
        elif character == "*":
            result.append(".*")
        elif character == "?":
            result.append(".")
        else:
            end = _bracket_end(field, position)
            if end is None:
                result.append(r"\[")
                continue
            inside = literal(field[position:end]).replace("\\", "\\\\").replace("[", "\\[").replace("&", "\\&")
            inside = inside.replace("\\[:alpha:", "a-zA-Z").replace("\\[:digit:", "0-9")
            result.append("[" + ("^" + inside[1:] if inside[:1] in ("!", "^") else inside) + "]")
            position = end + 1
    return "(?s:" + "".join(result) + r")\Z"


def _bracket_end(field: Field, start: int) -> int | None:
    for position in range(start + 1, len(field)):
        if field[position][0] == "]":
            return position
    return None


def matches(pattern: Field, text: str) -> bool:
    """Whether the whole text fits the pattern."""
    return re.match(to_regex(pattern), text) is not None


def from_text(text: str) -> Field:
    """A pattern none of whose characters is quoted."""
    return [(character, False) for character in text]


def expand(field: Field, files: VirtualFileSystem, directory: str) -> list[str]:
    """The paths that fit, sorted; the field itself when none does, or when it holds no pattern."""
    if not has_pattern(field):
        return [literal(field)]
    components: list[Field] = [[]]
    for character, quoted in field:
        if character == "/":
            components.append([])
        else:
            components[-1].append((character, quoted))
    found = [""]
    if not components[0]:
        found, components = ["/"], components[1:]
    for number, component in enumerate(components):
        found = _step(found, component, files, directory, last=number == len(components) - 1)
    return sorted(found) or [literal(field)]


def _step(found: list[str], component: Field, files: VirtualFileSystem, directory: str, *, last: bool) -> list[str]:
    result: list[str] = []
    for prefix in found:
        here = posixpath.join(directory, prefix)
        if not component:
            names = [""]
        elif has_pattern(component):
            hidden = component[0][0] == "."
            names = files.listdir(here) if files.is_dir(here) else []
            names = [name for name in names if (hidden or not name.startswith(".")) and matches(component, name)]
        else:
            names = [literal(component)]
        for name in names:
            path = posixpath.join(prefix, name)
            place = posixpath.join(directory, path)
            if files.exists(place, follow=False) if last else files.is_dir(place):
                result.append(path)
    return result
