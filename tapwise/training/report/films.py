"""Episodes as film strips: which ones tell most, and each step's screenshot with its action drawn on it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.datasets.viewer import marks, words
from tapwise.errors import StoreError
from tapwise.images import decode_image
from tapwise.records import End, Finish, Observation, Screenshot, Step, Trajectory
from tapwise.training.report.source import RunData, by_number

FRAME_WIDTH = 180
"""pixels of a frame's picture"""
MAX_FRAMES = 12
FILMS = 6
IMPROVED = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """An episode to show: its trajectory, why it was chosen, and the same task after the first phase where that says
    something."""

    trajectory: str
    reason: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One step: the picture as a data URI, the marks on it as SVG, and the action in words."""

    picture: str
    height: int
    marks: str
    caption: str
    detail: str


@dataclass(frozen=True, slots=True)
class Film:
    """An episode as frames. `before` is the same task after an earlier phase."""

    instruction: str
    template: str
    reason: str
    success: bool
    ending: str
    frames: tuple[Frame, ...]
    before: Film | None = None


def choose(run: RunData) -> list[Choice]:
    """Up to six episodes of the last evaluation: first tasks that only succeed since learning, then others."""
    phases = list(run.evaluations)
    if not phases:
        return []
    first, last = by_number(run.evaluations[phases[0]]), by_number(run.evaluations[phases[-1]])
    kinds: dict[str, list[int]] = {"improved": [], "kept": [], "failed": [], "other": []}
    for number, result in last.items():
        before = first.get(number) if len(phases) > 1 else None
        if before is None:
            kind = "other"
        elif result["success"]:
            kind = "kept" if before["success"] else "improved"
        else:
            kind = "failed"
        kinds[kind].append(number)
    order = {kind: _telling_first(numbers, last) for kind, numbers in kinds.items()}
    reasons = {
        "improved": f"learned: failed after {phases[0]} learning, succeeds after {phases[-1]} learning",
        "kept": f"succeeds after {phases[0]} and after {phases[-1]} learning",
        "failed": f"still fails after {phases[-1]} learning",
        "other": f"after {phases[-1]} learning",
    }
    picks = [("improved", number) for number in order["improved"][:IMPROVED]]
    picks += [("kept", number) for number in order["kept"][:2]] + [("failed", number) for number in order["failed"][:1]]
    rest = [(kind, number) for kind in order for number in order[kind] if (kind, number) not in picks]
    picks += rest[: FILMS - len(picks)]
    return [
        Choice(last[n]["trajectory"], reasons[kind], first[n]["trajectory"] if kind == "improved" else None)
        for kind, n in picks[:FILMS]
    ]


def make_films(store: ParquetTrajectoryStore, choices: list[Choice]) -> list[Film]:
    """The films of the chosen episodes; one whose record cannot be read is left out."""
    films: list[Film] = []
    for choice in choices:
        try:
            before = store.get(choice.before) if choice.before is not None else None
            earlier = make_film(before, "before") if before is not None else None
            films.append(make_film(store.get(choice.trajectory), choice.reason, earlier))
        except (StoreError, ValueError):
            continue  # a report on the rest is worth more than none
    return films


def make_film(trajectory: Trajectory, reason: str, before: Film | None = None) -> Film:
    """An episode as a film. Raises ValueError when a screenshot cannot be read."""
    frames = [_frame(step) for step in trajectory.steps[:MAX_FRAMES]]
    hidden = len(trajectory.steps) - len(frames)
    last = trajectory.steps[-1].decision.action if trajectory.steps else None
    if trajectory.final is not None and not isinstance(last, Finish) and not hidden:
        frames.append(_final_frame(trajectory.final))
    endings = {
        End.FINISHED: f"ended by the agent after {len(trajectory.steps)} steps",
        End.TRUNCATED: f"ended by the limit of {len(trajectory.steps)} steps",
        End.ABORTED: "ended by a fault",
    }
    ending = endings[trajectory.end] + (f"; the last {hidden} are not shown" if hidden else "")
    task = trajectory.task
    return Film(task.instruction, task.template, reason, bool(trajectory.success), ending, tuple(frames), before)


def _telling_first(numbers: list[int], results: dict[int, dict[str, Any]]) -> list[int]:
    """Episodes of middling length first, and another template as long as there is one."""
    ranked = sorted(numbers, key=lambda n: (abs(results[n]["steps"] - 5), n))
    seen: set[str] = set()
    fresh: list[int] = []
    again: list[int] = []
    for number in ranked:
        template = results[number]["template"]
        (again if template in seen else fresh).append(number)
        seen.add(template)
    return fresh + again


def _frame(step: Step) -> Frame:
    screenshot = step.observation.screenshot
    caption, detail = words(step.decision.action)
    if step.decision.unparsable is not None:
        caption, detail = "Not readable", step.decision.text
    picture, height = _picture(screenshot)
    drawn = marks(step.decision.action, FRAME_WIDTH, FRAME_WIDTH * screenshot.size.height / screenshot.size.width)
    return Frame(picture, height, "".join(drawn), caption, detail)


def _final_frame(observation: Observation) -> Frame:
    picture, height = _picture(observation.screenshot)
    return Frame(picture, height, "", "The end", "")


def _picture(screenshot: Screenshot) -> tuple[str, int]:
    height = max(1, round(FRAME_WIDTH * screenshot.size.height / screenshot.size.width))
    small = decode_image(screenshot).resize((FRAME_WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=72, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}", height
