"""What differs between two states of a phone, in words: settings, files and the apps' records.

Pages, time and the world's seed are left out: they are how a state came about, and no effect that lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from tapwise.emulators.virtual.app import App
from tapwise.emulators.virtual.databases import database_paths
from tapwise.emulators.virtual.filesystem import SHARED_STORAGE
from tapwise.emulators.virtual.state import PhoneState

_SHOWN_TEXT = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One lasting difference. `str` gives it in words, without the numbers by which records are kept."""

    what: Literal["added", "removed", "changed"]
    place: str
    """where: a namespace of settings, "files", or an app and its list"""
    thing: str
    """which setting, file or record"""
    details: tuple[tuple[str, str, str], ...] = ()
    """name, value before and value after; one of the two is empty where something was added or removed"""

    def __str__(self) -> str:
        words = f"{self.place}: {self.what} {self.thing}".rstrip()
        if not self.details:
            return words
        if self.what == "changed":
            told = (f"{name} from {before} to {after}".lstrip() for name, before, after in self.details)
        else:
            told = (f"{name} {before or after}".lstrip() for name, before, after in self.details)
        return f"{words} ({', '.join(told)})"


def changes_between(before: PhoneState, after: PhoneState, apps: Mapping[str, App]) -> list[Change]:
    """Every lasting difference, in a fixed order; what apps call traces is none."""
    found = [*_settings(before.settings, after.settings), *_files(before, after, database_paths(apps, after.apps))]
    for package, app in sorted(apps.items(), key=lambda item: item[1].label):
        found += _compare(app.label, before.apps[package].data, after.apps[package].data, app.traces)
    return found


def _settings(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> Iterator[Change]:
    for namespace in sorted({*before, *after}):
        yield from _mapping(f"{namespace} settings", before.get(namespace, {}), after.get(namespace, {}))


def _files(before: PhoneState, after: PhoneState, left_out: frozenset[str]) -> Iterator[Change]:
    """Files other than the apps' databases, whose records are compared instead."""
    old, new = before.files.contents(), after.files.contents()
    for path in sorted({*old, *new} - left_out):
        shown = path.replace(SHARED_STORAGE, "/sdcard", 1) if path.startswith(SHARED_STORAGE) else path
        if path not in old:
            yield Change("added", "files", shown)
        elif path not in new:
            yield Change("removed", "files", shown)
        elif old[path] != new[path]:
            yield Change("changed", "files", shown, (("", _size(old[path]), _size(new[path])),))


def _size(content: bytes | None) -> str:
    return "a directory" if content is None else f"{len(content)} bytes"


def _compare(place: str, before: Any, after: Any, traces: Sequence[str] = ()) -> Iterator[Change]:
    if before == after:
        return
    if type(before) is not type(after):
        yield Change("changed", place, "", (("", _shown(before), _shown(after)),))
    elif is_dataclass(before):
        for field in fields(before):
            if field.name in traces:
                continue
            yield from _compare(f"{place} {field.name}", getattr(before, field.name), getattr(after, field.name))
    elif isinstance(before, dict):
        yield from _mapping(place, before, after)
    elif isinstance(before, list) and all(hasattr(one, "id") for one in (*before, *after)):
        yield from _records(place, before, after)
    else:
        yield Change("changed", place, "", (("", _shown(before), _shown(after)),))


def _mapping(place: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        if key not in before:
            yield Change("added", place, key, (("", "", _shown(after[key])),))
        elif key not in after:
            yield Change("removed", place, key, (("", _shown(before[key]), ""),))
        elif is_dataclass(before[key]) or isinstance(before[key], (dict, list)):
            yield from _compare(f"{place} {key}", before[key], after[key])
        elif before[key] != after[key]:
            yield Change("changed", place, key, (("", _shown(before[key]), _shown(after[key])),))


def _records(place: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    old, new = ({record.id: record for record in records} for records in (before, after))
    for key in sorted({*old, *new}):
        if key not in old:
            yield Change("added", place, _name(new[key]), tuple((n, "", v) for n, v in _values(new[key])))
        elif key not in new:
            yield Change("removed", place, _name(old[key]), tuple((n, v, "") for n, v in _values(old[key])))
        elif old[key] != new[key]:
            pairs = zip(_values(old[key]), _values(new[key]), strict=True)
            yield Change("changed", place, _name(old[key]), tuple((n, a, b) for (n, a), (_, b) in pairs if a != b))


def _values(record: Any) -> list[tuple[str, str]]:
    return [(field.name, _shown(getattr(record, field.name))) for field in fields(record) if field.name != "id"]


def _name(record: Any) -> str:
    """The first text of a record, which is what people know it by."""
    texts = (getattr(record, field.name) for field in fields(record))
    return next((_shown(text) for text in texts if isinstance(text, str)), "one")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_TEXT else text[: _SHOWN_TEXT - 1] + "…"
