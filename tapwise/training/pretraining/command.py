"""What `tapwise pretrain` does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.config import load_recipe
from tapwise.training.pretraining.grounding import measure_grounding
from tapwise.training.pretraining.recipe import Pretraining, PretrainingConfig


def pretrain(folder: Path, overrides: Sequence[str], threads: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the recipe, measure it on held-out screens, and write `result.json` beside the weights."""
    config = load_recipe(PretrainingConfig, None, overrides)
    torch.set_num_threads(threads)
    started = time.monotonic()
    recipe = Pretraining(config, folder)
    recipe.run(
        lambda stage, step, metrics: say(
            f"{stage} {step}: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
        )
    )
    seconds = time.monotonic() - started
    found = measure_grounding(VlmModel(folder / "model"), recipe.vocabulary)
    result = {
        "model": str(folder / "model"),
        "seconds": seconds,
        "words": len(recipe.vocabulary.words),
        "parameters": sum(p.numel() for p in recipe.model.parameters()),
        "grounding": {name: {**asdict(value), "accuracy": value.accuracy} for name, value in found.items()},
        "recipe": config.model_dump(),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result
