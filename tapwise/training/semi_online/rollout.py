"""Rollouts on experts' trajectories: many episodes, one policy, no rounds.

Each episode goes at its own pace. Whenever the policy is free it decides for a batch of whatever contexts are ready,
those of started episodes first, so that tasks are finished one after another while the batch stays full; a round in
which every episode takes one step, as in UI-S1's released code, has ever fewer left to decide for.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import tapwise
from tapwise.android_env.replay import ReplayEnv
from tapwise.android_env.replay_episode import ReplayEpisode, Rollout, WritePatch
from tapwise.errors import PolicyError
from tapwise.protocols import Policy
from tapwise.records import Action, Context, Decision, End, Provenance


class Thinker(Protocol):
    """Who can say, in the policy's own words, why one would take an action: UI-S1's on-policy thoughts."""

    def think(self, contexts: Sequence[Context], actions: Sequence[Action]) -> list[str]:
        """One thought a context, leading to the action beside it."""
        ...


@dataclass(frozen=True, slots=True)
class RolloutGroup:
    """The rollouts of one expert's trajectory that came to their end; those that a fault ended are only counted."""

    expert: str
    """id of the expert's trajectory"""
    rollouts: tuple[Rollout, ...]
    aborted: int = 0


@dataclass(slots=True)
class _Open:
    """A group that is under way."""

    expert: str
    episodes: list[ReplayEpisode] = field(default_factory=list)

    def close(self) -> RolloutGroup | None:
        if not all(episode.over for episode in self.episodes):
            return None
        rollouts = [episode.rollout for episode in self.episodes]
        kept = tuple(rollout for rollout in rollouts if rollout.trajectory.end is not End.ABORTED)
        return RolloutGroup(self.expert, kept, len(rollouts) - len(kept))


class RolloutDriver:
    """Makes `rollouts` episodes of each expert's trajectory with at most `batch_size` contexts in one policy call.

    `write_patch` gives the text of a patch in the policy's own form. With a `thinker` the thoughts of patches are
    asked for, in batches, where a patch is needed and nowhere else. Raises ValueError when a number is below 1.
    """

    def __init__(
        self,
        policy: Policy,
        write_patch: WritePatch,
        *,
        rollouts: int = 8,
        batch_size: int = 32,
        thinker: Thinker | None = None,
        seed: int = 0,
    ) -> None:
        if rollouts < 1 or batch_size < 1:
            raise ValueError(f"rollouts is {rollouts} and batch_size {batch_size}, but both must be at least 1")
        self._policy = policy
        self._write_patch = write_patch
        self._rollouts = rollouts
        self._batch_size = batch_size
        self._thinker = thinker
        self._seed = seed

    def groups(self, experts: Iterable[ReplayEnv], name: str = "replay") -> Iterator[RolloutGroup]:
        """The groups of all experts' trajectories, each as soon as its last rollout has ended.

        Experts are taken one by one as the batch has room, so that who stops asking pays for little that is not
        used. A PolicyError costs the episode that raises it, which is recorded as aborted. Episodes are called
        `name/number of the expert/number of the rollout`.
        """
        waiting = enumerate(experts)
        started: deque[ReplayEpisode] = deque()
        fresh: deque[ReplayEpisode] = deque()
        unfinished: dict[int, _Open] = {}
        while True:
            while len(started) + len(fresh) < self._batch_size and (following := next(waiting, None)) is not None:
                number, env = following
                unfinished[number] = self._open(env, f"{name}/{number}")
                fresh.extend(unfinished[number].episodes)
            batch = [
                started.popleft() if started else fresh.popleft()
                for _ in range(min(self._batch_size, len(started) + len(fresh)))
            ]
            if not batch:
                return
            self._advance(batch)
            started.extend(episode for episode in batch if not episode.over)
            for number in list(unfinished):
                if (group := unfinished[number].close()) is not None:
                    del unfinished[number]
                    yield group

    def _open(self, env: ReplayEnv, name: str) -> _Open:
        policy, thinks = self._policy, self._thinker is not None
        provenance = Provenance(policy.name, policy.version, env.serial, self._seed, tapwise=tapwise.__version__)
        return _Open(
            env.expert.id,
            [
                ReplayEpisode(env.another(), self._write_patch, provenance, f"{name}/{number}", thinks)
                for number in range(self._rollouts)
            ],
        )

    def _advance(self, batch: Sequence[ReplayEpisode]) -> None:
        for episode, decision in self._decide(batch):
            episode.advance(decision)
        if self._thinker is not None:
            self._think(self._thinker, batch)

    def _think(self, thinker: Thinker, batch: Sequence[ReplayEpisode]) -> None:
        """Ask for the thoughts of the patches that wait for one."""
        stopped = [(episode, episode.patch_wanted) for episode in batch]
        patches = [(episode, action) for episode, action in stopped if action is not None]
        if not patches:
            return
        try:
            thoughts = thinker.think([episode.context for episode, _ in patches], [action for _, action in patches])
        except PolicyError as error:
            for episode, _ in patches:
                episode.abort(error)
            return
        _check_count("the thinker", "thoughts", len(thoughts), len(patches))
        for (episode, _), thought in zip(patches, thoughts, strict=True):
            episode.think(thought)

    def _decide(self, batch: Sequence[ReplayEpisode]) -> list[tuple[ReplayEpisode, Decision]]:
        """One decision an episode. Where the batch fails each is asked for alone, so that only the culprits abort."""
        try:
            decisions = self._policy.act([episode.context for episode in batch])
        except PolicyError as error:
            if len(batch) == 1:
                batch[0].abort(error)
                return []
            return list(itertools.chain.from_iterable(self._decide([episode]) for episode in batch))
        _check_count(f"policy {self._policy.name!r}", "decisions", len(decisions), len(batch))
        return list(zip(batch, decisions, strict=True))


def _check_count(who: str, what: str, given: int, wanted: int) -> None:
    if given != wanted:
        raise PolicyError(f"{who} gave {given} {what} for {wanted} contexts: it must give one for each")
