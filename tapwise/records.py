"""The values that travel through tapwise: frozen, slotted, free of behaviour that needs a library.

Coordinate frame: every `Point` is (x, y) in [0, 1] with the origin at the top left of the screen in its
current orientation. Pixels exist only inside a device or a codec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Size:
    """A size in pixels."""

    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the screen: x and y in [0, 1], origin top left of the current orientation.

    Raises ValueError when a coordinate lies outside [0, 1].
    """

    x: float
    y: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.x <= 1.0 and 0.0 <= self.y <= 1.0):
            raise ValueError(f"point ({self.x}, {self.y}) lies outside the unit square")

    def to_pixels(self, size: Size) -> tuple[int, int]:
        """The pixel (x, y) that holds this point, always inside `size`; the one that `from_pixels` was given."""
        return _pixel(self.x, size.width), _pixel(self.y, size.height)

    @classmethod
    def from_pixels(cls, x: float, y: float, size: Size) -> Point:
        """The point at pixel coordinates (x, y), clamped to the screen."""
        return cls(min(max(x / size.width, 0.0), 1.0), min(max(y / size.height, 0.0), 1.0))


def _pixel(coordinate: float, length: int) -> int:
    """A quotient times its divisor may fall short of the whole number by a rounding error, which must not cost a
    pixel."""
    return min(int(coordinate * length + 1e-6), length - 1)


# --- actions ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tap:
    """Touch one point. `target` is what the agent says it touches; it is never used to act."""

    at: Point
    target: str | None = None


@dataclass(frozen=True, slots=True)
class LongPress:
    """Hold one point for `duration_s` seconds."""

    at: Point
    duration_s: float = 1.0
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Swipe:
    """Move the finger from `start` to `end`: the finger's vector, not the content's."""

    start: Point
    end: Point
    duration_s: float = 0.3


@dataclass(frozen=True, slots=True)
class TypeText:
    """Type into the focused field."""

    text: str


class Key(StrEnum):
    """Hardware and navigation keys."""

    BACK = "back"
    HOME = "home"
    ENTER = "enter"
    RECENTS = "recents"


@dataclass(frozen=True, slots=True)
class Press:
    """Press a key."""

    key: Key


@dataclass(frozen=True, slots=True)
class OpenApp:
    """Start an app by its name on the launcher, or by its package name."""

    name: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for `duration_s` seconds of the device's time."""

    duration_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Finish:
    """End the episode: the agent believes that the task is done, or that it cannot be done."""

    status: Literal["success", "impossible"] = "success"
    answer: str | None = None


Action = Tap | LongPress | Swipe | TypeText | Press | OpenApp | Wait | Finish


# --- observations ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Screenshot:
    """An encoded picture of the screen; `tapwise.images` decodes it."""

    data: bytes = field(repr=False)
    format: Literal["png", "jpeg"]
    size: Size


@dataclass(frozen=True, slots=True)
class UiNode:
    """One node of the accessibility tree. `bounds` is (left, top, right, bottom) in device pixels."""

    text: str = ""
    description: str = ""
    resource_id: str = ""
    class_name: str = ""
    package: str = ""
    bounds: tuple[int, int, int, int] = (0, 0, 0, 0)
    clickable: bool = False
    long_clickable: bool = False
    scrollable: bool = False
    checkable: bool = False
    checked: bool = False
    enabled: bool = True
    focusable: bool = False
    focused: bool = False
    selected: bool = False
    password: bool = False
    children: tuple[UiNode, ...] = ()
    hint: str = field(default="", compare=False)
    """what an empty field says; most dumps do not tell it"""

    @property
    def label(self) -> str:
        """What a person would call the node: its text, else its description."""
        return self.text or self.description

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the bounds, (x, y) in device pixels."""
        left, top, right, bottom = self.bounds
        return (left + right) / 2, (top + bottom) / 2

    def walk(self) -> Iterator[UiNode]:
        """This node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Observation:
    """What the device shows at one moment.

    `activity` is "package/activity" of the foreground; `settled` says whether the screen had stopped moving;
    `time_s` is the host's monotonic time of the screenshot; `ui` is the tree taken with it, or None.
    """

    screenshot: Screenshot
    activity: str
    settled: bool
    time_s: float
    ui: UiNode | None = None


# --- tasks and decisions ---------------------------------------------------------------------------------

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Task:
    """One instruction with its limits. `params` are the template's values, as sorted (name, value) pairs."""

    id: str
    instruction: str
    suite: str
    app: str
    template: str
    params: tuple[tuple[str, str], ...]
    max_steps: int
    split: Split

    def param(self, name: str) -> str:
        """The value of template parameter `name`; KeyError when the task has none of that name."""
        return dict(self.params)[name]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy decided, and enough to train on it later without tokenising again.

    `token_ids` and `log_probs` (natural logarithm, one per token, under the very distribution that was sampled)
    cover the generated text only; both are empty for policies without tokens. `unparsable` says why the
    generated text could not be read, in which case `action` is a `Wait`.
    """

    action: Action
    text: str
    token_ids: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()
    policy_version: int = 0
    latency_s: float = 0.0
    unparsable: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One observation, the decision taken on it, and what learning needs beside them."""

    observation: Observation
    decision: Decision
    reward: float = 0.0
    value: float | None = None
    advantage: float | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """All that a policy may see."""

    task: Task
    history: tuple[Step, ...]
    observation: Observation


# --- trajectories ----------------------------------------------------------------------------------------


class End(StrEnum):
    """How an episode ended."""

    FINISHED = "finished"
    """the agent ended it"""
    TRUNCATED = "truncated"
    """the step limit ended it"""
    ABORTED = "aborted"
    """our own fault ended it: never trains, never counts as failure"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an episode was aborted, attributed once to the boundary where it happened."""

    boundary: Literal["device", "policy", "env", "judge"]
    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's word on a trajectory. `success` None means that the judge abstained, which is not a failure, or, with
    `pending`, that it could not be asked and has to be asked again."""

    success: bool | None
    judge: str
    score: float | None = None
    reason: str = ""
    cost: float = 0.0
    latency_s: float = 0.0
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a trajectory came from."""

    policy: str
    policy_version: int = 0
    device: str = ""
    seed: int = 0
    recipe_sha: str = ""
    tapwise: str = ""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The record of one episode.

    `outcome` is the ground truth read from the device's state (None where the suite has no check or the episode
    was aborted); `verdicts` are the judges' words. `final` is the observation after the last action. `changes` says
    what the episode has changed on the device for good, in words; None where the device does not know.
    """

    id: str
    task: Task
    steps: tuple[Step, ...]
    end: End
    provenance: Provenance
    final: Observation | None = None
    fault: Fault | None = None
    outcome: bool | None = None
    verdicts: tuple[Verdict, ...] = ()
    changes: tuple[str, ...] | None = None

    @property
    def trainable(self) -> bool:
        """Whether the trajectory may be learned from."""
        return self.end is not End.ABORTED and len(self.steps) > 0

    @property
    def success(self) -> bool | None:
        """Ground truth where it exists, else the first verdict that did not abstain, else None."""
        if self.outcome is not None:
            return self.outcome
        return next((v.success for v in self.verdicts if v.success is not None), None)
