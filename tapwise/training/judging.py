"""Verdicts on rollouts: asked for while others are still being made, kept in the store, and turned into rewards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Literal

from tapwise.chat import ChatClient
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import JudgeError
from tapwise.evaluator.vlm_judge import VlmJudge
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.protocols import Judge
from tapwise.records import Trajectory, Verdict
from tapwise.training.recipes import JudgeConfig

Reward = Literal["outcome", "verdict"]


class RolloutJudge:
    """Asks a judge about each episode as soon as it has ended.

    `see` and `judged` are called by one thread at a time, that of the store's other writes. A verdict is kept as soon
    as it is known, so that no episode is paid for twice when a run goes on.
    """

    def __init__(self, judge: Judge, store: ParquetTrajectoryStore, concurrency: int) -> None:
        self._judge, self._store = judge, store
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="judge")
        self._asked: dict[str, Future[list[Verdict]]] = {}

    def close(self) -> None:
        """Wait for nothing more than the questions that are on their way."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def see(self, trajectory: Trajectory) -> None:
        """An episode has ended and is in the store: ask about it, unless this judge has spoken on it before."""
        if trajectory.trainable and self._known(trajectory.id) is None and trajectory.id not in self._asked:
            self._asked[trajectory.id] = self._threads.submit(self._judge.judge, [trajectory])
        for name in [name for name, answer in self._asked.items() if answer.done() and answer.exception() is None]:
            self._keep(name, self._asked.pop(name).result()[0])

    def judged(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """The trajectories with the judge's verdict first, where it has one.

        Those that were not answered for are asked about once more, together. Raises JudgeError when that fails too:
        the episodes are in the store, and a run that is started again goes on here.
        """
        for name in list(self._asked):
            answer = self._asked.pop(name)
            if answer.exception() is None:
                self._keep(name, answer.result()[0])
            elif not isinstance(answer.exception(), JudgeError):
                answer.result()
        waiting = [one for one in trajectories if one.trainable and self._known(one.id) is None]
        for trajectory, verdict in zip(waiting, self._judge.judge(waiting) if waiting else (), strict=True):
            self._keep(trajectory.id, verdict)
        return [self.recall(one) for one in trajectories]

    def recall(self, trajectory: Trajectory) -> Trajectory:
        """The trajectory with the verdict that is kept of it first, if there is one."""
        known = self._known(trajectory.id)
        return trajectory if known is None else replace(trajectory, verdicts=(known, *self._others(trajectory.id)))

    def _known(self, name: str) -> Verdict | None:
        said = self._store.summary(name).verdicts
        return next((one for one in said if one.judge == self._judge.name and not one.pending), None)

    def _others(self, name: str) -> list[Verdict]:
        return [one for one in self._store.summary(name).verdicts if one.judge != self._judge.name]

    def _keep(self, name: str, verdict: Verdict) -> None:
        self._store.annotate(name, verdicts=[verdict, *self._others(name)])


def judge_told(config: JudgeConfig) -> dict[str, str]:
    """A recipe's judge for a manifest, with a hash of all that it is asked beside the episodes; empty without one.
    Raises ConfigError when its examples cannot be read."""
    if not config.url:
        return {}
    told = {"model": config.model, "frames": config.frames, "examples": config.examples}
    return told | {"prompt_sha": Prompt.parse(config.frames, config.examples).sha}


@contextmanager
def open_judge(config: JudgeConfig, store: ParquetTrajectoryStore) -> Iterator[RolloutJudge | None]:
    """The judge of a recipe, or None when it names none."""
    if not config.url:
        yield None
        return
    prompt = Prompt.parse(config.frames, config.examples)
    client = ChatClient(config.url, config.model, config.key_env, concurrency=config.concurrency)
    judge = VlmJudge(client, prompt=prompt)
    with closing(client), closing(RolloutJudge(judge, store, config.concurrency)) as asked:
        yield asked


def rewarded(trajectories: Sequence[Trajectory], reward: Reward) -> list[Trajectory]:
    """The trajectories as they are learned from: with the truth that `reward` names as their only one.

    Left out are those whose success nobody can tell: a judge that abstains does not say that a task failed.
    """
    told = [replace(one, outcome=None) for one in trajectories] if reward == "verdict" else trajectories
    return [one for one in told if one.success is not None]
