"""Runs AndroidWorld's task code for tapwise. Its text is given to whatever Python AndroidWorld is installed in.

Takes one JSON object a line on standard input and answers each with one on standard output; ends with its input. It
imports nothing of tapwise, so that AndroidWorld's pins and ours never meet. Whatever AndroidWorld prints goes to
standard error.

    {"do": "tasks", "seed": 30, "combinations": 1, "names": null}   -> {"tasks": [{"name", "instance", "goal", ...}]}
    {"do": "connect", "console_port": 5554, "grpc_port": 8554, "adb_path": "...", "emulator_setup": false}
    {"do": "initialize", "name": "...", "instance": 0}              -> {"goal": "..."}
    {"do": "check", "answer": "..." or null}                        -> {"score": 1.0}
    {"do": "tear_down"}

An answer to what went wrong is {"error": "...", "trace": "..."}.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from typing import Any


class Runner:
    """AndroidWorld's suite on one emulator."""

    def __init__(self, family: str) -> None:
        from android_world import registry, suite_utils

        self._suite_utils = suite_utils
        self._registry = registry.TaskRegistry().get_registry(family)
        self._request: dict[str, Any] = {"seed": 30, "combinations": 1, "names": None}
        self._env: Any = None
        self._suite: Any = None
        self._task: Any = None

    def tasks(self, request: dict[str, Any]) -> dict[str, Any]:
        """All instances: the same ones for the same seed."""
        self._request = request
        found = []
        for name, instances in self._instances().items():
            for number, task in enumerate(instances):
                found.append(
                    {
                        "name": name,
                        "instance": number,
                        "goal": str(task.goal),
                        "complexity": float(task.complexity),
                        "starts_at_home": bool(getattr(task, "start_on_home_screen", True)),
                        "apps": [str(app) for app in getattr(task, "app_names", ())],
                    }
                )
        return {"tasks": found}

    def connect(self, request: dict[str, Any]) -> dict[str, Any]:
        """Connect to a running emulator."""
        from android_world.env import env_launcher

        wanted = {name: request[name] for name in ("console_port", "grpc_port", "adb_path", "emulator_setup")}
        known = inspect.signature(env_launcher.load_and_setup_env).parameters
        self._env = env_launcher.load_and_setup_env(**{name: wanted[name] for name in wanted if name in known})
        self._suite = None
        return {}

    def initialize(self, request: dict[str, Any]) -> dict[str, Any]:
        """Bring the emulator into a task's starting state."""
        self._tear_down()
        task = self._instances()[request["name"]][request["instance"]]
        self._env.interaction_cache = ""
        self._env.reset(go_home=True)
        task.initialize_task(self._env)
        self._task = task
        return {"goal": str(task.goal)}

    def check(self, request: dict[str, Any]) -> dict[str, Any]:
        """The task's own word on the state that the emulator is in, and on the answer."""
        if request.get("answer") is not None:
            self._env.interaction_cache = request["answer"]
        return {"score": float(self._task.is_successful(self._env))}

    def tear_down(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take away what the task has put there."""
        self._tear_down()
        return {}

    def close(self) -> None:
        """Tear the last task down, and let go of the emulator."""
        self._tear_down()
        if self._env is not None:
            self._env.close()

    def _tear_down(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.tear_down(self._env)

    def _instances(self) -> Any:
        if self._suite is None:
            wanted = {
                "n_task_combinations": self._request["combinations"],
                "seed": self._request["seed"],
                "tasks": self._request["names"],
                "env": self._env,
            }
            known = inspect.signature(self._suite_utils.create_suite).parameters
            self._suite = self._suite_utils.create_suite(
                self._registry, **{name: value for name, value in wanted.items() if name in known}
            )
        return self._suite


def main() -> None:
    """Answer requests until the input ends."""
    sys.path[:] = [entry for entry in sys.path if entry]  # the working folder must hide none of AndroidWorld's packages
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing that AndroidWorld prints may look like an answer
    runner: Runner | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if runner is None:
                runner = Runner(request.get("family", "android_world"))
            answer = getattr(runner, request["do"])(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    if runner is not None:
        runner.close()
