"""Steps of SeeClick's Android-in-the-Wild files (arXiv 2401.10935), as VEM uses them, in the data set's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tapwise.evaluator.aitw import ActionType

_Point = tuple[float, float]

SCROLLS_YX: Mapping[int, tuple[_Point, _Point]] = MappingProxyType(
    {
        0: ((0.8, 0.5), (0.2, 0.5)),
        1: ((0.2, 0.5), (0.8, 0.5)),
        8: ((0.5, 0.2), (0.5, 0.8)),
        9: ((0.5, 0.8), (0.5, 0.2)),
    }
)
"""Where the finger starts and ends, (y, x), for scroll down, up, left and right.

The names are the content's: to scroll down, the finger moves up.
"""


def action_from_seeclick(step: Mapping[str, Any]) -> dict[str, Any]:
    """One step's action in the keys that `actions_match` reads: types by number, points as (y, x) in [0, 1].

    SeeClick writes `touch` and `lift` as [x, y], and gives scrolls types of their own, without points. Raises
    ValueError for an unknown `action_type_id`, or a gesture without two points.
    """
    kind = step.get("action_type_id")
    nowhere = (-1.0, -1.0)
    if isinstance(kind, int) and kind in SCROLLS_YX:
        touch, lift = SCROLLS_YX[kind]
        return {"action_type": int(ActionType.DUAL_POINT), "yx_touch": touch, "yx_lift": lift, "type_action": ""}
    if not isinstance(kind, int) or kind not in set(ActionType):
        raise ValueError(f"SeeClick step with action_type_id {kind!r}: the type is unknown")
    gesture = kind == ActionType.DUAL_POINT
    return {
        "action_type": kind,
        "yx_touch": _swapped(step, "touch") if gesture else nowhere,
        "yx_lift": _swapped(step, "lift") if gesture else nowhere,
        "type_action": step.get("type_text", ""),
    }


def _swapped(step: Mapping[str, Any], name: str) -> _Point:
    try:
        x, y = (float(value) for value in step[name])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"SeeClick gesture with {name} {step.get(name)!r}: needed is [x, y]") from None
    return y, x
