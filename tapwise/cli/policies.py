"""Policies to be measured: by the name of a scripted one, by a run's folder, or by a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.config import load_recipe, validate
from tapwise.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from tapwise.android_env.tasks import Suite
    from tapwise.protocols import Policy
    from tapwise.training.recipes import BaseRecipe

SCRIPTED = ("random", "expert")


@dataclass(frozen=True, slots=True)
class Measured:
    """A policy with the recipe that says how to reach phones and which tasks to take.

    `with_tree`: it sees the accessibility tree beside the screenshot. `model` is a name or folder, "none" for scripted
    policies; `origin` says where the weights came from, `weights` by a hash which they are. `interface` is what stands
    between the model and the phone; both are None without a model.
    """

    policy: Policy
    with_tree: bool
    model: str
    origin: str
    weights: str | None = None
    interface: Mapping[str, Any] | None = None


def recipe_for(name: str, overrides: list[str]) -> BaseRecipe:
    """The recipe of a run's folder, or the default one, with overrides; `policy.model` is the model's for others."""
    from tapwise.training.kinds import DEFAULT, model_of_kind

    data: dict[str, Any] = {}
    where = "the default recipe"
    if is_run(name):
        path = Path(name) / "recipe.json"
        where = str(path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path} cannot be read ({error}): give the folder of a run that tapwise made") from error
    elif name not in (*SCRIPTED, "base"):
        data = {"policy": {"model": _model_name(name)}}
    # What the command line sets, as a nested mapping of exactly those keys.
    model = model_of_kind(data.get("kind", DEFAULT), where)
    changes = load_recipe(model, None, overrides).model_dump(exclude_unset=True)
    return validate(model, _merged(data, changes), where)


def load_policy(name: str, recipe: BaseRecipe, suite: Suite, *, blank: bool, seed: int) -> Measured:
    """The policy `name` means. Raises ModelError, CheckpointError, and ConfigError when it has no use for `blank`."""
    if name in SCRIPTED:
        if blank:
            raise ConfigError(f"--blank shows empty screenshots to a model; policy {name!r} looks at no screenshot")
        return _scripted(name, suite, seed)

    from tapwise.agent.vlm.interface import AgentInterface
    from tapwise.agent.vlm.policy import VlmPolicy
    from tapwise.agent.vlm.weights import weights_digest
    from tapwise.training.compose import make_model, use_threads

    use_threads(recipe.threads)
    saved = _checkpoint(Path(name)) if is_run(name) else None
    model = make_model(recipe.policy)
    policy = VlmPolicy(model, greedy=True)
    origin = model.name
    if saved is not None:
        try:
            model.model.load_state_dict(saved["model"])
            policy.version = saved["policy_version"]
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(
                f"the newest checkpoint in {name} does not fit the model {model.name}:"
                f" {str(error).splitlines()[0]}; give policy.model as the run had it"
            ) from error
        origin = f"{name}, after unit {saved['progress']['done']}"
    model.blank = blank
    return Measured(
        policy,
        with_tree=False,
        model=model.name,
        origin=origin,
        weights=weights_digest(model.model).hex(),
        interface=AgentInterface.of(model).to_json(),
    )


def is_run(name: str) -> bool:
    """Whether a name is the folder of a run."""
    return (Path(name) / "recipe.json").is_file()


def _scripted(name: str, suite: Suite, seed: int) -> Measured:
    from tapwise.agent.random_agent import RandomPolicy
    from tapwise.android_env.expert import ScriptedExpert

    if name == "random":
        return Measured(RandomPolicy(seed), with_tree=True, model="none", origin="plays at random")
    return Measured(ScriptedExpert(suite), with_tree=True, model="none", origin="each template's own script")


def _checkpoint(folder: Path) -> dict[str, Any]:
    from tapwise.training.checkpoint import load_checkpoint

    saved = load_checkpoint(folder / "checkpoints")
    if saved is None:
        raise CheckpointError(f"run {folder} has no checkpoint yet: let it finish its first unit")
    return saved


def _model_name(name: str) -> str:
    """Refuse what is neither a folder nor a possible name on the hub, which would be asked for it in vain."""
    path = Path(name)
    looks_local = name.startswith((".", "/", "~")) or len(path.parts) != 2 or Path(path.parts[0]).is_dir()
    if not path.is_dir() and looks_local:
        raise ConfigError(
            f"policy {name!r} is no folder here: give a run's folder, a model's folder, a model's name on the hub,"
            " or one of random, expert and base"
        )
    return name


def _merged(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = dict(data)
    for key, value in changes.items():
        old = both.get(key)
        both[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both
