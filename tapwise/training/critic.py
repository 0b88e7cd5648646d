"""DigiRL's two value functions, trained by cross-entropy on success: V(state, instruction) and V(instruction).

Both read a language model of their own, a copy of the policy's base; the frozen vision tower, and with it the cache
of image features, is shared. As in the released code the step value is a pair of heads, and the smaller one counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.prompt import prompt_text
from tapwise.records import Context, Task, Trajectory
from tapwise.training.learner import make_optimizer, step_optimizer
from tapwise.training.losses import success_cross_entropy
from tapwise.training.recipes import CriticConfig
from tapwise.training.transitions import episode_return, step_context


class Critic(nn.Module):
    """P(success) of states and of instructions."""

    def __init__(self, model: VlmModel, config: CriticConfig) -> None:
        super().__init__()
        self.config = config
        self.reader = model
        width = model.model.config.get_text_config().hidden_size
        self.language = model.model.model.language_model
        self.first, self.second, self.instruction = nn.Linear(width, 2), nn.Linear(width, 2), nn.Linear(width, 2)
        for head in (self.first, self.second, self.instruction):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
            head.to(model.device)
        self._trained = [p for p in self.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(self._trained, config.optimizer)
        self.updates = 0

    def train_on(self, trajectories: Sequence[Trajectory], updates: int, rng: np.random.Generator) -> dict[str, float]:
        """`updates` gradient steps on states drawn from the trajectories with replacement, each labelled with its
        trajectory's success; instructions are drawn beside them."""
        places = [(t, i) for t in trajectories for i in range(len(t.steps) + 1)]
        if not places:
            return {}
        losses: list[tuple[float, float]] = []
        for _ in range(updates):
            drawn = [places[i] for i in rng.integers(len(places), size=self.config.batch_size)]
            labels = torch.tensor([episode_return(t) > 0 for t, _ in drawn], device=self.reader.device)
            hidden = self.reader.hidden([step_context(t, i) for t, i in drawn]).float()
            step_loss = success_cross_entropy(self.first(hidden), labels) + success_cross_entropy(
                self.second(hidden), labels
            )
            few = [trajectories[i] for i in rng.integers(len(trajectories), size=self.config.batch_size // 2)]
            few_labels = torch.tensor([episode_return(t) > 0 for t in few], device=self.reader.device)
            text = self.reader.hidden_text([_instruction(t.task) for t in few]).float()
            instruction_loss = success_cross_entropy(self.instruction(text), few_labels)
            step_optimizer(
                self.optimizer, step_loss + instruction_loss, self._trained, self.config.optimizer, self.updates
            )
            self.updates += 1
            losses.append((float(step_loss.detach()) / 2, float(instruction_loss.detach())))
        step, instruction = np.mean(losses, axis=0)
        return {"critic/step_loss": float(step), "critic/instruction_loss": float(instruction)}

    @torch.no_grad()
    def state_values(self, contexts: Sequence[Context], batch_size: int = 128) -> NDArray[np.float64]:
        """P(success) of states, the smaller of the two heads: float64 of shape (states,)."""
        values: list[Tensor] = []
        for start in range(0, len(contexts), batch_size):
            hidden = self.reader.hidden(contexts[start : start + batch_size]).float()
            first, second = (head(hidden).softmax(-1)[:, 1] for head in (self.first, self.second))
            values.append(torch.minimum(first, second))
        return torch.cat(values).double().cpu().numpy() if values else np.zeros(0)

    def step_values(self, trajectory: Trajectory) -> list[float]:
        """P(success) before each action of a trajectory, and after the last: one more than it has steps."""
        contexts = [step_context(trajectory, index) for index in range(len(trajectory.steps) + 1)]
        return [float(v) for v in self.state_values(contexts)]

    @torch.no_grad()
    def instruction_values(self, tasks: Sequence[Task]) -> list[float]:
        """P(success) given the instruction alone; each distinct instruction is read once."""
        texts = sorted({_instruction(task) for task in tasks})
        found: dict[str, float] = {}
        for start in range(0, len(texts), 128):
            part = texts[start : start + 128]
            values = self.instruction(self.reader.hidden_text(part).float()).softmax(-1)[:, 1].tolist()
            found.update(zip(part, values, strict=True))
        return [found[_instruction(task)] for task in tasks]


def _instruction(task: Task) -> str:
    return prompt_text(task.instruction, []) + "<|im_start|>"
