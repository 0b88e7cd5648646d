"""What happens to a shop's offer from one version of the world to the next: prices, stock, goods that come and go."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from tapwise.emulators.virtual.web.shop import Product, ShopData

SOLD_OUT, GONE, SALE = 0.3, 0.2, 0.3
"""of the dial: that a product is sold out, is no longer there, or is on sale when it was not"""
FACTORS = (0.7, 1.4)
FEWEST = 3
"""products that a category keeps"""


def restock(
    data: ShopData, amount: float, rng: random.Random, qualities: Sequence[str], kinds: Mapping[str, Sequence[str]]
) -> ShopData:
    """Change each product with probability `amount`, and add to each category with that probability.

    What somebody has put into the cart or on the wish list stays, and can be bought. Prices remain all different.
    """
    held = {line.name for line in data.cart} | {wish.name for wish in data.wishes}
    for product in list(data.products):
        moves, sold_out, goes, sale = (rng.random() < amount * share for share in (1.0, SOLD_OUT, GONE, SALE))
        left = sum(one.category == product.category for one in data.products)
        if goes and product.name not in held and left > FEWEST:
            data.products.remove(product)
            continue
        if moves:
            product.price = _free_price(data, product.price * rng.uniform(*FACTORS))
        product.sold_out = sold_out and product.name not in held
        product.sale = product.sale != sale
    for category, nouns in kinds.items():
        known = {product.name for product in data.products}
        names = [f"{quality} {noun}" for quality in qualities for noun in nouns if f"{quality} {noun}" not in known]
        name, price, comes = rng.choice(names), rng.choice(data.products).price, rng.random() < amount
        if comes:
            number = 1 + max(product.id for product in data.products)
            data.products.append(Product(number, name, category, _free_price(data, price), new=True))
    return data


def _free_price(data: ShopData, wanted: float) -> int:
    """The next price that nothing has, in whole dollars."""
    taken = {product.price for product in data.products}
    price = max(2, round(wanted))
    while price in taken:
        price += 1
    return price
