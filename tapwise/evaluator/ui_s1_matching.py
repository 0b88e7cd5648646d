"""Whether a predicted action agrees with the expert's, for UI-S1's JSON actions, under rules that are written down.

UI-S1 (arXiv 2509.11543) has two matchers that disagree: the one behind its training reward and the looser one behind
its metric. Both, and a strict one, are values of `MatchRules` here, read by one matcher.

Coordinates are pixels (x, y) of one stated size, origin top left. They are normalised by that size before anything is
compared, so a swipe's main axis is the axis along which it covers the larger share of the screen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

JsonAction = Mapping[str, Any]
"""An action in UI-S1's JSON form: `action` and its arguments at the same level."""

SizeWh = tuple[float, float]
"""Width and height in pixels."""

RADIUS = 0.04
"""Euclidean distance to the expert's point, as a share of the screen, within which a tap is right."""

_ARGUMENTS = {
    "click": ("coordinate",),
    "long_press": ("coordinate",),
    "swipe": ("coordinate", "coordinate2"),
    "type": ("text",),
    "answer": ("text",),
    "key": ("text",),
    "open": ("text",),
    "system_button": ("button",),
    "wait": (),
    "terminate": (),
}
_OPPOSITE = {"up": "down", "down": "up"}
_Point = tuple[float, float]
_Box = tuple[float, float, float, float]


class StepMatch(NamedTuple):
    """One predicted action against the expert's.

    `error` marks a step that UI-S1's evaluation cannot judge (the reply was unparsable, or the expert's action is of a
    kind it does not implement).
    """

    type_match: bool
    match: bool
    error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRules:
    """Every respect in which matchers of UI-S1's actions differ. The defaults forgive nothing.

    swipe_direction: a swipe must go the expert's way; otherwise any swipe matches any other.
    flip_expert_points: an expert's vertical swipe given as two points is turned round first (a defect).
    substring: a text is right when it contains, or is contained in, the expert's; otherwise they must be equal. Case
        and surrounding space never count; strict equality also reads any run of white space as one blank.
    empty_text: with `substring`, an empty text matches every text (a defect).
    box_scale: a listed box is scaled by this about its centre.
    largest_box_share: listed boxes that cover a larger share of the screen are left out.
    radius_beside_boxes: a tap near the expert's point is right even outside the boxes; otherwise only where there is
        no box to be inside of.
    open_by_tap: an app may be opened by a tap into one of the boxes listed for the step.
    status: `terminate` must state the expert's status.
    answer_by_typing: an expert's `answer` or `key` is matched by `type`, not by itself (a defect).
    never_credited: kinds of expert action that nothing matches.
    error_forfeits_task: a step that cannot be judged takes away the steps matched before it.
    """

    swipe_direction: bool = True
    flip_expert_points: bool = False
    substring: bool = False
    empty_text: bool = False
    box_scale: float = 1.0
    largest_box_share: float = 0.1
    radius_beside_boxes: bool = False
    open_by_tap: bool = True
    status: bool = True
    answer_by_typing: bool = False
    never_credited: frozenset[str] = frozenset()
    error_forfeits_task: bool = False


def match_action(predicted: JsonAction | None, expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> StepMatch:
    """Compare a prediction (None where the reply could not be parsed) with the expert's action under `rules`.

    Both are in pixels of `size_wh`. An unknown or incomplete prediction matches nothing; an unknown or incomplete
    expert action raises ValueError, since then the data are wrong.
    """
    kind = expert.get("action")
    if not isinstance(kind, str) or kind not in _ARGUMENTS:
        raise ValueError(f"expert action {dict(expert)!r}: 'action' must be one of {', '.join(_ARGUMENTS)}")
    if predicted is None or kind in rules.never_credited:
        return StepMatch(False, False, error=True)
    if not is_complete(predicted):
        return StepMatch(False, False)
    if kind == "open" and predicted["action"] == "click":
        opened = rules.open_by_tap and _in_boxes(predicted["coordinate"], expert, size_wh, rules)
        return StepMatch(opened, opened)
    wanted = "type" if rules.answer_by_typing and kind in ("answer", "key") else kind
    if predicted["action"] != wanted:
        return StepMatch(False, False)
    return StepMatch(True, _same_arguments(kind, predicted, expert, size_wh, rules))


def is_complete(action: JsonAction) -> bool:
    """Whether the action is of a known kind and has the arguments of its kind, of the right types."""
    kind = action.get("action")
    if not isinstance(kind, str) or kind not in _ARGUMENTS:
        return False
    return all(
        isinstance(action.get(name), str) if name in ("text", "button") else _point(action.get(name)) is not None
        for name in _ARGUMENTS[kind]
    )


def point_names(action: JsonAction) -> tuple[str, ...]:
    """Names of the arguments of a complete action that are points."""
    return tuple(name for name in _ARGUMENTS[action["action"]] if name.startswith("coordinate"))


def _same_arguments(kind: str, predicted: JsonAction, expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> bool:
    match kind:
        case "click" | "long_press":
            return _same_place(predicted, expert, size_wh, rules)
        case "swipe":
            return not rules.swipe_direction or _same_way(predicted, expert, size_wh, rules)
        case "type" | "answer" | "key" | "open":
            return _same_text(predicted["text"], _expert_text(expert, "text"), rules)
        case "system_button":
            return _folded(predicted["button"]) == _folded(_expert_text(expert, "button"))
        case "terminate":
            return not rules.status or predicted.get("status") == _expert_text(expert, "status")
        case _:  # wait: how long is not compared
            return True


def _same_place(predicted: JsonAction, expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> bool:
    if _in_boxes(predicted["coordinate"], expert, size_wh, rules):
        return True
    if not rules.radius_beside_boxes and _usable_boxes(expert, size_wh, rules):
        return False
    at, target = _normalised(predicted, "coordinate", size_wh), _expert_point(expert, "coordinate", size_wh)
    return math.dist(at, target) <= RADIUS


def _in_boxes(at: Sequence[float], expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> bool:
    x, y = float(at[0]), float(at[1])
    return any(
        abs(2 * x - left - right) <= rules.box_scale * (right - left)
        and abs(2 * y - top - bottom) <= rules.box_scale * (bottom - top)
        for left, top, right, bottom in _usable_boxes(expert, size_wh, rules)
    )


def _usable_boxes(expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> list[_Box]:
    return [box for box in boxes_of(expert) if _share(box, size_wh) <= rules.largest_box_share]


def boxes_of(expert: JsonAction) -> list[_Box]:
    """The (left, top, right, bottom) boxes, in pixels, of `candidate_bbox` or `bbox`: one flat box or a list of boxes.

    Raises ValueError for anything else.
    """
    given = expert.get("candidate_bbox") or expert.get("bbox") or []
    boxes = [given] if isinstance(given, Sequence) and given and _is_number(given[0]) else given
    if not isinstance(boxes, Sequence) or not all(_is_box(box) for box in boxes):
        raise ValueError(f"boxes {given!r} of an expert's action: needed is [x1, y1, x2, y2] or a list of such")
    return [(float(box[0]), float(box[1]), float(box[2]), float(box[3])) for box in boxes]


def _is_box(value: object) -> bool:
    return isinstance(value, Sequence) and len(value) == 4 and all(map(_is_number, value))


def _share(box: _Box, size_wh: SizeWh) -> float:
    """Share of the screen that the box covers; what lies outside the screen does not count."""
    width = min(box[2], size_wh[0]) - max(box[0], 0.0)
    height = min(box[3], size_wh[1]) - max(box[1], 0.0)
    return max(width, 0.0) * max(height, 0.0) / (size_wh[0] * size_wh[1])


def _same_way(predicted: JsonAction, expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> bool:
    way = finger_direction(
        _normalised(predicted, "coordinate", size_wh), _normalised(predicted, "coordinate2", size_wh)
    )
    return way is not None and way == _expert_way(expert, size_wh, rules)


def _expert_way(expert: JsonAction, size_wh: SizeWh, rules: MatchRules) -> str:
    """The way of the expert's finger.

    The labels of UI-S1's evaluation file name the content's way up and down, but the finger's way left and right.
    """
    label: str | None = expert.get("direction")
    if label is not None:
        if label not in ("up", "down", "left", "right"):
            raise ValueError(f"expert swipe {dict(expert)!r}: 'direction' must be up, down, left or right")
        return _OPPOSITE.get(label, label)
    way = finger_direction(_expert_point(expert, "coordinate", size_wh), _expert_point(expert, "coordinate2", size_wh))
    if way is None:
        raise ValueError(f"expert swipe {dict(expert)!r} starts where it ends: 'coordinate2' must differ")
    return _OPPOSITE.get(way, way) if rules.flip_expert_points else way


def finger_direction(start: _Point, end: _Point) -> str | None:
    """up, down, left or right along the larger difference (up and down when equal); None where nothing moves."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    if dx == 0 and dy == 0:
        return None
    if abs(dx) > abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


def _same_text(predicted: str, expert: str, rules: MatchRules) -> bool:
    if not rules.substring:
        return _folded(predicted) == _folded(expert)
    said, wanted = predicted.strip().lower(), expert.strip().lower()
    if not rules.empty_text and (not said or not wanted):
        return said == wanted
    return said in wanted or wanted in said


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _expert_text(expert: JsonAction, name: str) -> str:
    text = expert.get(name)
    if not isinstance(text, str):
        raise ValueError(f"expert action {dict(expert)!r}: {name!r} must be a string")
    return text


def _expert_point(expert: JsonAction, name: str, size_wh: SizeWh) -> _Point:
    if _point(expert.get(name)) is None:
        raise ValueError(f"expert action {dict(expert)!r}: {name!r} must be [x, y] in pixels")
    return _normalised(expert, name, size_wh)


def _normalised(action: JsonAction, name: str, size_wh: SizeWh) -> _Point:
    return float(action[name][0]) / size_wh[0], float(action[name][1]) / size_wh[1]


def _point(value: object) -> _Point | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2 or not all(map(_is_number, value)):
        return None
    return float(value[0]), float(value[1])


def _is_number(value: object) -> bool:
    # The bound keeps arithmetic on what a model may write finite; no screen is that large.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
