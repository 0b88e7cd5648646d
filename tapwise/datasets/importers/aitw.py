"""Android in the Wild: TFRecord shards with one record per step and raw pixels.

Source: google-research/android_in_the_wild, README. Steps of an episode lie next to each other. Screen texts and icons
become the children of the observation's tree, in pixels; stores keep them with `keep_ui`.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tapwise import images
from tapwise.datasets.formats.example import Example, read_example
from tapwise.datasets.formats.tfrecord import Record, read_records
from tapwise.datasets.importers.aitw_actions import read_action
from tapwise.datasets.importers.common import (
    Imported,
    Options,
    Problem,
    build,
    decide,
    encoded,
    observe,
    source_text,
)
from tapwise.errors import ConfigError, DataError, WrongValue
from tapwise.records import Finish, Observation, Screenshot, Size, Split, Step, Trajectory, UiNode, Verdict

SUBSETS = ("google_apps", "install", "web_shopping", "general", "single")
_ENCODED = (b"\x89PNG", b"\xff\xd8\xff")


@dataclass(frozen=True, slots=True)
class _Read:
    """One step as it was read; the whole episode's facts are repeated in each."""

    number: int
    step: Step
    goal: str
    length: int
    device: str


def episodes(source: Path, options: Options) -> Imported:
    """The episodes of one shard.

    A step that cannot be read is a Problem and missing from its episode, whose task then says so in the parameter
    `missing_steps`. Raises DataError when the file cannot be opened.
    """
    subset = subset_of(source)
    parts = None if options.split_file is None else read_splits(options.split_file)
    name: str | None = None
    reads: list[_Read] = []
    for item in _examples(source):
        if isinstance(item, Problem):
            yield item
            continue
        try:
            episode = item.identifier("episode_id")
        except DataError as error:
            yield Problem.of(error, "step")
            continue
        if episode != name:
            yield from _finish(source, name, reads, parts, options)
            name, reads = episode, []
        if f"aitw/{subset}/{episode}" in options.skip or not _wanted(parts, options, episode):
            continue
        try:
            reads.append(_read_step(item, options))
        except DataError as error:
            yield Problem.of(error, "step")
    yield from _finish(source, name, reads, parts, options)


def subset_of(source: Path) -> str:
    """The subset that a shard belongs to, by its name or its folder's; "unknown" when neither says."""
    for text in (source.name, source.parent.name):
        for subset in SUBSETS:
            if text.replace("-", "_").lower().startswith(subset) or text.lower().startswith(subset.replace("_", "")):
                return subset
    return "unknown"


@functools.lru_cache(maxsize=4)
def read_splits(path: Path) -> dict[str, str]:
    """Episode id to the name of its part, from one of AitW's split files. Raises ConfigError."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        return {str(episode): str(part) for part, ids in parts.items() for episode in ids}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"split file {path} cannot be read ({error}): expected"
            ' {"train": [ids], "validation": [ids], "test": [ids]}'
        ) from error


def _examples(source: Path) -> Iterator[Example | Problem]:
    for record in read_records(source):
        if isinstance(record, Record):
            try:
                yield read_example(record.data, f"{source}, record {record.number}")
            except DataError as error:
                yield Problem.of(error, "step")
        else:
            yield Problem.of(record, "step")


def _wanted(parts: dict[str, str] | None, options: Options, episode: str) -> bool:
    return parts is None or not options.parts or parts.get(episode) in options.parts


def _read_step(example: Example, options: Options) -> _Read:
    touch, lift = example.floats("results/yx_touch").tolist(), example.floats("results/yx_lift").tolist()
    kind, typed = example.integer("results/action_type"), example.text("results/type_action", "")
    text = source_text({"action_type": kind, "yx_touch": touch, "yx_lift": lift, "type_action": typed})
    where = example.where
    decision = decide(lambda: read_action(kind, touch[::-1], lift[::-1], typed, where), text)
    return _Read(
        example.integer("step_id"),
        Step(_observation(example, options), decision),
        example.text("goal_info"),
        example.integer("episode_length", 0),
        example.text("device_type", ""),
    )


def _observation(example: Example, options: Options) -> Observation:
    screenshot = _screenshot(example, options)
    ui = _annotations(example, screenshot.size) if options.keep_ui else None
    return observe(screenshot, example.text("current_activity", ""), ui)


def _screenshot(example: Example, options: Options) -> Screenshot:
    data = example.blob("image/encoded")
    if bytes(data[:4]).startswith(_ENCODED):
        return encoded(bytes(data), example.where)
    shape = (example.integer("image/height"), example.integer("image/width"), example.integer("image/channels", 3))
    if min(shape) < 1 or shape[2] not in (1, 3, 4) or len(data) != shape[0] * shape[1] * shape[2]:
        raise WrongValue(
            f"{example.where}: image/encoded has {len(data)} bytes, which do not make a picture of"
            f" {shape[0]} x {shape[1]} pixels of {shape[2]} bytes: fetch the file again"
        )
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    if shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    return images.encode(np.ascontiguousarray(pixels[:, :, :3]), options.image_format)


def _annotations(example: Example, size: Size) -> UiNode | None:
    boxes = example.floats("image/ui_annotations_positions")
    if len(boxes) % 4:
        raise WrongValue(f"{example.where}: image/ui_annotations_positions has {len(boxes)} numbers, no multiple of 4")
    texts, kinds = example.texts("image/ui_annotations_text"), example.texts("image/ui_annotations_ui_types")
    return annotation_tree(boxes.tolist(), texts, kinds, size)


def annotation_tree(yxhw: Sequence[float], texts: Sequence[str], kinds: Sequence[str], size: Size) -> UiNode | None:
    """Screen annotations, flat (y, x, height, width) in parts of the screen, as a tree with bounds in pixels."""
    if not yxhw:
        return None
    scale = np.array([size.height, size.width, size.height, size.width], np.float64)
    boxes = np.rint(np.asarray(yxhw, np.float64).reshape(-1, 4) * scale).astype(np.int64).tolist()
    children = tuple(
        UiNode(
            text=texts[index] if index < len(texts) else "",
            class_name=kinds[index] if index < len(kinds) else "",
            bounds=(x, y, x + width, y + height),
        )
        for index, (y, x, height, width) in enumerate(boxes)
    )
    return UiNode(class_name="Annotations", bounds=(0, 0, size.width, size.height), children=children)


def _finish(
    source: Path, name: str | None, reads: list[_Read], parts: dict[str, str] | None, options: Options
) -> Iterator[Trajectory | Problem]:
    if name is None or not reads:
        return
    subset = subset_of(source)
    if parts is not None and name not in parts:
        yield Problem(
            "WrongValue",
            f"{source}: episode {name} is in no part of {options.split_file}: take the split file that goes with"
            " this subset",
            "episode",
        )
        return
    by_number = {read.number: read for read in reads}
    ordered = [by_number[number] for number in sorted(by_number)]
    first = ordered[0]
    length = max(first.length, ordered[-1].number + 1)
    params = {"official_split": parts[name]} if parts is not None else {}
    missing = sorted(set(range(length)) - set(by_number))
    if missing:
        params["missing_steps"] = numbers = ",".join(map(str, missing))
        yield Problem(
            "WrongValue",
            f"{source}: episode {name} has {len(by_number)} of its {length} steps, without {numbers}; it is kept, and"
            " its task says so in missing_steps: to have it whole, import a sound file into a new store",
            "nothing",
        )
    # What is not for training must never end up there: validation counts as test.
    split: Split = "train" if parts is None or parts[name] == "train" else "test"
    said = ordered[-1].step.decision.action
    done = Verdict(True, "aitw:demonstrator", reason="the demonstrator said that the task is complete")
    yield build(
        "aitw",
        f"{subset}/{name}",
        first.goal,
        [read.step for read in ordered],
        template=subset,
        split=split,
        params=params,
        device=first.device,
        verdict=done if said == Finish("success") else None,
    )
