"""The environment for Gymnasium's users. Needs the extra `tapwise[gym]`; nothing else imports this module.

Observation: `{"screenshot": uint8 array (height, width, 3)}`. The instruction is in `info["instruction"]`.

Action: a dict of the same six entries for every kind of action; entries that a kind does not use are ignored.

| kind                        | x, y             | x2, y2         | text                  |
|-----------------------------|------------------|----------------|-----------------------|
| tap, long_press             | where            |                |                       |
| swipe                       | where it starts  | where it ends  |                       |
| type                        |                  |                | what to type          |
| open_app                    |                  |                | launcher name         |
| back, home, enter, recents  |                  |                |                       |
| wait                        |                  |                |                       |
| finish, impossible          |                  |                | the answer, or empty  |

Coordinates are in [0, 1] from the top left; `kind` is an index into `KINDS`; durations are the actions' defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from tapwise.android_env.env import AndroidEnv
from tapwise.errors import ConfigError, EnvError
from tapwise.images import decode
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Split,
    Swipe,
    Tap,
    Task,
    TypeText,
    Wait,
)

try:
    import gymnasium
    from gymnasium import spaces
except ModuleNotFoundError as error:  # pragma: no cover - depends on what is installed
    raise ConfigError("the Gymnasium adapter needs gymnasium: pip install 'tapwise[gym]'") from error

KINDS = (
    "tap",
    "long_press",
    "swipe",
    "type",
    "open_app",
    *(key.value for key in Key),
    "wait",
    "finish",
    "impossible",
)
MAX_TEXT = 256
_CHARACTERS = frozenset(chr(code) for code in range(32, 127))
_SEEDS = 2**31
_ORIGIN = Point(0.0, 0.0)


class GymnasiumEnv(gymnasium.Env):  # type: ignore[misc]  # gymnasium is optional and not followed by the type check
    """An `AndroidEnv` as a Gymnasium environment.

    `reset` takes a task by `options={"task": Task or id}`, else draws one from `split`; its seed decides both the
    task and the phone's noise. Closing it closes the environment, not the device.
    """

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - the name and the type are Gymnasium's

    def __init__(self, env: AndroidEnv, split: Split = "train", render_mode: str | None = None) -> None:
        size = env.device.size()
        self.render_mode = render_mode
        self.observation_space = spaces.Dict({"screenshot": spaces.Box(0, 255, (size.height, size.width, 3), np.uint8)})
        coordinates = {name: spaces.Box(0.0, 1.0, (), np.float32) for name in ("x", "y", "x2", "y2")}
        self.action_space = spaces.Dict(
            {
                "kind": spaces.Discrete(len(KINDS)),
                **coordinates,
                "text": spaces.Text(MAX_TEXT, min_length=0, charset=_CHARACTERS),
            }
        )
        self._env = env
        self._tasks = env.suite.tasks(split)
        self._pixels: NDArray[np.uint8] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]:
        """Begin an episode. Raises what `AndroidEnv.reset` raises."""
        super().reset(seed=seed)
        task = self._task((options or {}).get("task"))
        observation = self._env.reset(task, int(self.np_random.integers(_SEEDS)))
        return self._show(observation), {"instruction": task.instruction, "task": task.id}

    def step(self, action: Mapping[str, Any]) -> tuple[dict[str, NDArray[np.uint8]], float, bool, bool, dict[str, Any]]:
        """Perform an action. Raises what `AndroidEnv.step` raises, and EnvError for an action outside the space."""
        transition = self._env.step(from_gym(action))
        info = {**transition.info, "activity": transition.observation.activity}
        shown = self._show(transition.observation)
        return shown, transition.reward, transition.terminated, transition.truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """The newest screenshot, or None before the first reset or without a render mode."""
        return self._pixels if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        self._env.close()

    def _task(self, wanted: Task | str | None) -> Task:
        if isinstance(wanted, Task):
            return wanted
        if wanted is not None:
            return self._env.suite.task(wanted)
        return self._tasks[int(self.np_random.integers(len(self._tasks)))]

    def _show(self, observation: Observation) -> dict[str, NDArray[np.uint8]]:
        self._pixels = decode(observation.screenshot)
        return {"screenshot": self._pixels}


def from_gym(action: Mapping[str, Any]) -> Action:
    """The tapwise action of a Gymnasium action. Raises EnvError when it is outside the action space."""
    try:
        kind = KINDS[int(action["kind"])]
        start = Point(float(action["x"]), float(action["y"]))
        end = Point(float(action["x2"]), float(action["y2"]))
        text = str(action["text"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise EnvError(
            f"{action!r} is not in the action space ({error}): see tapwise.android_env.gym_adapter"
        ) from error
    match kind:
        case "tap":
            return Tap(start)
        case "long_press":
            return LongPress(start)
        case "swipe":
            return Swipe(start, end)
        case "type":
            return TypeText(text)
        case "open_app":
            return OpenApp(text)
        case "wait":
            return Wait()
        case "finish" | "impossible":
            return Finish("success" if kind == "finish" else "impossible", text or None)
        case _:
            return Press(Key(kind))


def to_gym(action: Action) -> dict[str, Any]:
    """The Gymnasium action of a tapwise action; durations and targets are left behind, and so is text beyond
    `MAX_TEXT` characters. Raises EnvError for text outside printable ASCII."""
    match action:
        case Tap(at=at):
            return _entry("tap", at)
        case LongPress(at=at):
            return _entry("long_press", at)
        case Swipe(start=start, end=end):
            return _entry("swipe", start, end)
        case TypeText(text=text):
            return _entry("type", text=text)
        case OpenApp(name=name):
            return _entry("open_app", text=name)
        case Press(key=key):
            return _entry(key.value)
        case Wait():
            return _entry("wait")
        case Finish(status=status, answer=answer):
            return _entry("finish" if status == "success" else "impossible", text=answer or "")
        case _:
            assert_never(action)


def _entry(kind: str, start: Point = _ORIGIN, end: Point = _ORIGIN, text: str = "") -> dict[str, Any]:
    if not _CHARACTERS.issuperset(text):
        raise EnvError(f"the text {text!r} is not printable ASCII, which is all that the action space holds")
    coordinates = {"x": start.x, "y": start.y, "x2": end.x, "y2": end.y}
    return {
        "kind": KINDS.index(kind),
        **{name: np.asarray(value, dtype=np.float32) for name, value in coordinates.items()},
        "text": text[:MAX_TEXT],
    }
