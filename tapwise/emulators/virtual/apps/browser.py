"""The browser: an address field, a start page with the known sites, history and bookmarks."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.state import AppState, Route
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.views import AppTile, Column, Grid, IconButton, ListItem, Row, Space, View
from tapwise.emulators.virtual.web import sites
from tapwise.emulators.virtual.web.results import HOST as SEARCH_HOST
from tapwise.emulators.virtual.web.results import results_url
from tapwise.emulators.virtual.web.site import Url, Visit, address_like, caption, not_found

START_URL = "start"
GOLD = (240, 165, 0)


@dataclass
class PageRecord:
    """A page in the history or among the bookmarks."""

    id: int
    title: str
    url: str


@dataclass
class OpenPage:
    """The page that the browser shows; `url` is "start" on its start page."""

    id: int
    url: str


@dataclass
class BrowserData:
    """History (newest last), bookmarks, and what each site remembers, by host."""

    history: list[PageRecord]
    bookmarks: list[PageRecord]
    sites: dict[str, object]


class Browser(App):
    """A web browser."""

    package = "com.android.chrome"
    label = "Browser"
    icon = "globe"
    colour = (26, 115, 232)
    activity = "com.google.android.apps.chrome.Main"
    browses = True
    traces = ("history",)

    def initial(self, rng: random.Random) -> BrowserData:
        pinned = {host: site for host, site in sites().items() if site.pinned}
        memories = {host: site.initial(random.Random(rng.random())) for host, site in pinned.items()}
        known = [site for site in pinned.values() if site.host != SEARCH_HOST]
        visited, marked = (rng.sample(known, rng.randint(1, 3)) for _ in range(2))
        history = [PageRecord(number, site.name, site.host) for number, site in enumerate(visited, 1)]
        bookmarks = [PageRecord(number, site.name, site.host) for number, site in enumerate(marked, 1)]
        further = {host: site for host, site in sites().items() if not site.pinned}
        memories |= {host: site.initial(random.Random(rng.random())) for host, site in further.items()}
        return BrowserData(history, bookmarks, memories)

    def drift(self, data: BrowserData, amount: float, rng: random.Random) -> object:
        for host, site in sites().items():
            data.sites[host] = site.drift(data.sites[host], amount, random.Random(f"{rng.random()}/{host}"))
        return data

    def tables(self, data: BrowserData) -> Mapping[str, Table]:
        columns = {"_id": "id", "title": "title", "url": "url"}
        found: dict[str, Table] = {
            "content://browser/history": RecordTable(data.history, PageRecord, columns),
            "content://browser/bookmarks": RecordTable(data.bookmarks, PageRecord, columns),
        }
        for host, site in sites().items():
            found.update(site.tables(data.sites[host]))
        return found

    def page_tables(self, state: AppState) -> Mapping[str, Table]:
        pages = [OpenPage(1, _route_url(state.stack[-1].route))] if state.stack else []
        return {"content://browser/page": RecordTable(pages, OpenPage, {"_id": "id", "url": "url"})}

    def is_remote(self, route: Route) -> bool:
        return route[0] == "site"

    def host_of(self, route: Route) -> str:
        url = Url.parse(route[1]) if route[0] == "site" else Url("")
        site = sites().get(url.host)
        return site.name if site is not None and site.has_accounts(url) else ""

    def page(self, ui: Ui) -> Page:
        match ui.route:
            case ("site", url):
                return _site_page(ui, Url.parse(url))
            case ("history",):
                return _records_page(ui, "History", list(reversed(ui.data.history)))
            case ("bookmarks",):
                return _records_page(ui, "Bookmarks", ui.data.bookmarks)
        return _start_page(ui)


def _route_url(route: tuple[str, ...]) -> str:
    if route[0] == "site":
        return str(Url.parse(route[1]))
    return START_URL if route[0] == "home" else route[0]


def _navigate(ui: Ui, url: Url) -> None:
    site = sites().get(url.host)
    name = site.name if site else url.host
    title = f"{name} {url.path[-1]}" if url.path else name
    ui.data.history.append(PageRecord(_next_id(ui.data.history), title, str(url)))
    ui.go("site", str(url))


def _submit(ui: Ui, text: str) -> None:
    """Open what was typed: an address, the name of a site, or else the results of a search."""
    typed = text.strip().lower()
    if not typed:
        return
    url = Url.parse(typed)
    named = next((site for site in sites().values() if typed in (site.name.lower(), site.host)), None)
    if named is not None:
        _navigate(ui, Url(named.host))
    elif url.host in sites() or (" " not in typed and "." in url.host):
        _navigate(ui, url)
    else:
        _navigate(ui, results_url(typed))


def _toolbar(ui: Ui, shown: str, *actions: IconButton) -> View:
    field: View = address_like(ui, "address", "Search or type address", shown, lambda text: _submit(ui, text))
    weights = [0.02, 0.96 - 0.14 * len(actions), *([0.14] * len(actions)), 0.02]
    bar = Row(children=[Space(size=1), field, *actions, Space(size=1)], weights=weights, row_height=themes.ROW_DP)
    return Column(children=[Space(size=(themes.TOOLBAR_DP - themes.ROW_DP) / 2), bar])


def _start_page(ui: Ui) -> Page:
    dark = ui.settings.is_on("secure", "ui_night_mode", "2")
    ink = themes.theme(dark=dark, accent=themes.ACCENTS[0]).text
    known = [site for site in sites().values() if site.pinned and site.host != SEARCH_HOST]
    tiles: list[View] = [
        AppTile(
            label=site.name,
            icon=site.icon,
            plate=site.colour,
            colour=ink,
            on_tap=lambda site=site: _navigate(ui, Url(site.host)),  # type: ignore[misc]
        )
        for site in ui.menu(ui.order(known, "sites"), "sites")
    ]
    grid = Grid(children=tiles, columns=3, cell_height=2 * themes.ROW_DP)
    rows = [
        ListItem(title=title, icon=icon, on_tap=partial(ui.go, title.lower()))
        for title, icon in ui.menu((("Bookmarks", "star"), ("History", "clock")), "lists")
    ]
    return Page(title="Browser", toolbar=_toolbar(ui, ""), body=[grid, *rows])


def _site_page(ui: Ui, url: Url) -> Page:
    site = sites().get(url.host)
    page = not_found(f"{url.host} cannot be found")
    if site is not None:
        page = site.page(Visit(ui, ui.data.sites[url.host], url, lambda target: _navigate(ui, target)))
    start = IconButton(icon="home", description="Start", on_tap=ui.root)
    page.toolbar = _toolbar(ui, url.host, _star(ui, page.title, str(url)), start)
    return page


def _star(ui: Ui, title: str, url: str) -> IconButton:
    bookmarks: list[PageRecord] = ui.data.bookmarks
    marked = any(record.url == url for record in bookmarks)

    def toggle() -> None:
        if marked:
            bookmarks[:] = [record for record in bookmarks if record.url != url]
            ui.toast("Bookmark removed")
        else:
            bookmarks.append(PageRecord(_next_id(bookmarks), title, url))
            ui.toast("Bookmark added")

    return IconButton(icon="star", description="Star", colour=GOLD if marked else None, selected=marked, on_tap=toggle)


def _records_page(ui: Ui, title: str, records: list[PageRecord]) -> Page:
    def clear() -> None:
        ui.data.history.clear()

    def visit(record: PageRecord) -> None:
        _navigate(ui, Url.parse(record.url))

    rows: list[View] = [
        ListItem(title=record.title, subtitle=record.url, icon="globe", on_tap=lambda record=record: visit(record))  # type: ignore[misc]
        for record in records
    ]
    actions = [IconButton(icon="delete", description="Delete", on_tap=clear)] if title == "History" else []
    return Page(title=title, on_back=ui.back, actions=actions, body=rows or [caption(f"No {title.lower()}")])


def _next_id(records: list[Any]) -> int:
    return 1 + max((record.id for record in records), default=0)
