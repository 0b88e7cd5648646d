"""The accessibility tree in uiautomator's XML."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import quoteattr

from tapwise.records import UiNode

_XML_START: Final = "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>"


def hierarchy(root: UiNode, rotation: int = 0) -> str:
    """The accessibility tree as uiautomator writes it, on one line; `rotation` in quarters of a turn."""
    pieces = [_XML_START, f'<hierarchy rotation="{rotation}">']
    _append_node(pieces, root, 0)
    pieces.append("</hierarchy>")
    return "".join(pieces)


def _append_node(pieces: list[str], node: UiNode, index: int) -> None:
    left, top, right, bottom = node.bounds
    text = "" if node.password else node.text
    unnamed = node.clickable and not any(below.label for below in node.walk())
    naf = ' NAF="true"' if unnamed else ""
    flags = (
        ("checkable", node.checkable),
        ("checked", node.checked),
        ("clickable", node.clickable),
        ("enabled", node.enabled),
        ("focusable", node.focusable),
        ("focused", node.focused),
        ("scrollable", node.scrollable),
        ("long-clickable", node.long_clickable),
        ("password", node.password),
        ("selected", node.selected),
    )
    states = " ".join(f'{name}="{"true" if value else "false"}"' for name, value in flags)
    pieces.append(
        f'<node{naf} index="{index}" text={_attribute(text)}'
        f" resource-id={_attribute(node.resource_id)} class={_attribute(node.class_name)}"
        f" package={_attribute(node.package)} content-desc={_attribute(node.description)} {states}"
        f' bounds="[{left},{top}][{right},{bottom}]"'
    )
    if not node.children:
        pieces.append(" />")
        return
    pieces.append(">")
    for number, child in enumerate(node.children):
        _append_node(pieces, child, number)
    pieces.append("</node>")


def _attribute(text: str) -> str:
    if not text:
        return '""'
    valid = "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    quoted = quoteattr(valid, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    return quoted if quoted.startswith('"') else '"' + quoted[1:-1].replace('"', "&quot;") + '"'
