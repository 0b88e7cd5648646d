"""AndroidControl: TFRecord shards with one record per episode, N + 1 PNG screenshots for N actions.

Source: google-research/android_control, README. Places are pixels; a scroll names the content's direction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tapwise.datasets.formats.accessibility_forest import read_forest
from tapwise.datasets.formats.example import Example, read_example
from tapwise.datasets.formats.tfrecord import Record, read_records
from tapwise.datasets.importers.aitw import read_splits
from tapwise.datasets.importers.common import (
    Imported,
    Options,
    Problem,
    build,
    decide,
    encoded,
    need,
    observe,
    pixel_point,
    scroll,
)
from tapwise.errors import DataError, WrongValue
from tapwise.records import (
    Action,
    Decision,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Press,
    Size,
    Step,
    Tap,
    TypeText,
    Verdict,
    Wait,
)

_KEYS = {"navigate_back": Key.BACK, "navigate_home": Key.HOME, "keyboard_enter": Key.ENTER}


def episodes(source: Path, options: Options) -> Imported:
    """The episodes of one shard. An accessibility tree that cannot be decoded is left out, with a Problem that loses
    nothing else. `options.split_file` is {"train": [ids], ...} as AndroidControl's splits.json.
    """
    parts = None if options.split_file is None else read_splits(options.split_file)
    for record in read_records(source):
        if not isinstance(record, Record):
            yield Problem.of(record, "episode")
            continue
        try:
            example = read_example(record.data, f"{source}, record {record.number}")
            name = example.identifier("episode_id")
            part = None if parts is None else parts.get(name, "none")
            if f"android_control/{name}" in options.skip or (options.parts and part not in options.parts):
                continue
            yield from _episode(example, name, part, options.keep_ui)
        except DataError as error:
            yield Problem.of(error, "episode")


def read_action(action: Mapping[str, Any], size: Size, where: str) -> Action:
    """The action of AndroidControl's JSON; places in pixels of a screen of `size`. Raises DataError."""
    kind = need(action, "action_type", str, where)
    match kind:
        case "click" | "long_press":
            at = pixel_point([action.get("x"), action.get("y")], size, where)
            return Tap(at) if kind == "click" else LongPress(at)
        case "scroll":
            return scroll(need(action, "direction", str, where), where)
        case "open_app":
            return OpenApp(need(action, "app_name", str, where))
        case "input_text" | "type":
            return TypeText(need(action, "text", str, where))
        case "wait":
            return Wait()
        case "status":
            return Finish("success" if action.get("goal_status") in ("complete", "successful") else "impossible")
        case _ if kind in _KEYS:
            return Press(_KEYS[kind])
        case _:
            raise WrongValue(f"{where}: action type {kind!r} is unknown")


def _episode(example: Example, name: str, part: str | None, keep_ui: bool) -> Imported:
    where = example.where
    actions = example.texts("actions")
    pictures = example.blobs("screenshots")
    if len(pictures) not in (len(actions), len(actions) + 1) or not actions:
        raise WrongValue(
            f"{where}: {len(pictures)} screenshots do not fit {len(actions)} actions: expected one more than actions"
        )
    trees = example.blobs("accessibility_trees") if keep_ui else []
    instructions = example.texts("step_instructions")
    params = {} if part is None else {"official_split": part}
    observations: list[Observation] = []
    undecoded = []
    for index, picture in enumerate(pictures):
        ui = None
        if index < len(trees):
            try:
                ui = read_forest(trees[index])
            except ValueError as error:
                undecoded.append(f"{index} ({error})")
        observations.append(observe(encoded(bytes(picture), f"{where}, screenshot {index}"), ui=ui))
    if undecoded:
        yield Problem(
            "WrongValue", f"{where}: trees that cannot be decoded are left out: {', '.join(undecoded)}", "nothing"
        )
    for index, text in enumerate(instructions):
        params[f"step_instruction_{index:03d}"] = text
    size_of = [observation.screenshot.size for observation in observations]
    steps = [
        Step(observations[index], _decide(text, size_of[index], f"{where}, action {index}"))
        for index, text in enumerate(actions)
    ]
    yield build(
        "android_control",
        name,
        example.text("goal"),
        steps,
        split="train" if part in (None, "train") else "test",
        params=params,
        final=observations[-1] if len(observations) > len(actions) else None,
        verdict=Verdict(True, "android_control:demonstrator", reason="a demonstration by a person"),
    )


def _decide(text: str, size: Size, where: str) -> Decision:
    def read() -> Action:
        try:
            action = json.loads(text)
        except ValueError as error:
            raise WrongValue(f"{where} is not JSON ({error})") from error
        if not isinstance(action, dict):
            raise WrongValue(f"{where} is no JSON object")
        return read_action(action, size, where)

    return decide(read, text)
