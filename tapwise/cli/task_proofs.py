"""Proving templates in several processes, each with a phone of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.linting import Linter, Proof
from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Suite, Template
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Size

ResultT = TypeVar("ResultT")

SIZE, DENSITY = Size(600, 270), 105
"""half of the default phone: the same layout, drawn in a quarter of the time"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How often the expert succeeded on a template."""

    template: str
    played: int
    succeeded: int


def make_linter(suite: Suite, noise: Noise, seeds: int) -> Linter:
    """A linter on a phone in this process."""
    phone = VirtualPhone(size=SIZE, density=DENSITY, noise=noise)
    return Linter(AndroidEnv(InProcessDevice(phone), suite, EnvSettings(with_tree=True)), seeds)


def prove_template(template: Template, noise: Noise, seeds: int) -> list[Proof]:
    """Every proof of one template, on a fresh phone."""
    return make_linter(Suite("under test", [template]), noise, seeds).lint(template)


def prove_all(names: Sequence[str], noise: Noise, seeds: int, workers: int) -> Iterator[list[Proof]]:
    """The proofs of each template of that name, as they come."""
    return _each(partial(_prove, noise=noise, seeds=seeds), names, workers)


def count_all(names: Sequence[str], noise: Noise, seeds: int, workers: int) -> Iterator[Counted]:
    """The expert's success on each template of that name over `seeds` worlds, as it comes."""
    return _each(partial(_count, noise=noise, seeds=seeds), names, workers)


def _prove(name: str, noise: Noise, seeds: int) -> list[Proof]:
    return prove_template(load_suite("all").templates[name], noise, seeds)


def _count(name: str, noise: Noise, seeds: int) -> Counted:
    template = load_suite("all").templates[name]
    linter = make_linter(Suite("under test", [template]), noise, seeds)
    instances = linter.instances(template)[:seeds]
    return Counted(name, len(instances), sum(linter.succeeds(task, seed) for seed, task in instances))


def _each(work: Callable[[str], ResultT], names: Sequence[str], workers: int) -> Iterator[ResultT]:
    if workers == 1:
        yield from map(work, names)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, name) for name in names]):
            yield future.result()
