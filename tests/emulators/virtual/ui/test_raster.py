"""Drawing only what differs gives the picture that drawing everything gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tapwise.emulators.virtual.ui.canvas import Canvas
from tapwise.emulators.virtual.ui.raster import Painter, picture

WIDTH, HEIGHT = 60, 90
PICTURE = Image.linear_gradient("L").resize((30, 20)).convert("RGB")

places = st.tuples(st.floats(-20, WIDTH + 20), st.floats(-20, HEIGHT + 20))
colours = st.tuples(*[st.integers(0, 255)] * 3)
drawings = st.one_of(
    st.tuples(st.just("rectangle"), places, places, colours),
    st.tuples(st.just("rounded"), places, places, colours, st.integers(1, 12), st.integers(0, 2)),
    st.tuples(st.just("text"), places, st.sampled_from(("a", "word")), st.integers(8, 20), colours),
    st.tuples(st.just("icon"), places, st.sampled_from(("note", "star")), st.integers(10, 30), colours),
    st.tuples(st.just("picture"), places),
    st.tuples(st.just("shade"), st.sampled_from((0.2, 0.5))),
    st.tuples(st.just("clip"), places, places),
)


def drawn(plan: list[tuple]) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, (250, 250, 250))
    for kind, *rest in plan:
        match kind:
            case "rectangle":
                canvas.rectangle((*rest[0], *rest[1]), rest[2])
            case "rounded":
                canvas.rounded((*rest[0], *rest[1]), *rest[2:])
            case "text":
                canvas.text(*rest[0], *rest[1:])
            case "icon":
                canvas.icon(*rest[0], *rest[1:])
            case "picture":
                canvas.picture(*rest[0], PICTURE)
            case "shade":
                canvas.shade(*rest)
            case "clip":
                (left, top), (right, bottom) = rest
                canvas.clip = (max(left, 0), max(top, 0), min(right, WIDTH), min(bottom, HEIGHT))
    return canvas


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(drawings, max_size=6), min_size=1, max_size=3), st.lists(drawings, max_size=3))
def test_one_picture_after_the_other_is_each_picture_alone(plans: list[list[tuple]], common: list[tuple]) -> None:
    painter = Painter()
    last: np.ndarray | None = None
    for plan in plans:
        marks = drawn([*common, *plan, *common]).marks
        before = painter.counter
        shown = painter.show(marks, WIDTH, HEIGHT)
        assert np.array_equal(shown, picture(marks, WIDTH, HEIGHT))
        assert (painter.counter == before) == (last is not None and np.array_equal(last, shown))
        last = shown


def test_a_picture_that_was_given_out_stays_as_it_was() -> None:
    painter = Painter()
    first = painter.show(drawn([("text", (5, 5), "word", 12, (0, 0, 0))]).marks, WIDTH, HEIGHT)
    kept = first.copy()
    second = painter.show(drawn([("text", (5, 25), "word", 12, (0, 0, 0))]).marks, WIDTH, HEIGHT)
    assert second is not first
    assert np.array_equal(first, kept)
    assert not first.flags.writeable


def test_the_same_marks_give_the_same_array() -> None:
    painter = Painter()
    plan = [("icon", (5, 5), "star", 20, (9, 9, 9))]
    first, second = (painter.show(drawn(plan).marks, WIDTH, HEIGHT) for _ in range(2))
    assert first is second
    assert painter.counter == 1
