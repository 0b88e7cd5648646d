"""Moves that the experts of many templates share. Each gives the next action, or None when there is nothing to do."""

from __future__ import annotations

from collections.abc import Callable

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params
from tapwise.records import Action, Finish, Key, Press, Tap, TypeText, UiNode

BACK = Press(Key.BACK)
LAUNCHER_IDS = ("nexuslauncher", "launcher3")

Expert = Callable[[Screen, Params], Action]


def open_app(screen: Screen, label: str, package: str) -> Action | None:
    """Come to an app by its tile on the home screen, leaving whatever else is in front."""
    if screen.package == package:
        return None
    if not screen.package.endswith(LAUNCHER_IDS):
        return BACK
    return screen.tap(label) if screen.has(label) else screen.swipe_up()


def inside(label: str, package: str, act: Expert) -> Expert:
    """An expert that comes to the app first and then acts as `act`, which sees only the app's own screens."""

    def expert(screen: Screen, params: Params) -> Action:
        return open_app(screen, label, package) or act(screen, params)

    return expert


def tap_or_back(screen: Screen, label: str) -> Action:
    """Touch what is called `label`, or leave a page that has nothing of that name."""
    return screen.tap(label) if screen.has(label) else BACK


def is_asking(screen: Screen) -> bool:
    """Whether a dialog of the app is in front: it alone is in the tree then, with its Cancel button."""
    return screen.has("cancel") and not has_parent_page(screen)


def delete_by_long_press(screen: Screen, label: str) -> Action:
    """On a list: hold the row of `label` and confirm; finish once the row is gone."""
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {label}") else screen.tap("cancel")
    return screen.long_press(label) if screen.has(label) else Finish()


def has_parent_page(screen: Screen) -> bool:
    """Whether the toolbar offers a way up: the page is not the app's first one."""
    return screen.has("navigate up")


def row_of(screen: Screen, label: str) -> UiNode | None:
    """The innermost node that answers a touch and holds `label`."""
    wanted = label.casefold()
    rows = [
        node
        for node in screen.nodes
        if (node.clickable or node.long_clickable)
        and any(wanted in (inner.text.casefold(), inner.description.casefold()) for inner in node.walk())
    ]
    return rows[-1] if rows else None


def row_texts(screen: Screen, label: str) -> tuple[str, ...]:
    """Everything that is written in the row of `label`, in lower case; empty when there is no such row."""
    row = row_of(screen, label)
    return tuple(node.label.lower() for node in row.walk() if node.label) if row is not None else ()


def checked(screen: Screen, label: str) -> bool | None:
    """Whether the switch or mark in the row of `label` is on; None when there is none."""
    row = row_of(screen, label)
    boxes = [node for node in row.walk() if node.checkable] if row is not None else []
    return boxes[0].checked if boxes else None


def fill(screen: Screen, field: str, hint: str, text: str) -> Action | None:
    """Bring `text` into the empty text field with this id and hint; a field with other content is left with Back."""
    node = screen.find_id(f":id/{field}")
    if node is None:
        return BACK
    if node.text.casefold() == text.casefold():
        return None
    if node.text.casefold() != hint.casefold():
        return BACK
    return TypeText(text) if node.focused else Tap(screen.point(node), target=hint.lower())
