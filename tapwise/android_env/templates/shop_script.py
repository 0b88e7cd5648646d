"""What the shops' templates share: setting a shop up, reading its state, and finding the way through its pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tapwise.android_env.rows import insert, query
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Shell
from tapwise.android_env.templates.script import BACK, open_app
from tapwise.records import Action, Key, Press, TypeText, UiNode

PACKAGE = "com.android.chrome"
PAGE_URI = "content://browser/page"
HINT = "Search or type address"
SMALL_NUMBERS = {"two": 2, "three": 3}


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop site: how it is called, what it calls its cart, and which kinds of things each of its parts holds."""

    name: str
    cart: str
    qualities: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]
    on_start_page: bool = True

    @property
    def host(self) -> str:
        """The address of the first page."""
        return f"{self.name}.com"

    def category(self, product: str) -> str:
        """The part of the shop that holds a product, by its last word."""
        return next(category for category, kinds in self.kinds.items() if product.split()[-1] in kinds)

    def products(self, count: int, turn: int) -> tuple[str, ...]:
        """Some product names, others for every `turn`; all kinds of things come about equally often."""
        kinds = [kind for group in self.kinds.values() for kind in group]
        names = (
            f"{self.qualities[(5 * n + n // len(kinds) + turn) % len(self.qualities)]} {kinds[n % len(kinds)]}"
            for n in range(count)
        )
        return tuple(dict.fromkeys(names))

    def pairs(self, count: int, turn: int) -> tuple[tuple[str, str], ...]:
        """Two products of one part of the shop each."""
        return tuple(self._pairs(count, turn))

    def _pairs(self, count: int, turn: int) -> Iterator[tuple[str, str]]:
        groups = list(self.kinds.values())
        for n in range(count):
            kinds = groups[n % len(groups)]
            first, second = (
                self.qualities[(3 * n + turn) % len(self.qualities)],
                self.qualities[(3 * n + turn + 5) % len(self.qualities)],
            )
            yield f"{first} {kinds[n % len(kinds)]}", f"{second} {kinds[(n + 1) % len(kinds)]}"

    # --- set-up ---

    def stocked(
        self, products: Sequence[str] = (), cart: Mapping[str, int] | None = None, wishes: Sequence[str] = ()
    ) -> list[str]:
        """Commands after which the shop sells the products, and cart, wish list and orders are exactly as given."""
        commands = [f"content delete --uri {self._uri(table)}" for table in (self.cart, "wishes", "orders")]
        for product in products:
            commands.append(f"content delete --uri {self._uri('products')} --where \"name='{product}'\"")
            price = 20 + sum(map(ord, product)) % 70
            commands.append(insert(self._uri("products"), name=product, category=self.category(product), price=price))
        commands += [
            insert(self._uri(self.cart), name=name, quantity=quantity) for name, quantity in (cart or {}).items()
        ]
        commands += [insert(self._uri("wishes"), name=name) for name in wishes]
        return commands

    # --- state ---

    def holds(
        self,
        shell: Shell,
        cart: Mapping[str, int] | None = None,
        wishes: Sequence[str] = (),
        orders: Sequence[tuple[str, str]] = (),
    ) -> bool:
        """Whether cart, wish list and orders (items, delivery) are exactly these."""
        lines = {row["name"]: row["quantity"] for row in query(shell, self._uri(self.cart))}
        wished = sorted(row["name"] for row in query(shell, self._uri("wishes")))
        bought = sorted((row["items"], row["delivery"]) for row in query(shell, self._uri("orders")))
        wanted = {name: str(quantity) for name, quantity in (cart or {}).items()}
        return (lines, wished, bought) == (wanted, sorted(wishes), sorted(orders))

    def by_price(self, shell: Shell, category: str) -> list[str]:
        """The names of a category's products, cheapest first."""
        rows = [row for row in query(shell, self._uri("products")) if row["category"] == category]
        return [row["name"] for row in sorted(rows, key=lambda row: int(row["price"]))]

    def shows(self, shell: Shell, place: str) -> bool:
        """Whether the browser shows this page of the shop, such as "search?q=nova+phone"."""
        return shown_url(shell) == (f"{self.host}/{place}" if place else self.host)

    def _uri(self, table: str) -> str:
        return f"content://{self.name}/{table}"

    # --- the experts' way ---

    def enter(self, screen: Screen) -> Action | None:
        """Come to any page of the shop without a dialog in front."""
        if self.on_start_page:
            return enter_site(screen, self.name, self.host)
        return enter_address(screen, self.host)


BRIGHTBUY = Shop(
    "brightbuy",
    "cart",
    ("nova", "zen", "alpha", "turbo", "echo", "mega", "luna", "orbit", "delta", "prime", "pixel", "sonic"),
    {
        "phones": ("phone", "tablet", "watch"),
        "computers": ("laptop", "monitor", "mouse"),
        "audio": ("speaker", "headset", "radio"),
        "cameras": ("camera", "drone"),
        "office": ("printer", "charger", "router"),
    },
)
HOMENEST = Shop(
    "homenest",
    "basket",
    ("red", "blue", "green", "white", "black", "oak", "soft", "round", "classic", "modern", "small", "large"),
    {
        "living room": ("sofa", "lamp", "rug"),
        "kitchen": ("pan", "kettle", "mug"),
        "bedroom": ("pillow", "blanket", "clock"),
        "bathroom": ("towel", "mirror", "soap"),
        "garden": ("chair", "table", "bench"),
    },
)

SUMMITGEAR = Shop(
    "summitgear",
    "bag",
    ("apex", "boreal", "cedar", "drift", "ember", "fjord", "glacier", "heron", "ibex", "juniper"),
    {
        "hiking": ("tent", "boots", "pack"),
        "climbing": ("rope", "helmet", "gloves"),
        "cycling": ("bike", "bottle", "pump"),
        "water": ("goggles", "kayak", "paddle"),
    },
    on_start_page=False,
)
FRESHCART = Shop(
    "freshcart",
    "basket",
    ("fresh", "sweet", "red", "green", "mild", "baby", "ripe", "gold", "soft", "fine"),
    {
        "fruit": ("apples", "grapes", "pears"),
        "vegetables": ("carrots", "onions", "beans"),
        "bakery": ("bread", "rolls", "cake"),
        "dairy": ("milk", "cheese", "butter"),
    },
    on_start_page=False,
)


def shown_url(shell: Shell) -> str:
    """The address of the page that the browser shows, empty when it is not running."""
    return next((row["url"] for row in query(shell, PAGE_URI)), "")


def plus(words: str) -> str:
    """Words as they stand in an address."""
    return words.replace(" ", "+")


def address(screen: Screen) -> UiNode | None:
    """The browser's address field; None on pages and under dialogs that hide it."""
    return screen.find_id(":id/address")


def title(screen: Screen) -> str:
    """The title on a site's bar, in lower case."""
    node = screen.find_id(":id/title")
    return node.text.lower() if node is not None else ""


def enter_site(screen: Screen, name: str, host: str) -> Action | None:
    """Come to any page of a site, by its tile on the browser's start page."""
    action = open_app(screen, "browser", PACKAGE)
    if action is not None:
        return action
    field = address(screen)
    if field is None or field.focused:
        return BACK
    if field.text == host:
        return None
    return screen.tap(name) if screen.has(name) and not screen.find_id(":id/title") else BACK


def enter_address(screen: Screen, host: str) -> Action | None:
    """Come to any page of a site, by typing its address on the browser's start page."""
    action = open_app(screen, "browser", PACKAGE)
    if action is not None:
        return action
    field = address(screen)
    if field is None:
        return BACK
    if not field.focused:
        if field.text == host:
            return None
        return screen.tap(field) if field.text == HINT else BACK
    if field.text.lower() == host:
        return Press(Key.ENTER)
    return TypeText(host) if field.text == HINT else BACK


def tap_or_back(screen: Screen, label: str) -> Action:
    """Touch what is called `label`, or leave the page that does not have it."""
    return screen.tap(label) if screen.find(label, clickable=True) else BACK


def tap_row(screen: Screen, product: str) -> Action:
    """Touch a product in a list (its name may stand in the search field too), or leave a list without it."""
    rows = [node for node in screen.nodes if node.resource_id.endswith(":id/product")]
    named = (inner for row in rows for inner in row.walk() if inner.text.lower() == product)
    label = next(named, None)
    return screen.tap(label) if label is not None else BACK


def search_for(screen: Screen, words: str, hint: str) -> Action | None:
    """Come to the results for some words, by the search field of the page in front."""
    field = screen.find_id(":id/search")
    if field is None:
        return BACK
    if not field.focused:
        return None if field.text.lower() == words else screen.tap(field)
    if field.text.lower() == words:
        return Press(Key.ENTER)
    return TypeText(words) if field.text == hint else BACK


def brightbuy_results(screen: Screen, words: str) -> Action | None:
    """Come to Brightbuy's results for some words."""
    return BRIGHTBUY.enter(screen) or search_for(screen, words, "Search products")


def brightbuy_product(screen: Screen, product: str) -> Action | None:
    """Come to a product's page on Brightbuy, by searching."""
    action = BRIGHTBUY.enter(screen)
    if action is not None or title(screen) == product:
        return action
    return search_for(screen, product, "Search products") or tap_row(screen, product)


def brightbuy_part(screen: Screen, part: str) -> Action | None:
    """Come to a category of Brightbuy, or to its cart: both are on its first page."""
    action = BRIGHTBUY.enter(screen)
    if action is not None or title(screen) == part:
        return action
    return screen.tap(part) if title(screen) == BRIGHTBUY.name else BACK


def homenest_part(screen: Screen, entry: str, heading: str) -> Action | None:
    """Come to a page of Homenest's menu: `entry` leads to it, `heading` stands on it."""
    action = HOMENEST.enter(screen)
    if action is not None or title(screen) == heading:
        return action
    return screen.tap(entry) if title(screen) == HOMENEST.name else BACK


def homenest_department(screen: Screen, department: str) -> Action | None:
    """Come to a department of Homenest."""
    action = HOMENEST.enter(screen)
    if action is not None or title(screen) == department:
        return action
    return homenest_part(screen, "departments", "departments") or screen.tap(department)


def homenest_item(screen: Screen, item: str) -> Action | None:
    """Come to an item's page on Homenest, through its department."""
    action = HOMENEST.enter(screen)
    if action is not None or title(screen) == item:
        return action
    return homenest_department(screen, HOMENEST.category(item)) or tap_or_back(screen, item)
