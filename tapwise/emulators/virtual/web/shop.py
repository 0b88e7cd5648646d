"""What all shops share: products, a cart, a wish list and orders."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tapwise.emulators.virtual.app import RecordTable, Table

USUAL_PRICES = range(6, 200)


@dataclass
class Product:
    """Something to buy. Names are two lower-case words: a brand or a quality, and the kind of thing."""

    id: int
    name: str
    category: str
    price: int
    """whole dollars"""
    sale: bool = False
    new: bool = False
    sold_out: bool = False


@dataclass
class Line:
    """So many of one product in a cart."""

    id: int
    name: str
    quantity: int = 1


@dataclass
class Wish:
    """A product on the wish list."""

    id: int
    name: str


@dataclass
class Order:
    """What was bought: product names joined by "and", with the delivery."""

    id: int
    items: str
    delivery: str


@dataclass
class ShopData:
    """What a shop remembers."""

    products: list[Product]
    cart: list[Line] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def product(self, name: str) -> Product | None:
        """The product of this name."""
        return next((product for product in self.products if product.name.casefold() == name.casefold()), None)

    def quantity(self, name: str) -> int:
        """How many of a product are in the cart."""
        return sum(line.quantity for line in self.cart if line.name == name)

    def put(self, name: str, quantity: int = 1) -> None:
        """Add to the cart; a quantity that falls to zero leaves it."""
        line = next((line for line in self.cart if line.name == name), None)
        if line is None:
            line = Line(_next_id(self.cart), name, 0)
            self.cart.append(line)
        line.quantity += quantity
        if line.quantity <= 0:
            self.cart.remove(line)

    def take_out(self, name: str) -> None:
        """Remove a product from the cart."""
        self.cart[:] = [line for line in self.cart if line.name != name]

    def wishes_for(self, name: str) -> bool:
        """Whether a product is on the wish list."""
        return any(wish.name == name for wish in self.wishes)

    def toggle_wish(self, name: str) -> None:
        """Put a product on the wish list, or take it off."""
        if self.wishes_for(name):
            self.wishes[:] = [wish for wish in self.wishes if wish.name != name]
        else:
            self.wishes.append(Wish(_next_id(self.wishes), name))

    def order(self, delivery: str) -> None:
        """Buy what is in the cart."""
        items = " and ".join(line.name for line in self.cart)
        self.orders.append(Order(_next_id(self.orders), items, delivery))
        self.cart.clear()

    def search(self, words: str, limit: int) -> list[Product]:
        """Products that share a word with the text, those that share most first."""
        wanted = set(words.lower().split())
        scored = [(len(wanted & set(product.name.lower().split())), product) for product in self.products]
        found = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
        return [product for _, product in found[:limit]]


def stock_note(product: Product) -> str:
    """What a list says behind the price of something that cannot be bought now."""
    return "   sold out" if product.sold_out else ""


def _next_id(records: Sequence[Line] | Sequence[Wish] | Sequence[Order]) -> int:
    return 1 + max((record.id for record in records), default=0)


def draw_products(
    rng: random.Random,
    qualities: Sequence[str],
    kinds: Mapping[str, Sequence[str]],
    per_category: tuple[int, int],
    price_range: range = USUAL_PRICES,
) -> list[Product]:
    """A catalogue with products in every category: `kinds` names the things of each. Prices are all different."""
    prices = rng.sample(price_range, min(len(price_range), 120))
    products: list[Product] = []
    for category, nouns in kinds.items():
        names = [f"{quality} {noun}" for quality in qualities for noun in nouns]
        for name in rng.sample(names, rng.randint(*per_category)):
            products.append(
                Product(len(products) + 1, name, category, prices.pop(), rng.random() < 0.3, rng.random() < 0.3)
            )
    return products


def draw_shop(
    rng: random.Random,
    qualities: Sequence[str],
    kinds: Mapping[str, Sequence[str]],
    per_category: tuple[int, int],
    price_range: range = USUAL_PRICES,
) -> ShopData:
    """A shop with a catalogue and sometimes something left in the cart and on the wish list."""
    data = ShopData(draw_products(rng, qualities, kinds, per_category, price_range))
    for product in rng.sample(data.products, rng.randint(0, 2)):
        data.put(product.name)
    for product in rng.sample(data.products, rng.randint(0, 2)):
        data.toggle_wish(product.name)
    return data


def shop_tables(data: ShopData, authority: str, cart: str) -> dict[str, Table]:
    """The shop's tables; `cart` is what the shop calls its cart."""
    product = {"_id": "id", "name": "name", "category": "category", "price": "price", "sale": "sale", "new": "new"}
    product["sold_out"] = "sold_out"
    root = f"content://{authority}"
    return {
        f"{root}/products": RecordTable(data.products, Product, product),
        f"{root}/{cart}": RecordTable(data.cart, Line, {"_id": "id", "name": "name", "quantity": "quantity"}),
        f"{root}/wishes": RecordTable(data.wishes, Wish, {"_id": "id", "name": "name"}),
        f"{root}/orders": RecordTable(data.orders, Order, {"_id": "id", "items": "items", "delivery": "delivery"}),
    }
