"""What a button may be called in another version of an app: people, and scripted experts, take one for the other."""

from __future__ import annotations

from collections.abc import Mapping

OTHER_BUTTON_NAMES: Mapping[str, tuple[str, ...]] = {
    "add": ("new", "create"),
    "save": ("done", "keep"),
    "delete": ("remove", "erase"),
    "cancel": ("dismiss", "go back"),
    "edit": ("change", "modify"),
    "rename": ("new name", "change name"),
    "call": ("dial", "ring"),
    "send": ("submit", "deliver"),
    "search": ("find", "look up"),
    "start": ("begin", "run"),
    "reset": ("clear", "set back"),
    "star": ("favorite", "like"),
    "pin": ("keep on top", "fix"),
    "add to cart": ("buy", "put in cart"),
    "checkout": ("pay", "to payment"),
}
