"""What a farm's time went into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tapwise.android_env.env import EnvSettings
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessBackend
from tapwise.emulators.farm import Farm
from tapwise.training.collect import Collector, CollectorSettings, Job, Schedule
from tapwise.training.usage import Usage


def test_rates_and_shares_by_hand() -> None:
    usage = Usage(2, wall_s=10.0, policy_s=1.0, policy_calls=4, decisions=6, episodes=3, aborted=1, steps=20)
    usage.unsettled = 2
    for phase, seconds in (("reset", 2.0), ("act", 4.0), ("settle", 3.0), ("observe", 1.0), ("policy", 5.0)):
        usage.add(phase, seconds)
    found = usage.summary()
    assert found["farm/utilisation"] == pytest.approx(10 / 20)
    assert found["farm/policy_share"] == pytest.approx(5 / 20)
    assert found["farm/episodes_per_hour"] == pytest.approx(720)
    assert found["farm/steps_per_s"] == pytest.approx(2)
    assert found["farm/batch"] == pytest.approx(1.5)
    assert found["farm/policy_calls_share"] == pytest.approx(0.1)
    assert found["farm/unsettled_share"] == pytest.approx(0.1)
    assert found["farm/settle_s_a_step"] == pytest.approx(0.15)
    assert found["farm/settle_saved_s_a_step"] == pytest.approx(4.85)


def test_nothing_collected_is_no_division_by_zero() -> None:
    assert Usage(1).summary()["farm/utilisation"] == 0


@pytest.mark.parametrize("schedule", ["in_turns", "free"])
def test_a_collection_is_accounted_for(tmp_path: Path, schedule: Schedule) -> None:
    suite = load_suite("general")
    jobs = [Job(f"job-{n}", t, n) for n, t in enumerate(suite.sample(np.random.default_rng(3), "train", 4))]
    told: list[Usage] = []
    settings = CollectorSettings(EnvSettings(), schedule=schedule)
    with (
        ParquetTrajectoryStore(tmp_path / "store", sync="never") as store,
        Farm(InProcessBackend(), 2) as farm,
        Collector(farm, 2, suite, store, settings, told.append) as collector,
    ):
        found = collector.collect(ScriptedExpert(suite), jobs, with_tree=True)
    (usage,) = told
    assert (usage.episodes, usage.aborted) == (4, 0)
    assert usage.steps == usage.decisions == sum(len(one.steps) for one in found)
    assert {"lease", "reset", "act", "settle", "observe", "policy"} == set(usage.seconds)
    assert 0 < sum(usage.seconds.values()) <= 2 * usage.wall_s
    assert 0 < usage.policy_s < usage.wall_s
