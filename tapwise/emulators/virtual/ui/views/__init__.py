"""The views that pages are made of.

A view knows its height for a width, places its children, and paints itself. Lengths in `Metrics` are pixels;
everything a view declares is in dp. The same placed views give the pixels, the hit test and the accessibility tree.
"""

from __future__ import annotations

from tapwise.emulators.virtual.ui.views.base import Handler, Metrics, View
from tapwise.emulators.virtual.ui.views.controls import FIELD_MARGIN_DP, Button, Mark, Slider, Switch, TextField
from tapwise.emulators.virtual.ui.views.items import AppTile, ListItem, Picture
from tapwise.emulators.virtual.ui.views.layout import Card, Column, Grid, Plate, Row, Space
from tapwise.emulators.virtual.ui.views.text import Icon, IconButton, Text

__all__ = [
    "FIELD_MARGIN_DP",
    "AppTile",
    "Button",
    "Card",
    "Column",
    "Grid",
    "Handler",
    "Icon",
    "IconButton",
    "ListItem",
    "Mark",
    "Metrics",
    "Picture",
    "Plate",
    "Row",
    "Slider",
    "Space",
    "Switch",
    "Text",
    "TextField",
    "View",
]
