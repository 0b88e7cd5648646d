"""Which jobs wait, which worker has which, and what came of them: bookkeeping alone."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence

from tapwise.records import End, Trajectory
from tapwise.training.collect import Job

MOST_A_DEVICE = 4
"""jobs that a worker is given at once for each of its devices"""


class JobTable:
    """The jobs of one call of `collect`.

    A job is with one worker at a time. What a worker had when it was lost waits again, in front, and costs no attempt:
    the job is not to blame. A job that is answered for twice, since its first worker was only cut off for a while,
    counts once. `attempts` is how often a job whose episode is aborted is played in all.
    """

    def __init__(self, jobs: Sequence[Job], attempts: int, known: Mapping[str, Trajectory] | None = None) -> None:
        self.done: dict[str, Trajectory] = dict(known or {})
        self._jobs = tuple(jobs)
        self._waiting = deque(job for job in jobs if job.id not in self.done)
        self._with: dict[str, dict[str, Job]] = {}
        self._attempts = attempts
        self._tries: Counter[str] = Counter()

    @property
    def over(self) -> bool:
        """Whether nothing waits and nobody has anything."""
        return not self._waiting and not any(self._with.values())

    @property
    def waiting(self) -> int:
        """Jobs that no worker has."""
        return len(self._waiting)

    def found(self) -> list[Trajectory]:
        """What was played to its end, in the order of the jobs."""
        return [self.done[job.id] for job in self._jobs if job.id in self.done]

    def hand_out(self, worker: str, workers: int, devices: int) -> list[Job]:
        """The next jobs for a worker, one of `workers` with `devices` each: half of its share of what waits, so that
        all end at about the same time, but at least one for each of its devices, and at most a few, since they are
        played anew when the worker is lost."""
        share = math.ceil(len(self._waiting) / (2 * max(1, workers)))
        count = min(max(devices, share), MOST_A_DEVICE * devices)
        jobs = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
        self._with.setdefault(worker, {}).update((job.id, job) for job in jobs)
        return jobs

    def answer(self, worker: str, name: str, trajectory: Trajectory) -> bool:
        """Take in what a worker says of the job of this name; False when it does not have that job any more.

        An aborted episode is tried again up to the limit.
        """
        job = self._with.get(worker, {}).pop(name, None)
        if job is None or job.id in self.done:
            return False
        if trajectory.end is not End.ABORTED:
            self.done[job.id] = trajectory
            return True
        self._tries[job.id] += 1
        if self._tries[job.id] < self._attempts:
            self._waiting.append(job)
        return True

    def lose(self, worker: str) -> list[Job]:
        """A worker will not answer any more: what it had waits again."""
        lost = list(self._with.pop(worker, {}).values())
        self._waiting.extendleft(reversed(lost))
        return lost
