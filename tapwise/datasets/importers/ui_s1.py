"""UI-S1's JSONL: one task per line, screenshots named by their paths, places in pixels of the original screen.

Images may be absent (UI-S1 does not release them): observations then hold a placeholder, a black picture of the right
size, and the task's parameter `missing_images` says for which steps. Without a picture the screen's size is told
by the task's swipes, or is the smallest known one that holds its places; the parameter `screen_size` then says
"assumed".

UI-S1's two files disagree on vertical swipes: the one for evaluation, whose steps have `check_options`, holds the
finger's vector, the one for training the content's. Both become the finger's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tapwise.datasets.importers.common import (
    Imported,
    Options,
    Problem,
    build,
    decide,
    find_picture,
    json_lines,
    load_picture,
    need,
    observe,
    picture_folders,
    placeholder,
    source_text,
)
from tapwise.datasets.importers.ui_s1_actions import read_action
from tapwise.errors import DataError, WrongValue
from tapwise.records import Screenshot, Size, Split, Step, Verdict

KNOWN_SIZES = (Size(2400, 1080), Size(3120, 1440))
"""of AndroidControl's phones, (height, width)"""
_PLACES = ("coordinate", "coordinate2")


def episodes(source: Path, options: Options) -> Imported:
    """The tasks of one file. An id that comes twice gets the line's number too.

    Raises DataError when the file cannot be opened.
    """
    folders = picture_folders(source, options)
    seen: set[str] = set()
    for number, item in enumerate(json_lines(source)):
        if isinstance(item, DataError):
            yield Problem.of(item, "episode")
            continue
        where, record = item
        name = f"{source.stem}/{record.get('episode_id', number)}"
        name = f"{name}-{number}" if name in seen else name
        seen.add(name)
        if f"ui_s1/{name}" in options.skip:
            continue
        try:
            yield from _episode(name, record, folders, options, where)
        except DataError as error:
            yield Problem.of(error, "episode")


def _episode(name: str, record: Mapping[str, Any], folders: Sequence[Path], options: Options, where: str) -> Imported:
    goal, raw = need(record, "goal", str, where), need(record, "steps", list, where)
    if not raw or not all(isinstance(step, dict) for step in raw):
        raise WrongValue(f"{where}: 'steps' is no list of objects, or empty")
    pictures = [_picture(step, folders) for step in raw]
    evaluation = any("check_options" in step for step in raw)
    params: dict[str, str] = {}
    size = next((picture.size for picture in pictures if picture is not None), None)
    if size is None:
        size = assume_size(raw, options.size)
        params["screen_size"] = f"assumed {size.width}x{size.height}"
    steps = []
    for index, (step, picture) in enumerate(zip(raw, pictures, strict=True)):
        here = f"{where}, step {index}"
        content = need(step, "action_content", dict, here)
        screen = picture or placeholder(size)
        told = {field: step[field] for field in ("thought", "motivation", "action_description") if field in step}
        decision = decide(
            lambda content=content, at=screen.size, here=here: read_action(  # type: ignore[misc]
                content, at, here, reverse_vertical=not evaluation
            ),
            source_text(content if not told else {**told, **content}),
        )
        steps.append(Step(observe(screen), decision))
        for field in ("step_instruction", "annotation"):
            if isinstance(step.get(field), str):
                params[f"{field}_{index:03d}"] = step[field]
        if "check_options" in step:
            params[f"check_options_{index:03d}"] = source_text(step["check_options"])
    success = record.get("is_successful")
    split = _split(record.get("split", "test" if evaluation else "train"), where)
    yield build(
        "ui_s1",
        name,
        goal,
        steps,
        split=split,
        params=params,
        missing_images=[index for index, picture in enumerate(pictures) if picture is None],
        verdict=Verdict(success, "ui_s1:is_successful") if isinstance(success, bool) else None,
    )


def _split(told: Any, where: str) -> Split:
    """The split that our own export names, since UI-S1's files do not."""
    if told not in ("train", "test"):
        raise WrongValue(f"{where}: 'split' is {told!r:.80}, expected train or test")
    return "train" if told == "train" else "test"


def assume_size(steps: Sequence[Mapping[str, Any]], least: Size) -> Size:
    """The size that the task's swipes tell, else the smallest known one, from `least` on, that holds its places.

    UI-S1 makes swipes of AndroidControl's scrolls: through the screen's middle, between its quarters.
    """
    contents = [step.get("action_content") for step in steps]
    given = [[_xy(content.get(name)) for name in _PLACES] for content in contents if isinstance(content, dict)]
    places = [place for pair in given for place in pair if place is not None]
    right, bottom = max((x for x, _ in places), default=0.0), max((y for _, y in places), default=0.0)
    told = [size for first, last in given if first and last and (size := _size_of_swipe(first, last)) is not None]
    for size in (*told[:1], least, *KNOWN_SIZES):
        if right <= size.width and bottom <= size.height:
            return size
    return Size(max(least.height, math.ceil(bottom)), max(least.width, math.ceil(right)))


def _size_of_swipe(first: tuple[float, float], last: tuple[float, float]) -> Size | None:
    (left, right), (top, bottom) = sorted((first[0], last[0])), sorted((first[1], last[1]))
    if math.isclose(left, right, abs_tol=0.5) and math.isclose(bottom, 3 * top, abs_tol=1.5):
        return Size(round(4 * top), round(2 * left))
    if math.isclose(top, bottom, abs_tol=0.5) and math.isclose(right, 3 * left, abs_tol=1.5):
        return Size(round(2 * top), round(4 * left))
    return None


def _xy(place: Any) -> tuple[float, float] | None:
    if isinstance(place, list) and len(place) == 2 and all(isinstance(one, int | float) for one in place):
        return float(place[0]), float(place[1])
    return None


def _picture(step: Mapping[str, Any], folders: Sequence[Path]) -> Screenshot | None:
    path = step.get("screenshot")
    return load_picture(find_picture(path, folders)) if isinstance(path, str) else None
