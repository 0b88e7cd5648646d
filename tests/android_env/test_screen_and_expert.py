from __future__ import annotations

import numpy as np
import pytest

from tapwise.android_env import Screen, ScriptedExpert, Suite
from tapwise.errors import EnvError, PolicyError
from tapwise.images import encode
from tapwise.records import (
    Action,
    Context,
    Decision,
    Finish,
    Observation,
    Point,
    Step,
    Tap,
    Task,
    TypeText,
    UiNode,
    Wait,
)


def observation(*nodes: UiNode, tree: bool = True) -> Observation:
    ui = UiNode(bounds=(0, 0, 100, 200), children=nodes) if tree else None
    picture = encode(np.zeros((200, 100, 3), np.uint8), "png")
    return Observation(picture, "fake.settings/.Settings", True, 0.0, ui)


def after(*actions: Action) -> tuple[Step, ...]:
    return tuple(Step(observation(), Decision(action, "")) for action in actions)


ROW = UiNode(
    bounds=(0, 20, 100, 60),
    clickable=True,
    children=(UiNode(text="Wi-Fi", bounds=(10, 20, 30, 40)), UiNode(description="Toggle", bounds=(80, 20, 90, 40))),
)


def test_labels_are_found_whatever_their_case() -> None:
    screen = Screen(observation(UiNode(text="WI-FI settings", bounds=(0, 0, 50, 10)), ROW))
    assert screen.find("wi-fi") is ROW.children[0]
    assert screen.find("toggle") is ROW.children[1]
    assert screen.find("settings") is None
    found = screen.find("settings", exact=False)
    assert found is not None
    assert found.text == "WI-FI settings"
    assert screen.texts == ("WI-FI settings", "Wi-Fi", "Toggle")
    assert screen.package == "fake.settings"


def test_clickable_counts_the_nodes_around() -> None:
    title = UiNode(text="Wi-Fi", bounds=(0, 0, 50, 10))
    screen = Screen(observation(title, ROW))
    assert screen.find("wi-fi") is title
    assert screen.find("wi-fi", clickable=True) is ROW.children[0]
    assert screen.find("wi-fi", clickable=False) is title


def test_a_node_without_area_is_not_there() -> None:
    assert not Screen(observation(UiNode(text="Gone", bounds=(5, 5, 5, 9)))).has("gone")


def test_tap_aims_at_the_labels_own_middle() -> None:
    screen = Screen(observation(ROW))
    assert screen.tap("WI-FI") == Tap(Point(0.2, 0.15), target="wi-fi")
    assert screen.tap(ROW) == Tap(Point(0.5, 0.2), target="wi-fi")
    assert screen.long_press("wi-fi").at == Point(0.2, 0.15)
    with pytest.raises(EnvError, match="'Wi-Fi'"):
        screen.tap("bluetooth")


def test_swipes_are_the_fingers() -> None:
    screen = Screen(observation())
    assert screen.swipe_up().start.y == pytest.approx(0.7)
    assert screen.swipe_up().end.y == pytest.approx(0.3)
    assert screen.swipe_down().end.y == pytest.approx(0.7)


def test_fields_and_history() -> None:
    entry = UiNode(text="ann", class_name="android.widget.EditText", focused=True, bounds=(0, 0, 9, 9))
    screen = Screen(observation(entry), after(Tap(Point(0, 0), target="name"), TypeText("ann")))
    assert screen.field_focused
    assert screen.field_text == "ann"
    assert screen.typed("ann")
    assert not screen.typed("an")
    assert screen.tapped("Name")
    assert not Screen(observation()).field_focused
    assert Screen(observation()).field_text == ""


def test_a_screen_needs_a_tree() -> None:
    with pytest.raises(EnvError, match="with_tree=True"):
        Screen(observation(tree=False))


def decide(expert: ScriptedExpert, task: Task, shown: Observation) -> Action:
    return expert.act([Context(task, (), shown)])[0].action


def test_expert_sends_noise_away_first_but_keeps_a_plain_cancel(expert: ScriptedExpert, suite: Suite) -> None:
    task = suite.task("settings.toggle/bluetooth-on/0")
    bluetooth = UiNode(text="Bluetooth", bounds=(0, 60, 9, 70), clickable=True, checked=True)
    cancel = UiNode(text="Cancel", bounds=(0, 0, 9, 9), clickable=True)
    assert decide(expert, task, observation(cancel, bluetooth)) == Finish()
    noise = UiNode(text="No thanks", resource_id="a:id/noise_dismiss", bounds=(0, 20, 50, 40), clickable=True)
    assert decide(expert, task, observation(cancel, bluetooth, noise)) == Tap(Point(0.25, 0.15), target="no thanks")


def test_expert_waits_for_loading_pages(expert: ScriptedExpert, suite: Suite) -> None:
    page = UiNode(resource_id="web:id/loading", bounds=(0, 0, 9, 9))
    assert decide(expert, suite.tasks()[0], observation(page)) == Wait(1.0)


def test_an_expert_at_a_loss_is_a_policy_error(expert: ScriptedExpert, suite: Suite) -> None:
    task = suite.task("settings.name/bob/0")
    with pytest.raises(PolicyError, match=r"settings\.name/bob/0"):
        decide(expert, task, observation())
