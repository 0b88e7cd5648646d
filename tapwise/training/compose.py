"""The composition root: where a recipe becomes a policy and its learner; its farm is made in `farms`."""

from __future__ import annotations

from pathlib import Path

import torch

from tapwise.agent.vlm.model import BASE_MODEL, VlmModel
from tapwise.errors import ConfigError, ModelError
from tapwise.training.recipes import PolicyConfig

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def use_threads(threads: int) -> None:
    """Give torch so many threads, for the whole process: the last bits of sums depend on it."""
    torch.set_num_threads(threads)


def make_model(config: PolicyConfig) -> VlmModel:
    """The policy's model, with adapters where the recipe wants them."""
    name: str | Path = config.model or BASE_MODEL
    if name == BASE_MODEL and not BASE_MODEL.is_dir():
        raise ModelError(f"the base weights are missing at {BASE_MODEL}: reinstall tapwise, or run `tapwise pretrain`")
    model = VlmModel(name, device=config.device, dtype=DTYPES[config.dtype])
    if config.lora.rank:
        _add_adapters(model, config)
    return model


def critic_reader(model: VlmModel) -> VlmModel:
    """A model for the value functions: a copy of the policy's language model, on the same vision tower and cache."""
    reader = model.fork()
    for parameter in reader.model.parameters():
        parameter.requires_grad_(True)
    if (visual := getattr(reader.model.model, "visual", None)) is not None:
        visual.requires_grad_(False)
    return reader


def _add_adapters(model: VlmModel, config: PolicyConfig) -> None:
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise ConfigError("policy.lora needs the peft package: pip install 'tapwise[lora]'") from None
    targets = [
        name
        for name, module in model.model.named_modules()
        if isinstance(module, torch.nn.Linear) and "language_model" in name
    ]
    settings = LoraConfig(r=config.lora.rank, lora_alpha=config.lora.alpha, target_modules=targets)
    inject_adapter_in_model(settings, model.model)
    model.adapters = True
