"""A judge on this machine: a vision-language model of `transformers` that is asked what an endpoint would be asked.

It need not write its verdict: after the words that every reply begins with, the probabilities of true and false are
the verdict and how sure it is. Pictures go through the vision tower once, whatever the number of episodes and
questions that they are part of, as worked examples are part of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.errors import ModelError
from tapwise.evaluator.frames import screenshots
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.records import End, Screenshot, Trajectory, Verdict
from tapwise.training.manifest import model_sha

REPLIES = ('{"success": true', '{"success": false')
"""how every reply begins; where the two part, the next token is the verdict"""
MIDDLE = 0.5


class LocalVlmJudge:
    """Judges by a model in this process.

    prompt: which screens it is shown, and what examples before them.
    batch_size: episodes that are read together.

    Raises ModelError when the model's tokenizer cannot tell true from false.
    """

    def __init__(self, model: VlmModel, prompt: Prompt | None = None, batch_size: int = 8) -> None:
        self.prompt = prompt or Prompt()
        self._model = model
        self._batch_size = batch_size
        yes, no = (model.tokenizer(reply, add_special_tokens=False)["input_ids"] for reply in REPLIES)
        parting = next((index for index, (one, other) in enumerate(zip(yes, no, strict=False)) if one != other), None)
        if parting is None:
            raise ModelError(f"model {model.name} cannot be asked for a verdict: it has no tokens for true and false")
        self._beginning = torch.tensor(yes[:parting], device=model.device)
        self._words = torch.tensor([yes[parting], no[parting]], device=model.device)
        sha = model_sha(model.name)
        self._name = f"local:{Path(model.name).name}@{sha[:8]}" if sha else f"local:{model.name}"

    @property
    def name(self) -> str:
        """Its name in verdicts: other weights, and another prompt than the plain one, give another name."""
        return self._name + (f" {self.prompt.label}" if self.prompt.label else "")

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order; their score is P(success) among the two words. Abstains on episodes
        that were aborted and on those without a screenshot."""
        asked = [one for one in trajectories if one.end is not End.ABORTED and screenshots(one)]
        found: dict[int, float] = {}
        for start in range(0, len(asked), self._batch_size):
            batch = asked[start : start + self._batch_size]
            found |= zip(map(id, batch), self._scores(batch), strict=True)
        return [self._verdict(found.get(id(one))) for one in trajectories]

    @torch.no_grad()
    def _scores(self, batch: Sequence[Trajectory]) -> list[float]:
        model = self._model
        chats, shots = zip(*map(self._chat, batch), strict=True)
        encoded = model.encode_chats(chats, shots)
        begun = self._beginning.expand(len(batch), -1)
        inputs = dict(encoded.inputs)
        for name, added in (
            ("input_ids", begun),
            ("attention_mask", torch.ones_like(begun)),
            ("mm_token_type_ids", torch.zeros_like(begun)),
        ):
            inputs[name] = torch.cat([inputs[name], added], dim=1)
        images = {"image": encoded.features}
        logits = model.model(**inputs, mm_encoder_outputs=images, logits_to_keep=1).logits[:, -1]
        scores: list[float] = logits[:, self._words].float().softmax(-1)[:, 0].tolist()
        return scores

    def _chat(self, trajectory: Trajectory) -> tuple[str, list[Screenshot]]:
        turns = self.prompt.turns(trajectory)
        messages = [{"role": role, "content": [_part(part) for part in parts]} for role, parts in turns]
        text: str = self._model.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return text, [part for _, parts in turns for part in parts if isinstance(part, Screenshot)]

    def _verdict(self, score: float | None) -> Verdict:
        if score is None:
            return Verdict(None, self.name, reason="the episode was aborted, or has no screenshot")
        return Verdict(score >= MIDDLE, self.name, score, f"P(success) {score:.2f}")


def _part(part: str | Screenshot) -> dict[str, str]:
    """A part of a message. What the agent typed or answered must not hold a chat's own marks."""
    return {"type": "text", "text": part.replace("<|", "< |")} if isinstance(part, str) else {"type": "image"}
