from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

gymnasium = pytest.importorskip("gymnasium")

from tapwise.android_env import AndroidEnv, Suite  # noqa: E402
from tapwise.android_env.gym_adapter import KINDS, GymnasiumEnv, from_gym, to_gym  # noqa: E402
from tapwise.errors import EnvError  # noqa: E402
from tapwise.records import (  # noqa: E402
    Action,
    Finish,
    Key,
    LongPress,
    OpenApp,
    Point,
    Press,
    Swipe,
    Tap,
    TypeText,
    Wait,
)

coordinate = st.floats(0, 1, width=32)
point = st.builds(Point, coordinate, coordinate)
text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
status = st.sampled_from(["success", "impossible"])
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Tap, point),
    st.builds(LongPress, point),
    st.builds(Swipe, point, point),
    st.builds(TypeText, text),
    st.builds(Press, st.sampled_from(list(Key))),
    st.builds(OpenApp, text),
    st.just(Wait()),
    st.builds(Finish, status, st.none() | text.filter(bool)),
)


@given(actions)
def test_actions_survive_the_way_there_and_back(action: Action) -> None:
    assert from_gym(to_gym(action)) == action


@pytest.fixture
def gym_env(env: AndroidEnv) -> GymnasiumEnv:
    return GymnasiumEnv(env, render_mode="rgb_array")


@pytest.mark.filterwarnings("ignore::UserWarning")  # advice on shapes that screens do not follow
def test_gymnasiums_own_check_passes(gym_env: Any) -> None:
    from gymnasium.utils.env_checker import check_env

    check_env(gym_env, skip_render_check=True)


def test_every_action_of_the_space_is_understood(gym_env: Any) -> None:
    gym_env.action_space.seed(0)
    kinds = {KINDS[action["kind"]] for action in _samples(gym_env, 200) if from_gym(action)}
    assert kinds == set(KINDS)
    assert all(gym_env.action_space.contains(to_gym(Press(key))) for key in Key)
    assert gym_env.action_space.contains(to_gym(Tap(Point(0.25, 1.0))))


def _samples(gym_env: Any, n: int) -> list[dict[str, Any]]:
    return [gym_env.action_space.sample() for _ in range(n)]


def test_an_episode_through_gymnasium(gym_env: Any, suite: Suite) -> None:
    shown, info = gym_env.reset(seed=1, options={"task": "settings.toggle/bluetooth-on/0"})
    assert info["instruction"] == "turn bluetooth on"
    assert gym_env.observation_space.contains(shown)
    gym_env.step(to_gym(OpenApp("settings")))
    shown, *_ = gym_env.step(to_gym(Tap(Point(0.5, 0.2))))
    assert np.array_equal(gym_env.render(), shown["screenshot"])
    _, reward, terminated, truncated, info = gym_env.step(to_gym(Finish()))
    assert (reward, terminated, truncated, info["outcome"]) == (1.0, True, False, True)


def test_the_seed_chooses_the_task_within_the_split(env: AndroidEnv, suite: Suite) -> None:
    gym_env = GymnasiumEnv(env, split="test")
    drawn = [gym_env.reset(seed=seed)[1]["task"] for seed in range(8)]
    assert drawn == [gym_env.reset(seed=seed)[1]["task"] for seed in range(8)]
    assert {suite.task(name).split for name in drawn} == {"test"}
    assert len(set(drawn)) > 1
    assert gym_env.reset(options={"task": suite.tasks()[3]})[1]["task"] == suite.tasks()[3].id


@pytest.mark.parametrize("change", [{"kind": 99}, {"x": 1.5}, {"text": None, "kind": "tap"}])
def test_actions_outside_the_space_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EnvError, match="action space"):
        from_gym({**to_gym(Tap(Point(0.5, 0.5))), **change})
    with pytest.raises(EnvError, match="action space"):
        from_gym({"kind": 0})


def test_text_beyond_ascii_is_refused() -> None:
    with pytest.raises(EnvError, match="printable ASCII"):
        to_gym(TypeText("naïve"))
