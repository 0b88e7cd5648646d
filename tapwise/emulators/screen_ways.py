"""Several ways to a phone's screen: each is measured, and the fastest that shows the same picture is used."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tapwise.errors import DeviceError

Grab = Callable[[], NDArray[np.uint8]]
_MEASURED: Final = 3
"""pictures by which a way is measured; the fastest counts, since the first pays for connections"""
_COMPARED: Final = 4
"""attempts at a comparison while the screen moves, or shows one colour"""
_DOUBTED_EVERY: Final = 10
"""screenshots between two attempts to compare a way whose picture could not be compared yet"""
_DOUBTS: Final = 20
"""such attempts, before the way is left alone"""
_UNTOLD: Final = "the screen did not keep still, or had one colour, so that pictures did not compare"
_ANOTHER: Final = "it shows another picture than screencap"
_CHECK_EVERY: Final = 200
"""screenshots after which a way beside screencap must show once more that it shows the same"""
_LEVELS: Final = 8
"""a colour may be off by so much: emulators convert it on different ways"""
_ODD_SHARE: Final = 1e-3
"""share of pixels that may be further off, such as those of a clock that ticks"""


@dataclass(frozen=True, slots=True)
class ScreenChoice:
    """How screenshots are taken: by `chosen`; `ms` is what each way took in milliseconds, `refused` why one is not
    used."""

    chosen: str
    ms: Mapping[str, float]
    refused: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For files, and for people's programs."""
        ms = {name: round(value, 3) for name, value in self.ms.items()}
        return {"chosen": self.chosen, "ms": ms, "refused": dict(self.refused)}


def describe_choice(told: Mapping[str, Any]) -> str:
    """What `ScreenChoice.to_json` tells, in a line."""
    others = ", ".join(f"{name} {value:.1f} ms" for name, value in told["ms"].items() if name != told["chosen"])
    own = told["ms"].get(told["chosen"])
    refused = "".join(f"; not {name}: {why}" for name, why in told["refused"].items())
    return f"{told['chosen']}{'' if own is None else f' {own:.1f} ms'}{f' ({others})' if others else ''}{refused}"


class ScreenWays:
    """Takes screenshots by the best of several ways, chosen when the first one is wanted.

    `own` are the phone's own ways (`screencap`), which are believed; the `other` one must show the same picture on a
    screen that keeps still. When it fails later, or shows something else, the next best way takes over in the same
    call, until `forget`. DeviceLost and DeviceTimeout of the phone's own ways pass through. Not thread-safe, but
    `choice` may be read from anywhere.
    """

    def __init__(self, own: Mapping[str, Grab], other: Mapping[str, Grab] | None = None) -> None:
        self._own = dict(own)
        self._other = dict(other or {})
        self._shape: tuple[int, ...] = ()
        self._since_check = 0
        self._doubts = 0
        self.choice: ScreenChoice | None = None

    def forget(self) -> None:
        """Choose anew at the next screenshot: the phone, or the way to it, is another."""
        self.choice, self._doubts = None, 0

    def grab(self) -> NDArray[np.uint8]:
        """Pixels (height, width, 3). Raises DeviceError when no way gives any."""
        if self.choice is None:
            self.choice = self._probe()
        self._since_check += 1
        if self._doubted() and self._doubts < _DOUBTS and self._since_check >= _DOUBTED_EVERY:
            self.choice = self._judged(self.choice.ms, self.choice.refused)
        name = self.choice.chosen
        if name in self._own:
            return self._by_own(name)
        try:
            pixels = self._by_other(name)
            if self._since_check >= _CHECK_EVERY or pixels.shape != self._shape:  # a turn of the screen shows so, too
                self._recheck(name)
            if pixels.shape != self._shape:  # not proved yet in this position
                return self._by_own(self._best_own())
        except _OtherFailed as error:
            self._drop(name, str(error))
            return self.grab()
        return pixels

    def _by_other(self, name: str) -> NDArray[np.uint8]:
        try:
            return self._other[name]()
        except DeviceError as error:
            raise _OtherFailed(str(error)) from error

    def _by_own(self, name: str) -> NDArray[np.uint8]:
        """A picture that is malformed once is taken by the phone's other way."""
        try:
            return self._own[name]()
        except DeviceError as error:
            others = [other for other in self._own if other != name]
            if type(error) is not DeviceError or not others:
                raise
            return self._own[others[0]]()

    def _recheck(self, name: str) -> None:
        """Raises DeviceError when the way does not show what screencap shows any more."""
        reference = self._own[self._best_own()]
        same = self._compare(name, reference)
        if same is None:  # asked again with the next picture
            return
        self._since_check = 0
        if not same:
            raise _OtherFailed(f"{_ANOTHER} by now")

    def _drop(self, name: str, reason: str) -> None:
        assert self.choice is not None
        self.choice = ScreenChoice(self._best_own(), self.choice.ms, {**self.choice.refused, name: reason})

    def _best_own(self) -> str:
        assert self.choice is not None
        ms, refused = self.choice.ms, self.choice.refused
        return min((name for name in self._own if name in ms and name not in refused), key=ms.__getitem__)

    def _probe(self) -> ScreenChoice:
        ms: dict[str, float] = {}
        refused: dict[str, str] = {}
        for name, grab in {**self._own, **self._other}.items():
            try:
                try:
                    ms[name] = _measure(grab)
                except DeviceError as error:
                    if name not in self._own or type(error) is not DeviceError:
                        raise
                    ms[name] = _measure(grab)  # a picture may be torn once
            except DeviceError as error:
                if name in self._own and type(error) is not DeviceError:
                    raise
                refused[name] = str(error)
        if not any(name in ms for name in self._own):
            raise DeviceError("no way to the screen works: " + "; ".join(f"{k}: {v}" for k, v in refused.items()))
        return self._judged(ms, refused)

    def _doubted(self) -> bool:
        return self.choice is not None and _UNTOLD in self.choice.refused.values()

    def _judged(self, ms: Mapping[str, float], refused: Mapping[str, str]) -> ScreenChoice:
        """The fastest way of those that show the same as the phone's own best one."""
        best = min((name for name in self._own if name in ms), key=ms.__getitem__)
        reasons = {name: why for name, why in refused.items() if why != _UNTOLD}
        for name in self._other.keys() & ms.keys() - reasons.keys():
            try:
                same = self._compare(name, self._own[best])
            except _OtherFailed as error:
                reasons[name] = str(error)
                continue
            if not same:
                reasons[name] = _UNTOLD if same is None else _ANOTHER
        self._doubts += 1
        self._since_check = 0
        return ScreenChoice(min(ms.keys() - reasons.keys(), key=ms.__getitem__), ms, reasons)

    def _compare(self, name: str, reference: Grab) -> bool | None:
        """Whether both show the same; None when the screen moves, or shows one colour, all the time."""
        before = reference()
        for _ in range(_COMPARED):
            pixels = self._by_other(name)
            after = reference()
            still = before.shape == after.shape and np.array_equal(before, after)
            if still and not is_plain(after):
                self._shape = after.shape
                return _alike(pixels, after)
            before = after
        return None


class _OtherFailed(DeviceError):
    """A way beside screencap failed during a comparison; the phone may be well."""


def is_plain(pixels: NDArray[np.uint8], every: int = 16) -> bool:
    """Whether a picture has one colour only, as when it was taken while nothing was drawn."""
    sample = pixels[::every, ::every]
    return bool((sample == sample[0, 0]).all()) and bool((pixels == pixels[0, 0]).all())


def _measure(grab: Grab) -> float:
    """Milliseconds of the fastest picture of a few."""
    took = []
    for _ in range(_MEASURED):
        started = time.perf_counter()
        grab()
        took.append(time.perf_counter() - started)
    return 1e3 * min(took)


def _alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    if one.shape != other.shape:
        return False
    apart = np.abs(one.astype(np.int16) - other).max(axis=2) > _LEVELS
    return bool(apart.mean() <= _ODD_SHARE)
