"""Pages made of the toolkit's views with random words: they show every word of the vocabulary equally often."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tapwise.emulators.virtual.apps.launcher import gradient
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Canvas
from tapwise.emulators.virtual.ui.icons import ICONS
from tapwise.emulators.virtual.ui.page import Chrome, Dialog, Page, StatusBar, compose
from tapwise.emulators.virtual.ui.raster import picture
from tapwise.emulators.virtual.ui.scene import describe, paint
from tapwise.emulators.virtual.ui.views import (
    AppTile,
    Button,
    Grid,
    IconButton,
    ListItem,
    Mark,
    Metrics,
    Picture,
    Row,
    Switch,
    Text,
    TextField,
    View,
)
from tapwise.records import UiNode
from tapwise.training.pretraining.screens import LabelledScreen, label_screen

WIDTH, HEIGHT, SCALE = 540, 1200, 210 / 160


def _nothing() -> None:
    """Random pages do nothing when touched."""


class RandomPages:
    """Makes labelled random pages from a vocabulary of words and the (icon, description) pairs that the apps use."""

    def __init__(self, words: Sequence[str], icons: Sequence[tuple[str, str]]) -> None:
        self._words = list(words)
        self._icons = list(icons)

    def screen(self, rng: random.Random) -> LabelledScreen:
        """One random page."""
        page = self._page(rng)
        return self._draw(
            rng,
            page,
            metrics=self._metrics(rng),
            keyboard=page.dialog is None and rng.random() < 0.15,
            toast=self._label(rng) if rng.random() < 0.06 else "",
        )

    def _draw(
        self,
        rng: random.Random,
        page: Page,
        *,
        metrics: Metrics,
        keyboard: bool = False,
        toast: str = "",
    ) -> LabelledScreen:
        chrome = Chrome(
            status=StatusBar(time=f"{rng.randrange(24):02}:{rng.randrange(60):02}", symbols=["battery", "wifi"]),
            navigation=(_nothing, _nothing, _nothing),
            keyboard=(lambda _: None) if keyboard else None,
            toast=toast,
        )
        scene = compose(page, chrome, 0.0, WIDTH, HEIGHT, metrics)
        canvas = Canvas(WIDTH, HEIGHT, metrics.theme.background)
        for layer in scene.layers:
            paint(layer, canvas, metrics)
        layers = scene.layers[-1:] if scene.modal else scene.layers
        children = tuple(describe(layer, "random", metrics) for layer in layers)
        tree = UiNode(bounds=(0, 0, WIDTH, HEIGHT), children=children)
        return label_screen(picture(canvas.marks, WIDTH, HEIGHT), tree, SCALE)

    def _label(self, rng: random.Random, most: int = 3) -> str:
        count = rng.choices((1, 2, 3), (6, 5, 1))[0]
        words = rng.choices(self._words, k=min(count, most))
        text = " ".join(words)
        while len(text) > 20 and len(words) > 1:
            words.pop()
            text = " ".join(words)
        return text[:1].upper() + text[1:] if rng.random() < 0.8 else text

    def _icon_button(self, rng: random.Random) -> IconButton:
        icon, description = rng.choice(self._icons)
        return IconButton(icon=icon, description=description, on_tap=_nothing)

    def text_screen(self, rng: random.Random) -> LabelledScreen:
        """A page full of words: many to read, none to point at."""
        indent = rng.random() < 0.3
        rows: list[View] = [
            ListItem(title=self._line(rng, 26 if indent else 30), icon=rng.choice(list(ICONS)) if indent else "")
            for _ in range(10)
        ]
        return self._draw(rng, Page(title=self._label(rng, 3), body=rows), metrics=self._metrics(rng))

    def _line(self, rng: random.Random, characters: int) -> str:
        line = self._label(rng, 1)
        while len(line) < characters - 6:
            line = f"{line} {self._label(rng, 1)}"
        return line[:characters].rsplit(" ", 1)[0] if len(line) > characters else line

    def _metrics(self, rng: random.Random) -> Metrics:
        return Metrics(SCALE, themes.theme(dark=rng.random() < 0.25, accent=rng.choice(themes.ACCENTS)))

    def _page(self, rng: random.Random) -> Page:
        kinds: list[Callable[[random.Random], list[View]]] = [self._list, self._list, self._form, self._buttons]
        kind = rng.random()
        if kind < 0.15:
            return self._launcher(rng)
        body = self._mixed(rng) if kind < 0.3 else rng.choice(kinds)(rng)
        page = Page(
            title=self._label(rng, 2),
            body=body,
            on_back=_nothing if rng.random() < 0.7 else None,
            actions=[self._icon_button(rng) for _ in range(rng.choice((0, 0, 1, 2)))],
            floating=self._icon_button(rng) if rng.random() < 0.3 else None,
        )
        if rng.random() < 0.2:
            page.dialog = self._dialog(rng)
        if rng.random() < 0.1:
            page.bottom = Row(children=[self._icon_button(rng) for _ in range(3)], row_height=themes.ROW_DP)
        return page

    def _launcher(self, rng: random.Random) -> Page:
        base = rng.choice(themes.ACCENTS)
        icons = list(ICONS)
        tiles: list[View] = [
            AppTile(
                label=self._label(rng, 1), icon=rng.choice(icons), plate=rng.choice(themes.ACCENTS), on_tap=_nothing
            )
            for _ in range(rng.randint(4, 12))
        ]
        header = Row(
            children=[Text(value=self._label(rng, 2), align="center", colour=(255, 255, 255))],
            row_height=themes.TOOLBAR_DP,
        )
        picture = Picture(draw=lambda width, height: gradient(width, height, base), picture_height=914)
        return Page(
            toolbar=header, body=[Grid(children=tiles, columns=3, cell_height=2 * themes.ROW_DP)], wallpaper=picture
        )

    def _item(self, rng: random.Random, style: float, icons: bool) -> ListItem:
        trailing: View | None = None
        if style < 0.35:
            trailing = Switch(checked=rng.random() < 0.5, on_tap=_nothing)
        elif style < 0.45:
            trailing = Mark(checked=rng.random() < 0.5, radio=style < 0.4)
        elif style < 0.55:
            trailing = self._icon_button(rng)
        return ListItem(
            title=self._label(rng),
            subtitle=self._label(rng) if rng.random() < 0.25 else "",
            icon=rng.choice(list(ICONS)) if icons else "",
            plate=rng.choice(themes.ACCENTS) if icons and rng.random() < 0.5 else None,
            trailing=trailing,
            on_tap=_nothing,
        )

    def _list(self, rng: random.Random) -> list[View]:
        style, icons = rng.random(), rng.random() < 0.5
        return [self._item(rng, style, icons) for _ in range(rng.randint(3, 10))]

    def _form(self, rng: random.Random) -> list[View]:
        fields: list[View] = [self._field(rng) for _ in range(rng.randint(1, 4))]
        fields.append(
            Row(children=[Button(label=self._label(rng, 2), on_tap=_nothing) for _ in range(rng.choice((1, 2)))], gap=8)
        )
        return fields + [self._item(rng, 1.0, False) for _ in range(rng.randint(0, 4))]

    def _field(self, rng: random.Random) -> TextField:
        text = self._label(rng, 2)
        filled = rng.random() < 0.5
        return TextField(value=text if filled else "", hint="" if filled else text, focused=rng.random() < 0.2)

    def _buttons(self, rng: random.Random) -> list[View]:
        rows: list[View] = []
        for _ in range(rng.randint(2, 7)):
            flat, columns = rng.random() < 0.4, rng.choice((1, 2, 2, 3))
            buttons = [
                Button(label=self._label(rng, 2 if columns < 3 else 1), flat=flat, on_tap=_nothing)
                for _ in range(columns)
            ]
            rows.append(Row(children=buttons, gap=8))
        return rows

    def _mixed(self, rng: random.Random) -> list[View]:
        body = [*self._form(rng)[:2], *self._buttons(rng)[:2], *self._list(rng)[:5]]
        rng.shuffle(body)
        return body

    def _dialog(self, rng: random.Random) -> Dialog:
        style = rng.random()
        body: list[View] = (
            [self._field(rng)] if style < 0.3 else [self._item(rng, style, False) for _ in range(rng.randint(0, 5))]
        )
        buttons = [
            Button(label=self._label(rng, 2), flat=rng.random() < 0.6, on_tap=_nothing)
            for _ in range(rng.choice((1, 2)))
        ]
        return Dialog(title=self._label(rng, 2), body=body, buttons=buttons)
