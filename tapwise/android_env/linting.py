"""Proofs that a template is sound: played on a virtual phone, one by one, by name.

The phone is any `Device` whose shell has `tapwise-phone state-hash` and `tapwise-phone data-hash`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tapwise.android_env.env import STATE_HASH, AndroidEnv
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.interruptions import way_out
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Template
from tapwise.errors import TapwiseError
from tapwise.protocols import Device
from tapwise.records import Action, Context, Decision, End, Finish, Step, Task, Trajectory, Wait

DATA_HASH = "tapwise-phone data-hash"
"""The shell's command for a hash of settings, files and records: what lasts, without pages and time."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One property of one template: whether it holds, and what was seen where it does not."""

    template: str
    name: str
    passed: bool
    detail: str = ""


class Fixed:
    """A policy that plays given actions and then finishes, whatever it sees."""

    name, version = "fixed", 0

    def __init__(self, actions: Sequence[Action] = ()) -> None:
        self._actions = tuple(actions)

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        """The next action of each context's episode."""
        return [Decision(self._next(len(context.history)), "") for context in contexts]

    def _next(self, done: int) -> Action:
        return self._actions[done] if done < len(self._actions) else Finish("success")


@dataclass(frozen=True, slots=True)
class Play:
    """The expert's episode: its record, and the phone's hashes before the first step and after each."""

    trajectory: Trajectory
    states: tuple[str, ...]
    data: tuple[str, ...]


class Linter:
    """Tries the templates of an environment's suite; needs observations with accessibility trees.

    `seeds` instances of each template are played, spread over its tasks, each in a world of its own.
    """

    def __init__(self, env: AndroidEnv, seeds: int = 3) -> None:
        self._env = env
        self._seeds = seeds
        self._expert = ScriptedExpert(env.suite)

    def lint(self, template: Template) -> list[Proof]:
        """Every proof of a template, in the order of `PROOFS`. Nothing is raised for a property that fails."""
        instances = self.instances(template)
        plays = {seed: self.play(task, seed) for seed, task in instances}
        return [
            Proof(template.name, name, problem is None, problem or "")
            for name, prove in PROOFS.items()
            for problem in [_guarded(lambda prove=prove: prove(self, instances, plays))]  # type: ignore[misc]
        ]

    def instances(self, template: Template) -> list[tuple[int, Task]]:
        """World seeds with the tasks that are played in them, evenly spread over the template's tasks."""
        tasks = [task for task in self._env.suite.tasks() if task.template == template.name]
        count = max(self._seeds, 2)
        return [(number + 1, tasks[number * len(tasks) // count]) for number in range(count)]

    def succeeds(self, task: Task, seed: int) -> bool:
        """Whether the expert solves a task in a world, and knows when it is done."""
        return _expert_problem(run_episode(self._env, self._expert, task, seed)) is None

    # --- the proofs: each gives the problem, or None ---------------------------------------------------

    def expert_succeeds(self, instances: Instances, plays: Plays) -> str | None:
        """The expert reaches the goal and then finishes."""
        for seed, task in instances:
            problem = _expert_problem(plays[seed].trajectory)
            if problem is not None:
                return _at(task, seed, problem)
        return None

    def nothing_fails(self, instances: Instances, plays: Plays) -> str | None:
        """Looking on until the limit is no success."""
        seed, task = instances[0]
        idle = Fixed([Wait(0.0)] * task.max_steps)
        return self._must_fail(task, seed, idle, "is done when nothing is done")

    def finish_alone_fails(self, instances: Instances, plays: Plays) -> str | None:
        """To say that it is done is no success."""
        problems = (self._must_fail(task, seed, Fixed(), "is done before it began") for seed, task in instances)
        return next((problem for problem in problems if problem is not None), None)

    def last_step_counts(self, instances: Instances, plays: Plays) -> str | None:
        """The expert's way without its last effective step is no success."""
        for seed, task in instances:
            play = plays[seed]
            last = last_effective(play)
            if last is None:
                return _at(task, seed, "the expert does nothing that changes the phone")
            actions = [step.decision.action for step in play.trajectory.steps[:last]]
            left_out = play.trajectory.steps[last].decision.action
            problem = self._must_fail(task, seed, Fixed(actions), f"is done without the last step, {left_out}")
            if problem is not None:
                return problem
        return None

    def check_only_reads(self, instances: Instances, plays: Plays) -> str | None:
        """The check leaves the phone as it was, before the task and after it."""
        for seed, task in instances:
            for actions in ([], _actions(plays[seed])):
                self._walk(task, seed, actions)
                before = self._ask(STATE_HASH)
                template = self._env.suite.template_of(task)
                template.check(self._env.device.shell, dict(task.params))
                if self._ask(STATE_HASH) != before:
                    return _at(task, seed, "the check changed the phone")
        return None

    def reset_leaves_nothing(self, instances: Instances, plays: Plays) -> str | None:
        """A reset after an episode gives the phone that it gave before any."""
        for seed, task in instances:
            self._walk(task, seed, _actions(plays[seed]))
            self._env.reset(task, seed)
            if self._ask(STATE_HASH) != plays[seed].states[0]:
                return _at(task, seed, "an episode left something behind that a reset does not take away")
        return None

    def seeds_differ(self, instances: Instances, plays: Plays) -> str | None:
        """Two seeds give two tasks, or one task in two worlds."""
        (first, task), (second, other) = instances[:2]
        if task.id != other.id and plays[first].data[0] != plays[second].data[0]:
            return None
        return f"seeds {first} and {second} give the same instance, {task.id!r}: add values to a parameter"

    # --- inside ----------------------------------------------------------------------------------------

    def play(self, task: Task, seed: int) -> Play:
        """The expert's episode with the phone's hashes."""
        recorder = _Recorder(self._expert, self._env.device)
        trajectory = run_episode(self._env, recorder, task, seed)
        return Play(trajectory, tuple(recorder.states), tuple(recorder.data))

    def _walk(self, task: Task, seed: int, actions: Sequence[Action]) -> None:
        self._env.reset(task, seed)
        for action in actions:
            self._env.step(action)

    def _must_fail(self, task: Task, seed: int, policy: Fixed, what: str) -> str | None:
        played = run_episode(self._env, policy, task, seed)
        if played.end is End.ABORTED:
            return _at(task, seed, f"the episode broke: {played.fault}")
        return _at(task, seed, what) if played.outcome is not False else None

    def _ask(self, command: str) -> str:
        return self._env.device.shell(command)


Instances = Sequence[tuple[int, Task]]
Plays = dict[int, Play]

PROOFS: dict[str, Callable[[Linter, Instances, Plays], str | None]] = {
    "expert succeeds": Linter.expert_succeeds,
    "doing nothing fails": Linter.nothing_fails,
    "finishing alone fails": Linter.finish_alone_fails,
    "last step counts": Linter.last_step_counts,
    "check only reads": Linter.check_only_reads,
    "reset leaves nothing": Linter.reset_leaves_nothing,
    "two seeds differ": Linter.seeds_differ,
}
"""What is proved of a template, by name."""


class _Recorder:
    """The expert, with the phone's hashes taken whenever it is asked."""

    def __init__(self, expert: ScriptedExpert, device: Device) -> None:
        self._expert = expert
        self._device = device
        self.name, self.version = expert.name, expert.version
        self.states: list[str] = []
        self.data: list[str] = []

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        self.states.append(self._device.shell(STATE_HASH))
        self.data.append(self._device.shell(DATA_HASH))
        return self._expert.act(contexts)


def last_effective(play: Play) -> int | None:
    """The index of the last step that changed what lasts; where none did, of the last that changed anything.

    Waiting and sending noise away are no such steps. None when no step changed the phone.
    """
    steps = play.trajectory.steps[: max(0, len(play.data) - 1)]
    acting = [number for number, step in enumerate(steps) if _acts(step)]
    for hashes in (play.data, play.states):
        changing = [number for number in acting if hashes[number] != hashes[number + 1]]
        if changing:
            return changing[-1]
    return None


def _acts(step: Step) -> bool:
    """Whether a step is the expert's own doing, and not patience with the world's noise."""
    if isinstance(step.decision.action, Wait):
        return False
    return step.observation.ui is None or way_out(Screen(step.observation)) is None


def _actions(play: Play) -> list[Action]:
    actions = [step.decision.action for step in play.trajectory.steps]
    return [action for action in actions if not isinstance(action, Finish)]


def _expert_problem(played: Trajectory) -> str | None:
    if played.fault is not None:
        return f"the expert's episode broke: {played.fault.message}"
    actions = [step.decision.action for step in played.steps]
    if played.outcome is not True:
        return f"the expert failed; it ended as {played.end.value} after {actions}"
    return None if isinstance(actions[-1], Finish) else "the expert did not notice that it was done"


def _guarded(prove: Callable[[], str | None]) -> str | None:
    try:
        return prove()
    except TapwiseError as error:
        return f"{type(error).__name__}: {error}"


def _at(task: Task, seed: int, problem: str) -> str:
    return f"{task.id} in world {seed}: {problem}"
