"""Tasks in the browser itself: sites, addresses, web search, bookmarks, history."""

from __future__ import annotations

from tapwise.android_env.rows import changes, insert, query, remember
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, open_app
from tapwise.android_env.templates.shop_script import HINT, PACKAGE, address, enter_site, plus, shown_url
from tapwise.records import Action, Finish, Key, Press, TypeText

MAX_STEPS = 10
BOOKMARKS = "content://browser/bookmarks"
HISTORY = "content://browser/history"
SITES = ("daily news", "skycast", "recipes", "sportzone", "filmclub", "trails")
SEARCHES = (
    "red shoes", "green tea", "city maps", "piano songs", "train times", "garden birds", "dog food", "moon phases",
    "old castles", "card games", "winter coats", "paper planes", "fast bikes", "blue whales", "rice cakes",
    "stone bridges",
)  # fmt: skip


def host(site: str) -> str:
    """The address of a site, such as "dailynews.com"."""
    return site.replace(" ", "") + ".com"


HOSTS = tuple(host(site) for site in (*SITES, "brightbuy", "homenest"))


def _enter(screen: Screen, site: str) -> Action | None:
    return enter_site(screen, site, host(site))


def _type_address(screen: Screen, words: str, arrived: bool) -> Action:
    """Type into the address field and submit, from the browser's start page."""
    action = open_app(screen, "browser", PACKAGE)
    if action is not None:
        return action
    if arrived:
        return Finish()
    field = address(screen)
    if field is None:
        return BACK
    if not field.focused:
        return screen.tap(field)
    if field.text.lower() == words:
        return Press(Key.ENTER)
    return TypeText(words) if field.text == HINT else BACK


def _go(screen: Screen, params: Params) -> Action:
    field = address(screen)
    arrived = field is not None and not field.focused and field.text == params["address"]
    return _type_address(screen, params["address"], arrived)


def _search(screen: Screen, params: Params) -> Action:
    arrived = screen.has("results") and screen.has(params["words"])
    return _type_address(screen, params["words"], arrived)


def _star(screen: Screen, site: str, wanted: bool) -> Action:
    action = _enter(screen, site)
    if action is not None:
        return action
    star = screen.find("star")
    if star is None:
        return BACK
    return Finish() if star.selected is wanted else screen.tap(star)


def _list_page(screen: Screen, page: str) -> Action | None:
    """Come to the history or to the bookmarks."""
    action = open_app(screen, "browser", PACKAGE)
    if action is not None:
        return action
    if screen.has("navigate up"):
        return None if screen.has(page) else BACK
    return screen.tap(page) if screen.has(page) else BACK


def _clear(screen: Screen, params: Params) -> Action:
    return _list_page(screen, "history") or (Finish() if screen.has("no history") else screen.tap("delete"))


def _without_bookmark(site: str) -> list[str]:
    return [f"content delete --uri {BOOKMARKS} --where \"url='{host(site)}'\""]


def _bookmark_added(shell: Shell, params: Params) -> bool:
    difference = changes(shell, BOOKMARKS)
    return difference.count == 1 and [row["url"] for row in difference.added] == [host(params["site"])]


def _bookmark_removed(shell: Shell, params: Params) -> bool:
    difference = changes(shell, BOOKMARKS)
    return difference.count == 1 and [row["url"] for row in difference.removed] == [host(params["site"])]


def _bookmarked(site: str) -> list[str]:
    return [*_without_bookmark(site), insert(BOOKMARKS, title=site.capitalize(), url=host(site))]


TEMPLATES = (
    Template(
        name="browser.open_site",
        suite="general",
        app="browser",
        instructions=("open {site} in the browser", "show {site} in the browser"),
        params={"site": SITES},
        max_steps=MAX_STEPS,
        level=1,
        setup=lambda p: [],
        check=lambda shell, p: shown_url(shell) == host(p["site"]),
        expert=lambda screen, p: _enter(screen, p["site"]) or Finish(),
    ),
    Template(
        name="browser.type_address",
        suite="general",
        app="browser",
        instructions=("go to {address}", "type {address} in the browser"),
        params={"address": HOSTS},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: [],
        check=lambda shell, p: shown_url(shell) == p["address"],
        expert=_go,
    ),
    Template(
        name="browser.search_web",
        suite="general",
        app="browser",
        instructions=("search the web for {words}", "look up {words} in the browser"),
        params={"words": SEARCHES},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: [],
        check=lambda shell, p: shown_url(shell) == f"search.com/results?q={plus(p['words'])}",
        expert=_search,
    ),
    Template(
        name="browser.add_bookmark",
        suite="general",
        app="browser",
        instructions=("bookmark {site}", "add {site} to the bookmarks"),
        params={"site": SITES},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: [*_without_bookmark(p["site"]), remember(BOOKMARKS)],
        check=_bookmark_added,
        expert=lambda screen, p: _star(screen, p["site"], True),
    ),
    Template(
        name="browser.remove_bookmark",
        suite="general",
        app="browser",
        instructions=("remove {site} from the bookmarks",),
        params={"site": SITES},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: [*_bookmarked(p["site"]), remember(BOOKMARKS)],
        check=_bookmark_removed,
        expert=lambda screen, p: _star(screen, p["site"], False),
    ),
    Template(
        name="browser.open_list",
        suite="general",
        app="browser",
        instructions=("open the browser {page}", "show the browser {page}", "go to the {page} of the browser"),
        params={"page": ("history", "bookmarks")},
        max_steps=MAX_STEPS,
        level=1,
        setup=lambda p: [],
        check=lambda shell, p: shown_url(shell) == p["page"],
        expert=lambda screen, p: _list_page(screen, p["page"]) or Finish(),
    ),
    Template(
        name="browser.clear_history",
        suite="general",
        app="browser",
        instructions=("{verb} the browser history", "{verb} the history of the browser"),
        params={"verb": ("clear", "delete", "erase")},
        max_steps=MAX_STEPS,
        level=2,
        setup=lambda p: [insert(HISTORY, title="Trails", url="trails.com")],
        check=lambda shell, p: not query(shell, HISTORY),
        expert=_clear,
    ),
)
