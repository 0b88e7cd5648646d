"""Values of states from a value environment model, for algorithms that ask for V(state)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.protocols import Policy
from tapwise.records import Context, Decision, Trajectory
from tapwise.training.compose import critic_reader
from tapwise.training.recipes import AlgorithmConfig, DigiRLConfig
from tapwise.training.transitions import step_context
from tapwise.training.vem.config import VemConfig
from tapwise.training.vem.critic import VemCritic, load_critic
from tapwise.training.vem.fit import fit
from tapwise.training.vem.labels import examples
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.sources import outcome_labels


def sampled_scores(
    policy: Policy, scorer: VemScorer, contexts: Sequence[Context], samples: int, batch_size: int = 32
) -> tuple[list[Decision], NDArray[np.float64]]:
    """`samples` decisions of the policy in each state, those of a state in a row, and P(good) of each.

    Text that could not be read is no action: it scores 0, and is never scored as the action that stands in for it. (The
    released code takes it for the home key.)
    """
    repeated = [context for context in contexts for _ in range(samples)]
    decisions = [
        decision
        for start in range(0, len(repeated), batch_size)
        for decision in policy.act(repeated[start : start + batch_size])
    ]
    read = [index for index, decision in enumerate(decisions) if decision.unparsable is None]
    good = np.zeros(len(decisions))
    good[read] = scorer.scores([(repeated[index], decisions[index].action) for index in read])
    return decisions, good


class VemStepValues:
    """V(state) = the mean P(good) of actions that the policy samples in the state (`StepValues`).

    P(good) is the critic's word on an action. Where its labels are shares of successes of forked episodes, or outcomes
    of episodes, this is an expected success, as DigiRL's equation 4.3 wants it; where they are verdicts on single
    actions it is on that scale only in so far as good actions lead to success.
    """

    def __init__(self, scorer: VemScorer | Callable[[], VemScorer], policy: Policy, samples: int = 4) -> None:
        """`scorer` may be a function that makes it when values are first asked for."""
        self._given = scorer
        self._policy = policy
        self._samples = samples

    @functools.cached_property
    def _scorer(self) -> VemScorer:
        return self._given if isinstance(self._given, VemScorer) else self._given()

    def forget(self) -> None:
        """Ask the critic again for everything; one that was not asked yet is not made for that."""
        if "_scorer" in self.__dict__:
            self._scorer.forget()

    def step_values(self, trajectory: Trajectory) -> list[float]:
        """Values before each step and after the last: one more than the trajectory has steps."""
        contexts = [step_context(trajectory, index) for index in range(len(trajectory.steps) + 1)]
        _, good = sampled_scores(self._policy, self._scorer, contexts, self._samples)
        return [float(value) for value in good.reshape(len(contexts), self._samples).mean(axis=1)]


def make_step_values(config: AlgorithmConfig, policy: VlmPolicy, own: Path) -> VemStepValues | None:
    """The values that a recipe asks for in the place of the critic's, or None.

    `own` is the folder of a value environment model that the run itself trains, which need not be there yet. Raises
    ModelError as `load_critic` when one that the recipe names is not there.
    """
    if not isinstance(config, DigiRLConfig) or config.advantage != "vem":
        return None

    def load(folder: Path) -> VemScorer:
        return VemScorer(load_critic(folder, str(policy.model.device), policy.model.model.dtype))

    scorer = functools.partial(load, own) if config.trains_vem else load(Path(config.vem))
    return VemStepValues(scorer, policy, config.vem_samples)


def train_on_outcomes(
    model: VlmModel, trajectories: Sequence[Trajectory], updates: int, rng: np.random.Generator, folder: Path
) -> dict[str, float]:
    """Train a value environment model on what followed the actions of trajectories, and write it to a folder.

    Returns metrics: the loss, and AUC and calibration error on held-out episodes. Raises ValueError for fewer than two
    episodes.
    """
    critic = VemCritic(critic_reader(model), VemConfig(mark_touches=False))
    found = fit(critic, examples(trajectories, outcome_labels(trajectories), model.action_text), updates, rng)
    critic.save(folder)
    return {"vem/loss": found.loss, "vem/auc": found.after.auc, "vem/calibration_error": found.after.calibration_error}
