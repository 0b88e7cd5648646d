"""A model's size and the tokens of its prompts, without loading its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from tapwise import images
from tapwise.agent.vlm.model import BASE_MODEL, chat_prompt, own_form
from tapwise.agent.vlm.processor import load_processor
from tapwise.agent.vlm.prompt import HISTORY
from tapwise.errors import ModelError
from tapwise.records import Action, Context, Decision, Observation, Point, Screenshot, Step, Tap, Task
from tapwise.training.recipes import PolicyConfig

TYPICAL = Tap(Point(0.5, 0.5), "settings")
"""the action that stands for others where none are known yet"""


@dataclass(frozen=True, slots=True)
class Outline:
    """Numbers of parameters (`language`: all but the vision tower's; `trained` by the policy's optimiser) and of the
    language model's layers, width and vocabulary; `weight_bytes` a parameter."""

    name: str
    parameters: int
    language: int
    trained: int
    layers: int
    width: int
    vocabulary: int
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """Tokens of a prompt (image and text, with a full history) and of an answer, the mean over what was looked at."""

    image: float
    text: float
    answer: float

    @property
    def prompt(self) -> float:
        """Image and text together."""
        return self.image + self.text


def outline(config: PolicyConfig) -> Outline:
    """The outline of the policy's model, from its configuration alone. Raises ModelError when that cannot be read."""
    name: str | Path = config.model or BASE_MODEL
    try:
        settings = AutoConfig.from_pretrained(name)
        with torch.device("meta"):
            model = AutoModelForImageTextToText.from_config(settings)
    except (OSError, ValueError, KeyError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"the configuration of model {name} cannot be read: {reason}; give a folder that `save_pretrained` wrote,"
            " or the name of an image-text-to-text model on the hub that can be reached from here"
        ) from error
    text = settings.get_text_config()
    counts = {key: parameter.numel() for key, parameter in model.named_parameters()}
    language = sum(count for key, count in counts.items() if ".visual." not in f".{key}")
    return Outline(
        name="base" if name == BASE_MODEL else str(name),
        parameters=sum(counts.values()),
        language=language,
        trained=_adapters(model, config.lora.rank) if config.lora.rank else language,
        layers=text.num_hidden_layers,
        width=text.hidden_size,
        vocabulary=text.vocab_size,
        weight_bytes=2 if config.dtype == "bfloat16" else 4,
    )


def _adapters(model: Any, rank: int) -> int:
    linear = [m for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and "language_model" in n]
    return sum(rank * (module.in_features + module.out_features) for module in linear)


def prompt_tokens(
    model: str | Path, instructions: Sequence[str], screenshot: Screenshot, actions: Sequence[Action] = (TYPICAL,)
) -> PromptTokens:
    """Tokens of prompts with these goals on this screen, and of these actions, whose steps make the history.

    Raises ModelError when the model's processor cannot be loaded.
    """
    try:
        processor = load_processor(model or BASE_MODEL)
    except (OSError, ValueError, KeyError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"the processor of model {model} cannot be loaded: {reason}") from error
    form, tokenizer = own_form(processor.tokenizer), processor.tokenizer
    grid = processor.image_processor([images.decode_image(screenshot)], return_tensors="pt")["image_grid_thw"]
    image = int(grid.prod()) // getattr(processor.image_processor, "merge_size", 2) ** 2
    observation = Observation(screenshot, "", True, 0.0)
    history = tuple(Step(observation, Decision(actions[n % len(actions)], "")) for n in range(HISTORY))
    contexts = [Context(_task(instruction), history, observation) for instruction in instructions]
    texts = [chat_prompt(processor, form, context).replace(processor.image_token, "") for context in contexts]
    answers = [form.format(action) for action in actions]
    return PromptTokens(image, _mean_length(tokenizer, texts), _mean_length(tokenizer, answers) + 1)


def blank_screen(height: int, width: int) -> Screenshot:
    """An empty screenshot of a size in pixels: its tokens are those of any other."""
    return images.encode(np.full((height, width, 3), 128, dtype=np.uint8), "png")


def _task(instruction: str) -> Task:
    return Task("", instruction, "", "", "", (), 1, "train")


def _mean_length(tokenizer: Any, texts: Sequence[str]) -> float:
    return float(np.mean([len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]))
