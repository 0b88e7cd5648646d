"""How steps are shown: the history ends before the step, actions read back, touches are drawn where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise import images
from tapwise.agent.action_text import ActionText, GridActionText
from tapwise.agent.json_codec import JsonCodec
from tapwise.matching import match_actions
from tapwise.records import (
    Action,
    Context,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Screenshot,
    Size,
    Swipe,
    Tap,
    Task,
    Trajectory,
    TypeText,
    Wait,
)
from tapwise.training.vem.serialise import MARK_COLOUR, action_words, mark, read_action, serialise, serialise_step

BARE = Observation(Screenshot(b"", "png", Size(1200, 540)), "app/.Main", True, 0.0)
TASK = Task("t", "do it", "general", "notes", "type", (), 10, "train")
CONTEXT = Context(TASK, (), BARE)

points = st.builds(Point, st.floats(0, 1), st.floats(0, 1))
texts = st.text(st.characters(codec="utf-8"), max_size=20)
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Tap, points, st.none() | texts),
    st.builds(LongPress, points, st.floats(0.1, 50)),
    st.builds(TypeText, texts),
    st.builds(Press, st.sampled_from(Key)),
    st.builds(OpenApp, texts),
    st.builds(Wait, st.floats(0, 50)),
    st.builds(Finish, st.sampled_from(["success", "impossible"]), st.none() | texts),
)


@pytest.mark.parametrize("form", [GridActionText(), JsonCodec()], ids=["grid", "json"])
@given(action=actions)
def test_every_action_reads_back_as_the_same_act(form: ActionText, action: Action) -> None:
    text = action_words(action, form, CONTEXT)
    assert match_actions(read_action(text, form), action, BARE).same


@pytest.mark.parametrize("form", [GridActionText(), JsonCodec()], ids=["grid", "json"])
@pytest.mark.parametrize("end", [Point(0.5, 0.2), Point(0.5, 0.8), Point(0.2, 0.5), Point(0.8, 0.5)])
def test_swipes_of_four_ways_have_four_texts(form: ActionText, end: Point) -> None:
    swipe = Swipe(Point(0.5, 0.5), end)
    assert match_actions(read_action(action_words(swipe, form, CONTEXT), form), swipe, BARE).same


def test_a_step_shows_what_came_before_it_and_nothing_after(make_trajectory: Callable[..., Trajectory]) -> None:
    trajectory = make_trajectory([TypeText(f"s{n}") for n in range(4)])
    shown = [serialise_step(trajectory, index, GridActionText()) for index in range(4)]
    assert [step.history for step in shown] == [
        (),
        ("type s0",),
        ("type s0", "type s1"),
        ("type s0", "type s1", "type s2"),
    ]
    assert [step.action for step in shown] == ["type s0", "type s1", "type s2", "type s3"]
    assert [step.context.observation for step in shown] == [step.observation for step in trajectory.steps]
    with pytest.raises(ValueError, match="has no step 4"):
        serialise_step(trajectory, 4, GridActionText())
    with pytest.raises(ValueError, match="has no step -1"):
        serialise_step(trajectory, -1, GridActionText())


def test_keys_differ_with_all_that_is_shown(make_trajectory: Callable[..., Trajectory]) -> None:
    trajectory = make_trajectory([TypeText("a"), TypeText("b")])
    form = GridActionText()
    first = serialise_step(trajectory, 0, form)
    other_goal = replace(first.context, task=replace(TASK, instruction="else"))
    other_screen = replace(first.context, observation=trajectory.steps[1].observation)
    others = [
        serialise(first.context, TypeText("c"), form),
        serialise(other_goal, TypeText("a"), form),
        serialise(other_screen, TypeText("a"), form),
        serialise(replace(first.context, history=trajectory.steps[:1]), TypeText("a"), form),
    ]
    assert len({first.key, *(other.key for other in others)}) == 5
    later = replace(first.context, task=replace(trajectory.task, id="other", max_steps=3))
    assert serialise(later, TypeText("a"), form).key == first.key


@pytest.mark.parametrize("action", [Tap(Point(0.25, 0.75)), LongPress(Point(0.25, 0.75))])
def test_a_touch_is_drawn_where_it_is(action: Action) -> None:
    blank = images.encode(np.zeros((200, 100, 3), dtype=np.uint8), "png")
    rows, columns = np.nonzero((images.decode(mark(blank, action)) == MARK_COLOUR).all(axis=2))
    assert (rows.mean(), columns.mean()) == pytest.approx((150, 25), abs=1)
    assert np.ptp(columns) == pytest.approx(7.4, abs=1.5)


def test_a_swipe_is_a_line_to_a_disc_and_other_actions_leave_the_screen() -> None:
    blank = images.encode(np.zeros((200, 100, 3), dtype=np.uint8), "png")
    drawn = (images.decode(mark(blank, Swipe(Point(0.5, 0.9), Point(0.5, 0.1)))) == MARK_COLOUR).all(axis=2)
    assert drawn[20, 50]
    assert drawn[100, 50]
    assert drawn[15:25].sum() > drawn[175:185].sum()
    assert mark(blank, TypeText("x")) is blank
