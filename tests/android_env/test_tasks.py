from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tapwise.android_env.tasks import Suite, Template, normalise
from tapwise.errors import EnvError


def test_ids_params_and_instructions_unfold_in_order(suite: Suite) -> None:
    ids = [task.id for task in suite.tasks()]
    assert ids[:4] == [
        "settings.toggle/bluetooth-on/0",
        "settings.toggle/bluetooth-on/1",
        "settings.toggle/bluetooth-on/2",
        "settings.toggle/bluetooth-off/0",
    ]
    assert len(ids) == 4 * 3 + 3 * 2
    task = suite.task("settings.name/my_phone/1")
    assert task.instruction == "change the device name to my phone"
    assert task.params == (("name", "my phone"),)
    assert suite.template_of(task).name == "settings.name"


def test_every_template_has_both_splits_and_no_text_is_in_two(suite: Suite) -> None:
    train, test = suite.tasks("train"), suite.tasks("test")
    assert {task.template for task in train} == {task.template for task in test} == set(suite.templates)
    assert len(train) + len(test) == len(suite.tasks())
    assert not {normalise(task.instruction) for task in train} & {normalise(task.instruction) for task in test}


def test_three_in_ten_are_for_testing_and_growth_moves_hardly_a_task(toggle: Template) -> None:
    colours = tuple(f"colour {number}" for number in range(200))
    wide = replace(toggle, params={"what": colours, "state": ("on", "off")})
    suite = Suite("wide", [wide])
    assert len(suite.tasks("test")) / len(suite.tasks()) == pytest.approx(0.3, abs=0.01)
    wider = Suite("wider", [replace(wide, params={"what": (*colours, "new"), "state": ("on", "off")})])
    assert sum(wider.task(task.id).split != task.split for task in suite.tasks()) <= 6


def test_excluded_combinations_are_left_out(toggle: Template) -> None:
    suite = Suite("few", [replace(toggle, exclude=lambda params: params["what"] == "wifi")])
    assert {task.param("what") for task in suite.tasks()} == {"bluetooth"}


def test_template_without_params_has_one_task_per_phrasing(toggle: Template) -> None:
    suite = Suite("plain", [replace(toggle, params={}, instructions=("go home", "leave the app"))])
    assert [task.id for task in suite.tasks()] == ["settings.toggle/0", "settings.toggle/1"]
    assert len(suite.tasks("test")) == 1


def test_sample_is_balanced_repeatable_and_stays_in_its_split(suite: Suite) -> None:
    first = suite.sample(np.random.default_rng(4), "train", 9)
    assert first == suite.sample(np.random.default_rng(4), "train", 9)
    assert {task.split for task in first} == {"train"}
    counts = Counter(task.template for task in first)
    assert abs(counts["settings.toggle"] - counts["settings.name"]) <= 1
    toggles = [task.id for task in first if task.template == "settings.toggle"]
    assert len(set(toggles)) == len(toggles)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instructions": ("turn it {way}",)}, "field"),
        ({"params": {}, "instructions": ("only this",)}, "each split needs one"),
        ({"max_steps": 0}, "at least one"),
        ({"params": {"what": ("a b", "a-b", "a_b"), "state": ("on",)}}, "task id"),
    ],
)
def test_bad_templates_are_refused(toggle: Template, change: dict[str, object], message: str) -> None:
    with pytest.raises(EnvError, match=message):
        Suite("bad", [replace(toggle, **change)])  # type: ignore[arg-type]


def test_a_text_in_both_splits_is_refused(toggle: Template) -> None:
    texts = [f"phrase {number}" for number in range(10)]
    plain = replace(toggle, params={}, name="a", instructions=tuple(texts))
    tested = [task.instruction for task in Suite("s", [plain]).tasks("test")]
    assert len(tested) == 3
    again = replace(plain, name="b", instructions=tuple(text.upper() + " ." for text in tested))
    with pytest.raises(EnvError, match="both splits"):
        Suite("leak", [plain, again])


def test_unknown_tasks_and_empty_suites_are_refused(suite: Suite) -> None:
    with pytest.raises(EnvError, match="no task"):
        suite.task("nothing/0")
    with pytest.raises(EnvError, match="does not have"):
        suite.template_of(replace(suite.tasks()[0], template="other"))
    with pytest.raises(EnvError, match="no templates"):
        Suite("empty", [])


def test_the_same_name_twice_is_refused(toggle: Template) -> None:
    with pytest.raises(EnvError, match="template name"):
        Suite("twice", [toggle, toggle])
