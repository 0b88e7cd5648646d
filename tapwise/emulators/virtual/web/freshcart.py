"""Freshcart, a grocery shop: aisles, quantities that are set in the lists, a basket bar, a time of delivery."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import partial

from tapwise.emulators.virtual.app import Table
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.views import (
    AppTile,
    Button,
    Grid,
    IconButton,
    ListItem,
    Plate,
    Row,
    Space,
    Text,
    View,
)
from tapwise.emulators.virtual.web.pictures import kind_icon, plate_colour, product_picture
from tapwise.emulators.virtual.web.restocking import restock
from tapwise.emulators.virtual.web.shop import Product, ShopData, draw_shop, shop_tables, stock_note
from tapwise.emulators.virtual.web.site import Site, Visit, address_like, banner, caption, inset, not_found, radio_rows

QUALITIES = ("fresh", "sweet", "red", "green", "mild", "baby", "ripe", "gold", "soft", "fine")
KINDS: dict[str, tuple[str, ...]] = {
    "fruit": ("apples", "grapes", "pears"),
    "vegetables": ("carrots", "onions", "beans"),
    "bakery": ("bread", "rolls", "cake"),
    "dairy": ("milk", "cheese", "butter"),
}
TIMES = ("Morning", "Noon", "Evening")
LIST_LENGTH = 6
PRICES = range(2, 40)


class FreshCart(Site):
    """The grocery shop."""

    name = "Freshcart"
    host = "freshcart.com"
    pinned = False
    icon = "thing_carrots"
    colour = (46, 112, 40)

    def initial(self, rng: random.Random) -> ShopData:
        return draw_shop(rng, QUALITIES, KINDS, (4, 6), PRICES)

    def drift(self, data: ShopData, amount: float, rng: random.Random) -> object:
        return restock(data, amount, rng, QUALITIES, KINDS)

    def tables(self, data: ShopData) -> Mapping[str, Table]:
        return shop_tables(data, "freshcart", "basket")

    def page(self, visit: Visit) -> Page:
        match visit.url.path:
            case ():
                return self._front(visit)
            case ("aisle", aisle):
                found = [product for product in visit.data.products if product.category == aisle]
                return self._shelf(visit, aisle.capitalize(), visit.ui.order(found[-LIST_LENGTH:], str(visit.url)))
            case ("offers",):
                found = [product for product in visit.data.products if product.sale]
                return self._shelf(visit, "Offers", found[:LIST_LENGTH])
            case ("search",):
                words = visit.url.value("q")
                return self._shelf(visit, "Found", visit.data.search(words, LIST_LENGTH), words)
            case ("product", name):
                product = visit.data.product(name)
                return self._product(visit, product) if product else not_found("This product is gone")
            case ("basket",):
                return self._basket(visit)
            case ("delivery",):
                return self._delivery(visit)
            case ("orders",):
                rows: list[View] = [
                    ListItem(title=one.items.capitalize(), subtitle=one.delivery) for one in visit.data.orders
                ]
                return Page(title="Orders", body=[self._bar(visit, "Orders"), *(rows or [caption("No orders yet")])])
        return not_found("Freshcart has no such page")

    def _bar(self, visit: Visit, title: str) -> View:
        return banner(title, self.colour, before=IconButton(icon="apps", description="Aisles", on_tap=visit.open))

    def _search_field(self, visit: Visit, words: str) -> View:
        def submit(text: str) -> None:
            if text.strip():
                visit.open("search", q=text.strip().lower())

        return inset(address_like(visit.ui, "search", "Search groceries", words, submit, icon="search"))

    def _front(self, visit: Visit) -> Page:
        dark = visit.ui.settings.is_on("secure", "ui_night_mode", "2")
        ink = themes.theme(dark=dark, accent=themes.ACCENTS[0]).text
        places: list[tuple[str, str, tuple[str, ...]]] = [
            (aisle.capitalize(), kind_icon(KINDS[aisle][0]), ("aisle", aisle))
            for aisle in visit.ui.order(tuple(KINDS), "freshcart/aisles")
        ]
        places += [("Offers", "tag", ("offers",)), ("Orders", "note", ("orders",))]
        tiles = [
            AppTile(label=label, icon=icon, plate=self.colour, colour=ink, on_tap=partial(visit.open, *path))
            for label, icon, path in visit.ui.menu(places, "freshcart/places")
        ]
        grid = Grid(children=tiles, columns=2, cell_height=2 * themes.ROW_DP)
        body = [self._bar(visit, self.name), self._search_field(visit, ""), grid]
        return Page(title=self.name, body=body, bottom=_basket_bar(visit))

    def _shelf(self, visit: Visit, title: str, products: Sequence[Product], words: str = "") -> Page:
        rows: list[View] = [_row(visit, product) for product in products] or [caption("Nothing here")]
        body = [self._bar(visit, title), self._search_field(visit, words), *rows]
        return Page(title=title, body=body, bottom=_basket_bar(visit))

    def _product(self, visit: Visit, product: Product) -> Page:
        said = f"${product.price}   {product.category}" + ("   on offer" if product.sale else "") + stock_note(product)
        body = [
            self._bar(visit, product.name.capitalize()),
            product_picture(product.name, 240),
            caption(said),
            _stepper(visit, product),
        ]
        return Page(title=product.name.capitalize(), body=body, bottom=_basket_bar(visit))

    def _basket(self, visit: Visit) -> Page:
        products = [found for line in visit.data.cart if (found := visit.data.product(line.name)) is not None]
        rows = [_row(visit, product) for product in products[:LIST_LENGTH]]
        choose = Button(label="Choose a time", on_tap=lambda: visit.open("delivery"))
        body = [self._bar(visit, "Basket"), *(rows or [caption("Basket is empty")])]
        return Page(title="Basket", body=body, bottom=inset(choose) if rows else None)

    def _delivery(self, visit: Visit) -> Page:
        ui = visit.ui
        time = ui.field("time", TIMES[0])

        def order() -> None:
            visit.data.order(time.lower())
            visit.replace("orders")

        rows = radio_rows(ui, "time", TIMES, time, icon="clock")
        bottom = inset(Button(label="Order", enabled=bool(visit.data.cart), on_tap=order))
        return Page(title="Delivery", body=[self._bar(visit, "Delivery"), *rows], bottom=bottom)


def _stepper(visit: Visit, product: Product) -> Row:
    """How many of a product are in the basket, between buttons for one less and one more."""
    name, quantity = product.name, visit.data.quantity(product.name)
    less = IconButton(
        icon="minus",
        size=26,
        description=f"Less {name}",
        enabled=quantity > 0,
        on_tap=partial(visit.data.put, name, -1),
    )
    more = IconButton(
        icon="add",
        size=26,
        description=f"More {name}",
        enabled=not product.sold_out,
        on_tap=partial(visit.data.put, name),
    )
    return Row(
        children=[less, Text(value=str(quantity), align="center"), more],
        weights=[0.36, 0.28, 0.36],
        row_height=themes.ROW_DP,
    )


def _row(visit: Visit, product: Product) -> View:
    return ListItem(
        id="product",
        title=product.name.capitalize(),
        subtitle=f"${product.price}" + ("   on offer" if product.sale else "") + stock_note(product),
        icon=kind_icon(product.name),
        plate=plate_colour(product.name),
        trailing=_stepper(visit, product),
        trailing_width=118,
        divider=True,
        on_tap=partial(visit.open, "product", product.name),
    )


def _basket_bar(visit: Visit) -> View:
    """The bar at the bottom with the sum so far, which leads to the basket."""
    data: ShopData = visit.data
    costs = sum(line.quantity * found.price for line in data.cart if (found := data.product(line.name)) is not None)
    count = sum(line.quantity for line in data.cart)
    said = Text(value=f"{count} {'item' if count == 1 else 'items'}, ${costs}", size=20)
    button = Button(label="Basket", icon="basket", on_tap=lambda: visit.open("basket"))
    row = Row(children=[Space(size=1), said, button], weights=[0.05, 0.5, 0.45], row_height=themes.ROW_DP)
    return Plate(child=row)
