"""How well a model points at what it is told to, on screens that it was not trained on."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from tapwise import images
from tapwise.agent.vlm.model import VlmModel
from tapwise.records import Context, Observation, Tap, Task
from tapwise.training.pretraining.random_pages import RandomPages
from tapwise.training.pretraining.screens import Element, LabelledScreen, walk_screens
from tapwise.training.pretraining.vocabulary import Vocabulary

HELD_OUT = 1 << 40
"""walks from here on are never trained on: training draws below 2^30"""


@dataclass(frozen=True, slots=True)
class Grounding:
    """Share of questions answered right, with their numbers. A touch is right when the element asked for is the
    nearest one to it."""

    right: int
    asked: int

    @property
    def accuracy(self) -> float:
        """Share answered right."""
        return self.right / self.asked if self.asked else 0.0


def measure_grounding(
    model: VlmModel, vocabulary: Vocabulary, *, screens: int = 200, per_screen: int = 3
) -> dict[str, Grounding]:
    """Pointing accuracy on held-out screens of the apps and on held-out random pages."""
    rng = random.Random("grounding")
    walked: list[LabelledScreen] = []
    seed = HELD_OUT
    while len(walked) < screens:
        walked += list(walk_screens(seed, vocabulary.words, 12))[2:]
        seed += 1
    pages = RandomPages(vocabulary.words, vocabulary.icons)
    drawn = [pages.screen(rng) for _ in range(screens)]
    return {
        "apps": _measure(model, walked[:screens], rng, per_screen),
        "random pages": _measure(model, drawn, rng, per_screen),
    }


def _measure(model: VlmModel, screens: list[LabelledScreen], rng: random.Random, per_screen: int) -> Grounding:
    right = asked = 0
    for screen in screens:
        counts = Counter(element.label for element in screen.elements)
        unique = [e for e in screen.elements if counts[e.label] == 1]
        chosen = rng.sample(unique, min(per_screen, len(unique)))
        if not chosen:
            continue
        contexts = [_question(screen, element) for element in chosen]
        for element, generation in zip(chosen, model.generate(contexts, greedy=True), strict=True):
            asked += 1
            try:
                action = model.action_text.parse(generation.text)
            except ValueError:
                continue
            right += isinstance(action, Tap) and _nearest(screen, action) is element
    return Grounding(right, asked)


def _question(screen: LabelledScreen, element: Element) -> Context:
    task = Task("grounding", f"tap {element.label}", "grounding", "", "grounding", (), 1, "test")
    return Context(task, (), Observation(images.encode(screen.pixels), "", True, 0.0))


def _nearest(screen: LabelledScreen, tap: Tap) -> Element:
    height, width = screen.pixels.shape[:2]
    return min(
        screen.elements,
        key=lambda e: ((e.at[0] - tap.at.x) * width) ** 2 + ((e.at[1] - tap.at.y) * height) ** 2,
    )
