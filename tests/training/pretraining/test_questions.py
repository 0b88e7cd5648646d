"""What the small model is asked of a screen."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tapwise.agent.action_text import GRID, GridActionText
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Tap
from tapwise.training.pretraining.questions import COLUMNS, Questioner, naming_targets
from tapwise.training.pretraining.random_pages import RandomPages
from tapwise.training.pretraining.screens import LabelledScreen, label_screen, walk_screens

WORDS = ("nova", "lamp", "wifi", "garden", "coffee", "settings")


@pytest.fixture
def settings_screen() -> LabelledScreen:
    phone = VirtualPhone(seed=1)
    phone.start("com.android.settings")
    return label_screen(phone.frame(), phone.tree(), phone.density / 160)


def test_elements_are_where_a_touch_opens_them() -> None:
    phone = VirtualPhone(seed=1)
    phone.start("com.android.settings")
    screen = label_screen(phone.frame(), phone.tree(), phone.density / 160)
    element = next(e for e in screen.elements if e.label == "display")
    phone.tap(element.at[0] * 540, element.at[1] * 1200)
    assert any(node.label == "Dark theme" for node in phone.tree().walk())


def test_answers_point_at_the_element_that_is_asked_for(settings_screen: LabelledScreen) -> None:
    at = {element.label: element.at for element in settings_screen.elements}
    touches = 0
    for prompt, answer in Questioner(WORDS).ask(settings_screen, random.Random(0), 60):
        if not answer.startswith("tap"):
            continue
        touches += 1
        action = GridActionText().parse(answer)
        assert isinstance(action, Tap)
        assert action.target is not None
        assert f"tap {action.target}" in prompt
        x, y = at[action.target]
        assert abs(action.at.x - x) <= 0.5 / GRID + 1e-9
        assert abs(action.at.y - y) <= 0.5 / GRID + 1e-9
    assert touches > 30


def test_of_several_things_the_next_one_is_said_or_that_all_are_done(settings_screen: LabelledScreen) -> None:
    seen = set()
    for prompt, answer in Questioner(WORDS).ask(settings_screen, random.Random(1), 300):
        goal, did = prompt.removeprefix("goal ").split(" did", 1)
        parts, done = goal.split(" and "), [part for part in did.strip().split(" ; ") if part]
        if len(parts) < 2 or parts[: len(done)] != done or not all(p.startswith(("tap", "type")) for p in parts):
            continue
        expected = parts[len(done)] if len(done) < len(parts) else "done"
        assert answer.split(" <")[0] == expected
        seen.add(answer.split()[0])
    assert seen == {"tap", "type", "done"}


def test_words_to_type_are_copied_out_of_a_longer_goal(settings_screen: LabelledScreen) -> None:
    copied = 0
    for prompt, answer in Questioner(WORDS).ask(settings_screen, random.Random(2), 300):
        if answer.startswith("type"):
            copied += 1
            assert f"{answer} " in f"{prompt} "
    assert copied > 30


def test_the_token_over_a_word_names_it(settings_screen: LabelledScreen) -> None:
    named = naming_targets(settings_screen, {"display": 7, "sound": 8})
    word = next(w for w in settings_screen.words if w.text == "display")
    middle_row = int((word.box[1] + word.box[3]) / 2 * 13)
    middle_column = int((word.box[0] + word.box[2]) / 2 * COLUMNS)
    assert 7 in named.words[middle_row * COLUMNS + middle_column]
    assert not named.empty[middle_row * COLUMNS + middle_column]
    assert named.empty[11 * COLUMNS + 5]  # nothing stands above the navigation bar


def test_random_pages_and_walks_are_functions_of_their_seed() -> None:
    pages = RandomPages(WORDS, [("add", "Add")])
    first, second = pages.screen(random.Random(5)), pages.screen(random.Random(5))
    assert np.array_equal(first.pixels, second.pixels)
    assert first.elements == second.elements
    walks = [[screen.words for screen in walk_screens(9, WORDS, 6)] for _ in range(2)]
    assert walks[0] == walks[1]


def test_words_of_a_text_page_lie_inside_the_screen() -> None:
    screen = RandomPages(WORDS, []).text_screen(random.Random(1))
    assert len(screen.words) > 25
    for word in screen.words:
        left, top, right, bottom = word.box
        assert 0 <= left < right <= 1.02
        assert 0 <= top < bottom <= 1
