"""Tasks at Freshcart: aisles, quantities, deliveries, and shopping by a list from another app."""

from __future__ import annotations

from tapwise.android_env.rows import delete, insert
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Template
from tapwise.android_env.templates.records import capital, later
from tapwise.android_env.templates.script import BACK, has_parent_page, open_app, row_texts
from tapwise.android_env.templates.shop_script import FRESHCART, SMALL_NUMBERS, title
from tapwise.records import Action, Finish, UiNode

MAX_STEPS = 24
NOTES, NOTES_PACKAGE = "content://com.google.android.keep/notes", "com.google.android.keep"
RECIPES, RECIPES_PACKAGE = "content://com.flauschcode.broccoli/recipes", "com.flauschcode.broccoli"
TASKS, TASKS_PACKAGE = "content://org.tasks/tasks", "org.tasks"
CHATS, TEXTS, MESSAGES_PACKAGE = "content://mms-sms/conversations", "content://sms", "com.google.android.apps.messaging"
ASKED = {"entry": ("olive", "basil", "sunny", "pepper", "ginger", "rosemary"), "product": FRESHCART.products(6, 3)}
"""a note, recipe, task or sender, and what it asks for, which is not in the instruction: it has to be read"""
TIMES = ("morning", "noon", "evening")
ORDERED = "fresh milk"


def _aisle(screen: Screen, aisle: str) -> Action | None:
    """Come to an aisle, by the first page."""
    action = FRESHCART.enter(screen)
    if action is not None or title(screen) == aisle:
        return action
    return screen.tap(aisle) if title(screen) == FRESHCART.name else screen.tap("aisles")


def _take(screen: Screen, product: str, quantity: int) -> Action:
    """Set how many of a product are in the basket, in the list of its aisle."""
    way = _aisle(screen, FRESHCART.category(product))
    if way is not None:
        return way
    if str(quantity) in row_texts(screen, product):
        return Finish()
    return screen.tap(f"more {product}") if screen.has(product) else BACK


def _order(screen: Screen, params: Params) -> Action:
    action = FRESHCART.enter(screen)
    if action is not None:
        return action
    match title(screen):
        case "orders":
            return Finish()
        case "basket":
            return screen.tap("choose a time")
        case "delivery":
            return screen.tap("order" if screen.tapped(params["time"]) else params["time"])
    return screen.tap("basket")


def _read_first(screen: Screen, params: Params, app: str, package: str) -> Action:
    """Read the product's name in another app, then take one of it."""
    entry, product = params["entry"], params["product"]
    pages = (step.observation for step in screen.history)
    if not any(_says(page.ui, package, product) for page in pages if page.ui is not None):
        action = open_app(screen, app, package)
        if action is not None:
            return action
        if has_parent_page(screen):
            return BACK
        return screen.tap(entry) if screen.has(entry) else screen.swipe_up()
    return _take(screen, product, 1)


def _says(root: UiNode, package: str, words: str) -> bool:
    return root.package == package and any(words in node.text.casefold() for node in root.walk())


def _note(p: Params) -> list[str]:
    name, asked = capital(p["entry"]), capital(p["product"])
    return [delete(NOTES, f"title='{name}'"), insert(NOTES, title=name, body=asked, pinned=1)]


def _recipe(p: Params) -> list[str]:
    values: dict[str, str | int] = {
        "ingredients": capital(p["product"]),
        "servings": 2,
        "time": "10 minutes",
        "favorite": 0,
    }
    return [delete(RECIPES, "_id > 0"), insert(RECIPES, title=capital(p["entry"]), **values)]


def _todo(p: Params) -> list[str]:
    values: dict[str, str | int] = {
        "due": later(0).isoformat(),
        "priority": "High",
        "notes": capital(p["product"]),
        "done": 0,
    }
    return [delete(TASKS, "_id > 0"), insert(TASKS, title=capital(p["entry"]), **values)]


def _message(p: Params) -> list[str]:
    name, body = capital(p["entry"]), capital(p["product"])
    forget = [delete(CHATS, f"recipient='{name}'"), delete(TEXTS, f"address='{name}'")]
    return [*forget, insert(CHATS, recipient=name, pinned=1, read=0), insert(TEXTS, address=name, body=body, type=1)]


TEMPLATES: tuple[Template, ...] = (
    Template(
        name="shop.open_aisle", suite="shop", app="browser", max_steps=MAX_STEPS, level=1,
        instructions=("open the {aisle} aisle on freshcart", "show {aisle} on freshcart"),
        params={"aisle": tuple(FRESHCART.kinds)},
        setup=lambda p: [],
        check=lambda shell, p: FRESHCART.shows(shell, f"aisle/{p['aisle']}"),
        expert=lambda screen, p: _aisle(screen, p["aisle"]) or Finish(),
    ),
    Template(
        name="shop.take_groceries", suite="shop", app="browser", max_steps=MAX_STEPS, level=3,
        instructions=("add {number} {product} to the freshcart basket",),
        params={"number": tuple(SMALL_NUMBERS), "product": FRESHCART.products(12, 1)},
        setup=lambda p: FRESHCART.stocked([p["product"]]),
        check=lambda shell, p: FRESHCART.holds(shell, {p["product"]: SMALL_NUMBERS[p["number"]]}),
        expert=lambda screen, p: _take(screen, p["product"], SMALL_NUMBERS[p["number"]]),
    ),
    Template(
        name="shop.order_groceries", suite="shop", app="browser", max_steps=MAX_STEPS, level=3,
        instructions=("order my freshcart basket for the {time}", "have freshcart deliver the basket at {time}"),
        params={"time": TIMES},
        setup=lambda p: FRESHCART.stocked([ORDERED], {ORDERED: 1}),
        check=lambda shell, p: FRESHCART.holds(shell, orders=[(ORDERED, p["time"])]),
        expert=_order,
    ),
    *(
        Template(
            name=f"shop.groceries_from_{app}", suite="shop", app="browser", max_steps=MAX_STEPS, level=5,
            other_apps=(app,), instructions=(says,), params=ASKED,
            setup=lambda p, prepare=prepare: [*FRESHCART.stocked([p["product"]]), *prepare(p)],  # type: ignore[misc]
            check=lambda shell, p: FRESHCART.holds(shell, {p["product"]: 1}),
            expert=lambda screen, p, found=(app, package): _read_first(screen, p, *found),  # type: ignore[misc]
        )
        for app, package, says, prepare in (
            ("notes", NOTES_PACKAGE, "add what note {entry} says to the freshcart basket", _note),
            ("cookbook", RECIPES_PACKAGE, "add what recipe {entry} needs to the freshcart basket", _recipe),
            ("tasks", TASKS_PACKAGE, "add what task {entry} says to the freshcart basket", _todo),
            ("messages", MESSAGES_PACKAGE, "add what {entry} texted to the freshcart basket", _message),
        )
    ),
)  # fmt: skip
