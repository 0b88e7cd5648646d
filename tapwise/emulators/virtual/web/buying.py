"""The button that puts a product into a shop's cart."""

from __future__ import annotations

from tapwise.emulators.virtual.ui.views import Button, Handler
from tapwise.emulators.virtual.web.shop import Product


def buy_button(label: str, icon: str, product: Product, buy: Handler) -> Button:
    """The button, which says so when the product is sold out."""
    if product.sold_out:
        return Button(label="Sold out", enabled=False)
    return Button(label=label, icon=icon, on_tap=buy)
