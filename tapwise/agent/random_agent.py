"""An agent that plays at random: the floor of every comparison, and a source of exploration."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tapwise.agent.json_codec import JsonCodec
from tapwise.records import (
    Action,
    Context,
    Decision,
    Finish,
    Key,
    Observation,
    Point,
    Press,
    Swipe,
    Tap,
    TypeText,
    UiNode,
    Wait,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """How often each kind of action is drawn, relative to the others."""

    tap: float = 0.62
    swipe: float = 0.14
    back: float = 0.08
    type_text: float = 0.08
    home: float = 0.02
    wait: float = 0.02
    finish: float = 0.04


class RandomPolicy:
    """Taps a random clickable node where there is an accessibility tree, else a random point; at times it swipes,
    goes back, types a word of the instruction, or ends the episode.

    The n-th decision on a task depends only on the seed, the task's id, n and the observation, so that the order in
    which devices ask does not matter between tasks.
    """

    name = "random"
    version = 0

    def __init__(self, seed: int = 0, weights: Weights | None = None) -> None:
        chosen = weights or Weights()
        self.seed = seed
        self._draws: dict[str, int] = {}
        self._guard = threading.Lock()
        self._codec = JsonCodec()
        self._kinds: dict[Callable[[random.Random, Context], Action], float] = {
            _tap: chosen.tap,
            _swipe: chosen.swipe,
            _type_text: chosen.type_text,
            lambda _generator, _context: Press(Key.BACK): chosen.back,
            lambda _generator, _context: Press(Key.HOME): chosen.home,
            lambda _generator, _context: Wait(): chosen.wait,
            lambda _generator, _context: Finish(): chosen.finish,
        }

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        """One decision per context, in order."""
        return [self._decide(context) for context in contexts]

    def _decide(self, context: Context) -> Decision:
        with self._guard:
            draw = self._draws.get(context.task.id, 0)
            self._draws[context.task.id] = draw + 1
        digest = hashlib.sha256(f"{self.seed}\0{draw}\0{context.task.id}".encode("utf-8", "surrogatepass")).digest()
        generator = random.Random(digest)
        (kind,) = generator.choices(list(self._kinds), list(self._kinds.values()))
        action = kind(generator, context)
        return Decision(action, self._codec.format(action))


def _tap(generator: random.Random, context: Context) -> Action:
    nodes = _clickable(context.observation)
    if not nodes:
        return Tap(_any_point(generator))
    node = generator.choice(nodes)
    return Tap(Point.from_pixels(*node.centre, context.observation.screenshot.size), node.label or None)


def _swipe(generator: random.Random, _context: Context) -> Action:
    return generator.choice(
        [
            Swipe(Point(0.5, 0.75), Point(0.5, 0.25)),
            Swipe(Point(0.5, 0.25), Point(0.5, 0.75)),
            Swipe(Point(0.85, 0.5), Point(0.15, 0.5)),
            Swipe(Point(0.15, 0.5), Point(0.85, 0.5)),
        ]
    )


def _type_text(generator: random.Random, context: Context) -> Action:
    words = context.task.instruction.split() or ["hello"]
    return TypeText(generator.choice(words).strip(".,!?\"'") or "hello")


def _clickable(observation: Observation) -> list[UiNode]:
    if observation.ui is None:
        return []
    size = observation.screenshot.size
    return [
        node
        for node in observation.ui.walk()
        if node.clickable and node.enabled and _on_screen(node, size.width, size.height)
    ]


def _on_screen(node: UiNode, width: int, height: int) -> bool:
    left, top, right, bottom = node.bounds
    x, y = node.centre
    return left < right and top < bottom and 0 <= x < width and 0 <= y < height


def _any_point(generator: random.Random) -> Point:
    return Point(generator.random(), generator.random())
