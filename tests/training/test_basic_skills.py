"""What demonstrations teach beside their own steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tapwise import images
from tapwise.agent.action_text import GRID, GridActionText
from tapwise.records import (
    Decision,
    End,
    Observation,
    Provenance,
    Step,
    Tap,
    Task,
    Trajectory,
    TypeText,
    UiNode,
)
from tapwise.training.basic_skills import known_words, pointing_samples, substitution_samples

WIDTH, HEIGHT = 100, 200
LABELS = {"Name": (0, 20, 100, 40), "Number": (0, 60, 100, 80), "Save": (50, 100, 100, 120)}


class Speaker:
    """Tokens are the words' places in a list: enough to tell what a sample says."""

    action_text = GridActionText()

    def __init__(self) -> None:
        self.said: list[str] = []

    def action_ids(self, text: str) -> tuple[int, ...]:
        self.said.append(text)
        return (len(self.said) - 1,)

    def can_say(self, token_ids: Sequence[int]) -> bool:
        return True


def observation() -> Observation:
    nodes = tuple(UiNode(text=label, bounds=bounds) for label, bounds in LABELS.items())
    tree = UiNode(bounds=(0, 0, WIDTH, HEIGHT), children=nodes)
    return Observation(images.encode(np.zeros((HEIGHT, WIDTH, 3), np.uint8)), "", True, 0.0, tree)


def demonstration(instruction: str, *texts: str) -> Trajectory:
    task = Task("t", instruction, "general", "contacts", "contacts.add", (), 10, "train")
    steps = tuple(Step(observation(), Decision(TypeText(text), "")) for text in texts)
    return Trajectory("d", task, steps, End.FINISHED, Provenance("expert"))


def test_typed_words_are_replaced_in_goal_and_answer_alike() -> None:
    speaker = Speaker()
    shown = demonstration("Add Kevin with number 1357", "Kevin", "1357")
    samples = substitution_samples([shown], speaker, 4, np.random.default_rng(0))
    assert len(samples) == 8
    for sample in samples[:4]:
        typed = speaker.said[sample.token_ids[0]].removeprefix("type ")
        assert sample.context.task.instruction == f"Add {typed} with number 1357"
        assert sample.context.history == ()
    for sample in samples[4:]:
        typed = speaker.said[sample.token_ids[0]].removeprefix("type ")
        assert sample.context.task.instruction == f"Add Kevin with number {typed}"
        assert sample.context.history == shown.steps[:1]
    assert len({sample.context.task.instruction for sample in samples}) > 4


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("add bob to the contacts", "alice"),
        ("rename map to map", "map"),
        ("open the mapped file", "map"),
        ("say anything", ""),
    ],
)
def test_text_that_the_goal_does_not_name_once_stays_as_it_is(instruction: str, text: str) -> None:
    samples = substitution_samples([demonstration(instruction, text)], Speaker(), 2, np.random.default_rng(0))
    assert samples == []


def test_as_many_words_are_put_as_were_there() -> None:
    speaker = Speaker()
    shown = demonstration("send see you soon to laura", "see you soon")
    (sample,) = substitution_samples([shown], speaker, 1, np.random.default_rng(1))
    typed = speaker.said[sample.token_ids[0]].removeprefix("type ")
    assert len(typed.split()) == 3
    assert sample.context.task.instruction == f"send {typed} to laura"


def test_words_come_from_goals_and_labels() -> None:
    assert known_words([demonstration("Add Kevin", "Kevin")]) == ["add", "kevin", "name", "number", "save"]


def test_pointing_asks_for_labels_and_answers_with_their_middle() -> None:
    speaker = Speaker()
    samples = pointing_samples([demonstration("add kevin", "kevin")], speaker, 2, np.random.default_rng(0))
    assert len(samples) == 2
    for sample in samples:
        action = GridActionText().parse(speaker.said[sample.token_ids[0]])
        assert isinstance(action, Tap)
        assert action.target is not None
        assert sample.context.task.instruction == f"tap {action.target}"
        left, top, right, bottom = LABELS[action.target.capitalize()]
        assert abs(action.at.x - (left + right) / 2 / WIDTH) <= 0.5 / GRID + 1e-9
        assert abs(action.at.y - (top + bottom) / 2 / HEIGHT) <= 0.5 / GRID + 1e-9
