"""How success was measured, field by field: what two numbers must share before one may be called better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tapwise.records import Split

ABORTED = "our own faults; tried again, never counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationProtocol:
    """The protocol of an evaluation, as its manifest holds it.

    `device` is the kind of phone and `screen` its size in pixels; numbers from different kinds are not comparable.
    `noise` has the probability of each kind of interruption and of drift, by name; None on devices whose world is
    their own. `episodes` tasks of `split` are `drawn` by `task_seed`, each played `runs` times. `step_limits` are the
    lowest and highest of the tasks' limits, by suite. `settle` says how long a screen is waited for: seconds and looks.
    `screenshots` are blank in a control that no policy should survive. `success` is what counts as such, and `judge`
    who is asked and by which prompt, empty where nobody is. `leak` tells what the splits share, empty where nothing.
    """

    device: str
    transport: str
    screen: str
    noise: Mapping[str, float] | None
    split: Split
    episodes: int
    task_seed: int
    drawn: str
    step_limits: Mapping[str, tuple[int, int]]
    success: str
    settle: Mapping[str, float] | None = None
    runs: int = 1
    decoding: Literal["greedy"] = "greedy"
    observation: Literal["screenshot", "screenshot and accessibility tree"] = "screenshot"
    screenshots: Literal["as seen", "blank"] = "as seen"
    judge: Mapping[str, str] = field(default_factory=dict)
    aborted_episodes: str = ABORTED
    leak: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        limits = {suite: list(span) for suite, span in self.step_limits.items()}
        return {**asdict(self), "step_limits": limits}


def tasks_in_words(protocol: Mapping[str, Any]) -> str:
    """Which tasks a manifest's protocol says were played, for a page or a table."""
    again = f", each {protocol['runs']} times" if protocol["runs"] > 1 else ""
    return (
        f"{protocol['episodes']} of the {protocol['split']} split{again}, {protocol['drawn']} by seed"
        f" {protocol['task_seed']}"
    )


def step_limits_in_words(protocol: Mapping[str, Any]) -> str:
    """The step limits of a manifest's protocol."""
    spans = (
        f"{suite} {low}" if low == high else f"{suite} {low} to {high}"
        for suite, (low, high) in protocol["step_limits"].items()
    )
    return "per task: " + ", ".join(spans) if protocol["step_limits"] else "the expert's number of steps"


def noise_in_words(protocol: Mapping[str, Any]) -> str:
    """The dials of a manifest's protocol that are not at zero."""
    if protocol["noise"] is None:
        return "the device's own"
    return ", ".join(f"{name} {value:g}" for name, value in protocol["noise"].items() if value) or "none"
