"""Brightbuy, an electronics shop: search on top of every page, categories, lists that sort, a cart."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from tapwise.emulators.virtual.app import Table
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page, choice_dialog
from tapwise.emulators.virtual.ui.views import (
    AppTile,
    Button,
    Grid,
    IconButton,
    ListItem,
    Row,
    Space,
    Text,
    View,
)
from tapwise.emulators.virtual.web.buying import buy_button
from tapwise.emulators.virtual.web.pictures import kind_icon, plate_colour, product_picture
from tapwise.emulators.virtual.web.restocking import restock
from tapwise.emulators.virtual.web.shop import Line, Product, ShopData, draw_shop, shop_tables, stock_note
from tapwise.emulators.virtual.web.site import Site, Visit, address_like, banner, caption, inset, not_found, radio_rows

BRANDS = ("nova", "zen", "alpha", "turbo", "echo", "mega", "luna", "orbit", "delta", "prime", "pixel", "sonic")
KINDS: dict[str, tuple[str, ...]] = {
    "phones": ("phone", "tablet", "watch"),
    "computers": ("laptop", "monitor", "mouse"),
    "audio": ("speaker", "headset", "radio"),
    "cameras": ("camera", "drone"),
    "office": ("printer", "charger", "router"),
}
SORTS = {"low": "Lowest price", "high": "Highest price", "name": "Name"}
DELIVERIES = ("Standard", "Express", "Pick up")
LIST_LENGTH = 7


class BrightBuy(Site):
    """The electronics shop."""

    name = "Brightbuy"
    host = "brightbuy.com"
    icon = "tag"
    colour = (21, 67, 160)

    def initial(self, rng: random.Random) -> ShopData:
        return draw_shop(rng, BRANDS, KINDS, (3, 5))

    def drift(self, data: ShopData, amount: float, rng: random.Random) -> object:
        return restock(data, amount, rng, BRANDS, KINDS)

    def tables(self, data: ShopData) -> Mapping[str, Table]:
        return shop_tables(data, "brightbuy", "cart")

    def page(self, visit: Visit) -> Page:
        match visit.url.path:
            case ():
                return self._front(visit)
            case ("search",):
                words = visit.url.value("q")
                return self._list(visit, "Results", visit.data.search(words, LIST_LENGTH), words)
            case ("category", category):
                found = [product for product in visit.data.products if product.category == category]
                return self._list(visit, category.capitalize(), found[-LIST_LENGTH:], "")
            case ("product", name):
                product = visit.data.product(name)
                return self._product(visit, product) if product else not_found("This product is gone")
            case ("cart",):
                return self._cart(visit)
            case ("checkout",):
                return self._check_out(visit)
            case ("thanks",):
                body = [self._banner(visit, "Thank you"), caption("Order placed"), self._keep_shopping(visit)]
                return Page(title="Thank you", body=body)
        return not_found("Brightbuy has no such page")

    def _banner(self, visit: Visit, title: str) -> View:
        cart = IconButton(icon="cart", description="Cart", on_tap=lambda: visit.open("cart"))
        return banner(title, self.colour, after=cart)

    def _top(self, visit: Visit, title: str, words: str = "") -> list[View]:
        def submit(text: str) -> None:
            if text.strip():
                visit.open("search", q=text.strip().lower())

        field = address_like(visit.ui, "search", "Search products", words, submit, icon="search")
        return [self._banner(visit, title), inset(field)]

    def _front(self, visit: Visit) -> Page:
        tiles: list[View] = [
            AppTile(
                label=category.capitalize(),
                icon=kind_icon(KINDS[category][0]),
                plate=self.colour,
                colour=_ink(visit),
                on_tap=lambda category=category: visit.open("category", category),  # type: ignore[misc]
            )
            for category in visit.ui.order(tuple(KINDS), "brightbuy/categories")
        ]
        deals = [self._row(visit, product) for product in visit.data.products[:3]]
        grid = Grid(children=tiles, columns=3, cell_height=2 * themes.ROW_DP)
        return Page(title=self.name, body=[*self._top(visit, self.name), grid, *deals])

    def _row(self, visit: Visit, product: Product) -> View:
        quantity = visit.data.quantity(product.name)
        return ListItem(
            id="product",
            title=product.name.capitalize(),
            subtitle=f"${product.price}" + ("   in cart" if quantity else "") + stock_note(product),
            icon=kind_icon(product.name),
            plate=plate_colour(product.name),
            on_tap=lambda: visit.open("product", product.name),
        )

    def _list(self, visit: Visit, title: str, products: Sequence[Product], words: str) -> Page:
        ui, order = visit.ui, visit.url.value("sort")

        def close() -> None:
            ui.set_field("dialog", "")

        def sort(key: str) -> None:
            visit.replace(*visit.url.path, **{**dict(visit.url.query), "sort": key})

        shown = _sorted(visit, products, order)
        label = SORTS.get(order, f"{len(shown)} products")
        bar = Row(
            children=[Space(size=1), Text(value=label, size=20, muted=True, id="order"), _sort_button(visit)],
            weights=[0.04, 0.54, 0.42],
            row_height=themes.ROW_DP,
        )
        rows = [self._row(visit, product) for product in shown]
        options = [(label, lambda key=key: sort(key)) for key, label in SORTS.items()]
        dialog = choice_dialog("Sort by", options, close) if ui.field("dialog") == "sort" else None
        return Page(title=title, body=[*self._top(visit, title, words), bar, *rows], dialog=dialog)

    def _product(self, visit: Visit, product: Product) -> Page:
        name, quantity = product.name, visit.data.quantity(product.name)

        def add() -> None:
            visit.data.put(name)
            visit.ui.toast("Added to cart")

        facts = Row(
            children=[
                Space(size=1),
                Text(value=f"${product.price}", size=20, muted=True),
                Text(value=f"In cart {quantity}" if quantity else "Not in cart"),
            ],
            weights=[0.04, 0.4, 0.56],
            row_height=themes.ROW_DP,
        )
        body = [
            *self._top(visit, name.capitalize()),
            product_picture(name),
            facts,
            inset(buy_button("Add to cart", "cart", product, add)),
            ListItem(
                title=product.category.capitalize(),
                icon=kind_icon(product.name),
                on_tap=lambda: visit.open("category", product.category),
            ),
        ]
        return Page(title=name.capitalize(), body=body)

    def _cart(self, visit: Visit) -> Page:
        ui, lines = visit.ui, visit.data.cart
        if not lines:
            return Page(
                title="Cart", body=[self._banner(visit, "Cart"), caption("Cart is empty"), self._keep_shopping(visit)]
            )
        rows = [_line_row(visit, line) for line in lines]
        chosen = next((line for line in lines if line.name == ui.field("dialog")), None)
        dialog = _line_dialog(visit, chosen) if chosen else None
        bottom = inset(Button(label="Check out", on_tap=lambda: visit.open("checkout")))
        return Page(title="Cart", body=[self._banner(visit, "Cart"), *rows], bottom=bottom, dialog=dialog)

    def _check_out(self, visit: Visit) -> Page:
        ui = visit.ui
        delivery = ui.field("delivery", DELIVERIES[0])

        def place() -> None:
            visit.data.order(delivery.lower())
            visit.replace("thanks")

        rows = radio_rows(ui, "delivery", ui.order(DELIVERIES, "brightbuy/delivery"), delivery)
        summary = caption(f"{sum(line.quantity for line in visit.data.cart)} products in cart")
        bottom = inset(Button(label="Place order", enabled=bool(visit.data.cart), on_tap=place))
        return Page(title="Check out", body=[self._banner(visit, "Check out"), summary, *rows], bottom=bottom)

    def _keep_shopping(self, visit: Visit) -> View:
        return inset(Button(label="Keep shopping", flat=True, on_tap=visit.open))


def _ink(visit: Visit) -> themes.Colour:
    dark = visit.ui.settings.is_on("secure", "ui_night_mode", "2")
    return themes.theme(dark=dark, accent=themes.ACCENTS[0]).text


def _sort_button(visit: Visit) -> View:
    return Button(label="Sort", icon="sort", flat=True, on_tap=lambda: visit.ui.set_field("dialog", "sort"))


def _sorted(visit: Visit, products: Sequence[Product], order: str) -> list[Product]:
    match order:
        case "low":
            return sorted(products, key=lambda product: product.price)
        case "high":
            return sorted(products, key=lambda product: -product.price)
        case "name":
            return sorted(products, key=lambda product: product.name)
    return visit.ui.order(products, str(visit.url))


def _line_row(visit: Visit, line: Line) -> View:
    return ListItem(
        title=line.name.capitalize(),
        icon=kind_icon(line.name),
        plate=plate_colour(line.name),
        trailing=Text(value=str(line.quantity)),
        on_tap=lambda: visit.ui.set_field("dialog", line.name),
    )


def _line_dialog(visit: Visit, line: Line) -> Dialog:
    def close() -> None:
        visit.ui.set_field("dialog", "")

    def change(quantity: int) -> None:
        visit.data.put(line.name, quantity)
        close()

    options = [
        ("One more", lambda: change(1)),
        ("One less", lambda: change(-1)),
        ("Remove", lambda: change(-line.quantity)),
    ]
    return choice_dialog(line.name.capitalize(), options, close)
