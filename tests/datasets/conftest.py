"""Records to store: drawn by hypothesis, or made small by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from tapwise import records as r
from tapwise.datasets.formats import wire
from tapwise.datasets.formats.accessibility_forest import _FLAGS, _SIDES, _TEXTS

Maker = Callable[..., r.Trajectory]

TEXT = st.text(max_size=8) | st.just("half a \ud83d pair")
FLOATS = st.floats(allow_nan=False)
COUNTS = st.integers(-(2**63), 2**63 - 1)


def _builds(kind: type[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **fields)


def _trajectories() -> st.SearchStrategy[r.Trajectory]:
    unit = st.floats(0, 1)
    points = _builds(r.Point, x=unit, y=unit)
    optional_text, optional_float = st.none() | TEXT, st.none() | FLOATS
    actions = st.one_of(
        _builds(r.Tap, at=points, target=optional_text),
        _builds(r.LongPress, at=points, duration_s=FLOATS, target=optional_text),
        _builds(r.Swipe, start=points, end=points, duration_s=FLOATS),
        _builds(r.TypeText, text=TEXT),
        _builds(r.Press, key=st.sampled_from(r.Key)),
        _builds(r.OpenApp, name=TEXT),
        _builds(r.Wait, duration_s=FLOATS),
        _builds(r.Finish, status=st.sampled_from(["success", "impossible"]), answer=optional_text),
    )
    leaves = _builds(r.UiNode, text=TEXT, bounds=st.tuples(*[st.integers()] * 4), clickable=st.booleans())
    trees = _builds(r.UiNode, description=TEXT, children=st.lists(leaves, max_size=2).map(tuple))
    pictures = _builds(
        r.Screenshot,
        data=st.binary(max_size=40),
        format=st.sampled_from(["png", "jpeg"]),
        size=_builds(r.Size, height=st.integers(), width=st.integers()),
    )
    observations = _builds(
        r.Observation,
        screenshot=pictures,
        activity=TEXT,
        settled=st.booleans(),
        time_s=FLOATS,
        ui=st.none() | trees,
    )
    decisions = _builds(
        r.Decision,
        action=actions,
        text=TEXT,
        token_ids=st.lists(COUNTS, max_size=3).map(tuple),
        log_probs=st.lists(FLOATS, max_size=3).map(tuple),
        policy_version=COUNTS,
        latency_s=FLOATS,
        unparsable=optional_text,
    )
    steps = _builds(
        r.Step,
        observation=observations,
        decision=decisions,
        reward=FLOATS,
        value=optional_float,
        advantage=optional_float,
    )
    tasks = _builds(
        r.Task,
        id=TEXT,
        instruction=TEXT,
        suite=TEXT,
        app=TEXT,
        template=TEXT,
        params=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
        max_steps=st.integers(),
        split=st.sampled_from(["train", "test"]),
    )
    outcomes = st.none() | st.booleans()
    verdicts = _builds(
        r.Verdict,
        success=outcomes,
        judge=TEXT,
        score=optional_float,
        reason=TEXT,
        cost=FLOATS,
        latency_s=FLOATS,
    )
    return _builds(
        r.Trajectory,
        id=st.uuids().map(str),
        task=tasks,
        steps=st.lists(steps, max_size=3).map(tuple),
        end=st.sampled_from(r.End),
        provenance=_builds(r.Provenance, policy=TEXT, policy_version=st.integers(), device=TEXT, seed=st.integers()),
        final=st.none() | observations,
        fault=st.none() | _builds(r.Fault, boundary=st.sampled_from(["device", "judge"]), type=TEXT, message=TEXT),
        outcome=outcomes,
        verdicts=st.lists(verdicts, max_size=2).map(tuple),
        changes=st.none() | st.lists(TEXT, max_size=2).map(tuple),
    )


@pytest.fixture(scope="session")
def trajectories() -> st.SearchStrategy[r.Trajectory]:
    """Any trajectory at all, with every kind of action."""
    return _trajectories()


@pytest.fixture(scope="session")
def make() -> Maker:
    """A small trajectory: make(id, steps=2, picture=b"...", **fields of Trajectory)."""

    def build(trajectory_id: str, steps: int = 2, picture: bytes = b"picture", **fields: Any) -> r.Trajectory:
        def observe(index: int) -> r.Observation:
            shot = r.Screenshot(picture + b"%d" % index, "png", r.Size(2, 2))
            return r.Observation(shot, "shop/Main", True, float(index), r.UiNode(text="Buy"))

        task = r.Task("task-1", "Buy milk", "shop", "shop", "buy", (("item", "milk"),), 5, "train")
        taken = tuple(
            r.Step(observe(index), r.Decision(r.Tap(r.Point(0.5, 0.25)), "tap", (1, 2), (-0.5, -0.1)), float(index))
            for index in range(steps)
        )
        given: dict[str, Any] = {"end": r.End.FINISHED, "final": observe(steps), "outcome": True, **fields}
        return r.Trajectory(trajectory_id, task, taken, provenance=r.Provenance("random"), **given)

    return build


@pytest.fixture(scope="session")
def write_forest() -> Callable[[r.UiNode], bytes]:
    """The bytes of an accessibility forest of one window with a tree in it, as `read_forest` takes them."""

    def write(root: r.UiNode) -> bytes:
        flat: list[bytes] = []
        _write_node(root, flat)
        tree = b"".join(part for node in flat for part in wire.write_bytes(1, [node]))
        return b"".join(wire.write_bytes(1, wire.write_bytes(11, [tree])))

    return write


def _write_node(node: r.UiNode, flat: list[bytes]) -> int:
    """Add the node and all below it to the list; returns its number."""
    number = len(flat) + 1
    flat.append(b"")
    children = [_write_node(child, flat) for child in node.children]
    parts: list[bytes | memoryview] = [wire.write_number(1, number)]
    parts += wire.write_bytes(2, [wire.write_number(side, at) for side, at in zip(_SIDES, node.bounds, strict=True)])
    for place, name in _TEXTS.items():
        parts += wire.write_bytes(place, [str(getattr(node, name)).encode("utf-8", "replace")])
    parts += [wire.write_number(place, 1) for place, name in _FLAGS.items() if getattr(node, name)]
    parts += wire.write_bytes(25, [wire.write_varint(child) for child in children])
    flat[number - 1] = b"".join(parts)
    return number
