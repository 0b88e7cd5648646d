from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Template
from tapwise.android_env.templates import browser, shop_account, shop_browse, shop_buy, shop_groceries
from tapwise.android_env.templates.shop_script import BRIGHTBUY, FRESHCART, HOMENEST, SUMMITGEAR
from tapwise.emulators.virtual.web import brightbuy, freshcart, homenest, sites, summitgear


@pytest.mark.parametrize(
    "template",
    [
        *shop_browse.TEMPLATES,
        *shop_buy.TEMPLATES,
        *shop_account.TEMPLATES,
        *shop_groceries.TEMPLATES,
        *browser.TEMPLATES,
    ],
    ids=lambda template: template.name,
)
def test_expert_and_check(template: Template, prove: Callable[[Template], None]) -> None:
    prove(template)


def test_the_templates_know_the_shops_as_they_are() -> None:
    assert (BRIGHTBUY.qualities, dict(BRIGHTBUY.kinds)) == (brightbuy.BRANDS, brightbuy.KINDS)
    assert (HOMENEST.qualities, dict(HOMENEST.kinds)) == (homenest.QUALITIES, homenest.KINDS)
    assert (SUMMITGEAR.qualities, dict(SUMMITGEAR.kinds)) == (summitgear.BRANDS, summitgear.KINDS)
    assert (FRESHCART.qualities, dict(FRESHCART.kinds)) == (freshcart.QUALITIES, freshcart.KINDS)
    pinned = {host for host, site in sites().items() if site.pinned}
    assert {*browser.HOSTS} | {"search.com"} == pinned


def test_the_shop_suite_is_large_and_says_things_in_short() -> None:
    suite = load_suite("shop")
    assert len(suite.templates) >= 14
    assert all(2 <= len(task.instruction.split()) <= 9 for task in suite.tasks())
    assert all(task.instruction == task.instruction.lower() for task in suite.tasks())
