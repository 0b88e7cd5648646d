"""Selectors against a small tree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.virtual.automation.nodes import Nodes
from tapwise.emulators.virtual.automation.selectors import SelectorError, find, parse
from tapwise.records import UiNode

TREE = UiNode(
    class_name="Frame",
    children=(
        UiNode(
            class_name="Row",
            resource_id="app:id/first",
            children=(UiNode(text="Wi-Fi", class_name="Text"), UiNode(class_name="Switch", checkable=True)),
        ),
        UiNode(
            class_name="Row",
            children=(UiNode(text="Bluetooth", class_name="Text"), UiNode(class_name="Switch", clickable=True)),
        ),
    ),
)
NODES = Nodes(TREE)


def named(selector: dict[str, Any]) -> list[str]:
    return [f"{node.ui.class_name}:{node.ui.text}:{node.place}" for node in find(NODES, selector)]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('new UiSelector().text("Wi-Fi")', [2]),
        ('new UiSelector().textContains("blue")', [5]),
        ('new UiSelector().textStartsWith("wi");', [2]),
        ('new UiSelector().textMatches("(?i)wi.*|bl.*")', [2, 5]),
        ('new UiSelector().className("Switch").instance(1)', [6]),
        ('UiSelector().className("Switch").clickable(true)', [6]),
        ('new UiSelector().resourceId("app:id/first").childSelector(new UiSelector().className("Switch"))', [3]),
        ('new UiSelector().text("Bluetooth").fromParent(new UiSelector().className("Switch"))', [6]),
        ('new UiSelector().className("Row").index(1)', [4]),
        ('new UiSelector().text("none")', []),
    ],
)
def test_the_written_form(text: str, places: list[int]) -> None:
    assert [node.place for node in find(NODES, parse(text))] == places


def test_the_form_of_a_mapping() -> None:
    selector = {
        "mask": 1,
        "className": "Row",
        "instance": 1,
        "childOrSibling": ["child"],
        "childOrSiblingSelector": [{"mask": 16, "className": "Text", "childOrSibling": []}],
    }
    assert named(selector) == ["Text:Bluetooth:5"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "new UiSelector()x",
        'new UiSelector().text("a"',
        "new UiSelector().text(a)",
        'new UiSelector().frobnicate("a")',
        'new UiSelector().childSelector("a")',
        "new UiSelector().",
        'new UiSelector().textMatches("(")',
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(SelectorError):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        find(NODES, parse("new UiSelector()" + text))
    except SelectorError:
        return
