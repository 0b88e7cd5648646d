"""What a web site is: pages of views, addressed by URL."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote_plus, urlencode

from tapwise.emulators.virtual.app import Table, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import IconButton, ListItem, Mark, Plate, Row, Space, Text, TextField, View

WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Url:
    """A web address without its scheme, such as "brightbuy.com/search?q=nova+phone"."""

    host: str
    path: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Url:
        """Read an address, with or without scheme and "www."; any text is an address of some sort."""
        plain = text.strip().removeprefix("https://").removeprefix("http://").removeprefix("www.")
        place, _, query = plain.partition("?")
        host, *path = place.split("/")
        return cls(host.lower(), tuple(unquote_plus(part) for part in path if part), tuple(parse_qsl(query)))

    def __str__(self) -> str:
        place = "/".join([self.host, *(quote_plus(part) for part in self.path)])
        return f"{place}?{urlencode(self.query)}" if self.query else place

    def value(self, name: str) -> str:
        """A value of the query, empty when it is not there."""
        return dict(self.query).get(name, "")


@dataclass(frozen=True, slots=True)
class Visit:
    """One page view: the phone, what the site remembers, and which page is asked for."""

    ui: Ui
    data: Any
    url: Url
    navigate: Callable[[Url], None]
    """opens a page on top of this one, and remembers it in the history"""

    def open(self, *path: str, **query: str) -> None:
        """Open a page of this site on top of this one."""
        self.navigate(Url(self.url.host, path, tuple(query.items())))

    def replace(self, *path: str, **query: str) -> None:
        """Open a page of this site in place of this one."""
        self.ui.replace("site", str(Url(self.url.host, path, tuple(query.items()))))


class Site(ABC):
    """A stateless description of a web site."""

    name: str
    host: str
    icon: str
    colour: Colour
    pinned: bool = True
    """whether the browser's start page shows it and search results lead to it unasked; others are found by name"""

    def initial(self, rng: random.Random) -> object:
        """What the site remembers, drawn from the world's seed: a dataclass of plain values."""
        return None

    def drift(self, data: Any, amount: float, rng: random.Random) -> object:
        """What the site remembers in another version of the world, where each thing has changed with probability
        `amount`. It may be changed in place."""
        return data

    def has_accounts(self, url: Url) -> bool:
        """Whether the site may ask for an account before it shows a page."""
        return True

    @abstractmethod
    def page(self, visit: Visit) -> Page:
        """The page for `visit.url`. Its title is the document's; the browser puts its own toolbar above it."""

    def tables(self, data: Any) -> Mapping[str, Table]:
        """Content URIs with their tables."""
        return {}


def banner(title: str, colour: Colour, before: IconButton | None = None, after: IconButton | None = None) -> View:
    """A site's coloured bar: the page's title between two optional icons. Its title has the id "title"."""
    label = Text(value=title, size=themes.TITLE_DP, colour=WHITE, id="title")
    icons = [icon for icon in (before, after) if icon is not None]
    for icon in icons:
        icon.colour = WHITE
    start: View = before or Space(size=1)
    children = [start, label, after] if after else [start, label]
    weights = [0.16 if before else 0.04, 1.0 - 0.16 * len(icons)] + ([0.16] if after else [])
    return Plate(child=Row(children=children, weights=weights, row_height=themes.ROW_DP), colour=colour)


def inset(view: View, margin: float = 0.04) -> View:
    """A view with a margin, a share of the width, on both sides."""
    return Row(children=[Space(size=1), view, Space(size=1)], weights=[margin, 1 - 2 * margin, margin])


def caption(text: str) -> View:
    """A row with a quiet line of text."""
    line = Text(value=text, size=20, muted=True)
    return Row(children=[Space(size=1), line], weights=[0.04, 0.96], row_height=themes.ROW_DP)


def radio_rows(ui: Ui, name: str, options: Sequence[str], chosen: str, icon: str = "") -> list[View]:
    """Rows of which one is chosen, kept in the page's field `name`."""
    return [
        ListItem(
            title=option,
            icon=icon,
            trailing=Mark(radio=True, checked=option == chosen),
            on_tap=partial(ui.set_field, name, option),
        )
        for option in options
    ]


def address_like(
    ui: Ui, name: str, hint: str, shown: str, on_submit: Callable[[str], None], icon: str = ""
) -> TextField:
    """A text field that shows where one is, and is empty as soon as one begins to type another text."""
    field = ui.text_field(name, hint, icon=icon, on_submit=on_submit)
    if field.focused:
        return field

    def begin() -> None:
        ui.set_field(name, "")
        ui.focus(name)

    field.value = shown
    field.on_tap = begin
    return field


def not_found(what: str) -> Page:
    """The page for an address that leads nowhere."""
    return Page(title="Not found", body=[Space(size=70), Text(value=what, align="center", muted=True, wrap=True)])
