"""Content providers: the apps' tables, and the system's, behind their URIs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tapwise.emulators.virtual.app import App, ContentRow, Table
from tapwise.emulators.virtual.state import AppState


class ContentProviders:
    """Finds the table behind a URI in the present state. KeyError for a URI that no app offers."""

    def __init__(
        self,
        apps: dict[str, App],
        states: Callable[[], dict[str, AppState]],
        system: Callable[[], Mapping[str, Table]],
        changed: Callable[[], None],
    ) -> None:
        self._apps = apps
        self._states = states
        self._system = system
        self._changed = changed

    def _table(self, uri: str) -> Table:
        if (own := self._system().get(uri.rstrip("/"))) is not None:
            return own
        for package, app in self._apps.items():
            table = self._tables_of(package, app).get(uri.rstrip("/"))
            if table is not None:
                return table
        raise KeyError(f"no content provider for {uri}")

    def _tables_of(self, package: str, app: App) -> dict[str, Table]:
        state = self._states()[package]
        return {**app.tables(state.data), **app.page_tables(state)}

    def uris(self) -> list[str]:
        """Every URI on offer."""
        return sorted([*self._system(), *self._of_apps()])

    def _of_apps(self) -> Iterator[str]:
        return (uri for package, app in self._apps.items() for uri in self._tables_of(package, app))

    def query(self, uri: str) -> list[ContentRow]:
        """All rows."""
        return self._table(uri).query()

    def insert(self, uri: str, values: ContentRow) -> None:
        """Add a row."""
        self._table(uri).insert(values)
        self._changed()

    def update(self, uri: str, values: ContentRow, matches: Callable[[ContentRow], bool]) -> int:
        """Change the matching rows and say how many."""
        count = self._table(uri).update(values, matches)
        self._changed()
        return count

    def delete(self, uri: str, matches: Callable[[ContentRow], bool]) -> int:
        """Remove the matching rows and say how many."""
        count = self._table(uri).delete(matches)
        self._changed()
        return count
