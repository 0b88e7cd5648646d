from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.ui.icons import icon_mask
from tapwise.emulators.virtual.ui.things import THINGS
from tapwise.emulators.virtual.web import brightbuy, homenest, sites
from tapwise.emulators.virtual.web.site import Url

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


def tap(phone: VirtualPhone, *labels: str) -> None:
    for label in labels:
        node = next((node for node in phone.tree().walk() if node.label == label), None)
        assert node is not None, (label, labels_of(phone))
        phone.tap(*node.centre)


def labels_of(phone: VirtualPhone) -> list[str]:
    return [node.label for node in phone.tree().walk() if node.label]


def url(phone: VirtualPhone) -> object:
    return phone.content.query("content://browser/page")[0]["url"]


def address(phone: VirtualPhone) -> str:
    return next(node.text for node in phone.tree().walk() if node.resource_id.endswith(":id/address"))


def enter(phone: VirtualPhone, field: str, text: str) -> None:
    tap(phone, field)
    phone.type_text(text)
    phone.key_event("KEYCODE_ENTER")


@pytest.fixture
def phone() -> VirtualPhone:
    phone = VirtualPhone(seed=11)
    for table in ("brightbuy/cart", "homenest/basket", "homenest/wishes", "homenest/orders"):
        phone.content.delete(f"content://{table}", lambda row: True)
    product = {"name": "nova radio", "category": "audio", "price": 1}
    phone.content.delete("content://brightbuy/products", lambda row: row["name"] == "nova radio")
    phone.content.insert("content://brightbuy/products", {**product})
    phone.content.delete("content://homenest/products", lambda row: row["name"] == "oak lamp")
    phone.content.insert(
        "content://homenest/products", {"name": "oak lamp", "category": "living room", "price": 9, "sale": 1}
    )
    tap(phone, "Browser")
    return phone


@pytest.mark.parametrize(
    ("typed", "opened"),
    [
        ("brightbuy", "brightbuy.com"),
        ("homenest.com", "homenest.com"),
        ("daily news", "dailynews.com"),
        ("www.skycast.com", "skycast.com"),
        ("green tea", "search.com/results?q=green+tea"),
        ("nowhere.org", "nowhere.org"),
    ],
)
def test_the_address_field_opens_sites_and_searches_for_the_rest(phone: VirtualPhone, typed: str, opened: str) -> None:
    enter(phone, "Search or type address", typed)
    assert url(phone) == opened
    assert address(phone) == opened.partition("/")[0]
    assert phone.content.query("content://browser/history")[-1]["url"] == opened


def test_the_address_field_empties_itself_for_typing_and_recovers(phone: VirtualPhone) -> None:
    tap(phone, "Brightbuy", "brightbuy.com")
    assert address(phone) == "Search or type address"
    phone.key_event("KEYCODE_BACK")
    assert address(phone) == "brightbuy.com"
    phone.key_event("KEYCODE_BACK")
    assert url(phone) == "start"


def test_a_link_from_outside_opens_its_page(phone: VirtualPhone) -> None:
    phone.open_url("https://brightbuy.com/product/nova+radio")
    assert "Nova radio" in labels_of(phone)


def test_the_star_adds_and_removes_a_bookmark(phone: VirtualPhone) -> None:
    phone.content.delete("content://browser/bookmarks", lambda row: True)
    tap(phone, "Trails", "Star")
    assert [row["url"] for row in phone.content.query("content://browser/bookmarks")] == ["trails.com"]
    tap(phone, "Start", "Bookmarks", "Trails")
    assert url(phone) == "trails.com"
    tap(phone, "Star")
    assert phone.content.query("content://browser/bookmarks") == []


def test_history_can_be_cleared(phone: VirtualPhone) -> None:
    tap(phone, "Recipes", "Start", "History", "Delete")
    assert phone.content.query("content://browser/history") == []
    assert "No history" in labels_of(phone)


def test_brightbuy_sells(phone: VirtualPhone) -> None:
    tap(phone, "Brightbuy")
    enter(phone, "Search products", "nova radio")
    rows = [node for node in phone.tree().walk() if node.text == "Nova radio"]
    phone.tap(*rows[-1].centre)
    tap(phone, "Add to cart", "Add to cart")
    assert "In cart 2" in labels_of(phone)
    tap(phone, "Cart", "Nova radio", "One less")
    cart = phone.content.query("content://brightbuy/cart")
    assert [(row["name"], row["quantity"]) for row in cart] == [("nova radio", 1)]
    tap(phone, "Check out", "Express", "Place order")
    orders = phone.content.query("content://brightbuy/orders")
    assert [(row["items"], row["delivery"]) for row in orders] == [("nova radio", "express")]
    assert phone.content.query("content://brightbuy/cart") == []


def test_brightbuy_sorts_by_price(phone: VirtualPhone) -> None:
    tap(phone, "Brightbuy", "Audio", "Sort", "Lowest price")
    shown = [node for node in phone.tree().walk() if node.resource_id.endswith(":id/product")]
    prices = [int(inner.text.strip("$")) for node in shown for inner in node.walk() if inner.text.startswith("$")]
    assert prices == sorted(prices)
    assert prices[0] == 1
    phone.key_event("KEYCODE_BACK")
    assert url(phone) == "brightbuy.com"


def test_homenest_filters_and_fills_the_basket(phone: VirtualPhone) -> None:
    tap(phone, "Homenest", "Departments", "Living room", "Filter", "On sale", "Apply")
    assert url(phone) == "homenest.com/department/living+room?only=sale"
    tap(phone, "Oak lamp", "Add to wish list", "More", "More", "Less", "Add to basket")
    assert url(phone) == "homenest.com/basket"
    assert phone.content.query("content://homenest/basket") == [{"_id": 1, "name": "oak lamp", "quantity": 2}]
    assert phone.content.query("content://homenest/wishes") == [{"_id": 1, "name": "oak lamp"}]
    tap(phone, "Empty", "Yes")
    assert phone.content.query("content://homenest/basket") == []


def test_worlds_differ_and_are_the_same_for_the_same_seed() -> None:
    products = [VirtualPhone(seed=seed).content.query("content://brightbuy/products") for seed in (1, 1, 2)]
    assert products[0] == products[1] != products[2]


def test_every_list_fits_on_the_screen() -> None:
    for seed in range(3):
        phone = VirtualPhone(seed=seed, noise=Noise(layout_shifts=1.0))
        pages = [f"brightbuy.com/category/{name}" for name in brightbuy.KINDS]
        pages += [f"homenest.com/department/{name}" for name in homenest.KINDS]
        for page in [*sites(), *pages]:
            phone.open_url(page)
            assert not any(node.scrollable for node in phone.tree().walk()), page
            assert not any("has no such page" in label for label in labels_of(phone)), page


def test_every_kind_of_product_is_drawn() -> None:
    kinds = {kind for kinds in (*brightbuy.KINDS.values(), *homenest.KINDS.values()) for kind in kinds}
    assert {f"thing_{kind}" for kind in kinds} <= set(THINGS)
    assert all(icon_mask(name, 24).getbbox() for name in THINGS)


@given(st.lists(WORDS, max_size=3), st.dictionaries(WORDS, WORDS, max_size=3))
def test_addresses_survive_being_written_and_read(path: list[str], query: dict[str, str]) -> None:
    url = Url("brightbuy.com", tuple(path), tuple(query.items()))
    assert Url.parse(str(url)) == url
