"""The test-bed of judges: labelled episodes of virtual phones, each made anew from a seed and its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import tapwise
from tapwise.android_env.env import PATIENT, AndroidEnv
from tapwise.android_env.mutants import MutantMaker
from tapwise.android_env.tasks import Suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import EnvError
from tapwise.records import Provenance, Split, Task, Trajectory

ORDER = (
    *("success", "failure", "success", "near miss", "success", "false completion", "success", "side effect"),
    *("failure", "success", "near miss", "success", "false completion", "success", "side effect"),
    *("failure", "near miss", "false completion", "side effect", "success"),
)
"""kinds, over and over: two fifths are successes, and the four kinds of failure are as many of each"""
ATTEMPTS = 60
"""tasks tried for one episode before it is given up"""


def make_testbed(
    store: ParquetTrajectoryStore,
    suite: Suite,
    split: Split,
    episodes: int,
    seed: int,
    noise: Noise,
    on_episode: Callable[[Trajectory], None] = lambda _: None,
) -> int:
    """Put `episodes` labelled episodes of a split's tasks into a store; gives how many were not there yet.

    The kind of an episode is in the name of its policy, `testbed:KIND`, and its outcome was read from the phone. Each
    is a function of `seed` and its number, whatever others were made before. Raises EnvError when no task gives an
    episode of some kind.
    """
    phone = VirtualPhone(noise=noise)
    settings = PATIENT.model_copy(update={"with_tree": True})
    maker = MutantMaker(AndroidEnv(InProcessDevice(phone), suite, settings))
    made = 0
    for number in range(episodes):
        kind = ORDER[number % len(ORDER)]
        name = f"{kind.replace(' ', '-')}-{number:04}"
        if name in store:
            continue
        trajectory = replace(_episode(maker, suite, split, kind, np.random.default_rng([seed, number])), id=name)
        store.append(trajectory)
        on_episode(trajectory)
        made += 1
    return made


def _episode(maker: MutantMaker, suite: Suite, split: Split, kind: str, rng: np.random.Generator) -> Trajectory:
    for _ in range(ATTEMPTS):
        task, world = _draw(suite, split, rng), int(rng.integers(1 << 31))
        found = maker.make(kind, task, world, rng)
        if found is not None:
            policy = found.provenance.policy
            return replace(found, provenance=Provenance(policy, 0, "in-process", world, "", tapwise.__version__))
    raise EnvError(
        f"no task of suite {suite.name!r} gave an episode of kind {kind!r} in {ATTEMPTS} attempts: take a suite with"
        " more templates, or less noise"
    )


def _draw(suite: Suite, split: Split, rng: np.random.Generator) -> Task:
    """A task, evenly over the templates that have any in the split."""
    tasks = suite.tasks(split)
    names = sorted({task.template for task in tasks})
    name = names[int(rng.integers(len(names)))]
    mine = [task for task in tasks if task.template == name]
    return mine[int(rng.integers(len(mine)))]
