"""Tasks that change something in the shops: carts, wish lists, orders."""

from __future__ import annotations

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Template
from tapwise.android_env.templates.script import BACK, row_texts
from tapwise.android_env.templates.shop_script import (
    BRIGHTBUY,
    HOMENEST,
    SMALL_NUMBERS,
    brightbuy_part,
    brightbuy_product,
    homenest_item,
    homenest_part,
    tap_or_back,
    title,
)
from tapwise.records import Action, Finish

MAX_STEPS = 20
CART_PAIRS = BRIGHTBUY.pairs(12, 1)
ADDED_PAIRS = BRIGHTBUY.pairs(12, 4)
BASKET = {"red mug": 1, "oak table": 2}
CHANGES = {"one more": 3, "one less": 1}
DELIVERIES = ("standard", "express", "pick up")


def _in_cart(screen: Screen) -> int:
    """How many of the product in front are in Brightbuy's cart, as its page says."""
    text = next((text for text in screen.texts if text.startswith("In cart ")), "0")
    return int(text.split()[-1])


def _add(screen: Screen, product: str, quantity: int) -> Action:
    way = brightbuy_product(screen, product)
    return way or (Finish() if _in_cart(screen) >= quantity else screen.tap("add to cart"))


def _add_pair(screen: Screen, params: Params) -> Action:
    """Both products are in one category; its list says which of them are in the cart already."""
    wanted = (params["first"], params["second"])
    action = BRIGHTBUY.enter(screen)
    if action is not None:
        return action
    if title(screen) in wanted:
        return BACK if _in_cart(screen) else screen.tap("add to cart")
    way = brightbuy_part(screen, BRIGHTBUY.category(wanted[0]))
    if way is not None:
        return way
    missing = [product for product in wanted if not any("in cart" in text for text in row_texts(screen, product))]
    return tap_or_back(screen, missing[0]) if missing else Finish()


def _cart_line(screen: Screen, product: str, option: str) -> Action | None:
    """Take an option of a line of Brightbuy's cart; None when the cart is in front and the line has no dialog."""
    if screen.has(product) and screen.has(option):
        return screen.tap(option)
    return brightbuy_part(screen, "cart")


def _remove(screen: Screen, params: Params) -> Action:
    product = params["first"]
    return _cart_line(screen, product, "remove") or (screen.tap(product) if screen.has(product) else Finish())


def _change(screen: Screen, params: Params) -> Action:
    way = _cart_line(screen, params["product"], params["change"])
    if way is not None:
        return way
    done = str(CHANGES[params["change"]]) in row_texts(screen, params["product"])
    return Finish() if done else screen.tap(params["product"])


def _check_out(screen: Screen, params: Params) -> Action:
    heading = title(screen)
    if heading == "thank you":
        return Finish()
    if heading == "check out":
        marks = [node for node in screen.nodes if node.checkable and node.checked]
        row = screen.find(params["delivery"])
        marked = row is not None and any(abs(node.centre[1] - row.centre[1]) < node.centre[0] * 0.05 for node in marks)
        return screen.tap("place order") if marked else screen.tap(params["delivery"])
    return brightbuy_part(screen, "cart") or screen.tap("check out")


def _basket_has(screen: Screen, item: str, quantity: int) -> bool:
    return title(screen) == "basket" and str(quantity) in row_texts(screen, item)


def _add_item(screen: Screen, item: str, quantity: int) -> Action:
    if _basket_has(screen, item, quantity):
        return Finish()
    return homenest_item(screen, item) or _put(screen, quantity)


def _put(screen: Screen, quantity: int) -> Action:
    """Set the quantity on an item's page, then add it to the basket."""
    node = screen.find_id(":id/quantity")
    shown = int(node.text) if node is not None else quantity
    if shown == quantity:
        return screen.tap("add to basket")
    return screen.tap("more" if shown < quantity else "less")


def _wish(screen: Screen, params: Params) -> Action:
    way = homenest_item(screen, params["item"])
    return way or (Finish() if screen.has("in wish list") else screen.tap("add to wish list"))


def _unwish(screen: Screen, params: Params) -> Action:
    item = params["item"]
    if title(screen) == item:
        return screen.tap("in wish list") if screen.has("in wish list") else Finish()
    return homenest_part(screen, "wish list", "wish list") or tap_or_back(screen, item)


def _wish_to_basket(screen: Screen, params: Params) -> Action:
    item = params["item"]
    if _basket_has(screen, item, 1):
        return Finish()
    if title(screen) == item:
        return _put(screen, 1)
    return homenest_part(screen, "wish list", "wish list") or tap_or_back(screen, item)


def _empty_basket(screen: Screen, params: Params) -> Action:
    if screen.has("empty the basket") and screen.has("yes"):
        return screen.tap("yes")
    way = homenest_part(screen, "your basket", "basket")
    return way or (Finish() if screen.has("basket is empty") else screen.tap("empty"))


def _buy(screen: Screen, params: Params) -> Action:
    if title(screen) == "orders":
        return Finish()
    return homenest_part(screen, "your basket", "basket") or screen.tap("buy")


TEMPLATES = (
    Template(
        name="shop.add_to_cart",
        suite="shop",
        app="browser",
        instructions=("add {product} to the brightbuy cart", "put {product} in the brightbuy cart"),
        params={"product": BRIGHTBUY.products(24, 6)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: BRIGHTBUY.stocked([p["product"]]),
        check=lambda shell, p: BRIGHTBUY.holds(shell, {p["product"]: 1}),
        expert=lambda screen, p: _add(screen, p["product"], 1),
    ),
    Template(
        name="shop.add_several",
        suite="shop",
        app="browser",
        instructions=("add {number} of {product} to the brightbuy cart",),
        params={"number": tuple(SMALL_NUMBERS), "product": BRIGHTBUY.products(12, 8)},
        max_steps=MAX_STEPS,
        level=4,
        setup=lambda p: BRIGHTBUY.stocked([p["product"]]),
        check=lambda shell, p: BRIGHTBUY.holds(shell, {p["product"]: SMALL_NUMBERS[p["number"]]}),
        expert=lambda screen, p: _add(screen, p["product"], SMALL_NUMBERS[p["number"]]),
    ),
    Template(
        name="shop.add_pair",
        suite="shop",
        app="browser",
        instructions=("add {first} and {second} to brightbuy cart",),
        params={"first": tuple(p[0] for p in ADDED_PAIRS), "second": tuple(p[1] for p in ADDED_PAIRS)},
        max_steps=MAX_STEPS,
        level=4,
        setup=lambda p: BRIGHTBUY.stocked([p["first"], p["second"]]),
        check=lambda shell, p: BRIGHTBUY.holds(shell, {p["first"]: 1, p["second"]: 1}),
        expert=_add_pair,
        exclude=lambda p: (p["first"], p["second"]) not in ADDED_PAIRS,
    ),
    Template(
        name="shop.remove_from_cart",
        suite="shop",
        app="browser",
        instructions=("remove {first} from brightbuy but keep {second}",),
        params={"first": tuple(p[0] for p in CART_PAIRS), "second": tuple(p[1] for p in CART_PAIRS)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: BRIGHTBUY.stocked([p["first"], p["second"]], {p["first"]: 1, p["second"]: 1}),
        check=lambda shell, p: BRIGHTBUY.holds(shell, {p["second"]: 1}),
        expert=_remove,
        exclude=lambda p: (p["first"], p["second"]) not in CART_PAIRS,
    ),
    Template(
        name="shop.change_quantity",
        suite="shop",
        app="browser",
        instructions=("have {change} {product} in the brightbuy cart",),
        params={"change": tuple(CHANGES), "product": BRIGHTBUY.products(10, 2)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: BRIGHTBUY.stocked([p["product"]], {p["product"]: 2}),
        check=lambda shell, p: BRIGHTBUY.holds(shell, {p["product"]: CHANGES[p["change"]]}),
        expert=_change,
    ),
    Template(
        name="shop.check_out",
        suite="shop",
        app="browser",
        instructions=("check out the brightbuy cart with {delivery} delivery", "buy the brightbuy cart by {delivery}"),
        params={"delivery": DELIVERIES},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: BRIGHTBUY.stocked(["nova radio"], {"nova radio": 1}),
        check=lambda shell, p: BRIGHTBUY.holds(shell, orders=[("nova radio", p["delivery"])]),
        expert=_check_out,
    ),
    Template(
        name="shop.add_to_basket",
        suite="shop",
        app="browser",
        instructions=("add {item} to the homenest basket", "put {item} in the homenest basket"),
        params={"item": HOMENEST.products(24, 6)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: HOMENEST.stocked([p["item"]]),
        check=lambda shell, p: HOMENEST.holds(shell, {p["item"]: 1}),
        expert=lambda screen, p: _add_item(screen, p["item"], 1),
    ),
    Template(
        name="shop.add_several_items",
        suite="shop",
        app="browser",
        instructions=("add {number} of {item} to the homenest basket",),
        params={"number": tuple(SMALL_NUMBERS), "item": HOMENEST.products(12, 8)},
        max_steps=MAX_STEPS,
        level=4,
        setup=lambda p: HOMENEST.stocked([p["item"]]),
        check=lambda shell, p: HOMENEST.holds(shell, {p["item"]: SMALL_NUMBERS[p["number"]]}),
        expert=lambda screen, p: _add_item(screen, p["item"], SMALL_NUMBERS[p["number"]]),
    ),
    Template(
        name="shop.add_wish",
        suite="shop",
        app="browser",
        instructions=("add {item} to the homenest wish list", "save {item} to the homenest wish list"),
        params={"item": HOMENEST.products(24, 9)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: HOMENEST.stocked([p["item"]]),
        check=lambda shell, p: HOMENEST.holds(shell, wishes=[p["item"]]),
        expert=_wish,
    ),
    Template(
        name="shop.remove_wish",
        suite="shop",
        app="browser",
        instructions=("remove {item} from the homenest wish list",),
        params={"item": HOMENEST.products(14, 1)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: HOMENEST.stocked([p["item"], "soft rug"], wishes=[p["item"], "soft rug"]),
        check=lambda shell, p: HOMENEST.holds(shell, wishes=["soft rug"]),
        expert=_unwish,
        exclude=lambda p: p["item"] == "soft rug",
    ),
    Template(
        name="shop.wish_to_basket",
        suite="shop",
        app="browser",
        instructions=("add {item} from homenest wish list to basket",),
        params={"item": HOMENEST.products(14, 5)},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: HOMENEST.stocked([p["item"], "soft rug"], wishes=["soft rug", p["item"]]),
        check=lambda shell, p: HOMENEST.holds(shell, {p["item"]: 1}, wishes=[p["item"], "soft rug"]),
        expert=_wish_to_basket,
        exclude=lambda p: p["item"] == "soft rug",
    ),
    Template(
        name="shop.empty_basket",
        suite="shop",
        app="browser",
        instructions=("{verb} the homenest basket", "{verb} my basket on homenest"),
        params={"verb": ("empty", "clear", "clean out")},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: HOMENEST.stocked(list(BASKET), BASKET),
        check=lambda shell, p: HOMENEST.holds(shell),
        expert=_empty_basket,
    ),
    Template(
        name="shop.buy_basket",
        suite="shop",
        app="browser",
        instructions=("{verb} the homenest basket", "{verb} what is in my homenest basket"),
        params={"verb": ("buy", "order", "pay for")},
        max_steps=MAX_STEPS,
        level=3,
        setup=lambda p: HOMENEST.stocked(list(BASKET), BASKET),
        check=lambda shell, p: HOMENEST.holds(shell, orders=[(" and ".join(BASKET), "standard")]),
        expert=_buy,
    ),
)
