"""UiSelector, the language in which uiautomator names nodes, as mappings and in its written form.

A mapping has uiautomator2's names: text, textContains, resourceId, clickable, index, instance and so on;
"childOrSibling" and "childOrSiblingSelector" hold steps to children or siblings of what was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tapwise.emulators.virtual.automation.nodes import Node, Nodes
from tapwise.records import UiNode

Selector = Mapping[str, Any]

_TEXTS: dict[str, Callable[[UiNode], str]] = {
    "text": lambda ui: ui.text,
    "description": lambda ui: ui.description,
    "className": lambda ui: ui.class_name,
    "packageName": lambda ui: ui.package,
    "resourceId": lambda ui: ui.resource_id,
}
_FLAGS: dict[str, Callable[[UiNode], bool]] = {
    "checkable": lambda ui: ui.checkable,
    "checked": lambda ui: ui.checked,
    "clickable": lambda ui: ui.clickable,
    "longClickable": lambda ui: ui.long_clickable,
    "scrollable": lambda ui: ui.scrollable,
    "enabled": lambda ui: ui.enabled,
    "focusable": lambda ui: ui.focusable,
    "focused": lambda ui: ui.focused,
    "selected": lambda ui: ui.selected,
}
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "": lambda found, wanted: found == wanted,
    "Contains": lambda found, wanted: wanted.casefold() in found.casefold(),
    "StartsWith": lambda found, wanted: found.casefold().startswith(wanted.casefold()),
    "Matches": lambda found, wanted: re.fullmatch(wanted, found, re.DOTALL) is not None,
}
_STEPS = {"child": "child", "childSelector": "child", "sibling": "sibling", "fromParent": "sibling"}


class SelectorError(ValueError):
    """A selector that cannot be read."""


def find(nodes: Nodes, selector: Selector) -> list[Node]:
    """Every node that a selector names, in the tree's order. Raises SelectorError."""
    found = _matching(nodes, selector)
    steps = zip(selector.get("childOrSibling", ()), selector.get("childOrSiblingSelector", ()), strict=False)
    for kind, inner in steps:
        reached: dict[int, Node] = {}
        for node in found:
            within = nodes.below(node) if kind == "child" else _beside(nodes, node)
            reached.update((other.place, other) for other in _matching(within, inner))
        found = [reached[place] for place in sorted(reached)]
    return found


def _beside(nodes: Nodes, node: Node) -> Sequence[Node]:
    parent = nodes.parent(node)
    return () if parent is None else [other for other in nodes.below(parent) if other.place != node.place]


def _matching(nodes: Iterable[Node], selector: Selector) -> list[Node]:
    tests = [_test(name, wanted) for name, wanted in selector.items() if name not in _NOT_TESTS]
    found = [node for node in nodes if all(test(node) for test in tests)]
    instance = selector.get("instance")
    return found if instance is None else found[int(instance) : int(instance) + 1]


_NOT_TESTS = {"mask", "instance", "childOrSibling", "childOrSiblingSelector"}


def _test(name: str, wanted: Any) -> Callable[[Node], bool]:
    if name == "index":
        return lambda node: node.index == int(wanted)
    if name in _FLAGS:
        flag = _FLAGS[name]
        return lambda node: flag(node.ui) == bool(wanted)
    for field, read in _TEXTS.items():
        compare = _COMPARE.get(name.removeprefix(field)) if name.startswith(field) else None
        if compare is not None:
            if name.endswith("Matches"):
                _check_pattern(str(wanted))
            return lambda node: compare(read(node.ui), str(wanted))
    raise SelectorError(f"a selector has no {name!r}")


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise SelectorError(f"{pattern!r} is no regular expression: {error}") from None


# --- the written form ------------------------------------------------------------------------------------


_TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_]\w*)|(?P<number>-?\d+)|(?P<sign>[().,;]))')


def parse(text: str) -> dict[str, Any]:
    """Read `new UiSelector().text("Wi-Fi").instance(1)`. Raises SelectorError naming the place."""
    tokens = _tokens(text)
    selector, rest = _selector(tokens, text)
    if [sign for sign in rest if sign != ";"]:
        raise SelectorError(f"there is something behind the selector in {text!r}")
    return selector


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SelectorError(f"{text!r} cannot be read from character {at} on")
        tokens.append(match[0].strip())
        at = match.end()
    return tokens


def _selector(tokens: list[str], text: str) -> tuple[dict[str, Any], list[str]]:
    rest = tokens[1:] if tokens[:1] == ["new"] else tokens
    if rest[:3] != ["UiSelector", "(", ")"]:
        raise SelectorError(f"{text!r} does not begin with new UiSelector()")
    rest = rest[3:]
    found: dict[str, Any] = {"childOrSibling": [], "childOrSiblingSelector": []}
    while rest[:1] == ["."]:
        if len(rest) < 4 or rest[2] != "(":
            raise SelectorError(f"{text!r}: a call is not complete")
        name, rest = rest[1], rest[3:]
        if name in _STEPS:
            inner, rest = _selector(rest, text)
            found["childOrSibling"].append(_STEPS[name])
            found["childOrSiblingSelector"].append(inner)
        else:
            found[name] = _value(rest[0], text)
            _test(name, found[name]) if name not in _NOT_TESTS else None
            rest = rest[1:]
        if rest[:1] != [")"]:
            raise SelectorError(f"{text!r}: a bracket is not closed")
        rest = rest[1:]
    return found, rest


def _value(word: str, text: str) -> str | int | bool:
    if word.startswith('"'):
        return re.sub(r"\\(.)", r"\1", word[1:-1])
    if word in ("true", "false"):
        return word == "true"
    if word.lstrip("-").isdecimal():
        return int(word)
    raise SelectorError(f"{text!r}: {word} is no value")
