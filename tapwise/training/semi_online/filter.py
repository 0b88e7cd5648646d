"""Which tasks' rollouts teach anything, and what becomes of those that a batch has no room for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

Group = TypeVar("Group")


def return_spread(first_returns: Float[np.ndarray, " rollouts"]) -> float:
    """The population standard deviation of the rollouts' returns from their first step on.

    Raises ValueError when there are none.
    """
    vector = np.asarray(first_returns, dtype=np.float64)
    if vector.ndim != 1 or len(vector) == 0:
        raise ValueError(f"first_returns must be a vector with one entry per rollout, not of shape {vector.shape}")
    return float(vector.std())


def is_informative(first_returns: Float[np.ndarray, " rollouts"], threshold: float = 0.3) -> bool:
    """Whether a task's rollouts differ enough in their returns to learn from: `return_spread` above `threshold`.

    UI-S1's dynamic sampling after DAPO (arXiv 2509.11543; arXiv 2503.14476), as in the released code. The paper writes
    of the advantages' standard deviation, which is 1 by construction where they are divided by it. A single rollout
    has no spread to judge by and is kept.
    """
    return len(first_returns) == 1 or return_spread(first_returns) > threshold


class DynamicFilter(Generic[Group]):
    """Gathers informative groups of rollouts, one a task, until a batch is full; what is over waits for the next batch.

    `Group` is whatever the caller learns from. `carry_limit` bounds how many groups wait: beyond it the oldest are
    dropped, for the policy that made them is the most outdated. Released code: throws all surplus away, and raises
    after ten batches without enough; here it is the caller who stops offering, and takes what there is.
    """

    def __init__(self, batch_groups: int, threshold: float = 0.3, carry_limit: int | None = None) -> None:
        """`carry_limit` is one batch unless told. Raises ValueError when a number is out of range."""
        limit = batch_groups if carry_limit is None else carry_limit
        if batch_groups < 1 or limit < 0 or threshold < 0.0:
            raise ValueError(
                f"batch_groups is {batch_groups}, carry_limit {limit} and threshold {threshold}, but they must be at"
                " least 1, 0 and 0"
            )
        self.batch_groups = batch_groups
        self.threshold = threshold
        self.carry_limit = limit
        self.refused = 0
        """groups offered so far whose rollouts were too much alike"""
        self.dropped = 0
        """informative groups that were given up because too many waited"""
        self._waiting: deque[Group] = deque()

    @property
    def full(self) -> bool:
        """Whether there are enough groups for a batch."""
        return len(self._waiting) >= self.batch_groups

    @property
    def waiting(self) -> tuple[Group, ...]:
        """The groups that wait, oldest first."""
        return tuple(self._waiting)

    def restore(self, waiting: Iterable[Group]) -> None:
        """Let these groups wait, and no others: where a run goes on."""
        self._waiting = deque(waiting)

    def offer(self, group: Group, first_returns: Float[np.ndarray, " rollouts"]) -> bool:
        """Keep the group if its rollouts' returns from the first step on differ enough; whether it was kept."""
        if not is_informative(first_returns, self.threshold):
            self.refused += 1
            return False
        self._waiting.append(group)
        return True

    def take(self) -> list[Group]:
        """The batch, oldest groups first: a full one, or as much as there is, which may be nothing."""
        batch = [self._waiting.popleft() for _ in range(min(self.batch_groups, len(self._waiting)))]
        while len(self._waiting) > self.carry_limit:
            self._waiting.popleft()
            self.dropped += 1
        return batch
