"""Tasks by what a person types: a task's id, or a template's name for its first task."""

from __future__ import annotations

from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Suite
from tapwise.errors import ConfigError
from tapwise.records import Task


def find_task(name: str) -> tuple[Suite, Task]:
    """The task and the suite of all. Raises ConfigError when there is neither template nor task of that name."""
    suite = load_suite("all")
    found = next((task for task in suite.tasks() if name in (task.id, task.template)), None)
    if found is None:
        raise ConfigError(f"there is no template or task {name!r}: see tapwise tasks list")
    return suite, found
