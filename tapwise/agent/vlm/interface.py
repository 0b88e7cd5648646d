"""What stands between a model and the phone, for manifests: its prompt, the form of its actions, and its limits."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from tapwise.agent.vlm.model import VlmModel, chat_prompt
from tapwise.agent.vlm.prompt import HISTORY
from tapwise.records import Context, Decision, Observation, Point, Screenshot, Size, Step, Swipe, Tap, Task, TypeText


@dataclass(frozen=True, slots=True)
class AgentInterface:
    """How a model sees the phone and acts on it.

    `codec` names the form of its actions; `prompt_sha` is a hash of what it is asked about a fixed episode, which
    changes with any word of the prompt, of the chat template or of the instructions on actions. `history` is the number
    of past actions in the prompt. `image_pixels` are the fewest and the most pixels that a screenshot is scaled to.
    `constrained`: only texts that are actions can be sampled, within `max_new_tokens`.
    """

    codec: str
    prompt_sha: str
    history: int
    image_pixels: tuple[int | None, int | None]
    max_new_tokens: int
    constrained: bool

    @classmethod
    def of(cls, model: VlmModel) -> AgentInterface:
        """That of a loaded model."""
        size = getattr(model.processor.image_processor, "size", None) or {}
        asked = "\n".join(chat_prompt(model.processor, model.action_text, context) for context in _contexts())
        return cls(
            codec=type(model.action_text).__name__,
            prompt_sha=hashlib.sha256(asked.encode()).hexdigest()[:16],
            history=HISTORY,
            image_pixels=(size.get("shortest_edge"), size.get("longest_edge")),
            max_new_tokens=model.max_new_tokens,
            constrained=model.grammar is not None,
        )

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {**asdict(self), "image_pixels": list(self.image_pixels)}


def _contexts() -> tuple[Context, ...]:
    """An episode's first and second-to-last question; its screenshots are in no prompt's words."""
    task = Task("reference", "Search for red shoes", "reference", "browser", "reference", (), 8, "test")
    seen = Observation(Screenshot(b"", "png", Size(1200, 540)), "", settled=True, time_s=0.0)
    actions = (Tap(Point(0.5, 0.25)), TypeText("red shoes"), Swipe(Point(0.5, 0.75), Point(0.5, 0.25)))
    steps = tuple(Step(seen, Decision(action, "")) for action in actions)
    return Context(task, (), seen), Context(task, steps, seen)
