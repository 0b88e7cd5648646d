"""The judge that knows: verdicts from the ground truth that the suite read off the device."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.records import Trajectory, Verdict


class OutcomeJudge:
    """Repeats `Trajectory.outcome`, and abstains where there is none."""

    @property
    def name(self) -> str:
        """Its name in verdicts."""
        return "outcome"

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order."""
        return [self._verdict(trajectory) for trajectory in trajectories]

    def _verdict(self, trajectory: Trajectory) -> Verdict:
        if trajectory.outcome is None:
            return Verdict(None, self.name, reason="the suite has no ground truth for this episode")
        reason = "the state of the device meets the task" if trajectory.outcome else "the state does not meet the task"
        return Verdict(trajectory.outcome, self.name, score=float(trajectory.outcome), reason=reason)
