"""A worker that is killed and a node that is cut off cost nothing but time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tapwise.android_env.suites import load_suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.processes import wait_until
from tapwise.records import End, Trajectory
from tapwise.training.evaluation import Evaluation
from tests.training.cluster.conftest import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]
EPISODES, SEED = 80, 5


def test_a_killed_worker_and_a_node_that_is_cut_off(cluster: Cluster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "tapwise", "eval", "--policy", "expert", "--suite", "general", "--json"),
        *("--episodes", str(EPISODES), "--seed", str(SEED), "--out", str(out)),
        *("--farm.ray", cluster.address, "--farm.devices", "2", "--farm.backend", "virtual"),
    ]
    with (tmp_path / "log").open("w+") as log:
        run = subprocess.Popen(
            command, env=cluster.environment, stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True
        )
        try:

            def stored(count: int) -> bool:
                assert run.poll() is None, (tmp_path / "log").read_text()
                return recorded(out) >= count

            assert wait_until(lambda: stored(10), 90)
            (worker,) = cluster.pids(cluster.nodes[0], "ray::RolloutWorker")
            os.kill(worker, signal.SIGKILL)
            assert wait_until(lambda: stored(30), 60)
            cluster.cut_off(1)
            assert wait_until(lambda: any(f"{cluster.subnet}.3" in why for why in lost_workers(out)), 90)
            cluster.join(1)
            told, _ = run.communicate(timeout=150)
            assert run.returncode == 0, (tmp_path / "log").read_text()
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                run.communicate()
    found = json.loads(told.splitlines()[-1])
    assert (found["episodes"], found["not_played"]) == (EPISODES, 0)
    jobs = Evaluation(load_suite("general"), "test", EPISODES, SEED).jobs("evaluation")
    with ParquetTrajectoryStore(out / "trajectories", mode="read") as store:
        episodes = list(store)
    played = Counter((t.task.id, t.provenance.seed) for t in episodes if t.end is not End.ABORTED)
    assert played == Counter((job.task.id, job.seed) for job in jobs)
    assert {t.id.partition("+")[0] for t in episodes} == {job.id for job in jobs}
    lost = " ".join(lost_workers(out))
    assert f"{cluster.subnet}.2~" in lost
    assert f"{cluster.subnet}.3~" in lost
    nodes = {t.provenance.device.partition("~")[0] for t in episodes if t.end is not End.ABORTED}
    assert nodes == {f"{cluster.subnet}.2", f"{cluster.subnet}.3"}
    for node in cluster.nodes:
        assert wait_until(lambda node=node: not cluster.pids(node, "tapwise phone"), 30)  # type: ignore[misc]


def recorded(out: Path) -> int:
    """Episodes in the store of an evaluation that goes on, those that were lost included."""
    return len(read(out))


def lost_workers(out: Path) -> list[str]:
    """Why episodes were lost, so far."""
    return [t.fault.message for t in read(out) if t.fault is not None and t.fault.type == "WorkerLost"]


def read(out: Path) -> list[Trajectory]:
    if not (out / "trajectories").is_dir():
        return []
    with ParquetTrajectoryStore(out / "trajectories", mode="read", on_corrupt="skip") as store:
        return list(store)
