from __future__ import annotations

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
