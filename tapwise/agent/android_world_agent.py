"""A policy of ours as an agent of AndroidWorld, for AndroidWorld's own runner.

    from tapwise.agent.android_world_agent import make_agent
    agent = make_agent(env, policy)          # env: what android_world.env.env_launcher gives
    suite_utils.run(suite, agent)

The package `android_world` is imported when an agent is made, and needed for nothing else.
"""

from __future__ import annotations

import time
from typing import Any, assert_never

import numpy as np

from tapwise import images
from tapwise.errors import PolicyError
from tapwise.protocols import Policy
from tapwise.records import (
    Action,
    Context,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Press,
    Size,
    Step,
    Swipe,
    Tap,
    Task,
    TypeText,
    Wait,
)

_RECENTS = "shell input keyevent KEYCODE_APP_SWITCH"
_TYPING_S = 10.0
_MOST_STEPS = 10_000


def make_agent(env: Any, policy: Policy, *, transition_pause: float | None = 1.0) -> Any:
    """An `EnvironmentInteractingAgent` that plays `policy`, which is shown screenshots and no tree.

    `transition_pause`: seconds before each look, as AndroidWorld's own agents take it. Raises PolicyError when
    AndroidWorld cannot be imported. The agent's `step` raises what the policy raises.
    """
    try:
        from android_world.agents import base_agent
        from android_world.env import adb_utils
    except ImportError as error:
        raise PolicyError(
            f"AndroidWorld cannot be imported ({error}): make the agent in the Python that it is installed in"
        ) from error

    class TapwiseAgent(base_agent.EnvironmentInteractingAgent):  # type: ignore[misc]
        """Shows the policy the screen, and does what it decides."""

        def __init__(self) -> None:
            super().__init__(env, policy.name, transition_pause)
            self._history: list[Step] = []

        def reset(self, go_home: bool = False) -> None:
            """Begin another episode."""
            super().reset(go_home)
            self._history.clear()

        def step(self, goal: str) -> Any:
            """Look, decide, act; done when the policy ends the episode."""
            observation = _observe(self.env.get_state(wait_to_stabilize=transition_pause is None))
            context = Context(_task(goal), tuple(self._history), observation)
            (decision,) = policy.act([context])
            self._history.append(Step(observation, decision))
            done = _perform(decision.action, self.env, adb_utils, observation.screenshot.size)
            if transition_pause:
                time.sleep(transition_pause)
            return base_agent.AgentInteractionResult(done, {"action": repr(decision.action), "text": decision.text})

    return TapwiseAgent()


def _observe(state: Any) -> Observation:
    return Observation(images.encode(np.asarray(state.pixels), "png"), "", True, time.monotonic())


def _task(goal: str) -> Task:
    return Task("androidworld", goal, "androidworld", "android", "androidworld", (), _MOST_STEPS, "test")


def _perform(action: Action, env: Any, adb: Any, size: Size) -> bool:
    """Do an action on the emulator; True when it ends the episode."""
    controller = env.controller
    match action:
        case Tap(at):
            adb.tap_screen(*at.to_pixels(size), controller)
        case LongPress(at):
            adb.long_press(*at.to_pixels(size), controller)
        case Swipe(start, end, duration_s):
            ends = (*start.to_pixels(size), *end.to_pixels(size))
            adb.issue_generic_request(adb.generate_swipe_command(*ends, round(1000 * duration_s)), controller)
        case TypeText(text):
            adb.type_text(text, controller, timeout_sec=_TYPING_S)
        case Press(Key.BACK):
            adb.press_back_button(controller)
        case Press(Key.HOME):
            adb.press_home_button(controller)
        case Press(Key.ENTER):
            adb.press_enter_button(controller)
        case Press(Key.RECENTS):
            adb.issue_generic_request(_RECENTS, controller)
        case Press():
            raise PolicyError(f"AndroidWorld's agent has no key {action.key.value}")
        case OpenApp(name):
            adb.launch_app(name, controller)
        case Wait(duration_s):
            time.sleep(duration_s)
        case Finish(_, answer):
            if answer is not None:
                env.interaction_cache = answer
            return True
        case _:
            assert_never(action)
    return False
