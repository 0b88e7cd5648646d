"""Reading the named values of an action, whatever the syntax they came in.

Every function takes the mapping of an action's arguments and the name of one, and raises ValueError that says what
stands there and what is expected.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from tapwise.agent.codecs.frames import Frame
from tapwise.records import Point

LONGEST_S = 60.0
"""Longest wait or press that a format may say, in seconds."""

_SHOWN = 120


def excerpt(text: str) -> str:
    """A reply on one line, short enough for an error message."""
    return repr(" ".join(text.split())[:_SHOWN])


def shown(value: object) -> str:
    """A value for an error message: cut short, and safe where a model nested it too deeply to print."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} that cannot be printed"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def text_of(given: Mapping[str, Any], name: str) -> str:
    """The text under `name`."""
    value = given.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is {shown(value)}, expected text")
    return value


def number_of(given: Mapping[str, Any], name: str) -> float:
    """The finite number under `name`."""
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {shown(value)}, expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{name} is no finite number")
    return number


def seconds(value: float, name: str) -> float:
    """A duration, checked: from 0 to `LONGEST_S` seconds."""
    if not 0 <= value <= LONGEST_S:
        raise ValueError(f"{name} is {value!r}, outside 0..{LONGEST_S:g} seconds")
    return float(value)


def seconds_of(given: Mapping[str, Any], name: str, default: float) -> float:
    """The duration under `name` in seconds, as a number or as digits in text; `default` where it is left out."""
    value = given.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,30})?(?:e-\d{1,3})?)\s*(?:s|seconds?)?\s*", value)
        if match is None:
            raise ValueError(f"{name} is {shown(value)}, expected seconds")
        return seconds(float(match.group(1)), name)
    return seconds(number_of(given, name), name)


def plain_number(value: float) -> int | float:
    """A number without a fraction where it has none, so that it is written as 2 and not as 2.0."""
    return int(value) if value == int(value) else value


def pair_of(given: Mapping[str, Any], name: str, frame: Frame) -> Point:
    """The point that the list [x, y] under `name` says in `frame`."""
    value = given.get(name)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{name} is {shown(value)}, expected [x, y]")
    return frame.read(*(number_of({name: item}, name) for item in value))


def first_object(text: str, start: int) -> tuple[dict[str, Any], int]:
    """The JSON object that begins at `start` or after white space there, and where it ends."""
    brace = text.find("{", start)
    if brace < 0 or text[start:brace].strip():
        raise ValueError(f"no JSON object in {excerpt(text[start:])}")
    try:
        value, end = json.JSONDecoder().raw_decode(text, brace)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"no JSON object in {excerpt(text[brace:])}: {reason}") from None
    return value, end
