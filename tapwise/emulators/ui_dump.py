"""Reading what `uiautomator dump` prints."""

from __future__ import annotations

import re
from xml.parsers import expat

from tapwise.errors import DeviceError
from tapwise.records import UiNode

_BOUNDS = re.compile(r"\[(-?\d+),(-?\d+)\]\[(-?\d+),(-?\d+)\]")
_DEEPEST = 200
_LONGEST = 32 * 1024 * 1024


def read_ui_dump(text: str) -> UiNode:
    """The accessibility tree of a dump, whatever is printed around it; several windows come under one root.

    Raises DeviceError when uiautomator failed (it says so on standard output, with status 0), or when the XML is
    cut off, declares a document type, or is nested absurdly.
    """
    start, end = text.find("<hierarchy"), text.rfind("</hierarchy>")
    if start < 0 or end < 0:
        if "<hierarchy" in text and re.search(r"<hierarchy[^>]*/>", text):
            return UiNode(class_name="hierarchy")
        raise DeviceError(f"uiautomator gave no tree: {text.strip()[:200] or 'no output'}")
    if "<!DOCTYPE" in text[:start] or end - start > _LONGEST:
        raise DeviceError("uiautomator's dump declares a document type or is too long: it is not read")
    reader = _Reader()
    try:
        reader.parser.Parse(text[start : end + len("</hierarchy>")], True)
    except expat.ExpatError as error:
        raise DeviceError(f"uiautomator gave a broken tree: {error}") from error
    return reader.root()


class _Reader:
    """Builds nodes from the inside out, without recursion."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype
        self._open: list[tuple[dict[str, str], list[UiNode]]] = [({}, [])]

    def root(self) -> UiNode:
        children = self._open[0][1][0].children
        return children[0] if len(children) == 1 else UiNode(class_name="hierarchy", children=children)

    def _start(self, _: str, attributes: dict[str, str]) -> None:
        if len(self._open) > _DEEPEST:
            raise DeviceError(f"uiautomator's tree is nested more than {_DEEPEST} deep: it is not read")
        self._open.append((attributes, []))

    def _end(self, _: str) -> None:
        attributes, children = self._open.pop()
        self._open[-1][1].append(_node(attributes, tuple(children)))

    def _doctype(self, *_: object) -> None:
        raise DeviceError("uiautomator's dump declares a document type: it is not read")


def _node(attributes: dict[str, str], children: tuple[UiNode, ...]) -> UiNode:
    def flag(name: str) -> bool:
        return attributes.get(name) == "true"

    bounds = _BOUNDS.fullmatch(attributes.get("bounds", "[0,0][0,0]"))
    if bounds is None:
        raise DeviceError(f"uiautomator gave a node with the bounds {attributes['bounds']!r}")
    left, top, right, bottom = (int(number) for number in bounds.groups())
    return UiNode(
        text=attributes.get("text", ""),
        description=attributes.get("content-desc", ""),
        resource_id=attributes.get("resource-id", ""),
        class_name=attributes.get("class", ""),
        package=attributes.get("package", ""),
        bounds=(left, top, right, bottom),
        clickable=flag("clickable"),
        long_clickable=flag("long-clickable"),
        scrollable=flag("scrollable"),
        checkable=flag("checkable"),
        checked=flag("checked"),
        enabled=attributes.get("enabled", "true") == "true",
        focusable=flag("focusable"),
        focused=flag("focused"),
        selected=flag("selected"),
        password=flag("password"),
        children=children,
        hint=attributes.get("hint", ""),
    )
