"""Homenest, a household shop: a menu, departments that filter, a wish list, a basket."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from tapwise.emulators.virtual.app import Table
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page
from tapwise.emulators.virtual.ui.views import Button, IconButton, ListItem, Mark, Row, Space, Text, View
from tapwise.emulators.virtual.web.buying import buy_button
from tapwise.emulators.virtual.web.pictures import kind_icon, plate_colour, product_picture
from tapwise.emulators.virtual.web.restocking import restock
from tapwise.emulators.virtual.web.shop import Product, ShopData, draw_shop, shop_tables, stock_note
from tapwise.emulators.virtual.web.site import Site, Visit, address_like, banner, caption, inset, not_found

QUALITIES = ("red", "blue", "green", "white", "black", "oak", "soft", "round", "classic", "modern", "small", "large")
KINDS: dict[str, tuple[str, ...]] = {
    "living room": ("sofa", "lamp", "rug"),
    "kitchen": ("pan", "kettle", "mug"),
    "bedroom": ("pillow", "blanket", "clock"),
    "bathroom": ("towel", "mirror", "soap"),
    "garden": ("chair", "table", "bench"),
}
FILTERS = {"sale": "On sale", "new": "New in", "cheap": "Low price"}
LOW_PRICE = 60
LIST_LENGTH = 7


class HomeNest(Site):
    """The household shop."""

    name = "Homenest"
    host = "homenest.com"
    icon = "thing_lamp"
    colour = (0, 105, 92)

    def initial(self, rng: random.Random) -> ShopData:
        return draw_shop(rng, QUALITIES, KINDS, (4, 6))

    def drift(self, data: ShopData, amount: float, rng: random.Random) -> object:
        return restock(data, amount, rng, QUALITIES, KINDS)

    def tables(self, data: ShopData) -> Mapping[str, Table]:
        return shop_tables(data, "homenest", "basket")

    def page(self, visit: Visit) -> Page:
        match visit.url.path:
            case ():
                return self._menu(visit)
            case ("departments",):
                return self._departments(visit)
            case ("department", department):
                return self._department(visit, department)
            case ("filter", department):
                return self._filter(visit, department)
            case ("search",):
                return self._search(visit)
            case ("item", name):
                product = visit.data.product(name)
                return self._item(visit, product) if product else not_found("This item is gone")
            case ("wishes",):
                return self._wishes(visit)
            case ("basket",):
                return self._basket(visit)
            case ("orders",):
                rows = [
                    ListItem(title=order.items.capitalize(), subtitle=order.delivery) for order in visit.data.orders
                ]
                return self._page(visit, "Orders", rows or [caption("No orders yet")])
        return not_found("Homenest has no such page")

    def _page(
        self, visit: Visit, title: str, body: Sequence[View], bottom: View | None = None, dialog: Dialog | None = None
    ) -> Page:
        menu = IconButton(icon="menu", description="Menu", on_tap=visit.open)
        basket = IconButton(icon="basket", description="Basket", on_tap=lambda: visit.open("basket"))
        bar = banner(title, self.colour, before=menu, after=basket)
        return Page(title=title, body=[bar, *body], bottom=bottom, dialog=dialog)

    def _menu(self, visit: Visit) -> Page:
        entries = (
            ("Departments", "apps", "departments"),
            ("Search items", "search", "search"),
            ("Wish list", "heart", "wishes"),
            ("Your basket", "basket", "basket"),
            ("Your orders", "note", "orders"),
        )
        rows = [
            ListItem(title=label, icon=icon, on_tap=lambda page=page: visit.open(page), divider=True)  # type: ignore[misc]
            for label, icon, page in visit.ui.menu(entries, "homenest/menu")
        ]
        return self._page(visit, self.name, rows)

    def _departments(self, visit: Visit) -> Page:
        rows = [
            ListItem(
                title=department.capitalize(),
                icon=kind_icon(KINDS[department][0]),
                plate=self.colour,
                divider=True,
                on_tap=lambda department=department: visit.open("department", department),  # type: ignore[misc]
            )
            for department in visit.ui.order(tuple(KINDS), "homenest/departments")
        ]
        return self._page(visit, "Departments", rows)

    def _department(self, visit: Visit, department: str) -> Page:
        only = visit.url.value("only")
        found = [
            product for product in visit.data.products if product.category == department and _passes(product, only)
        ]
        shown = visit.ui.order(found[-LIST_LENGTH:], f"homenest/{department}")
        button = Button(label="Filter", icon="filter", flat=True, on_tap=lambda: visit.open("filter", department))
        label = Text(value=FILTERS.get(only, f"{len(shown)} items"), size=20, muted=True, id="order")
        bar = Row(children=[Space(size=1), label, button], weights=[0.04, 0.54, 0.42], row_height=themes.ROW_DP)
        return self._page(visit, department.capitalize(), [bar, *self._rows(visit, shown)])

    def _rows(self, visit: Visit, products: Sequence[Product]) -> list[View]:
        return [
            ListItem(
                id="product",
                title=product.name.capitalize(),
                subtitle=f"${product.price}"
                + ("   in basket" if visit.data.quantity(product.name) else "")
                + stock_note(product),
                icon=kind_icon(product.name),
                plate=plate_colour(product.name),
                divider=True,
                on_tap=lambda product=product: visit.open("item", product.name),  # type: ignore[misc]
            )
            for product in products
        ]

    def _filter(self, visit: Visit, department: str) -> Page:
        ui = visit.ui
        chosen = ui.field("only")

        def apply() -> None:
            ui.back()
            visit.replace("department", department, **({"only": chosen} if chosen else {}))

        rows: list[View] = [
            ListItem(
                title=FILTERS[key],
                trailing=Mark(radio=True, checked=key == chosen),
                on_tap=lambda key=key: ui.set_field("only", key),  # type: ignore[misc]
            )
            for key in ui.order(tuple(FILTERS), "homenest/filters")
        ]
        return self._page(visit, "Filter", rows, bottom=inset(Button(label="Apply", on_tap=apply)))

    def _search(self, visit: Visit) -> Page:
        words = visit.url.value("q")

        def submit(text: str) -> None:
            if text.strip():
                visit.open("search", q=text.strip().lower())

        field = address_like(visit.ui, "search", "Search items", words, submit, icon="search")
        found = visit.ui.order(visit.data.search(words, LIST_LENGTH), f"homenest/results/{words}")
        rows = self._rows(visit, found) or [caption("No results" if words else "Type what you need")]
        return self._page(visit, "Search", [inset(field), *rows])

    def _item(self, visit: Visit, product: Product) -> Page:
        ui, data, name = visit.ui, visit.data, product.name
        quantity = int(ui.field("quantity", "1"))

        def step(change: int) -> None:
            ui.set_field("quantity", str(min(9, max(1, quantity + change))))

        def add() -> None:
            data.put(name, quantity)
            visit.open("basket")

        in_basket, wished = data.quantity(name), data.wishes_for(name)
        stepper = Row(
            children=[
                IconButton(icon="minus", description="Less", on_tap=lambda: step(-1)),
                Text(value=str(quantity), size=themes.TITLE_DP, align="center", id="quantity"),
                IconButton(icon="add", description="More", on_tap=lambda: step(1)),
            ],
            row_height=themes.ROW_DP,
        )
        wish = Button(
            label="In wish list" if wished else "Add to wish list",
            icon="heart",
            flat=True,
            on_tap=lambda: data.toggle_wish(name),
        )
        body: list[View] = [
            product_picture(name, 140),
            caption(
                f"${product.price}" + ("   on sale" if product.sale else "") + ("   new in" if product.new else "")
            ),
            stepper,
            inset(buy_button("Add to basket", "basket", product, add)),
            inset(wish),
        ]
        if in_basket:
            body.append(inset(Button(label="Remove", icon="delete", flat=True, on_tap=lambda: data.take_out(name))))
        return self._page(visit, name.capitalize(), body)

    def _wishes(self, visit: Visit) -> Page:
        found = [product for wish in visit.data.wishes if (product := visit.data.product(wish.name)) is not None]
        return self._page(visit, "Wish list", self._rows(visit, found) or [caption("Wish list is empty")])

    def _basket(self, visit: Visit) -> Page:
        ui, data = visit.ui, visit.data
        if not data.cart:
            return self._page(visit, "Basket", [caption("Basket is empty")])

        def close() -> None:
            ui.set_field("dialog", "")

        def empty() -> None:
            data.cart.clear()
            close()

        def buy() -> None:
            data.order("standard")
            visit.replace("orders")

        rows = [
            ListItem(
                title=line.name.capitalize(),
                icon=kind_icon(line.name),
                plate=plate_colour(line.name),
                divider=True,
                trailing=Text(value=str(line.quantity)),
                on_tap=lambda line=line: visit.open("item", line.name),  # type: ignore[misc]
            )
            for line in data.cart
        ]
        ask = Button(label="Empty", flat=True, on_tap=lambda: ui.set_field("dialog", "empty"))
        bottom = inset(Row(children=[ask, Button(label="Buy", on_tap=buy)], gap=8))
        buttons = [Button(label="Cancel", flat=True, on_tap=close), Button(label="Yes", on_tap=empty)]
        dialog = Dialog(title="Empty the basket", buttons=buttons, on_dismiss=close) if ui.field("dialog") else None
        return self._page(visit, "Basket", rows, bottom, dialog)


def _passes(product: Product, only: str) -> bool:
    return {"": True, "sale": product.sale, "new": product.new, "cheap": product.price < LOW_PRICE}.get(only, True)
