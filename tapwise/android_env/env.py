"""The environment: a device and a task become `reset` and `step`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from tapwise.android_env.actuator import actuate
from tapwise.android_env.observer import Observer
from tapwise.android_env.settle import SettleBudget, Settled, settle
from tapwise.android_env.tasks import Suite, Template
from tapwise.config import Config
from tapwise.errors import CommandFailed, DeviceError, DeviceLost, DeviceTimeout, EnvError
from tapwise.protocols import Device, Transition
from tapwise.records import Action, Finish, Observation, Task

BASE_SNAPSHOT, START_SNAPSHOT = "tapwise_base", "tapwise_start"
STATE_HASH = "tapwise-phone state-hash"
"""The shell's command for a hash of the whole phone, on virtual phones."""
SEED_PROPERTY = "debug.tapwise.seed"
OnPhase = Callable[[str, float], None]
"""told what each part of a step took, in seconds: "act", "settle" and "observe"."""


class EnvSettings(Config):
    """How an environment looks at its device and starts an episode."""

    with_tree: bool = False
    """Take the accessibility tree with every observation; scripted experts need it."""

    image_format: Literal["png", "jpeg"] = "jpeg"
    """JPEG at quality 90 is about a tenth of PNG's size."""

    settle: SettleBudget = SettleBudget()
    """When the screen counts as still."""

    use_snapshots: bool = True
    """Start every episode from one snapshot of the whole phone, on devices that can."""

    verify_reset: bool = True
    """See that every reset brings back the very state that the first one did, on devices that know: virtual phones."""

    tell_changes: bool = False
    """Tell at an episode's end what it has changed for good, on devices that know: virtual phones."""


PATIENT = EnvSettings(settle=SettleBudget(seconds=20.0, polls=40))
"""How phones are looked at where numbers are made: slow pages are waited for."""


@dataclass(slots=True)
class _Episode:
    """The episode that is under way. `last` is the newest observation, `over` forbids further steps."""

    task: Task
    template: Template
    last: Observation
    steps: int = 0
    over: bool = False
    compared: bool = False
    """whether the device keeps the state in which the episode began"""


@dataclass(frozen=True, slots=True)
class EpisodeState:
    """A moment of an episode that one can go back to: the phone's snapshot and where the episode stood."""

    snapshot: str
    task: Task
    observation: Observation
    steps: int


class AndroidEnv:
    """One device, one episode at a time.

    DeviceErrors pass through; after one, the episode is over and `reset` begins the next. EnvError is raised for
    misuse, for a task that cannot be set up, and for a state check that cannot be evaluated.
    """

    def __init__(
        self,
        device: Device,
        suite: Suite,
        settings: EnvSettings | None = None,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        on_phase: OnPhase = lambda _phase, _seconds: None,
    ) -> None:
        self.device = device
        self.suite = suite.on(device)
        self.settings = settings or EnvSettings()
        self._now = now
        self._wait = wait
        self._on_phase = on_phase
        self._observer = Observer(device, self.settings.with_tree, self.settings.image_format, now)
        self._snapshots = self.settings.use_snapshots and not suite.resets_itself
        self._has_base = False
        self._base_state: str | None = None
        """hash of the state that episodes start from, as the device tells it; None until it has told"""
        self._tells_state = self.settings.verify_reset
        self._used_packages: set[str] = set()
        self._episode: _Episode | None = None

    @property
    def serial(self) -> str:
        """The name of the device that the episodes run on."""
        return self.device.serial

    def reset(self, task: Task, seed: int) -> Observation:
        """Bring the phone into the task's starting state and show it, on the home screen.

        On a virtual phone the same task and seed give the same pixels. Raises EnvError when the task is not of
        this suite or its set-up fails, DeviceError when the device does.
        """
        self._episode = None
        template = self.suite.template_of(task)
        self._restore()
        self.device.shell(f"setprop {SEED_PROPERTY} {seed}")
        self._set_up(task, template)
        if template.starts_at_home:
            self.device.press("KEYCODE_HOME")
        observation = self._look(self._settle())
        self._episode = _Episode(task, template, observation, compared=self._keep_start())
        return observation

    def step(self, action: Action) -> Transition:
        """Perform an action and show what came of it.

        `Finish` terminates, the task's step limit truncates; both read the outcome from the device's state, which
        alone decides the reward, 1 or 0. `info` holds "outcome" (None before the end, and where the state does not
        tell), "polls" (looks at the screen), "settled" (whether it came to rest within the budget), "moved_s" and
        "moving" as `Settled` has them, "refused" (why the device did not perform the action, or None) and, at the end
        of an episode on a device that knows, "changes" (what is otherwise for good, in words).
        """
        episode = self._episode
        if episode is None or episode.over:
            raise EnvError("AndroidEnv.step needs an episode under way: call reset(task, seed) first")
        episode.over = True  # stays so when anything below raises
        episode.steps += 1
        if isinstance(action, Finish):
            outcome = self._check(episode, action)
            info = _info(outcome, Settled(True, 0), None) | self._changes(episode)
            return Transition(episode.last, float(outcome or False), True, False, info)
        with self._phase("act"):
            refused = actuate(self.device, action, episode.last.screenshot.size)
        with self._phase("settle"):
            rest = self._settle()
        with self._phase("observe"):
            episode.last = self._look(rest)
        if episode.steps >= episode.task.max_steps:
            outcome = self._check(episode, None)
            info = _info(outcome, rest, refused) | self._changes(episode)
            return Transition(episode.last, float(outcome or False), False, True, info)
        episode.over = False
        return Transition(episode.last, 0.0, False, False, _info(None, rest, refused))

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        started = self._now()
        try:
            yield
        finally:
            self._on_phase(name, self._now() - started)

    def save_state(self, name: str) -> EpisodeState:
        """Keep this moment of the episode, so that `load_state` can go on from it as often as wanted.

        The snapshot called `name` is replaced. Raises EnvError when no episode is under way, DeviceError when the
        device keeps no snapshots.
        """
        episode = self._episode
        if episode is None or episode.over:
            raise EnvError("AndroidEnv.save_state needs an episode under way: call reset(task, seed) first")
        if name == BASE_SNAPSHOT:
            raise EnvError(f"the snapshot {BASE_SNAPSHOT!r} is where episodes start: keep states under another name")
        self.device.save_snapshot(name)
        return EpisodeState(name, episode.task, episode.last, episode.steps)

    def load_state(self, state: EpisodeState) -> Observation:
        """Go on from a moment that `save_state` kept on this very device. Raises DeviceError when it is not there."""
        self._episode = None
        self.device.load_snapshot(state.snapshot)
        self._episode = _Episode(state.task, self.suite.template_of(state.task), state.observation, state.steps)
        return state.observation

    def close(self) -> None:
        """End the episode; the device is the caller's and stays open."""
        self._episode = None

    def _settle(self) -> Settled:
        return settle(self.device, self.settings.settle, self._now, self._wait)

    def _look(self, rest: Settled) -> Observation:
        observation = self._observer.observe(rest.settled)
        self._used_packages.add(observation.activity.partition("/")[0])
        return observation

    def _restore(self) -> None:
        """Back to the base state: by snapshot where the device can, else home with the used apps stopped."""
        if self._snapshots and self._load_or_save():
            return
        self._snapshots = False
        self._used_packages.add(self.device.foreground().partition("/")[0])
        self.device.press("KEYCODE_HOME")
        self._settle()
        launcher = self.device.foreground().partition("/")[0]
        for package in sorted(self._used_packages - {launcher, ""}):
            self.device.shell(f"am force-stop {package}")
        self._used_packages.clear()

    def _load_or_save(self) -> bool:
        if self._has_base:  # a failure is now the device's: saving instead would make a used phone the base
            self.device.load_snapshot(BASE_SNAPSHOT)
            self._verify_base()
            return True
        for attempt in (self.device.load_snapshot, self.device.save_snapshot):
            try:
                attempt(BASE_SNAPSHOT)
            except (DeviceLost, DeviceTimeout):
                raise
            except DeviceError:  # there is no such snapshot yet, or the device knows no snapshots
                continue
            self._has_base = True
            self._verify_base()
            return True
        return False

    def _verify_base(self) -> None:
        """Raises DeviceError when the device is in another state than the first time, where it can tell."""
        if not self._tells_state:
            return
        try:
            state = self.device.shell(STATE_HASH).strip()
        except CommandFailed:
            self._tells_state = False
            return
        if self._base_state not in (None, state):
            raise DeviceError(
                f"snapshot {BASE_SNAPSHOT!r} of {self.serial} gives another state than it first gave: the device is to"
                " be started anew"
            )
        self._base_state = state

    def _keep_start(self) -> bool:
        """Keep the state in which the episode begins; False where the device does not do that."""
        if not self.settings.tell_changes:
            return False
        try:
            self.device.save_snapshot(START_SNAPSHOT)
        except (DeviceLost, DeviceTimeout):
            raise
        except DeviceError:
            return False
        return True

    def _changes(self, episode: _Episode) -> dict[str, object]:
        """What the episode has changed for good, as `changes`; nothing where the device does not know."""
        if not episode.compared:
            return {}
        try:
            return {"changes": lasting_changes(self.device, START_SNAPSHOT)}
        except CommandFailed:
            return {}

    def _set_up(self, task: Task, template: Template) -> None:
        for command in template.setup(dict(task.params)):
            try:
                self.device.shell(command)
            except CommandFailed as error:
                raise EnvError(
                    f"task {task.id!r} cannot be set up on {self.serial}: {error}; make the template's set-up"
                    " commands work on this Android"
                ) from error

    def _check(self, episode: _Episode, finish: Finish | None) -> bool | None:
        """The outcome; None where the device's state does not tell."""
        if not episode.template.tells:
            return None
        try:
            return bool(episode.template.judge(self.device.shell, dict(episode.task.params), finish))
        except Exception as error:  # checks are written by users; whatever breaks in one is named and attributed
            if isinstance(error, DeviceError) and not isinstance(error, CommandFailed):
                raise
            raise EnvError(
                f"the check of template {episode.template.name!r} broke on task {episode.task.id!r} with"
                f" {type(error).__name__}: {error}; make it return True or False for every state of the device"
            ) from error


def lasting_changes(device: Device, snapshot: str) -> tuple[str, ...]:
    """What is otherwise for good than in a snapshot, in words. Raises CommandFailed where the device does not know."""
    return tuple(device.shell(f"tapwise-phone snapshot diff {snapshot}").splitlines())


def _info(outcome: bool | None, rest: Settled, refused: str | None) -> dict[str, object]:
    looked = {"polls": rest.polls, "settled": rest.settled, "moved_s": rest.moved_s, "moving": rest.moving}
    return {"outcome": outcome, **looked, "refused": refused}
