"""What algorithms choose to learn from, beyond their formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tapwise.records import Decision, End, Observation, Provenance, Screenshot, Size, Step, Task, Trajectory, Wait
from tapwise.training.algorithms import make_algorithm
from tapwise.training.algorithms.base import Phase
from tapwise.training.recipes import DigiRLConfig, FilteredBCConfig

TASK = Task("task", "Buy milk", "shop", "shop", "buy", (), 5, "train")
SEEN = Observation(Screenshot(b"", "png", Size(2, 2)), "shop/Main", True, 0.0)


def won(number: int, steps: int = 3) -> Trajectory:
    step = Step(SEEN, Decision(Wait(), "wait", token_ids=(number,)))
    return Trajectory(f"t{number}", TASK, (step,) * steps, End.FINISHED, Provenance("random"), outcome=True)


class CountingCritic:
    """Everything is worth nothing, and who asked is remembered."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def instruction_values(self, tasks: list[Task]) -> list[float]:
        return [0.0] * len(tasks)

    def step_values(self, trajectory: Trajectory) -> list[float]:
        self.asked.append(trajectory.id)
        return [0.0] * (len(trajectory.steps) + 1)


CONFIGS = [FilteredBCConfig(), DigiRLConfig(online_fraction=1.0, offline_fraction=1.0, decay=1.0)]


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("phase", ["offline", "online"])
def test_no_more_trajectories_are_looked_at_than_samples_are_wanted(
    config: DigiRLConfig | FilteredBCConfig, phase: Phase
) -> None:
    critic = CountingCritic()
    found = [won(number) for number in range(20)]
    chosen, _ = make_algorithm(config).select(found, critic, phase, 7, np.random.default_rng(0))  # type: ignore[arg-type]
    drawn = sorted({sample.token_ids for sample in chosen})
    assert len(chosen) == 9
    assert len(drawn) == 3
    assert drawn != sorted({sample.token_ids for t in found[:3] for sample in [t.steps[0].decision]})
    assert len(critic.asked) == (3 if isinstance(config, DigiRLConfig) else 0)


@pytest.mark.parametrize("config", CONFIGS)
def test_all_successes_are_chosen_where_they_do_not_suffice(config: DigiRLConfig | FilteredBCConfig) -> None:
    found = [won(0), replace(won(1), outcome=False), won(2)]
    chosen, _ = make_algorithm(config).select(found, CountingCritic(), "online", 99, np.random.default_rng(0))  # type: ignore[arg-type]
    assert sorted(sample.token_ids[0] for sample in chosen) == [0, 0, 0, 2, 2, 2]
