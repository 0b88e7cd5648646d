"""The accessibility tree as the forest of android_env's forwarder: one window, its nodes layer by layer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from tapwise.emulators.virtual.panels import SYSTEM_UI
from tapwise.records import UiNode

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_APPLICATION, _SYSTEM = 1, 3
_WINDOW: Final = 1
_NO_SELECTION: Final = -1
_FOCUS, _CLICK, _LONG_CLICK = 0x1, 0x10, 0x20
_SCROLL: Final = (0x1000, 0x2000)
_SET_TEXT: Final = 0x200000


def forest(phone: VirtualPhone) -> dict[str, Any]:
    """The fields of an AndroidAccessibilityForest of what is on screen, the same tree that uiautomator dumps."""
    root = phone.tree()
    window = {
        "bounds_in_screen": _bounds(root),
        "id": _WINDOW,
        "window_type": _SYSTEM if phone.window_package() == SYSTEM_UI else _APPLICATION,
        "is_active": True,
        "is_focused": True,
        "tree": {"nodes": _nodes(root)},
    }
    return {"windows": [window]}


def _nodes(root: UiNode) -> list[dict[str, Any]]:
    """All nodes, the root first, whose id is 0; ids count on from layer to layer."""
    nodes: list[dict[str, Any]] = []
    pending, given = deque([(root, 0, 0)]), 1
    while pending:
        node, depth, order = pending.popleft()
        children = range(given, given + len(node.children))
        given = children.stop
        pending.extend((child, depth + 1, number) for number, child in enumerate(node.children, start=1))
        nodes.append(
            {
                **_told(node),
                "unique_id": len(nodes),
                "depth": depth,
                "drawing_order": order,
                "child_ids": children,
            }
        )
    return nodes


def _told(node: UiNode) -> dict[str, Any]:
    left, top, right, bottom = node.bounds
    editable = node.class_name == "android.widget.EditText"
    end = len(node.text) if editable and node.focused else _NO_SELECTION
    actions = [
        *([_FOCUS] if node.focusable else []),
        *([_CLICK] if node.clickable else []),
        *([_LONG_CLICK] if node.long_clickable else []),
        *(_SCROLL if node.scrollable else ()),
        *([_SET_TEXT] if editable else []),
    ]
    return {
        "bounds_in_screen": _bounds(node),
        "class_name": node.class_name,
        "content_description": node.description,
        "hint_text": node.hint,
        "package_name": node.package,
        "text": node.text,
        "text_selection_start": end,
        "text_selection_end": end,
        "view_id_resource_name": node.resource_id,
        "window_id": _WINDOW,
        "is_checkable": node.checkable,
        "is_checked": node.checked,
        "is_clickable": node.clickable,
        "is_editable": editable,
        "is_enabled": node.enabled,
        "is_focusable": node.focusable,
        "is_focused": node.focused,
        "is_long_clickable": node.long_clickable,
        "is_password": node.password,
        "is_scrollable": node.scrollable,
        "is_selected": node.selected,
        "is_visible_to_user": right > left and bottom > top,
        "actions": [{"id": number} for number in actions],
    }


def _bounds(node: UiNode) -> dict[str, int]:
    return dict(zip(("left", "top", "right", "bottom"), node.bounds, strict=True))
