"""Tasks at Summitgear: its facets and its bag, and what needs signing in."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env.rows import delete, insert, query
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, fill
from tapwise.android_env.templates.shop_script import SUMMITGEAR, plus, search_for, tap_row, title
from tapwise.records import Action, Finish

MAX_STEPS = 20
ACCOUNTS, SESSIONS = "content://summitgear/accounts", "content://summitgear/sessions"
USERS = ("rosa", "oscar", "vera")
PASSWORDS = ("meadow", "copper")
PRICES = {"under 50": "low", "50 to 100": "mid", "over 100": "high"}
PAID = "apex rope"


def _accounts(params: Params) -> list[str]:
    """The account that the task names, and nobody signed in."""
    add = insert(ACCOUNTS, name=params["user"], password=params["password"])
    return [delete(SESSIONS, "_id > 0"), delete(ACCOUNTS, f"name='{params['user']}'"), add]


def _signed_in(shell: Shell, params: Params) -> bool:
    return [row["name"] for row in query(shell, SESSIONS)] == [params["user"]]


def _sign_in(screen: Screen, params: Params) -> Action:
    """Fill the form in front. A password reads as stars: that it was typed is in the history."""
    typing = fill(screen, "user", "User name", params["user"])
    if typing is not None:
        return typing
    field = screen.find_id(":id/password")
    if field is not None and field.text == "*" * len(params["password"]):
        return screen.tap("sign in") if not field.focused else BACK
    return fill(screen, "password", "Password", params["password"]) or BACK


def _account(screen: Screen, params: Params) -> Action:
    action = SUMMITGEAR.enter(screen)
    if action is not None:
        return action
    if title(screen) == "sign in":
        return _sign_in(screen, params)
    return Finish() if title(screen) == "account" else screen.tap("account")


def _pay(screen: Screen, params: Params) -> Action:
    action = SUMMITGEAR.enter(screen)
    if action is not None:
        return action
    match title(screen):
        case "sign in":
            return _sign_in(screen, params)
        case "bag":
            return screen.tap("pay")
        case "pay":
            return screen.tap("pay now")
        case "orders":
            return Finish()
    return screen.tap("bag")


def _sign_out(screen: Screen, params: Params) -> Action:
    action = SUMMITGEAR.enter(screen)
    if action is not None:
        return action
    if title(screen) == "account":
        return screen.tap("sign out")
    return Finish() if title(screen) == "sign in" else screen.tap("account")


def _add(screen: Screen, params: Params) -> Action:
    item = params["item"]
    action = SUMMITGEAR.enter(screen)
    if action is not None:
        return action
    if title(screen) == item:
        return Finish() if screen.has("1 in bag", exact=False) else screen.tap("add to bag")
    return search_for(screen, item, "Search gear") or tap_row(screen, item)


def _facets(screen: Screen, wanted: dict[str, str]) -> Action:
    """Choose a value for each facet, by its button and the sheet that it opens."""
    if screen.has("any") and screen.has("cancel"):
        value = next((value for value in wanted.values() if screen.has(value)), "cancel")
        return screen.tap(value)
    action = SUMMITGEAR.enter(screen)
    if action is not None:
        return action
    for name, value in wanted.items():
        chip = screen.find_id(f":id/{name}")
        if chip is None:
            return BACK
        if chip.text.lower() != value:
            return screen.tap(chip)
    return Finish()


def _template(
    name: str, level: int, instructions: Sequence[str], params: dict[str, tuple[str, ...]], **parts: object
) -> Template:
    return Template(
        name=f"shop.{name}", suite="shop", app="browser", instructions=tuple(instructions), params=params,
        max_steps=MAX_STEPS, level=level, **parts,  # type: ignore[arg-type]
    )  # fmt: skip


_WHO = {"user": USERS, "password": PASSWORDS}
_GEAR = {"item": SUMMITGEAR.products(12, 2)}
_SPORTS = {"sport": tuple(SUMMITGEAR.kinds)}

TEMPLATES: tuple[Template, ...] = (
    _template(
        "sport", 2, ("show {sport} gear on summitgear", "only {sport} gear on summitgear"), _SPORTS,
        setup=lambda p: [],
        check=lambda shell, p: SUMMITGEAR.shows(shell, f"list?sport={p['sport']}"),
        expert=lambda screen, p: _facets(screen, {"sport": p["sport"]}),
    ),
    _template(
        "sport_and_price", 3, ("show {sport} gear {price} on summitgear",), {**_SPORTS, "price": tuple(PRICES)},
        setup=lambda p: [],
        check=lambda shell, p: SUMMITGEAR.shows(shell, f"list?sport={p['sport']}&price={PRICES[p['price']]}"),
        expert=lambda screen, p: _facets(screen, {"sport": p["sport"], "price": p["price"]}),
    ),
    _template(
        "search_gear", 2, ("search summitgear for {item}", "look for {item} on summitgear"), _GEAR,
        setup=lambda p: SUMMITGEAR.stocked([p["item"]]),
        check=lambda shell, p: SUMMITGEAR.shows(shell, f"list?q={plus(p['item'])}"),
        expert=lambda screen, p: SUMMITGEAR.enter(screen) or search_for(screen, p["item"], "Search gear") or Finish(),
    ),
    _template(
        "add_to_bag", 3, ("add {item} to the summitgear bag", "put {item} in the summitgear bag"), _GEAR,
        setup=lambda p: SUMMITGEAR.stocked([p["item"]]),
        check=lambda shell, p: SUMMITGEAR.holds(shell, {p["item"]: 1}),
        expert=_add,
    ),
    _template(
        "sign_in", 3, ("sign in to summitgear as {user} with password {password}",), _WHO,
        setup=_accounts, check=_signed_in, expert=_account,
    ),
    _template(
        "pay_bag", 4, ("pay my summitgear bag as {user} password {password}",), _WHO,
        setup=lambda p: [*SUMMITGEAR.stocked([PAID], {PAID: 1}), *_accounts(p)],
        check=lambda shell, p: SUMMITGEAR.holds(shell, orders=[(PAID, "home")]) and _signed_in(shell, p),
        expert=_pay,
    ),
    _template(
        "sign_out", 2, ("{verb} {user} out of summitgear",),
        {"verb": ("sign", "log"), "user": USERS},
        setup=lambda p: [delete(SESSIONS, "_id > 0"), insert(SESSIONS, name=p["user"])],
        check=lambda shell, p: not query(shell, SESSIONS),
        expert=_sign_out,
    ),
)  # fmt: skip
