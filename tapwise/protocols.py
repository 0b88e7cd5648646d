"""The seams of tapwise: small protocols, met without inheritance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tapwise.records import Action, Context, Decision, Observation, Size, Task, Trajectory, UiNode, Verdict


@runtime_checkable
class Device(Protocol):
    """One Android phone, real or virtual. Coordinates are device pixels in the current orientation.

    Every method raises `DeviceError` (or one of its kinds) when the phone fails.
    """

    @property
    def serial(self) -> str:
        """The name that adb knows it by."""
        ...

    def size(self) -> Size:
        """Size of the screen in its current orientation."""
        ...

    def screenshot(self) -> NDArray[np.uint8]:
        """The screen's pixels, uint8 of shape (height, width, 3), RGB."""
        ...

    def frame_counter(self) -> int | None:
        """A number that changes whenever the screen is redrawn, or None where the device cannot tell."""
        ...

    def ui_tree(self) -> UiNode:
        """The accessibility tree of what is on screen."""
        ...

    def foreground(self) -> str:
        """The foreground activity as "package/activity"."""
        ...

    def tap(self, x: int, y: int) -> None:
        """Touch a pixel."""
        ...

    def swipe(self, x1: int, y1: int, x2: int, y2: int, duration_s: float) -> None:
        """Move a finger; equal end points and a long duration make a long press."""
        ...

    def type_text(self, text: str) -> None:
        """Type into the focused field."""
        ...

    def press(self, keycode: str) -> None:
        """Send a key event by its Android name, such as KEYCODE_BACK."""
        ...

    def open_app(self, name: str) -> None:
        """Start an app by launcher name or package name."""
        ...

    def shell(self, command: str) -> str:
        """Run a shell command and return its standard output; raises `CommandFailed` on a non-zero status."""
        ...

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state of the phone under a name."""
        ...

    def load_snapshot(self, name: str) -> None:
        """Bring back the state kept under a name; raises `DeviceError` when there is none."""
        ...


class Transition(NamedTuple):
    """What `Env.step` returns: unpacks as Gymnasium's five."""

    observation: Observation
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, object]


class Env(Protocol):
    """One episode at a time: a device and a task become `reset` and `step`."""

    def reset(self, task: Task, seed: int) -> Observation: ...

    def step(self, action: Action) -> Transition: ...

    def close(self) -> None: ...


class Policy(Protocol):
    """Who decides; batched from the start."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    def act(self, contexts: Sequence[Context]) -> list[Decision]: ...


class Judge(Protocol):
    """Who says whether it worked; batched from the start. Abstains with `success` None."""

    @property
    def name(self) -> str: ...

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]: ...


class ValueModel(Protocol):
    """Expected success."""

    def step_values(self, trajectory: Trajectory) -> list[float]:
        """P(success) at each step's observation, one per step, before its action."""
        ...

    def instruction_values(self, tasks: Sequence[Task]) -> list[float]:
        """P(success) given only the instruction."""
        ...


class TrajectoryStore(Protocol):
    """Trajectories at rest; `append` returns only when the trajectory is durable."""

    def append(self, trajectory: Trajectory) -> None: ...

    def __iter__(self) -> Iterator[Trajectory]: ...

    def __len__(self) -> int: ...


class Tracker(Protocol):
    """Where metrics go."""

    def log(self, metrics: Mapping[str, float | int | str], step: int) -> None: ...

    def close(self) -> None: ...
