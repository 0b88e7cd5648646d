"""What a page shows of stored trajectories, as JSON values: a list of all, and one in detail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tapwise.datasets.schema import Summary
from tapwise.datasets.viewer.drawing import marks, words
from tapwise.records import Finish, Observation, Step, Trajectory, UiNode, Verdict

WIDTH = 180
"""of the coordinates in which marks and boxes are given; the height follows from the screenshot's shape"""


def listed(summary: Summary) -> dict[str, Any]:
    """An episode in the list."""
    task = summary.task
    said = [verdict.success for verdict in summary.verdicts if verdict.success is not None]
    return {
        "id": summary.id,
        "instruction": task.instruction,
        "template": task.template,
        "app": task.app,
        "suite": task.suite,
        "split": task.split,
        "steps": summary.steps,
        "end": summary.end.value,
        "success": summary.success,
        "disputed": len({*said, *([] if summary.outcome is None else [summary.outcome])}) > 1,
        "policy": summary.provenance.policy,
        "version": summary.provenance.policy_version,
    }


def detailed(trajectory: Trajectory) -> dict[str, Any]:
    """An episode with all that is known of its steps, but for the pictures."""
    provenance, task = trajectory.provenance, trajectory.task
    return {
        "id": trajectory.id,
        "instruction": task.instruction,
        "task": task.id,
        "limit": task.max_steps,
        "end": trajectory.end.value,
        "success": trajectory.success,
        "outcome": trajectory.outcome,
        "fault": None if trajectory.fault is None else f"{trajectory.fault.type}: {trajectory.fault.message}",
        "verdicts": [_verdict(verdict) for verdict in trajectory.verdicts],
        "changes": None if trajectory.changes is None else list(trajectory.changes),
        "policy": f"{provenance.policy} (version {provenance.policy_version})",
        "device": provenance.device,
        "seed": provenance.seed,
        "tapwise": provenance.tapwise,
        "frames": [_frame(step) for step in trajectory.steps] + [_last(final) for final in _after(trajectory)],
    }


def pictures(trajectory: Trajectory) -> Sequence[Observation]:
    """The observations whose screenshots are the frames' pictures, in order."""
    return [*(step.observation for step in trajectory.steps), *_after(trajectory)]


def _after(trajectory: Trajectory) -> list[Observation]:
    """The screen after the last action; none after the agent's own end, which changes nothing."""
    ended = bool(trajectory.steps) and isinstance(trajectory.steps[-1].decision.action, Finish)
    return [] if trajectory.final is None or ended else [trajectory.final]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "judge": verdict.judge,
        "success": verdict.success,
        "score": _finite(verdict.score),
        "reason": verdict.reason,
    }


def _frame(step: Step) -> dict[str, Any]:
    decision = step.decision
    shown = _screen(step.observation)
    caption, detail = words(decision.action)
    if decision.unparsable is not None:
        caption, detail = "Not readable", decision.unparsable
    likelihood = math.exp(min(0.0, sum(decision.log_probs))) if decision.log_probs else None
    return shown | {
        "marks": "".join(marks(decision.action, WIDTH, shown["height"])),
        "caption": caption,
        "detail": detail,
        "text": decision.text,
        "probability": _finite(likelihood),
        "latency_s": decision.latency_s,
        "reward": _finite(step.reward),
        "value": _finite(step.value),
        "advantage": _finite(step.advantage),
    }


def _last(observation: Observation) -> dict[str, Any]:
    return _screen(observation) | {"marks": "", "caption": "The end", "detail": ""}


def _screen(observation: Observation) -> dict[str, Any]:
    size = observation.screenshot.size
    scale = WIDTH / size.width
    boxes = [] if observation.ui is None else [_box(node, scale) for node in observation.ui.walk()]
    return {
        "height": size.height * scale,
        "activity": observation.activity,
        "settled": observation.settled,
        "boxes": [box for box in boxes if box["label"] or box["touch"]],
    }


def _box(node: UiNode, scale: float) -> dict[str, Any]:
    left, top, right, bottom = (edge * scale for edge in node.bounds)
    return {
        "at": [left, top, right - left, bottom - top],
        "label": node.label,
        "kind": node.class_name.rpartition(".")[2],
        "touch": node.clickable,
    }


def _finite(value: float | None) -> float | None:
    """The number, or None for what JSON has no word for."""
    return None if value is None or not math.isfinite(value) else value
