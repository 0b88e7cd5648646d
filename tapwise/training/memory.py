"""The memory that training takes, phase by phase: counted for weights and what belongs to them, else estimated."""

from __future__ import annotations

from typing import Any

from tapwise.training.outline import Outline, PromptTokens
from tapwise.training.recipes import BaseRecipe, Recipe
from tapwise.training.semi_online.recipe import SemiOnlineRecipe
from tapwise.training.vem.recipe import VemRecipe

ACTIVATION_BYTES = 17
"""per token, layer, unit of width and byte of a number: 34 s b h bytes a layer at two bytes (Korthikanti et al. 2022,
arXiv 2205.05198, section 4.1), without the part that is quadratic in length, which fused attention does not keep"""
ESTIMATE = (
    "activations are an estimate (34 bytes a token, layer and unit of width at two bytes a number, arXiv 2205.05198,"
    " without recomputation, plus two 32-bit copies of the answers' logits); image features are kept up to 2 GiB"
)


def memory(recipe: BaseRecipe, model: Outline, tokens: PromptTokens) -> dict[str, Any]:
    """Bytes by phase and part, with totals, and how the estimated part was made."""
    phases: dict[str, dict[str, int]] = {}
    plain = model.trained * 2 * model.weight_bytes  # AdamW's moments have the weights' own type
    supervised = recipe.supervised.updates > 0
    if supervised or isinstance(recipe, Recipe):
        phases["supervised"] = _phase(model, tokens, recipe.batch_size, optimiser=plain)
    if isinstance(recipe, Recipe):
        phases["policy and critic"] = _phase(
            model,
            tokens,
            max(recipe.batch_size, recipe.critic.batch_size),
            optimiser=plain,
            critic=4 * model.language * model.weight_bytes,
        )
    held = plain if supervised else 0
    if isinstance(recipe, VemRecipe):
        phases["critic"] = _phase(
            model,
            tokens,
            recipe.vem.batch_size,
            optimiser=held + _full_precision(model, model.language),
            gradients=model.language * model.weight_bytes,
            critic=model.language * model.weight_bytes,
        )
        phases["policy"] = _phase(
            model,
            tokens,
            recipe.optimisation.loss.micro_batch_size,
            optimiser=held + _full_precision(model, model.trained),
            critic=model.parameters * model.weight_bytes,
            reference=_reference(model, recipe.optimisation.loss.kl_coefficient),
        )
    if isinstance(recipe, SemiOnlineRecipe):
        phases["policy"] = _phase(
            model,
            tokens,
            recipe.loss.micro_batch_size,
            optimiser=held + _full_precision(model, model.trained),
            reference=_reference(model, recipe.loss.kl_coefficient),
        )
    return {"phases": phases, "peak": max(parts["total"] for parts in phases.values()), "estimate": ESTIMATE}


def _phase(
    model: Outline,
    tokens: PromptTokens,
    batch: int,
    *,
    optimiser: int,
    gradients: int | None = None,
    critic: int = 0,
    reference: int = 0,
) -> dict[str, int]:
    """Parts of one phase in bytes; `critic` and `reference` are further copies of weights and what belongs to them."""
    parts = {
        "weights": model.parameters * model.weight_bytes,
        "gradients": model.trained * model.weight_bytes if gradients is None else gradients,
        "optimiser": optimiser,
        "critic": critic,
        "reference": reference,
        "activations": _activations(model, tokens, batch),
    }
    return {**{name: value for name, value in parts.items() if value}, "total": sum(parts.values())}


def _full_precision(model: Outline, trained: int) -> int:
    """Two 32-bit moments a parameter, and a 32-bit copy of weights that are kept in half."""
    return trained * (8 if model.weight_bytes == 4 else 12)


def _reference(model: Outline, coefficient: float) -> int:
    return model.language * model.weight_bytes if coefficient else 0


def _activations(model: Outline, tokens: PromptTokens, batch: int) -> int:
    sequence = tokens.prompt + tokens.answer
    layers = ACTIVATION_BYTES * model.weight_bytes * model.width * model.layers * sequence * batch
    return round(layers + 8 * batch * tokens.answer * model.vocabulary)
