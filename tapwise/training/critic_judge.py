"""A small judge: a critic that reads the goal, the last actions and the last screen, and says whether to end here.

To judge an episode is to value its end: P(it is right to say now that the task is done), or to answer as the agent did.
It sees what any judge may see, and nothing of the phone's state.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.records import Context, End, Finish, Trajectory, Verdict
from tapwise.training.compose import critic_reader
from tapwise.training.transitions import final_observation, step_context
from tapwise.training.vem.config import VemConfig
from tapwise.training.vem.critic import VemCritic
from tapwise.training.vem.labels import Example
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.serialise import serialise

PREMATURE = 2
"""states on the way to a success, beside its end, in which saying that the task is done is learned to be wrong"""


class CriticJudge:
    """Judges by a critic that `train_judge` has trained. `threshold`: the least P(done) that is called a success."""

    def __init__(self, critic: VemCritic, threshold: float = 0.5) -> None:
        self._scorer = VemScorer(critic)
        self._threshold = threshold

    @property
    def name(self) -> str:
        """Its name in verdicts: another training gives another name."""
        return f"critic:{self._scorer.critic.fingerprint().hex()[:12]}"

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order; abstains on those that were aborted or have no step."""
        asked = [one for one in trajectories if one.trainable]
        scores = self._scorer.scores([ending(one) for one in asked])
        found = dict(zip([one.id for one in asked], scores.tolist(), strict=True))
        return [self._verdict(found.get(one.id)) for one in trajectories]

    def _verdict(self, score: float | None) -> Verdict:
        if score is None:
            return Verdict(None, self.name, reason="the episode was aborted, or has no step")
        return Verdict(score >= self._threshold, self.name, score, f"P(done) {score:.2f}")


def ending(trajectory: Trajectory) -> tuple[Context, Finish]:
    """The state in which an episode ended, and what was said there; of an agent that said nothing, that it is done."""
    last = trajectory.steps[-1].decision.action
    if isinstance(last, Finish) and trajectory.end is End.FINISHED:
        return Context(trajectory.task, trajectory.steps[:-1], trajectory.steps[-1].observation), last
    return Context(trajectory.task, trajectory.steps, final_observation(trajectory)), Finish("success")


def judge_examples(trajectories: Sequence[Trajectory], model: VlmModel, rng: np.random.Generator) -> list[Example]:
    """What a judge learns from episodes with outcomes: their ends, and of successes some states before the end too,
    which are no end yet."""
    found: list[Example] = []
    for trajectory in trajectories:
        context, said = ending(trajectory)
        found.append(
            Example(serialise(context, said, model.action_text), float(bool(trajectory.outcome)), trajectory.id)
        )
        if trajectory.outcome and len(trajectory.steps) > 2:
            count = min(PREMATURE, len(trajectory.steps) - 2)
            for index in rng.choice(len(trajectory.steps) - 2, count, replace=False).tolist():
                before = step_context(trajectory, index)
                found.append(Example(serialise(before, said, model.action_text), 0.0, trajectory.id))
    return found


def train_judge(
    model: VlmModel, trajectories: Sequence[Trajectory], updates: int, seed: int
) -> tuple[VemCritic, float]:
    """A judge's critic on a copy of the model, and its mean loss in nats: a function of `seed`, and in its last bits of
    the number of torch's threads. Raises ValueError without trajectories."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    critic = VemCritic(critic_reader(model), VemConfig(mark_touches=False))
    loss = critic.train_on(judge_examples(trajectories, model, rng), updates, rng)
    critic.requires_grad_(False)
    return critic, loss
