"""One episode, stored as it happens."""

from __future__ import annotations

from collections.abc import Callable

from tapwise.errors import StoreError
from tapwise.records import Step, Trajectory


class EpisodeWriter:
    """Stores one episode as it happens; made by `ParquetTrajectoryStore.begin` and `.resume`.

    write_step and write_end are the store's: each returns once what it was given is stored.
    """

    def __init__(
        self,
        trajectory_id: str,
        steps: int,
        write_step: Callable[[str, Step], None],
        write_end: Callable[[Trajectory], None],
    ) -> None:
        self.trajectory_id = trajectory_id
        self.steps = steps
        """Steps stored so far."""
        self._write_step = write_step
        self._write_end = write_end
        self._finished = False

    def step(self, step: Step) -> None:
        """Store the next step; on return it survives the death of this process. Raises StoreError."""
        self._check_open()
        self._write_step(self.trajectory_id, step)
        self.steps += 1

    def finish(self, trajectory: Trajectory) -> None:
        """Store the end. The trajectory given is what counts, also where its steps differ from those stored before;
        screenshots that are stored already are not written again. Raises StoreError.
        """
        self._check_open()
        if trajectory.id != self.trajectory_id:
            raise StoreError(
                f"episode {self.trajectory_id!r} cannot end as trajectory {trajectory.id!r}: use the id it began with"
            )
        self._write_end(trajectory)
        self._finished = True

    def _check_open(self) -> None:
        if self._finished:
            raise StoreError(f"episode {self.trajectory_id!r} has ended already: begin another one under a new id")
