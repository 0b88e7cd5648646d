"""Another version of the apps: other names, colours and sizes, the same phone underneath."""

from __future__ import annotations

import numpy as np

from tapwise.android_env.button_names import OTHER_BUTTON_NAMES
from tapwise.emulators.virtual.apps.browser import BrowserData
from tapwise.emulators.virtual.drift import OTHER_NAMES, drift_of
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.web.shop import ShopData

NOTES, BROWSER = "com.google.android.keep", "com.android.chrome"
SHOPS = ("brightbuy.com", "homenest.com", "summitgear.com", "freshcart.com")


def labels(phone: VirtualPhone) -> set[str]:
    return {node.label for node in phone.tree().walk() if node.label}


def test_without_drift_nothing_changes() -> None:
    plain, drifted = VirtualPhone(seed=3), VirtualPhone(seed=3, noise=Noise(drift=0.0))
    for phone in (plain, drifted):
        phone.open(NOTES, "new")
    assert np.array_equal(plain.frame(), drifted.frame())


def test_buttons_are_called_otherwise_and_still_work() -> None:
    phone = VirtualPhone(seed=3, noise=Noise(drift=1.0))
    phone.open(NOTES)
    assert "Add" not in labels(phone)
    (name,) = labels(phone) & set(OTHER_NAMES["Add"])
    phone.tap(*next(node for node in phone.tree().walk() if node.label == name).centre)
    assert "New note" in labels(phone)
    assert labels(phone) & set(OTHER_NAMES["Save"])
    assert not np.array_equal(phone.frame(), _plain_new_note())


def _plain_new_note() -> np.ndarray:
    phone = VirtualPhone(seed=3)
    phone.open(NOTES, "new")
    return phone.frame()


def test_the_same_seed_drifts_the_same_way_and_the_data_stays() -> None:
    first, second = (VirtualPhone(seed=4, noise=Noise(drift=0.7)) for _ in range(2))
    for phone in (first, second):
        phone.open(NOTES)
    assert np.array_equal(first.frame(), second.frame())
    assert first.data_hash() == second.data_hash()
    plain = VirtualPhone(seed=4)
    for package in plain.apps:
        if package != BROWSER:  # whose shops have other goods
            assert repr(first.state.apps[package].data) == repr(plain.state.apps[package].data), package


def test_worlds_drift_by_the_dial() -> None:
    def changed(amount: float) -> float:
        worlds = [drift_of(amount, seed) for seed in range(200)]
        return sum(len(world.names) for world in worlds) / (200 * len(OTHER_NAMES))

    assert changed(0.0) == 0.0
    assert 0.25 < changed(0.3) < 0.35
    assert changed(1.0) == 1.0


def shops(phone: VirtualPhone) -> dict[str, ShopData]:
    data = phone.state.apps[BROWSER].data
    assert isinstance(data, BrowserData)
    return {host: site for host in SHOPS if isinstance(site := data.sites[host], ShopData)}


def test_prices_move_goods_come_and_go_and_some_are_sold_out() -> None:
    plain, drifted = shops(VirtualPhone(seed=5)), shops(VirtualPhone(seed=5, noise=Noise(drift=0.5)))
    for host in SHOPS:
        before = {product.name: product for product in plain[host].products}
        after = {product.name: product for product in drifted[host].products}
        shared = before.keys() & after.keys()
        moved = sum(before[name].price != after[name].price for name in shared) / len(shared)
        assert 0.2 < moved < 0.9, host
        prices = [product.price for product in drifted[host].products]
        assert len(prices) == len(set(prices))
        held = {line.name for line in drifted[host].cart} | {wish.name for wish in drifted[host].wishes}
        assert held <= after.keys()
        assert not any(after[name].sold_out for name in held)
        assert drifted[host].cart == plain[host].cart
    offers = [product for shop in drifted.values() for product in shop.products]
    assert any(product.sold_out for product in offers)
    assert {product.name for product in offers} - {p.name for shop in plain.values() for p in shop.products}


def test_what_is_sold_out_cannot_be_bought_and_what_a_set_up_puts_there_can() -> None:
    phone = VirtualPhone(seed=5, noise=Noise(drift=1.0))
    shop = shops(phone)["brightbuy.com"]
    gone = next(product for product in shop.products if product.sold_out)
    phone.open_url(f"brightbuy.com/product/{gone.name.replace(' ', '+')}")
    assert "Sold out" in labels(phone)
    names = {"Add to cart", *OTHER_NAMES["Add to cart"]}
    assert not labels(phone) & names
    phone.content.insert("content://brightbuy/products", {"name": "nova kite", "category": "office", "price": 44})
    phone.open_url("brightbuy.com/product/nova+kite")
    assert labels(phone) & names


def test_menus_and_icons_stand_in_another_order() -> None:
    def icons(drift: float) -> list[str]:
        phone = VirtualPhone(seed=6, noise=Noise(drift=drift))
        tiles = [node for node in phone.tree().walk() if node.clickable and node.children]
        return [inner.text for tile in tiles for inner in tile.walk() if inner.text]

    assert icons(1.0) != icons(0.0)
    assert sorted(icons(1.0)) == sorted(icons(0.0))


def test_experts_know_the_other_names() -> None:
    assert {
        name.lower(): tuple(other.lower() for other in others) for name, others in OTHER_NAMES.items()
    } == OTHER_BUTTON_NAMES
