"""The critic: a vision-language model that reads a state and an action and says P(the action is good).

VEM's critic writes the character 1 or 2, of which one token's text is kept. A two-way head in its place is a
probability from one forward, without generation, and can learn from shares as well as from yes and no.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.weights import weights_digest
from tapwise.errors import ModelError
from tapwise.training.semi_online.optimizer import FullPrecisionOptimizer
from tapwise.training.vem.config import VemConfig
from tapwise.training.vem.labels import Example
from tapwise.training.vem.serialise import SerialisedStep


def soft_cross_entropy(logits: Tensor, good: Tensor) -> Tensor:
    """Mean cross entropy, in nats, of logits (batch, 2) for "bad" and "good" and of P(good) in [0, 1] (batch,).

    With labels of 0 and 1 it is the usual cross entropy; with a share of successes its minimum is at the share.
    Raises ValueError when the shapes do not fit.
    """
    if logits.ndim != 2 or logits.shape[1] != 2 or good.shape != logits.shape[:1]:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and good {tuple(good.shape)}: they must be [batch, 2] and [batch]"
        )
    return functional.cross_entropy(logits, torch.stack([1 - good, good], dim=1).to(logits.dtype))


class VemCritic(nn.Module):
    """P(good) of steps. `model` is trained with the head: give it a copy of its own (`compose.critic_reader`)."""

    def __init__(self, model: VlmModel, config: VemConfig | None = None) -> None:
        super().__init__()
        self.config = config or VemConfig()
        self.reader = model
        self.language = model.model.model.language_model
        head = nn.Linear(model.model.config.get_text_config().hidden_size, 2)
        nn.init.normal_(head.weight, std=0.02)
        nn.init.zeros_(head.bias)
        self.head = head.to(model.device)  # drawn on the CPU, so that only its random numbers are used
        self._optimizer: FullPrecisionOptimizer | None = None  # 32-bit copies of large models only for training
        self._fingerprint: bytes | None = None

    def logits(self, steps: Sequence[SerialisedStep]) -> Tensor:
        """Logits (steps, 2) of "bad" and "good", in 32 bits. Differentiable in the language model and the head."""
        contexts = [step.marked_context() if self.config.mark_touches else step.context for step in steps]
        encoded = self.reader.encode(contexts)
        actions = [self.reader.action_ids(step.action) for step in steps]
        lengths = torch.tensor([len(action) for action in actions], device=self.reader.device)
        longest, pad = int(lengths.max()), self.reader.tokenizer.pad_token_id
        ids = torch.tensor([[*a, *[pad] * (longest - len(a))] for a in actions], device=self.reader.device)
        mask = (torch.arange(longest, device=self.reader.device) < lengths[:, None]).long()
        inputs = encoded.inputs
        output = self.reader.model.model(
            input_ids=torch.cat([inputs["input_ids"], ids], dim=1),
            attention_mask=torch.cat([inputs["attention_mask"], mask], dim=1),
            mm_token_type_ids=torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(ids)], dim=1),
            image_grid_thw=inputs["image_grid_thw"],
            mm_encoder_outputs={"image": encoded.features},
        )
        ends = inputs["input_ids"].shape[1] + lengths - 1
        hidden = output.last_hidden_state[torch.arange(len(steps), device=self.reader.device), ends]
        scored: Tensor = self.head(hidden.float())
        return scored

    @torch.no_grad()
    def probabilities(self, steps: Sequence[SerialisedStep]) -> NDArray[np.float64]:
        """P(good) of steps, in one forward: float64 of shape (steps,)."""
        if not steps:
            return np.zeros(0)
        return self.logits(steps).softmax(-1)[:, 1].double().cpu().numpy()

    def train_on(self, examples: Sequence[Example], updates: int, rng: np.random.Generator) -> float:
        """`updates` gradient steps on batches drawn without replacement, epoch by epoch; the mean loss in nats.

        Raises ValueError when there are no examples.
        """
        if not examples:
            raise ValueError("the critic needs labelled steps to train on, but every label is an abstention")
        self._fingerprint = None
        if self._optimizer is None:
            trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
            self._optimizer = FullPrecisionOptimizer(trained, self.config.optimizer)
        losses: list[float] = []
        order: list[int] = []
        for _ in range(updates):
            if not order:
                order = rng.permutation(len(examples)).tolist()
            drawn, order = order[: self.config.batch_size], order[self.config.batch_size :]
            batch = [examples[index] for index in drawn]
            good = torch.tensor([example.good for example in batch], device=self.reader.device)
            loss = soft_cross_entropy(self.logits([example.step for example in batch]), good)
            torch.autograd.backward(loss)
            self._optimizer.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses)) if losses else float("nan")

    def fingerprint(self) -> bytes:
        """A hash of everything that its probabilities depend on beside the steps; made again after training."""
        if self._fingerprint is None:
            self._fingerprint = weights_digest(self, settings=str(self.config.mark_touches))
        return self._fingerprint

    def save(self, folder: Path) -> None:
        """Write model, head and settings so that `load_critic(folder)` takes them."""
        self.reader.save(folder)
        save_file({name: value.contiguous() for name, value in self.head.state_dict().items()}, folder / _HEAD)
        (folder / _CONFIG).write_text(self.config.model_dump_json(indent=2), encoding="utf-8")


_HEAD, _CONFIG = "vem_head.safetensors", "vem.json"


def load_critic(folder: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> VemCritic:
    """The critic that `VemCritic.save` wrote, frozen. Takes none of torch's random numbers, so that a run that loads it
    anew draws on as one that did not. Raises ModelError when the folder holds none."""
    try:
        config = VemConfig.model_validate(json.loads((folder / _CONFIG).read_text(encoding="utf-8")))
        head = load_file(folder / _HEAD)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"there is no value environment model in {folder} ({error}): give the folder `vem` of a run of kind"
            " vem, such as `tapwise train vem_virtual` makes"
        ) from error
    with torch.random.fork_rng(devices=[]):
        critic = VemCritic(VlmModel(folder, device=device, dtype=dtype), config)
    critic.head.load_state_dict(head)
    critic.requires_grad_(False)
    return critic
