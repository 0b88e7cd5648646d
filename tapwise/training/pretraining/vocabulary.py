"""The words that the small model reads and writes: all that apps show and task suites say."""

from __future__ import annotations

from dataclasses import dataclass

from tapwise.android_env.suites import load_suite
from tapwise.emulators.virtual.noise import ADS, POPUPS
from tapwise.emulators.virtual.ui.views import IconButton
from tapwise.training.pretraining.screens import NAVIGATION, label_screen, walk

DIGITS = tuple(str(n) for n in range(61))


def instruction_words() -> set[str]:
    """Every word of every instruction of the shipped suites (words only: no instruction is trained on)."""
    tasks = [task for split in ("train", "test") for task in load_suite("all").tasks(split)]
    return {word for task in tasks for word in task.instruction.lower().split()}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Sorted words, and the sorted (icon, description) pairs of the apps' icon buttons."""

    words: tuple[str, ...]
    icons: tuple[tuple[str, str], ...]


def build_vocabulary(walks: int = 120, steps: int = 40) -> Vocabulary:
    """Words of the instructions, of `walks` random walks through the apps, of interruptions, and small numbers."""
    instructions = sorted(instruction_words())
    found = {*instructions, *DIGITS}
    icons: set[tuple[str, str]] = set()
    for seed in range(100_000, 100_000 + walks):
        for phone in walk(seed, instructions, steps):
            screen = label_screen(phone.frame(), phone.tree(), phone.density / 160)
            found |= {word.text for word in screen.words}
            views = [view for view in phone.views() if isinstance(view, IconButton)]
            icons |= {(view.icon, view.description) for view in views if view.description not in ("", *NAVIGATION)}
    for popup in (*POPUPS, *ADS):
        found |= set(f"{popup.title} {popup.dismiss} {popup.accept} {popup.lure}".lower().split())
    words = sorted(word for word in found if word and len(word) <= 20 and not word.endswith("…"))
    return Vocabulary(tuple(words), tuple(sorted(icons)))
