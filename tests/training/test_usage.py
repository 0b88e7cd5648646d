"""What a farm's time went into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import EpisodeRunner, Look
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.settle import SettleBudget
from tapwise.android_env.suites import load_suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessBackend, InProcessDevice
from tapwise.emulators.farm import Farm
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Provenance
from tapwise.training.collect import Collector, CollectorSettings, Job, Schedule
from tapwise.training.usage import Usage


def test_rates_and_shares_by_hand() -> None:
    usage = Usage(2, wall_s=10.0, policy_s=1.0, policy_calls=4, decisions=6, episodes=3, aborted=1, steps=20)
    usage.unsettled = 2
    usage.watch([Look(0.0, False), Look(1.5, False), Look(1.5, True), Look(6.0, True)])
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
    assert found["farm/early_look_share"] == pytest.approx(2 / 20)
    waits = {n: [20 * found[f"farm/fixed_wait_{n}s_{what}_share"] for what in ("early", "unknown")] for n in (1, 2, 5)}
    assert waits == {1: [3, 0], 2: [1, 1], 5: [1, 1]}
    twice = Usage(2, steps=20)
    twice.watch([Look(3.0, True)])
    twice.merge(usage)
    assert (twice.early, twice.fixed_early, twice.fixed_unknown) == (3, {1: 4, 2: 2, 5: 1}, {1: 0, 2: 1, 5: 2})


def test_nothing_collected_is_no_division_by_zero() -> None:
    assert Usage(1).summary()["farm/utilisation"] == 0


@pytest.mark.parametrize("patient", [True, False])
def test_early_looks_are_those_that_slow_pages_make(patient: bool) -> None:
    """The phone itself tells how long each page still loads; all times are its own, which moves with looks."""
    phone = VirtualPhone(noise=Noise(slow_loads=1.0), seed=4)
    suite = load_suite("general")
    loads_s: list[float] = []

    def note(phase: str, _: float) -> None:
        if phase == "act":
            loads_s.append(phone.entry.loading_s)

    budget = SettleBudget(seconds=20.0, polls=400) if patient else SettleBudget(seconds=1.0)
    env = AndroidEnv(
        InProcessDevice(phone),
        suite,
        EnvSettings(with_tree=True, settle=budget),
        now=lambda: phone.clock.now().timestamp(),
        on_phase=note,
    )
    usage = Usage(1)
    expert = ScriptedExpert(suite)
    for number, task in enumerate(suite.sample(np.random.default_rng(3), "train", 8)):
        runner = EpisodeRunner(env, task, number, Provenance("expert", 0, env.serial, number, "", "0"))
        runner.start()
        while not runner.over:
            runner.advance(expert.act([runner.context])[0])
        usage.steps += len(runner.trajectory.steps)
        usage.watch(runner.looks)
    found = {name: round(usage.steps * share) for name, share in usage.summary().items() if name.endswith("_share")}

    def longer(than_s: float) -> int:
        return sum(load_s > than_s for load_s in loads_s)

    assert longer(1.1) > 0
    if patient:
        assert found["farm/early_look_share"] == 0
        assert [found[f"farm/fixed_wait_{n}s_early_share"] for n in (1, 2, 5)] == [longer(n + 0.05) for n in (1, 2, 5)]
        assert longer(2.1) > longer(5) == 0
    else:
        early = longer(0.97)  # at 20 looks, 0.05 s apart, the last one still saw a change
        assert found["farm/early_look_share"] == early
        assert found["farm/fixed_wait_5s_early_share"] == 0
        assert found["farm/fixed_wait_5s_unknown_share"] == early


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
