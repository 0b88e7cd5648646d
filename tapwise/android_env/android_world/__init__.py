"""AndroidWorld's own tasks, run by its own code in a process of its own."""

from tapwise.android_env.android_world.client import Worker, WorkerCommand
from tapwise.android_env.android_world.suite import AndroidWorldSuite

__all__ = ["AndroidWorldSuite", "Worker", "WorkerCommand"]
