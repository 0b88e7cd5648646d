"""Which tasks are tried and which demonstrations recalled, given what has succeeded lately."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tapwise.android_env.suites import load_suite
from tapwise.records import Context, End, Observation, Provenance, Screenshot, Size, Task, Trajectory
from tapwise.training.curriculum import WINDOW, draw_reminders, draw_tasks, success_rates
from tapwise.training.transitions import Sample

SEEN = Observation(Screenshot(b"", "png", Size(2, 2)), "", True, 0.0)


def task(template: str) -> Task:
    return Task("task", "Do it", "general", "", template, (), 10, "train")


def attempt(template: str, success: bool) -> Trajectory:
    return Trajectory("t", task(template), (), End.FINISHED, Provenance("random"), outcome=success)


def test_rates_are_those_of_the_latest_attempts() -> None:
    old, new = [attempt("a", True)] * 5, [attempt("a", False)] * (WINDOW - 2) + [attempt("a", True)] * 2
    rates = success_rates(["a", "b"], [*old, *new, attempt("other", True)])
    assert rates == {"a": pytest.approx(3 / (WINDOW + 2)), "b": 0.5}


def test_tasks_whose_outcome_is_open_are_tried_most() -> None:
    suite = load_suite("general")
    names = list(suite.templates)
    rates = dict.fromkeys(names, 0.97) | {names[0]: 0.5, names[1]: 0.03}
    drawn = draw_tasks(suite, rates, 400, np.random.default_rng(0))
    counts = Counter(one.template for one in drawn)
    assert {one.split for one in drawn} == {"train"}
    assert counts[names[0]] > 3 * counts[names[1]] > 0
    assert counts[names[0]] > 3 * max(counts[name] for name in names[2:])
    assert len({one.id for one in drawn if one.template == names[0]}) > 1


def test_demonstrations_of_what_fails_are_recalled_most() -> None:
    rates = {"failing": 0.1, "open": 0.5, "solved": 0.9}
    samples = [Sample(Context(task(kind), (), SEEN), (n,)) for kind in rates for n in range(100)]
    drawn = draw_reminders(samples, rates, 60, np.random.default_rng(0))
    counts = Counter(sample.context.task.template for sample in drawn)
    assert len({id(sample) for sample in drawn}) == 60
    assert counts["failing"] > counts["open"] > counts["solved"] > 0


def test_all_demonstrations_are_recalled_where_they_do_not_suffice() -> None:
    samples = [Sample(Context(task("a"), (), SEEN), (n,)) for n in range(3)]
    assert draw_reminders(samples, {"a": 0.5}, 3, np.random.default_rng(0)) == samples
    assert draw_reminders(samples, {"a": 0.9}, 9, np.random.default_rng(0)) == samples
