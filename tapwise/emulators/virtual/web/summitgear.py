"""Summitgear, an outdoor shop: one list in pages, narrowed by facets from a sheet; a bag, and a wall before paying."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tapwise.emulators.virtual.app import Table
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page
from tapwise.emulators.virtual.ui.views import Button, IconButton, ListItem, Mark, Row, Space, Text, View
from tapwise.emulators.virtual.web.accounts import Accounts, draw_accounts, sign_in_form
from tapwise.emulators.virtual.web.buying import buy_button
from tapwise.emulators.virtual.web.pictures import kind_icon, plate_colour, product_picture
from tapwise.emulators.virtual.web.restocking import restock
from tapwise.emulators.virtual.web.shop import Line, Product, ShopData, draw_shop, shop_tables, stock_note
from tapwise.emulators.virtual.web.site import Site, Url, Visit, address_like, banner, caption, inset, not_found

BRANDS = ("apex", "boreal", "cedar", "drift", "ember", "fjord", "glacier", "heron", "ibex", "juniper")
KINDS: dict[str, tuple[str, ...]] = {
    "hiking": ("tent", "boots", "pack"),
    "climbing": ("rope", "helmet", "gloves"),
    "cycling": ("bike", "bottle", "pump"),
    "water": ("goggles", "kayak", "paddle"),
}
PRICES: dict[str, tuple[str, range]] = {
    "low": ("Under 50", range(50)),
    "mid": ("50 to 100", range(50, 101)),
    "high": ("Over 100", range(101, 10_000)),
}
FACETS = ("sport", "brand", "price")
PRIVATE = {"account", "saved", "orders", "pay"}
PAGE_LENGTH = 6


@dataclass
class SummitData(ShopData):
    """What the shop remembers, and of whom."""

    accounts: Accounts = field(default_factory=lambda: Accounts([], []))


class SummitGear(Site):
    """The outdoor shop."""

    name = "Summitgear"
    host = "summitgear.com"
    pinned = False
    icon = "thing_tent"
    colour = (120, 53, 15)

    def initial(self, rng: random.Random) -> SummitData:
        shop = draw_shop(rng, BRANDS, KINDS, (4, 6))
        return SummitData(shop.products, shop.cart, shop.wishes, shop.orders, draw_accounts(rng))

    def drift(self, data: SummitData, amount: float, rng: random.Random) -> object:
        return restock(data, amount, rng, BRANDS, KINDS)

    def tables(self, data: SummitData) -> Mapping[str, Table]:
        return {**shop_tables(data, "summitgear", "bag"), **data.accounts.tables("content://summitgear")}

    def has_accounts(self, url: Url) -> bool:
        return not (url.path and url.path[0] in PRIVATE)  # those ask for one themselves

    def page(self, visit: Visit) -> Page:
        path = visit.url.path
        if path and path[0] in PRIVATE and not visit.data.accounts.user:
            return self._page(visit, "Sign in", sign_in_form(visit.ui, visit.data.accounts))
        match path:
            case () | ("list",):
                return self._list(visit)
            case ("item", name):
                product = visit.data.product(name)
                return self._item(visit, product) if product else not_found("This item is gone")
            case ("bag",):
                return self._bag(visit)
            case ("pay",):
                return self._pay(visit)
            case ("account",):
                return self._account(visit)
            case ("saved",):
                saved = [found for wish in visit.data.wishes if (found := visit.data.product(wish.name)) is not None]
                rows = [_product_row(visit, product) for product in saved[:PAGE_LENGTH]]
                return self._page(visit, "Saved", rows or [caption("Nothing saved")])
            case ("orders",):
                placed = [ListItem(title=one.items.capitalize(), subtitle=one.delivery) for one in visit.data.orders]
                return self._page(visit, "Orders", placed or [caption("No orders yet")])
        return not_found("Summitgear has no such page")

    def _page(
        self, visit: Visit, title: str, body: Sequence[View], bottom: View | None = None, dialog: Dialog | None = None
    ) -> Page:
        person = IconButton(icon="person", description="Account", on_tap=lambda: visit.open("account"))
        bag = IconButton(icon="basket", description="Bag", on_tap=lambda: visit.open("bag"))
        bar = banner(title, self.colour, before=person, after=bag)
        return Page(title=title, body=[bar, *body], bottom=bottom, dialog=dialog)

    # --- the list ---

    def _list(self, visit: Visit) -> Page:
        words = visit.url.value("q")

        def submit(text: str) -> None:
            if text.strip():
                visit.open("list", q=text.strip().lower())

        data: SummitData = visit.data
        listed = data.search(words, len(data.products)) if words else data.products
        found = [product for product in listed if all(_fits(product, name, visit.url.value(name)) for name in FACETS)]
        number, pages = _page_number(visit, len(found))
        shown = visit.ui.order(found[number * PAGE_LENGTH :][:PAGE_LENGTH], str(visit.url))
        rows: list[View] = [_product_row(visit, product) for product in shown]
        body = [
            inset(address_like(visit.ui, "search", "Search gear", words, submit, icon="search")),
            Row(children=[_chip(visit, name) for name in FACETS], row_height=themes.ROW_DP),
            *(rows or [caption("Nothing fits")]),
            *([_pager(visit, number, pages)] if pages > 1 else []),
        ]
        asked = visit.ui.field("facet")
        return self._page(visit, self.name, body, dialog=_facet_sheet(visit, asked) if asked else None)

    # --- one product ---

    def _item(self, visit: Visit, product: Product) -> Page:
        data: SummitData = visit.data
        name = product.name

        def add() -> None:
            data.put(name)
            visit.ui.toast("Added to bag")

        def save() -> None:
            if data.accounts.user:
                data.toggle_wish(name)
            else:
                visit.open("account")

        quantity = data.quantity(name)
        said = f"${product.price}   {product.category}" + (f"   {quantity} in bag" if quantity else "")
        saved = data.wishes_for(name) and bool(data.accounts.user)
        body = [
            product_picture(name, 240),
            caption(said),
            inset(buy_button("Add to bag", "basket", product, add)),
            inset(Button(label="Saved" if saved else "Save for later", icon="heart", flat=True, on_tap=save)),
        ]
        return self._page(visit, name.capitalize(), body)

    # --- bag, paying, account ---

    def _bag(self, visit: Visit) -> Page:
        data: SummitData = visit.data
        if not data.cart:
            return self._page(visit, "Bag", [caption("Bag is empty")])
        rows = [_line_row(visit, line) for line in data.cart[:PAGE_LENGTH]]
        costs = sum(line.quantity * found.price for line in data.cart if (found := data.product(line.name)) is not None)
        pay = Button(label="Pay", icon="lock", on_tap=lambda: visit.open("pay"))
        return self._page(visit, "Bag", [*rows, caption(f"Sum ${costs}")], bottom=inset(pay))

    def _pay(self, visit: Visit) -> Page:
        data: SummitData = visit.data

        def pay() -> None:
            data.order("home")
            visit.replace("orders")

        said = caption(f"{sum(line.quantity for line in data.cart)} items for {data.accounts.user.capitalize()}")
        button = Button(label="Pay now", enabled=bool(data.cart), on_tap=pay)
        return self._page(visit, "Pay", [said, inset(button)])

    def _account(self, visit: Visit) -> Page:
        accounts: Accounts = visit.data.accounts
        rows: list[View] = [
            ListItem(title=accounts.user.capitalize(), subtitle="Signed in", icon="person", plate=self.colour),
            ListItem(title="Orders", icon="note", on_tap=lambda: visit.open("orders")),
            ListItem(title="Saved items", icon="heart", on_tap=lambda: visit.open("saved")),
            inset(Button(label="Sign out", flat=True, on_tap=accounts.sessions.clear)),
        ]
        return self._page(visit, "Account", rows)


def _options(name: str) -> dict[str, str]:
    """The values of a facet with what they are called."""
    if name == "price":
        return {key: label for key, (label, _) in PRICES.items()}
    return {value: value.capitalize() for value in (KINDS if name == "sport" else BRANDS)}


def _fits(product: Product, name: str, value: str) -> bool:
    if not value:
        return True
    if name == "price":
        return value in PRICES and product.price in PRICES[value][1]
    return value == (product.category if name == "sport" else product.name.split()[0])


def _narrow(visit: Visit, name: str, value: str) -> None:
    """Show the list with one facet changed, from its first page."""
    query = {key: visit.url.value(key) for key in ("q", *FACETS)} | {name: value}
    visit.replace("list", **{key: text for key, text in query.items() if text})


def _chip(visit: Visit, name: str) -> View:
    chosen = _options(name).get(visit.url.value(name))
    return Button(
        id=name,
        label=chosen or name.capitalize(),
        flat=chosen is None,
        selected=chosen is not None,
        on_tap=partial(visit.ui.set_field, "facet", name),
    )


def _facet_sheet(visit: Visit, name: str) -> Dialog:
    """A sheet with the values of a facet, those that nothing in the shop has left out."""
    close = partial(visit.ui.set_field, "facet", "")
    present = visit.url.value(name)
    options = {
        key: label
        for key, label in _options(name).items()
        if any(_fits(product, name, key) for product in visit.data.products)
    }
    rows = [
        ListItem(
            title=label, trailing=Mark(radio=True, checked=key == present), on_tap=partial(_narrow, visit, name, key)
        )
        for key, label in list(options.items())[:8]
    ]
    buttons = [
        Button(label="Cancel", flat=True, on_tap=close),
        Button(label="Any", flat=True, on_tap=partial(_narrow, visit, name, "")),
    ]
    return Dialog(title=name.capitalize(), body=rows, buttons=buttons, on_dismiss=close, sheet=True)


def _page_number(visit: Visit, count: int) -> tuple[int, int]:
    """Which page of the list is shown, counted from 0, and how many there are."""
    pages = max(1, -(-count // PAGE_LENGTH))
    asked = visit.url.value("page")
    return min(max(int(asked) - 1, 0) if asked.isdecimal() else 0, pages - 1), pages


def _pager(visit: Visit, number: int, pages: int) -> View:
    def turn(page: int) -> None:
        visit.replace("list", **{**dict(visit.url.query), "page": str(page + 1)})

    return Row(
        children=[
            Button(label="Previous", flat=True, enabled=number > 0, on_tap=partial(turn, number - 1)),
            Text(value=f"{number + 1} of {pages}", size=20, muted=True, align="center"),
            Button(label="Next", flat=True, enabled=number + 1 < pages, on_tap=partial(turn, number + 1)),
        ],
        weights=[0.38, 0.24, 0.38],
        row_height=themes.ROW_DP,
    )


def _product_row(visit: Visit, product: Product) -> View:
    return ListItem(
        id="product",
        title=product.name.capitalize(),
        subtitle=product.category.capitalize() + stock_note(product),
        icon=kind_icon(product.name),
        plate=plate_colour(product.name),
        trailing=Text(value=f"${product.price}"),
        trailing_width=88.0,
        divider=True,
        on_tap=partial(visit.open, "item", product.name),
    )


def _line_row(visit: Visit, line: Line) -> View:
    remove = IconButton(
        icon="delete", description=f"Remove {line.name}", on_tap=partial(visit.data.take_out, line.name)
    )
    return ListItem(
        title=line.name.capitalize(),
        subtitle=f"{line.quantity} in bag",
        icon=kind_icon(line.name),
        plate=plate_colour(line.name),
        trailing=Row(children=[Space(size=1), remove], weights=[0.1, 0.9]),
        on_tap=partial(visit.open, "item", line.name),
    )
