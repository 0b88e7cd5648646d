"""The policy over a local vision-language model."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tapwise.agent.vlm.model import VlmModel
from tapwise.records import Context, Decision, Wait


class VlmPolicy:
    """Decides by generating an action text; a batch of contexts costs one generation.

    `version` is raised by whoever trains the model, so that every decision says which weights took it.
    """

    def __init__(self, model: VlmModel, *, greedy: bool = False, temperature: float = 1.0) -> None:
        self.model = model
        self.greedy = greedy
        self.temperature = temperature
        self.version = 0

    @property
    def name(self) -> str:
        """The model's name."""
        return f"vlm:{self.model.name}"

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        """One decision a context, in order. A text that cannot be read becomes a `Wait` that says why."""
        if not contexts:
            return []
        started = time.monotonic()
        generated = self.model.generate(contexts, greedy=self.greedy, temperature=self.temperature)
        latency = (time.monotonic() - started) / len(contexts)
        decisions = []
        for generation in generated:
            unparsable = None
            try:
                action = self.model.action_text.parse(generation.text)
            except ValueError as error:
                action, unparsable = Wait(), str(error)
            decisions.append(
                Decision(
                    action=action,
                    text=generation.text,
                    token_ids=generation.token_ids,
                    log_probs=generation.log_probs,
                    policy_version=self.version,
                    latency_s=latency,
                    unparsable=unparsable,
                )
            )
        return decisions
