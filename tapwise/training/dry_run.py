"""What a recipe would use, without training: data, tokens, memory, gradient steps, decisions of the policy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from tapwise.android_env.suites import load_suite
from tapwise.errors import ConfigError, ModelError
from tapwise.records import Action, Screenshot
from tapwise.training.memory import memory
from tapwise.training.outline import TYPICAL, blank_screen, outline, prompt_tokens
from tapwise.training.recipes import BaseRecipe, DigiRLConfig, ExpertRecipe, Recipe
from tapwise.training.runs.experts import choose_experts, open_experts
from tapwise.training.runs.units import unit_seed
from tapwise.training.semi_online.recipe import SemiOnlineRecipe
from tapwise.training.vem.recipe import ON_PHONES, VemRecipe

LOOKED_AT = 20
"""episodes or tasks that token counts are taken from"""


@dataclass(frozen=True, slots=True)
class Data:
    """What there is to learn from. `steps` is the mean length of an episode, at most, where none is there yet."""

    told: dict[str, Any]
    experts: int
    steps: float
    instructions: tuple[str, ...]
    screen: Screenshot
    actions: tuple[Action, ...]


def dry_run(recipe: BaseRecipe) -> dict[str, Any]:
    """All estimates, as JSON. Raises ConfigError for missing data, ModelError for a model that cannot be read."""
    check_files(recipe)
    data = _store_data(recipe) if isinstance(recipe, ExpertRecipe) and recipe.data.store else _phone_data(recipe)
    model = outline(recipe.policy)
    tokens = prompt_tokens(recipe.policy.model, data.instructions, data.screen, data.actions)
    sequence = tokens.prompt + tokens.answer
    return {
        "recipe": recipe.name,
        "kind": getattr(recipe, "kind", "rl"),
        "data": data.told,
        "model": asdict(model),
        "tokens": {
            "image": tokens.image,
            "text": tokens.text,
            "prompt": tokens.prompt,
            "answer": tokens.answer,
            "per_update": {name: round(size * sequence) for name, size in _batches(recipe).items()},
        },
        "memory": memory(recipe, model, tokens),
        "updates": _updates(recipe),
        "decisions_at_most": _decisions(recipe, data),
    }


def check_files(recipe: BaseRecipe) -> None:
    """Raise ModelError or ConfigError when a file that the recipe names is not there."""
    if isinstance(recipe, Recipe) and isinstance(recipe.algorithm, DigiRLConfig) and recipe.algorithm.vem:
        folder = Path(recipe.algorithm.vem)
        if not (folder / "vem.json").is_file():
            raise ModelError(
                f"algorithm.vem {folder} holds no value environment model: make one with `tapwise train vem_virtual`,"
                " or leave the key out so that the run trains its own"
            )
    if isinstance(recipe, VemRecipe) and recipe.labels.file and not Path(recipe.labels.file).is_file():
        raise ConfigError(f"labels.file {recipe.labels.file} does not exist: give a file that VEM's labelling wrote")


def _phone_data(recipe: BaseRecipe) -> Data:
    suite = load_suite(recipe.suite)
    tasks = suite.tasks("train")
    each = recipe.supervised.demonstrations
    each += recipe.data.demonstrations if isinstance(recipe, ExpertRecipe) else 0
    demonstrations = len(suite.templates) * each
    size = recipe.farm.pixels()
    told: dict[str, Any] = {
        "source": "phones",
        "templates": len(suite.templates),
        "demonstrations_to_collect": demonstrations,
        "evaluation_episodes": recipe.evaluation.episodes * _evaluations(recipe),
    }
    if isinstance(recipe, Recipe):
        told["rollouts_to_collect"] = recipe.offline.episodes + recipe.online.iterations * recipe.online.episodes
    if isinstance(recipe, VemRecipe) and recipe.labels.source in ON_PHONES:
        told["episodes_to_label"] = recipe.labels.episodes
    longest = float(np.mean([task.max_steps for task in tasks]))
    instructions = tuple(task.instruction for task in tasks[:: max(1, len(tasks) // LOOKED_AT)])
    return Data(told, demonstrations, longest, instructions, blank_screen(size.height, size.width), (TYPICAL,))


def _store_data(recipe: ExpertRecipe) -> Data:
    rng = np.random.default_rng(unit_seed(recipe.seed, "experts"))
    with open_experts(recipe.data.store) as store:
        chosen = choose_experts(store, recipe.data, rng)
        looked_at = [store.get(name) for name in islice(chosen.training, LOOKED_AT)]
    steps = [step for trajectory in looked_at for step in trajectory.steps]
    told = {
        "source": recipe.data.store,
        "training_episodes": len(chosen.training),
        "training_steps": chosen.training_steps,
        "held_out_episodes": len(chosen.held_out),
        "held_out_steps": chosen.held_out_steps,
        "evaluation_episodes": min(recipe.evaluation.episodes, len(chosen.held_out)) * _evaluations(recipe),
    }
    return Data(
        told,
        len(chosen.training),
        chosen.training_steps / len(chosen.training),
        tuple(trajectory.task.instruction for trajectory in looked_at),
        steps[0].observation.screenshot,
        tuple(step.decision.action for step in steps if step.decision.unparsable is None) or (TYPICAL,),
    )


def _evaluations(recipe: BaseRecipe) -> int:
    if isinstance(recipe, Recipe):
        return 1 + (recipe.offline.episodes > 0) + (recipe.online.iterations > 0)
    assert isinstance(recipe, VemRecipe | SemiOnlineRecipe)
    return 1 + (recipe.iterations > 0)


def _batches(recipe: BaseRecipe) -> dict[str, int]:
    """Steps that one gradient step reads, by what is trained."""
    found = {"supervised": recipe.batch_size} if recipe.supervised.updates else {}
    if isinstance(recipe, Recipe):
        return {**found, "policy": recipe.batch_size, "critic": recipe.critic.batch_size}
    if isinstance(recipe, VemRecipe):
        config = recipe.optimisation
        share = -(-config.states * config.samples // config.loss.mini_batches)
        return {**found, "critic": recipe.vem.batch_size, "policy": share}
    return found  # as many as the rollouts of the learned tasks have steps: known only then


def _updates(recipe: BaseRecipe) -> dict[str, int]:
    """Gradient steps, by what is trained."""
    found = {"supervised": recipe.supervised.updates}
    if isinstance(recipe, Recipe):
        offline, online = recipe.offline, recipe.online
        found["policy"] = offline.updates * (offline.episodes > 0) + online.iterations * online.updates
        found["critic"] = offline.critic_updates * (offline.episodes > 0) + online.iterations * online.critic_updates
    elif isinstance(recipe, VemRecipe):
        found["critic"] = recipe.critic_updates
        found["policy"] = recipe.iterations * recipe.optimisation.loss.mini_batches
    elif isinstance(recipe, SemiOnlineRecipe):
        found["policy"] = recipe.iterations * recipe.loss.mini_batches
    return found


def _decisions(recipe: BaseRecipe, data: Data) -> dict[str, int]:
    """Decisions of the policy at most, by what for: every episode is taken to last as long as it may."""
    steps = data.steps
    found = {"evaluation": round(data.told["evaluation_episodes"] * steps)}
    if isinstance(recipe, Recipe):
        found["rollouts"] = round(data.told["rollouts_to_collect"] * steps)
    elif isinstance(recipe, SemiOnlineRecipe):
        config = recipe.sampling
        tried = min(config.attempts * config.tasks, data.experts)
        found["rollouts"] = round(recipe.iterations * tried * config.rollouts * steps)
    elif isinstance(recipe, VemRecipe):
        rounds = -(-recipe.iterations // recipe.guard.every)
        if recipe.labels.source in ON_PHONES:
            samples = 0 if recipe.labels.source == "outcomes" else recipe.labels.samples
            found["labels"] = round(recipe.labels.episodes * steps * (1 + samples))
        if recipe.labels.source == "success":  # each fork is finished by the policy
            found["labels"] += round(recipe.labels.episodes * steps * (2 + recipe.labels.samples) * steps)
        found["optimisation"] = recipe.iterations * recipe.optimisation.states * recipe.optimisation.samples
        found["guard"] = round((rounds + bool(rounds)) * recipe.guard.episodes * steps)
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """The estimates in words."""
    model, tokens, used = found["model"], found["tokens"], found["memory"]
    told = [f"{found['recipe']} ({found['kind']}): nothing was trained"]
    told += [f"  data      {name.replace('_', ' ')}: {value}" for name, value in found["data"].items()]
    told.append(
        f"  model     {model['name']}: {model['parameters'] / 1e6:,.1f} M parameters, {model['trained'] / 1e6:,.1f} M"
        f" trained, {model['weight_bytes']} bytes each"
    )
    told.append(
        f"  tokens    a prompt: {tokens['prompt']:.0f} ({tokens['image']:.0f} of the image, {tokens['text']:.0f} of the"
        f" text), an answer: {tokens['answer']:.0f}"
    )
    told += [f"  tokens    an update, {name}: {count:,}" for name, count in tokens["per_update"].items()]
    for phase, parts in used["phases"].items():
        inside = ", ".join(
            f"{name.replace('_', ' ')} {_size(value)}" for name, value in parts.items() if name != "total"
        )
        told.append(f"  memory    {phase}: {_size(parts['total'])} ({inside})")
    told.append(f"  memory    {used['estimate']}")
    told += [f"  updates   {name}: {count:,}" for name, count in found["updates"].items()]
    told += [f"  decisions at most, {name}: {count:,}" for name, count in found["decisions_at_most"].items()]
    return told


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
