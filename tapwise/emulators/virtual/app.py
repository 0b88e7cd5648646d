"""What an app is, what it may do to the phone, and how its data is offered to content providers."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from tapwise.emulators.virtual.databases import Database
from tapwise.emulators.virtual.filesystem import VirtualFileSystem
from tapwise.emulators.virtual.settings import Settings
from tapwise.emulators.virtual.state import AppState, Route
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import TextField

ItemT = TypeVar("ItemT")
RecordT = TypeVar("RecordT")

Value = str | int | None
ContentRow = dict[str, Value]


class Ui(Protocol):
    """The phone as a page sees it while it is built and when its handlers run."""

    settings: Settings
    files: VirtualFileSystem

    @property
    def data(self) -> Any:
        """The app's own data object."""

    @property
    def route(self) -> Route:
        """The page's route: its name and arguments."""

    def now(self) -> datetime:
        """Virtual time, UTC."""

    def go(self, *route: str) -> None:
        """Open a page of this app on top of this one."""

    def replace(self, *route: str) -> None:
        """Open a page of this app in place of this one."""

    def back(self) -> None:
        """Leave this page."""

    def root(self) -> None:
        """Leave all pages of this app but its first."""

    def field(self, name: str, default: str = "") -> str:
        """What is typed into (or chosen as) the page's field `name`."""

    def set_field(self, name: str, value: str) -> None:
        """Change a field; pages also keep choices such as an open dialog there."""

    def text_field(
        self, name: str, hint: str, default: str = "", icon: str = "", on_submit: Callable[[str], None] | None = None
    ) -> TextField:
        """A text field bound to the page's field `name`."""

    def focus(self, name: str | None) -> None:
        """Give a field the keyboard, or take it away."""

    def toast(self, text: str) -> None:
        """Show a short message until the next touch."""

    def order(self, items: Sequence[ItemT], key: str) -> list[ItemT]:
        """The items in this world's order (layout shifts)."""

    def menu(self, items: Sequence[ItemT], key: str) -> list[ItemT]:
        """The entries of a menu in the order of this version of the app (drift)."""

    def start(self, package: str, *route: str) -> None:
        """Bring another app to the front, at a page when a route is given."""

    def new_id(self) -> int:
        """A number that no record of this app has yet."""


class Table(Protocol):
    """Rows behind a content URI."""

    def query(self) -> list[ContentRow]: ...

    def insert(self, values: ContentRow) -> None: ...

    def update(self, values: ContentRow, matches: Callable[[ContentRow], bool]) -> int: ...

    def delete(self, matches: Callable[[ContentRow], bool]) -> int: ...


class App(ABC):
    """A stateless description of an app; its state is `AppState.data` in the phone."""

    package: str
    label: str
    icon: str
    colour: Colour
    activity: str = ".MainActivity"
    browses: bool = False
    """whether it meets the web's ads"""
    traces: tuple[str, ...] = ()
    """fields of its data that tell where somebody has been, and are no effect of what was done"""

    @abstractmethod
    def initial(self, rng: random.Random) -> object:
        """Fresh data, drawn from the world's seed: a dataclass of plain values."""

    def drift(self, data: Any, amount: float, rng: random.Random) -> object:
        """Fresh data as they are in another version of the world, where each thing has changed with probability
        `amount`. They may be changed in place."""
        return data

    @abstractmethod
    def page(self, ui: Ui) -> Page:
        """The page for `ui.route`; the first page has the route ("home",)."""

    def tables(self, data: Any) -> Mapping[str, Table]:
        """Content URIs with their tables."""
        return {}

    def page_tables(self, state: AppState) -> Mapping[str, Table]:
        """Content URIs that tell which pages are open."""
        return {}

    def databases(self, data: Any) -> Sequence[Database]:
        """Its data as SQLite files."""
        return ()

    def is_remote(self, route: Route) -> bool:
        """Whether a page comes from the network, so that its load may fail."""
        return False

    def host_of(self, route: Route) -> str:
        """Who may ask for an account before the page is shown; empty when nobody does."""
        return ""

    def activity_of(self, route: Route) -> str:
        """The activity that shows a route."""
        return self.activity


@dataclass(slots=True)
class RecordTable(Generic[RecordT]):
    """A list of dataclass records as a table. The first column is `_id`, the record's field `id`.

    `columns` maps column names to the record's field names. Booleans are stored as 0 and 1.
    """

    records: list[RecordT]
    record_type: type[RecordT]
    columns: Mapping[str, str]

    def _row(self, record: RecordT) -> ContentRow:
        return {column: _plain(getattr(record, name)) for column, name in self.columns.items()}

    def _typed(self, values: ContentRow) -> dict[str, Any]:
        kinds = {f.name: f.type for f in fields(self.record_type)}  # type: ignore[arg-type]
        typed: dict[str, Any] = {}
        for column, value in values.items():
            if column not in self.columns:
                raise KeyError(f"column {column!r} is not one of {', '.join(self.columns)}")
            name = self.columns[column]
            typed[name] = _cast(str(kinds[name]), value)
        return typed

    def query(self) -> list[ContentRow]:
        """All rows."""
        return [self._row(record) for record in self.records]

    def insert(self, values: ContentRow) -> None:
        """Add a record; a missing `_id` becomes the next free one."""
        typed = self._typed(values)
        typed.setdefault("id", 1 + max((getattr(record, "id") for record in self.records), default=0))  # noqa: B009
        self.records.append(self.record_type(**typed))

    def update(self, values: ContentRow, matches: Callable[[ContentRow], bool]) -> int:
        """Change the matching records and say how many."""
        typed = self._typed(values)
        found = [record for record in self.records if matches(self._row(record))]
        for record in found:
            for name, value in typed.items():
                setattr(record, name, value)
        return len(found)

    def delete(self, matches: Callable[[ContentRow], bool]) -> int:
        """Remove the matching records and say how many."""
        kept = [record for record in self.records if not matches(self._row(record))]
        count = len(self.records) - len(kept)
        self.records[:] = kept
        return count


@dataclass(slots=True)
class NewestFirst(RecordTable[RecordT]):
    """The records whose field `field` has a value, the highest number first."""

    field: str
    value: Any

    def query(self) -> list[ContentRow]:
        """The rows that have the value."""
        chosen = [record for record in self.records if getattr(record, self.field) == self.value]
        return [self._row(record) for record in sorted(chosen, key=lambda record: -getattr(record, "id"))]  # noqa: B009

    def delete(self, matches: Callable[[ContentRow], bool]) -> int:
        """Remove those of the matching records that have the value."""
        mine = {row["_id"] for row in self.query()}
        return RecordTable.delete(self, lambda row: row["_id"] in mine and matches(row))


def _plain(value: object) -> Value:
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, (int, str)):
        return value
    return str(value)


def _cast(kind: str, value: Value) -> object:
    if kind == "bool":
        return str(value) not in ("0", "false", "None")
    if kind == "int":
        return int(value or 0)
    return "" if value is None else str(value)
