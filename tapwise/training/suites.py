"""The composition root of task suites: which suite a recipe names, and what it needs to be played."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tapwise.android_env.android_world import AndroidWorldSuite, WorkerCommand
from tapwise.android_env.android_world.suite import NAME, Settings
from tapwise.android_env.instructions import STEP_LIMITS, InstructionSuite
from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Suite
from tapwise.emulators.adb.binary import find_adb
from tapwise.training.recipes import BaseRecipe


def suite_of(recipe: BaseRecipe) -> Suite:
    """The suite of a recipe, AndroidWorld's left aside. Raises EnvError when there is none of that name."""
    if recipe.suite in STEP_LIMITS:
        return InstructionSuite(recipe.suite, recipe.aitw.train, recipe.aitw.test)
    return load_suite(recipe.suite)


@contextmanager
def open_suite(recipe: BaseRecipe) -> Iterator[Suite]:
    """The suite of a recipe. Raises EnvError when there is none of that name, or AndroidWorld cannot be had."""
    if recipe.suite != NAME:
        yield suite_of(recipe)
        return
    config = recipe.android_world
    suite = AndroidWorldSuite(
        Settings(
            WorkerCommand(config.python or sys.executable, config.path),
            str(find_adb()),
            config.seed,
            config.combinations,
            config.tasks,
            config.family,
            config.emulator_setup,
        )
    )
    try:
        yield suite
    finally:
        suite.close()
