"""The shops that are found by name: an outdoor shop with a wall before its private pages, and a grocery."""

from __future__ import annotations

import pytest

from tapwise.emulators.virtual.apps.browser import BrowserData
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.web import sites
from tapwise.emulators.virtual.web.freshcart import FreshCart
from tapwise.emulators.virtual.web.summitgear import SummitData, SummitGear
from tapwise.records import UiNode

BROWSER = "com.android.chrome"


@pytest.fixture
def phone() -> VirtualPhone:
    return VirtualPhone(seed=3)


def gear(phone: VirtualPhone) -> SummitData:
    data = phone.state.apps[BROWSER].data
    assert isinstance(data, BrowserData)
    found = data.sites[SummitGear.host]
    assert isinstance(found, SummitData)
    return found


def node(phone: VirtualPhone, label: str, kind: str = "") -> UiNode:
    return next(
        node for node in phone.tree().walk() if label in (node.text, node.description) and kind in node.class_name
    )


def labels(phone: VirtualPhone) -> list[str]:
    return [node.label for node in phone.tree().walk() if node.label]


def press(phone: VirtualPhone, label: str, kind: str = "") -> None:
    phone.tap(*node(phone, label, kind).centre)


def sign_in(phone: VirtualPhone, name: str, password: str) -> None:
    for field, text in (("user", name), ("password", password)):
        view = next(node for node in phone.tree().walk() if node.resource_id.endswith(f":id/{field}"))
        phone.tap(*view.centre)
        phone.type_text(text)
    press(phone, "Sign in", "Button")


def test_they_are_found_by_name_and_leave_the_start_page_as_it_was(phone: VirtualPhone) -> None:
    phone.open(BROWSER)
    assert not {SummitGear.name, FreshCart.name} & set(labels(phone))
    press(phone, "Search or type address")
    phone.type_text("summitgear")
    phone.key_event("KEYCODE_ENTER")
    assert "Search gear" in labels(phone)
    phone.open_url("https://search.com/results?q=freshcart bread")
    assert FreshCart.name in labels(phone)
    phone.open_url("https://search.com/results?q=bread")
    assert FreshCart.name not in labels(phone)
    assert len([site for site in sites().values() if not site.pinned]) == 2


def test_a_wall_stands_before_private_pages_until_somebody_signs_in(phone: VirtualPhone) -> None:
    account = gear(phone).accounts.known[0]
    phone.open_url("https://summitgear.com/orders")
    sign_in(phone, account.name, "wrong")
    assert "Wrong user name or password" in labels(phone)
    assert gear(phone).accounts.user == ""
    phone.open_url("https://summitgear.com/orders")
    sign_in(phone, account.name.upper(), account.password)
    assert gear(phone).accounts.user == account.name
    assert "Please sign in to go on" not in labels(phone)
    press(phone, "Account")
    press(phone, "Sign out")
    assert gear(phone).accounts.user == ""
    phone.open_url("https://summitgear.com")
    assert "Please sign in to go on" not in labels(phone)  # looking is free


def test_a_password_shows_as_stars_on_screen_and_in_the_tree(phone: VirtualPhone) -> None:
    phone.open_url("https://summitgear.com/account")
    press(phone, "Password")
    phone.type_text("maple")
    field = next(node for node in phone.tree().walk() if node.password)
    assert field.text == "*****"
    assert "maple" not in str(labels(phone))


def test_the_list_is_narrowed_by_facets_and_turned(phone: VirtualPhone) -> None:
    phone.open_url("https://summitgear.com")
    whole = [node.label for node in phone.tree().walk() if node.label.startswith("1 of ")]
    assert whole
    press(phone, "Next")
    assert any(label.startswith("2 of ") for label in labels(phone))
    press(phone, "Price")
    press(phone, "Under 50")
    prices = [int(label[1:]) for label in labels(phone) if label.startswith("$")]
    assert prices
    assert all(price < 50 for price in prices)
    press(phone, "Under 50")
    press(phone, "Any")
    assert "Price" in labels(phone)


def test_a_bag_is_paid_for_behind_the_wall(phone: VirtualPhone) -> None:
    shop = gear(phone)
    shop.cart.clear()
    product, account = shop.products[0], shop.accounts.known[1]
    phone.open_url(f"https://summitgear.com/item/{product.name}")
    press(phone, "Add to bag")
    assert gear(phone).quantity(product.name) == 1
    press(phone, "Bag")
    press(phone, "Pay")
    sign_in(phone, account.name, account.password)
    press(phone, "Pay now")
    assert [order.items for order in gear(phone).orders][-1] == product.name
    assert gear(phone).cart == []


def test_groceries_are_counted_in_the_lists(phone: VirtualPhone) -> None:
    phone.open_url("https://freshcart.com/basket")
    shop = phone.state.apps[BROWSER].data.sites[FreshCart.host]  # type: ignore[attr-defined]
    shop.cart.clear()
    assert all(2 <= product.price < 40 for product in shop.products)
    phone.open_url("https://freshcart.com")
    press(phone, "Fruit")
    more = next(label for label in labels(phone) if label.startswith("More "))
    name = more.removeprefix("More ")
    press(phone, more)
    press(phone, more)
    assert shop.quantity(name) == 2
    press(phone, f"Less {name}")
    press(phone, "Basket", "Button")
    press(phone, "Choose a time")
    press(phone, "Evening")
    press(phone, "Order")
    assert [(order.items, order.delivery) for order in shop.orders][-1] == (name, "evening")


def test_everything_for_sale_has_a_picture_of_its_own(phone: VirtualPhone) -> None:
    for host in (SummitGear.host, FreshCart.host):
        for product in phone.state.apps[BROWSER].data.sites[host].products:  # type: ignore[attr-defined]
            phone.open_url(f"https://{host}/{'item' if host == SummitGear.host else 'product'}/{product.name}")
            assert phone.frame().std() > 0
