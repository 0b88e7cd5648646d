"""Elements as WebDriver names them: found by a strategy, kept by an id, found again when the screen has changed."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Any, Final

from tapwise.emulators.virtual.automation.acting import Acting
from tapwise.emulators.virtual.automation.nodes import Node, Nodes
from tapwise.emulators.virtual.automation.selectors import SelectorError, find, parse
from tapwise.records import UiNode

W3C_KEY: Final = "element-6066-11e4-a52e-4f735466cecf"
_SCROLL_INTO_VIEW: Final = re.compile(r"\)\s*\.\s*scrollIntoView\s*\(")
_SCROLL_TO_LABEL: Final = re.compile(
    r'\.\s*scroll(Text|Description)IntoView\s*\(\s*("(?:[^"\\]|\\.)*")\s*\)$'
    r'|\.\s*getChildBy(Text|Description)\s*\((.*),\s*("(?:[^"\\]|\\.)*")\s*(?:,\s*\w+\s*)?\)$',
    re.DOTALL,
)
EDITABLE: Final = "android.widget.EditText"
_SCREENS: Final = 30


class ElementError(Exception):
    """A WebDriver error: its code, its HTTP status and its message."""

    def __init__(self, code: str, message: str, status: int = 404) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class _Kept:
    ui: UiNode
    strategy: str
    selector: str
    number: int


class Elements:
    """The elements of one session."""

    def __init__(self, acting: Acting) -> None:
        self._acting = acting
        self._kept: dict[str, _Kept] = {}

    def find(self, strategy: str, selector: str, context: str = "") -> list[str]:
        """Ids of the elements that are meant, below the element `context` when one is given. Raises ElementError."""
        found = self._search(strategy, selector, context)
        return [self._keep(node, strategy, selector, number) for number, node in enumerate(found)]

    def active(self) -> str:
        """The id of the element with the keyboard. Raises ElementError."""
        for node in self._acting.nodes():
            if node.ui.focused:
                return self._keep(node, "-android uiautomator", "new UiSelector().focused(true)", 0)
        raise ElementError("no such element", "no element has the keyboard")

    def get(self, identity: str) -> UiNode:
        """The element as it is now. Raises ElementError for one that is gone."""
        kept = self._kept.get(identity)
        if kept is None:
            raise ElementError("no such element", f"there never was an element {identity!r} in this session")
        nodes = self._acting.nodes()
        for same in (_same_place, _same_kind):
            for node in nodes:
                if same(node.ui, kept.ui):
                    return node.ui
        found = self._search(kept.strategy, kept.selector, "")
        if kept.number < len(found):
            return found[kept.number].ui
        raise ElementError("stale element reference", "the element is not on the screen any more")

    def _keep(self, node: Node, strategy: str, selector: str, number: int) -> str:
        ui = node.ui  # however it was found, a node is the same element; and so is a field, whatever it holds
        text = "" if ui.class_name == EDITABLE else ui.text
        said = repr([node.place, ui.class_name, ui.resource_id, text, ui.description, ui.bounds])
        digest = hashlib.sha256(said.encode()).hexdigest()
        identity = f"{digest[:8]}-0000-{digest[8:12]}-{digest[12:16]}-{digest[16:28]}"
        self._kept[identity] = _Kept(ui, strategy, selector, number)
        return identity

    # --- searching ---------------------------------------------------------------------------------------

    def _search(self, strategy: str, selector: str, context: str) -> list[Node]:
        nodes = self._acting.nodes()
        if not context:
            return self._by(strategy, selector, nodes)
        ui = self.get(context)
        above = next((node for node in nodes if node.ui == ui), None)
        if above is None:
            return []
        if strategy == "xpath":
            return _by_xpath(selector, nodes, above)
        within = {node.place for node in nodes.below(above)}
        return [node for node in self._by(strategy, selector, nodes) if node.place in within]

    def _by(self, strategy: str, selector: str, nodes: Nodes) -> list[Node]:
        match strategy:
            case "id":
                return [node for node in nodes if _has_id(node.ui, selector)]
            case "accessibility id":
                return [node for node in nodes if node.ui.description == selector]
            case "class name":
                return [node for node in nodes if node.ui.class_name == selector]
            case "xpath":
                return _by_xpath(selector, nodes)
            case "-android uiautomator":
                return self._by_uiautomator(selector, nodes)
        raise ElementError("invalid selector", f"there is no strategy {strategy!r} on Android", 400)

    def _by_uiautomator(self, text: str, nodes: Nodes) -> list[Node]:
        parts = _SCROLL_INTO_VIEW.split(text.strip().rstrip(";"))
        try:
            if not text.strip().startswith("new UiScrollable"):
                return find(nodes, parse(text))
            label = _SCROLL_TO_LABEL.search(text.strip().rstrip(";").rstrip())
            if label is not None:
                return self._scrolled_to(parse(_labelled(label)))
            if len(parts) != 2:
                raise SelectorError("of UiScrollable scrolling into view and getting a child are served by this phone")
            wanted = parse(parts[1].rstrip()[:-1])
            return self._scrolled_to(wanted)
        except SelectorError as error:
            raise ElementError("invalid selector", str(error), 400) from None

    def _scrolled_to(self, wanted: dict[str, Any]) -> list[Node]:
        for forward in (1, -1):
            for _ in range(_SCREENS):
                if found := self._acting.find(wanted):
                    return found
                scrollable = self._acting.find({"scrollable": True})
                if not scrollable or not self._acting.scroll(scrollable[0], forward):
                    break
        return self._acting.find(wanted)


def _labelled(match: re.Match[str]) -> str:
    """The selector that a scroll to a label, or to a child with a label, means."""
    kind, text, child_kind, child, child_text = match.groups()
    if kind is not None:
        return f"new UiSelector().{kind.lower()}({text})"
    return f"{child.strip()}.{child_kind.lower()}({child_text})"


def _same_place(now: UiNode, kept: UiNode) -> bool:
    return now.bounds == kept.bounds and _same_kind(now, kept)


def _same_kind(now: UiNode, kept: UiNode) -> bool:
    named = bool(kept.resource_id or kept.description or kept.text)
    same = now.class_name == kept.class_name and now.resource_id == kept.resource_id
    return named and same and now.description == kept.description and (now.text == kept.text or bool(kept.resource_id))


def _has_id(ui: UiNode, wanted: str) -> bool:
    return ui.resource_id == wanted or (":" not in wanted and ui.resource_id.rpartition("/")[2] == wanted)


def attributes(node: Node) -> dict[str, str]:
    """What a node is called and whether it is this or that, in UiAutomator2's words."""
    ui = node.ui
    left, top, right, bottom = ui.bounds
    flags = {
        "checkable": ui.checkable,
        "checked": ui.checked,
        "clickable": ui.clickable,
        "enabled": ui.enabled,
        "focusable": ui.focusable,
        "focused": ui.focused,
        "long-clickable": ui.long_clickable,
        "password": ui.password,
        "scrollable": ui.scrollable,
        "selected": ui.selected,
        "displayed": True,
    }
    return {
        "index": str(node.index),
        "package": ui.package,
        "class": ui.class_name,
        "text": ui.text,
        **({"content-desc": ui.description} if ui.description else {}),
        **({"resource-id": ui.resource_id} if ui.resource_id else {}),
        **{name: "true" if value else "false" for name, value in flags.items()},
        "bounds": f"[{left},{top}][{right},{bottom}]",
    }


def source(nodes: Nodes, rotation: int = 0) -> str:
    """The tree in UiAutomator2's XML: tags are classes. `rotation` in quarters of a turn."""
    return "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>" + ET.tostring(
        _document(nodes, rotation), "unicode"
    )


def _document(nodes: Nodes, rotation: int = 0) -> ET.Element:
    first = nodes[0].ui.bounds
    about = {"index": "0", "rotation": str(rotation), "width": str(first[2]), "height": str(first[3])}
    root = ET.Element("hierarchy", about)
    made: list[ET.Element] = []
    for node in nodes:
        above = root if node.parent is None else made[node.parent]
        said = {name: _printable(value) for name, value in attributes(node).items()}
        made.append(ET.SubElement(above, re.sub(r"[^\w.]", "", node.ui.class_name) or "node", said))
    return root


def _printable(text: str) -> str:
    return "".join(c for c in text if c in "\t\n\r" or c.isprintable())


def _by_xpath(expression: str, nodes: Nodes, above: Node | None = None) -> list[Node]:
    """What an XPath selects, read from the document's top or from the node `above`."""
    try:
        from lxml import etree
    except ImportError:
        raise ElementError(
            "unknown error", "XPath needs the package lxml beside the phone: pip install 'tapwise[appium]'", 500
        ) from None
    document = etree.fromstring(ET.tostring(_document(nodes)))
    elements = list(document.iterdescendants())
    order = {element: place for place, element in enumerate(elements)}
    try:
        found = etree.XPath(expression)(document.getroottree() if above is None else elements[above.place])
    except etree.XPathError as error:
        raise ElementError("invalid selector", f"{expression!r} is no XPath: {error}", 400) from None
    if not isinstance(found, list):
        raise ElementError("invalid selector", f"{expression!r} gives no elements", 400)
    return [nodes[order[element]] for element in found if element in order]
