"""Where labels come from, as a recipe names it: forks and outcomes on phones, rules, a model, or VEM's own files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from tapwise.agent.action_text import ActionText
from tapwise.chat import ChatClient
from tapwise.errors import ConfigError, PolicyError
from tapwise.protocols import Policy
from tapwise.records import Action, Context, OpenApp, Trajectory, TypeText
from tapwise.training.transitions import episode_return
from tapwise.training.vem.forks import Alternatives
from tapwise.training.vem.imported import read_vem_labels
from tapwise.training.vem.labelling import VlmLabeller
from tapwise.training.vem.labels import LabelFile, StepLabel
from tapwise.training.vem.negatives import expert_positives, rule_negatives
from tapwise.training.vem.recipe import LabelConfig


def alternatives(expert: Policy, policy: Policy, samples: int) -> Alternatives:
    """What is tried in a forked state beside the action taken: the expert's action, and `samples` of the policy's.

    Texts that nobody can read are no actions, and an expert at a loss has none.
    """

    def others(context: Context, action: Action) -> list[Action]:
        found: list[Action] = []
        with suppress(PolicyError):
            found += [decision.action for decision in expert.act([context])]
        sampled = policy.act([context] * samples) if samples else []
        return found + [decision.action for decision in sampled if decision.unparsable is None]

    return others


def outcome_labels(trajectories: Iterable[Trajectory]) -> list[StepLabel]:
    """Each readable step labelled with its trajectory's success: the return that followed the action."""
    return [
        StepLabel(trajectory.id, index, episode_return(trajectory), "outcome", "how the episode ended")
        for trajectory in trajectories
        for index, step in enumerate(trajectory.steps)
        if step.decision.unparsable is None
    ]


def write_expert_labels(
    config: LabelConfig, experts: Sequence[Trajectory], file: LabelFile, form: ActionText, rng: np.random.Generator
) -> None:
    """Label experts' trajectories by rules, by a model, or from VEM's file.

    Raises ConfigError when a file's labels are of no trajectory here, StoreError and JudgeError as the sources do.
    """
    if config.source == "vlm":
        VlmLabeller(ChatClient(config.url, config.model), form).label(experts, file)
    elif config.source == "file":
        _import(Path(config.file), experts, file)
    else:
        values = sorted({text for expert in experts for text in _values(expert)})
        for expert in experts:
            file.append([*expert_positives(expert), *rule_negatives(expert, rng, values)])


def _import(path: Path, experts: Sequence[Trajectory], file: LabelFile) -> None:
    """VEM names an episode by its number alone: the last part of the ids that importers give."""
    homes = {expert.id.rpartition("/")[2]: expert for expert in experts}
    labels = [
        label
        for label in read_vem_labels(path, lambda name: homes[name].id if name in homes else "")
        if label.trajectory and label.step < len(homes[label.trajectory.rpartition("/")[2]].steps)
    ]
    if not labels:
        raise ConfigError(
            f"labels.file {path} labels none of the {len(homes)} trajectories of data.store: import the data set that"
            " the labels were made from"
        )
    file.append(labels)


def _values(expert: Trajectory) -> list[str]:
    actions = [step.decision.action for step in expert.steps]
    typed = [action.text for action in actions if isinstance(action, TypeText)]
    return typed + [action.name for action in actions if isinstance(action, OpenApp)]
