"""What to try and what to recall, by how often the templates of the tasks have succeeded lately.

Trying pays where success is neither certain nor out of reach (`filters.task_weights`); recalling demonstrations pays
where the policy's own attempts fail, as in arXiv 2506.07527, which fine-tunes on the hardest questions between the
rounds of reinforcement learning.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tapwise.android_env.tasks import Suite
from tapwise.records import Task, Trajectory
from tapwise.training.filters import task_weights
from tapwise.training.transitions import Sample, episode_return

WINDOW = 12
"""latest attempts at a template that its rate is made of"""


def success_rates(templates: Iterable[str], trajectories: Iterable[Trajectory]) -> dict[str, float]:
    """Expected success of each template's next attempt, in (0, 1): (successes + 1) / (attempts + 2) over the latest
    `WINDOW` attempts, which is 0.5 where there was none."""
    latest: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WINDOW))
    for trajectory in trajectories:
        latest[trajectory.task.template].append(episode_return(trajectory))
    return {name: (sum(latest[name]) + 1.0) / (len(latest[name]) + 2.0) for name in templates}


def draw_tasks(suite: Suite, rates: Mapping[str, float], count: int, rng: np.random.Generator) -> list[Task]:
    """`count` training tasks: templates by `task_weights` of their rates, then any task of theirs."""
    names = sorted(rates)
    weights = task_weights(np.array([rates[name] for name in names]))
    pools: dict[str, list[Task]] = {name: [] for name in names}
    for task in suite.tasks("train"):
        pools[task.template].append(task)
    drawn = rng.choice(len(names), size=count, p=weights)
    return [pools[names[index]][int(rng.integers(len(pools[names[index]])))] for index in drawn]


def draw_reminders(
    samples: Sequence[Sample], rates: Mapping[str, float], count: int, rng: np.random.Generator
) -> list[Sample]:
    """At most `count` different samples, the likelier the more often their template fails."""
    if count >= len(samples):
        return list(samples)
    weights: NDArray[np.float64] = np.array([1.0 - rates[sample.context.task.template] for sample in samples])
    return [samples[i] for i in rng.choice(len(samples), size=count, replace=False, p=weights / weights.sum())]
