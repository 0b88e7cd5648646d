from __future__ import annotations

import numpy as np
import pytest

from tapwise.android_env import load_suite, suite_names
from tapwise.errors import EnvError


def test_every_shipped_suite_loads_and_splits() -> None:
    for name in suite_names():
        try:
            suite = load_suite(name)
        except EnvError as error:
            if "has no templates" not in str(error):
                raise
            continue
        assert suite.tasks("train")
        assert suite.tasks("test")
        assert load_suite(name) is suite


def test_a_task_has_the_same_split_in_every_suite() -> None:
    names = suite_names()
    splits: dict[str, str] = {}
    for name in names if len(names) > 1 else ():
        for task in load_suite(name).tasks():
            assert splits.setdefault(task.id, task.split) == task.split


def test_an_unknown_suite_names_the_known_ones() -> None:
    with pytest.raises(EnvError, match=r"'nothing'.*all"):
        load_suite("nothing")


@pytest.mark.parametrize("held_out", ["template", "app"])
def test_whole_templates_or_apps_are_kept_for_testing(held_out: str) -> None:
    suite, plain = load_suite(f"all:{held_out}"), load_suite("all")
    splits: dict[str, set[str]] = {}
    for task in suite.tasks():
        splits.setdefault(getattr(task, held_out), set()).add(task.split)
    assert {frozenset(found) for found in splits.values()} == {frozenset({"train"}), frozenset({"test"})}
    share = sum(found == {"test"} for found in splits.values()) / len(splits)
    assert 0.2 < share < 0.4
    assert {task.id for task in suite.tasks()} == {task.id for task in plain.tasks()}
    assert suite.sample(np.random.default_rng(0), "test", 10)


def test_other_ways_to_split_are_refused() -> None:
    with pytest.raises(EnvError, match="with :template or :app behind it"):
        load_suite("all:level")
