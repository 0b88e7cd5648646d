"""What the world puts in an agent's way, and the way out of each, as the screen shows it."""

from __future__ import annotations

from tapwise.android_env.screen import Screen
from tapwise.records import Action, Point, Swipe, UiNode

DISMISS_LABELS = ("no thanks", "not now", "close", "skip ad", "cancel")
"""What the way out of a noise dialog is called, most telling first."""

NOISE_DISMISS_ID = "noise_dismiss"
"""End of the resource id of the button that sends a noise dialog away: a plain "cancel" elsewhere is never one."""

PERMISSION_IDS = ("permission_allow_foreground_only_button", "permission_deny_button")
"""Ends of the ids of a permission dialog's buttons: what an app needs is allowed while in use, the rest denied."""

OTHER_WAYS_OUT = ("not_now", "retry")
"""Ends of the ids of the buttons that go on at a wall, and that load a page once more."""

HEADS_UP_ID = "heads_up"
"""End of the id of a heads-up notification, which lies over the top of the screen."""


def way_out(screen: Screen) -> Action | None:
    """The action that gets past what is in the way now; None when nothing is."""
    button = noise_dismiss(screen) or _first(screen, (*PERMISSION_IDS, *OTHER_WAYS_OUT))
    card = screen.find_id(f":id/{HEADS_UP_ID}")
    if card is not None:  # above all else
        start = screen.point(card)
        return Swipe(start, Point(start.x, 0.0))
    return screen.tap(button) if button is not None else None


def noise_dismiss(screen: Screen) -> UiNode | None:
    """The button that sends away the noise dialog in front, or None when there is no such dialog."""
    buttons = [node for node in screen.nodes if node.resource_id.endswith(NOISE_DISMISS_ID)]
    return min(buttons, key=_telling, default=None)


def _first(screen: Screen, ids: tuple[str, ...]) -> UiNode | None:
    found = (screen.find_id(f":id/{one}") for one in ids)
    return next((node for node in found if node is not None), None)


def _telling(button: UiNode) -> int:
    label = button.label.lower()
    return DISMISS_LABELS.index(label) if label in DISMISS_LABELS else len(DISMISS_LABELS)
