"""How a policy travels: what it is in a few words, and its weights once for each version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tapwise.agent.random_agent import RandomPolicy
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.tasks import Suite
from tapwise.errors import ConfigError
from tapwise.protocols import Policy
from tapwise.training.recipes import PolicyConfig


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """A policy as a node builds it. `weights` is the cluster's reference to a mapping of names to tensors, those that
    are trained, or None for policies without any; whoever holds `version` already need not fetch it."""

    kind: Literal["expert", "random", "vlm"]
    version: int = 0
    greedy: bool = False
    temperature: float = 1.0
    blank: bool = False
    seed: int = 0
    weights: Any = None


class Weights:
    """Puts a policy's trained weights into the cluster's store, each version once."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._reference: Any = None
        self.puts = 0
        """versions that were put, for whoever wants to know"""

    def reference(self, model: Any, version: int) -> Any:
        """The reference to a version's weights."""
        if self._reference is None or version != self._version:
            import ray

            self._reference = ray.put(trained_weights(model))
            self._version = version
            self.puts += 1
        return self._reference


def plan_of(policy: Policy, weights: Weights) -> PolicyPlan:
    """How a policy travels. Raises ConfigError for one that cannot."""
    if isinstance(policy, ScriptedExpert):
        return PolicyPlan("expert")
    if isinstance(policy, RandomPolicy):
        return PolicyPlan("random", seed=policy.seed)
    from tapwise.agent.vlm.policy import VlmPolicy

    if isinstance(policy, VlmPolicy):
        reference = weights.reference(policy.model, policy.version)
        return PolicyPlan(
            "vlm", policy.version, policy.greedy, policy.temperature, policy.model.blank, weights=reference
        )
    raise ConfigError(f"policy {policy.name} cannot be sent to other nodes: leave farm.ray out")


class PolicyBuilder:
    """Builds policies on a node. The model is loaded once; weights are fetched when their version is another."""

    def __init__(self, config: PolicyConfig, suite: Suite, threads: int) -> None:
        self._config, self._suite, self._threads = config, suite, threads
        self._model: Any = None
        self._version: int | None = None
        self.fetched: list[int] = []
        """versions whose weights were fetched, in order"""

    def build(self, plan: PolicyPlan, seed: int) -> Policy:
        """The policy of a plan, whose sampling begins at a seed. Raises ModelError when its model cannot be had."""
        if plan.kind == "expert":
            return ScriptedExpert(self._suite)
        if plan.kind == "random":
            return RandomPolicy(plan.seed)
        import torch

        from tapwise.agent.vlm.policy import VlmPolicy
        from tapwise.training.compose import make_model, use_threads

        if self._model is None:
            use_threads(self._threads)
            self._model = make_model(self._config)
        if plan.version != self._version:
            import ray

            load_trained(self._model, ray.get(plan.weights))
            self._version = plan.version
            self.fetched.append(plan.version)
        torch.manual_seed(seed)
        self._model.blank = plan.blank
        policy = VlmPolicy(self._model, greedy=plan.greedy, temperature=plan.temperature)
        policy.version = plan.version
        return policy


def trained_weights(model: Any) -> dict[str, Any]:
    """Copies of the weights that training changes, on the CPU, by name; nodes have the rest in the model's folder."""
    names = {id(parameter) for parameter in model.trainable_parameters()}
    return {
        name: parameter.detach().cpu().clone()
        for name, parameter in model.model.named_parameters()
        if id(parameter) in names
    }


def load_trained(model: Any, weights: dict[str, Any]) -> None:
    """Put such weights into a model of the same kind. Raises ConfigError when it has none of that name or shape."""
    import torch

    own = dict(model.model.named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            if name not in own or own[name].shape != value.shape:
                raise ConfigError(f"the model here has no weight {name} of shape {tuple(value.shape)}: use one model")
            own[name].copy_(value)
