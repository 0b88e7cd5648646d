"""Which episodes are played, and what is made of tasks that are played several times."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tapwise.android_env.suites import load_suite
from tapwise.training.evaluation import Evaluation, pass_at_k, repeated_summary


def test_further_runs_add_episodes_and_change_none_of_the_first() -> None:
    suite = load_suite("general")
    once, thrice = (Evaluation(suite, "test", 4, 7, runs).jobs("e") for runs in (1, 3))
    assert thrice[:4] == once
    assert [job.id for job in thrice[4:8]] == ["e-0000.1", "e-0001.1", "e-0002.1", "e-0003.1"]
    assert [job.task for job in thrice[4:8]] == [job.task for job in once]
    assert len({job.seed for job in thrice}) == 12


@pytest.mark.parametrize(("runs", "k"), [(n, k) for n in range(1, 6) for k in range(1, n + 1)])
def test_pass_at_k_is_the_mean_over_all_choices_of_k_runs(runs: int, k: int) -> None:
    for successes in range(runs + 1):
        wins = [True] * successes + [False] * (runs - successes)
        tried = [any(wins[i] for i in chosen) for chosen in product(range(runs), repeat=k) if len(set(chosen)) == k]
        assert pass_at_k(runs, successes, k) == pytest.approx(np.mean(tried))


@pytest.mark.parametrize(("runs", "successes", "k"), [(3, 4, 1), (3, 1, 4), (3, 1, 0)])
def test_impossible_counts_are_refused(runs: int, successes: int, k: int) -> None:
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(runs, successes, k)


def test_runs_of_one_task_are_one_observation() -> None:
    won = {"e-0000": True, "e-0000.1": True, "e-0001+2": False, "e-0001.1": True, "e-0002": False, "e-0002.1+3": False}
    found = repeated_summary([{"trajectory": name, "success": success} for name, success in won.items()])
    assert (found["success"], found["tasks"], found["episodes"]) == (0.5, 3, 6)
    assert found["pass@k"] == {"1": 0.5, "2": pytest.approx(2 / 3)}
    low, high = found["ci95"]
    assert low == 0.0 < high == 1.0
    assert repeated_summary([])["success"] == 0.0
