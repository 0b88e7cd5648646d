"""Tasks that find the way in the shops: go, search, open, sort, filter. Their state is the page that is shown."""

from __future__ import annotations

from collections.abc import Mapping

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.shop_script import (
    BRIGHTBUY,
    HOMENEST,
    brightbuy_part,
    brightbuy_product,
    brightbuy_results,
    homenest_department,
    homenest_item,
    homenest_part,
    plus,
    search_for,
    title,
)
from tapwise.records import Action, Finish

MAX_STEPS = 20
SHOPS = {shop.name: shop for shop in (BRIGHTBUY, HOMENEST)}
PAGES: Mapping[tuple[str, str], str] = {
    ("cart", "brightbuy"): "cart",
    ("basket", "homenest"): "basket",
    ("wish list", "homenest"): "wishes",
    ("orders", "homenest"): "orders",
    ("departments", "homenest"): "departments",
}
MENU_ENTRIES = {"basket": "your basket", "orders": "your orders"}
SORTS = {"lowest price": "low", "highest price": "high", "name": "name"}
FILTERS = {"on sale": "sale", "new in": "new", "low price": "cheap"}
CATEGORIES = tuple(BRIGHTBUY.kinds)
DEPARTMENTS = tuple(HOMENEST.kinds)


def _nothing(params: Params) -> list[str]:
    return []


def _order(screen: Screen) -> str:
    """What a list says about its order or filter."""
    node = screen.find_id(":id/order")
    return node.text.lower() if node is not None else ""


def _chosen(screen: Screen, option: str) -> Action | None:
    """Take an option of the dialog in front."""
    return screen.tap(option) if screen.has("sort by") and screen.has(option) else None


def _go(screen: Screen, params: Params) -> Action:
    return SHOPS[params["site"]].enter(screen) or Finish()


def _open_page(screen: Screen, params: Params) -> Action:
    page = params["page"]
    if params["site"] == BRIGHTBUY.name:
        return brightbuy_part(screen, page) or Finish()
    return homenest_part(screen, MENU_ENTRIES.get(page, page), page) or Finish()


def _search_homenest(screen: Screen, params: Params) -> Action:
    way = homenest_part(screen, "search items", "search")
    return way or search_for(screen, params["words"], "Search items") or Finish()


def _sort(screen: Screen, category: str, order: str) -> Action | None:
    way = _chosen(screen, order) or brightbuy_part(screen, category)
    return way or (None if _order(screen) == order else screen.tap("sort"))


def _open_extreme(screen: Screen, params: Params) -> Action:
    order = {"cheapest": "lowest price", "dearest": "highest price"}[params["extreme"]]
    if screen.has("add to cart") or screen.has("sold out"):
        return Finish()
    way = _sort(screen, params["category"], order)
    if way is not None:
        return way
    product = screen.find_id(":id/product")
    return screen.tap(product) if product is not None else Finish("impossible")


def _is_extreme(shell: Shell, params: Params) -> bool:
    ranked = BRIGHTBUY.by_price(shell, params["category"])
    product = ranked[0 if params["extreme"] == "cheapest" else -1]
    return BRIGHTBUY.shows(shell, f"product/{plus(product)}")


def _filter(screen: Screen, params: Params) -> Action:
    wanted = params["filter"]
    if title(screen) == "filter":
        row = next(node for node in screen.nodes if node.label.lower() == wanted)
        marked = any(node.checked and _same_row(node.bounds, row.bounds) for node in screen.nodes)
        return screen.tap("apply") if marked else screen.tap(wanted)
    way = homenest_department(screen, params["department"])
    return way or (Finish() if _order(screen) == wanted else screen.tap("filter"))


def _same_row(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> bool:
    return first[1] < (second[1] + second[3]) / 2 < first[3]


TEMPLATES = (
    Template(
        name="shop.go_to",
        suite="shop",
        app="browser",
        instructions=("go to {site}", "visit {site}", "open the {site} shop", "show the {site} site"),
        params={"site": tuple(SHOPS)},
        max_steps=MAX_STEPS,
        level=1,
        setup=_nothing,
        check=lambda shell, p: SHOPS[p["site"]].shows(shell, ""),
        expert=_go,
    ),
    Template(
        name="shop.open_page",
        suite="shop",
        app="browser",
        instructions=("open the {page} on {site}", "show the {page} on {site}"),
        params={"page": ("cart", "basket", "wish list", "orders", "departments"), "site": tuple(SHOPS)},
        max_steps=MAX_STEPS,
        level=1,
        setup=_nothing,
        check=lambda shell, p: SHOPS[p["site"]].shows(shell, PAGES[p["page"], p["site"]]),
        expert=_open_page,
        exclude=lambda p: (p["page"], p["site"]) not in PAGES,
    ),
    Template(
        name="shop.open_category",
        suite="shop",
        app="browser",
        instructions=("open {category} on brightbuy", "show all {category} on brightbuy"),
        params={"category": CATEGORIES},
        max_steps=MAX_STEPS,
        level=1,
        setup=_nothing,
        check=lambda shell, p: BRIGHTBUY.shows(shell, f"category/{p['category']}"),
        expert=lambda screen, p: brightbuy_part(screen, p["category"]) or Finish(),
    ),
    Template(
        name="shop.open_department",
        suite="shop",
        app="browser",
        instructions=("open the {department} department on homenest", "show {department} items on homenest"),
        params={"department": DEPARTMENTS},
        max_steps=MAX_STEPS,
        level=1,
        setup=_nothing,
        check=lambda shell, p: HOMENEST.shows(shell, f"department/{plus(p['department'])}"),
        expert=lambda screen, p: homenest_department(screen, p["department"]) or Finish(),
    ),
    Template(
        name="shop.search_brightbuy",
        suite="shop",
        app="browser",
        instructions=("search brightbuy for {words}", "look for {words} on brightbuy"),
        params={"words": BRIGHTBUY.products(24, 0)},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: BRIGHTBUY.stocked([p["words"]]),
        check=lambda shell, p: BRIGHTBUY.shows(shell, f"search?q={plus(p['words'])}"),
        expert=lambda screen, p: brightbuy_results(screen, p["words"]) or Finish(),
    ),
    Template(
        name="shop.search_homenest",
        suite="shop",
        app="browser",
        instructions=("search homenest for {words}", "look for {words} on homenest"),
        params={"words": HOMENEST.products(24, 0)},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: HOMENEST.stocked([p["words"]]),
        check=lambda shell, p: HOMENEST.shows(shell, f"search?q={plus(p['words'])}"),
        expert=_search_homenest,
    ),
    Template(
        name="shop.open_product",
        suite="shop",
        app="browser",
        instructions=("find {product} on brightbuy and open it", "open the {product} page on brightbuy"),
        params={"product": BRIGHTBUY.products(24, 3)},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: BRIGHTBUY.stocked([p["product"]]),
        check=lambda shell, p: BRIGHTBUY.shows(shell, f"product/{plus(p['product'])}"),
        expert=lambda screen, p: brightbuy_product(screen, p["product"]) or Finish(),
    ),
    Template(
        name="shop.open_item",
        suite="shop",
        app="browser",
        instructions=("find {item} on homenest and open it", "open the {item} page on homenest"),
        params={"item": HOMENEST.products(24, 3)},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: HOMENEST.stocked([p["item"]]),
        check=lambda shell, p: HOMENEST.shows(shell, f"item/{plus(p['item'])}"),
        expert=lambda screen, p: homenest_item(screen, p["item"]) or Finish(),
    ),
    Template(
        name="shop.sort",
        suite="shop",
        app="browser",
        instructions=("sort {category} on brightbuy by {order}", "show brightbuy {category} by {order}"),
        params={"category": CATEGORIES, "order": tuple(SORTS)},
        max_steps=MAX_STEPS,
        level=2,
        setup=_nothing,
        check=lambda shell, p: BRIGHTBUY.shows(shell, f"category/{p['category']}?sort={SORTS[p['order']]}"),
        expert=lambda screen, p: _sort(screen, p["category"], p["order"]) or Finish(),
    ),
    Template(
        name="shop.open_extreme",
        suite="shop",
        app="browser",
        instructions=("open the {extreme} of the {category} on brightbuy",),
        params={"extreme": ("cheapest", "dearest"), "category": CATEGORIES},
        max_steps=MAX_STEPS,
        level=4,
        setup=_nothing,
        check=_is_extreme,
        expert=_open_extreme,
    ),
    Template(
        name="shop.filter",
        suite="shop",
        app="browser",
        instructions=("filter {department} on homenest by {filter}",),
        params={"department": DEPARTMENTS, "filter": tuple(FILTERS)},
        max_steps=MAX_STEPS,
        level=3,
        setup=_nothing,
        check=lambda shell, p: HOMENEST.shows(shell, f"department/{plus(p['department'])}?only={FILTERS[p['filter']]}"),
        expert=_filter,
    ),
)
