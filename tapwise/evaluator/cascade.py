"""Several judges as one: the cheap first and the dear in doubt, or all of them and the majority."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tapwise.errors import JudgeError
from tapwise.protocols import Judge
from tapwise.records import Trajectory, Verdict

MIDDLE = 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """A judge of a cascade. A verdict whose score lies nearer to one half than `doubt` is not taken."""

    judge: Judge
    doubt: float = 0.0


@dataclass(slots=True)
class Share:
    """What a stage did: episodes that it was asked about and decided, and what that cost."""

    asked: int = 0
    decided: int = 0
    cost: float = 0.0
    latency_s: float = 0.0
    error: str = ""
    """why it could not be asked, the last time that it could not"""


@dataclass(slots=True)
class Cascade:
    """Asks the first stage about every episode, and each further one about those that none before has decided.

    A verdict carries the cost of all stages that were asked, and names the one that decided. Where no stage decides,
    the verdict is an abstention, pending when a stage could not be asked; a stage that cannot be asked at all is told
    in its share and costs the verdicts of no other.
    """

    stages: Sequence[Stage]
    shares: dict[str, Share] = field(default_factory=dict)
    """by the stage's name"""

    @property
    def name(self) -> str:
        """Its name in verdicts."""
        return "cascade(" + " > ".join(stage.judge.name for stage in self.stages) + ")"

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order."""
        open_ = list(range(len(trajectories)))
        found = [Verdict(None, self.name, reason="no stage decides") for _ in trajectories]
        for stage in self.stages:
            if not open_:
                break
            share = self.shares.setdefault(stage.judge.name, Share())
            said = self._ask(stage.judge, [trajectories[index] for index in open_], share)
            undecided = []
            for index, verdict in zip(open_, said, strict=True):
                taken = _sure(verdict, stage.doubt)
                share.asked += 1
                share.decided += taken
                share.cost += verdict.cost
                share.latency_s += verdict.latency_s
                found[index] = self._merged(found[index], verdict, taken)
                if not taken:
                    undecided.append(index)
            open_ = undecided
        return found

    def _ask(self, judge: Judge, trajectories: Sequence[Trajectory], share: Share) -> list[Verdict]:
        try:
            return judge.judge(trajectories)
        except JudgeError as error:
            share.error = str(error)
            return [Verdict(None, judge.name, reason=str(error), pending=True) for _ in trajectories]

    def _merged(self, before: Verdict, said: Verdict, taken: bool) -> Verdict:
        cost, latency_s = before.cost + said.cost, before.latency_s + said.latency_s
        reason = f"{said.judge}: {said.reason}"
        if taken:
            return Verdict(said.success, self.name, said.score, reason, cost, latency_s)
        if said.success is not None:
            reason = f"{said.judge} doubts, at a score of {said.score}"
        return Verdict(None, self.name, None, reason, cost, latency_s, before.pending or said.pending)


@dataclass(frozen=True, slots=True)
class MajorityVote:
    """Asks all judges about every episode. A tie, and an episode on which all abstain, is an abstention."""

    judges: Sequence[Judge]

    @property
    def name(self) -> str:
        """Its name in verdicts."""
        return "majority(" + ", ".join(judge.name for judge in self.judges) + ")"

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order; its score is the share of those who spoke that said success."""
        columns = [judge.judge(trajectories) for judge in self.judges]
        return [self._counted([column[index] for column in columns]) for index in range(len(trajectories))]

    def _counted(self, said: Sequence[Verdict]) -> Verdict:
        votes = Counter(verdict.success for verdict in said if verdict.success is not None)
        spoken = votes.total()
        told = f"{votes[True]} for success, {votes[False]} for failure, {len(said) - spoken} abstained"
        decided = votes[True] != votes[False]
        return Verdict(
            votes[True] > votes[False] if decided else None,
            self.name,
            votes[True] / spoken if spoken else None,
            told,
            sum(verdict.cost for verdict in said),
            max((verdict.latency_s for verdict in said), default=0.0),
            pending=not decided and any(verdict.pending for verdict in said),
        )


def _sure(verdict: Verdict, doubt: float) -> bool:
    return verdict.success is not None and (verdict.score is None or abs(verdict.score - MIDDLE) >= doubt)
