"""A judge that shows the end of an episode to a vision-language model and asks whether the task is done."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tapwise.chat import ChatClient, ChatError, Completion, json_objects
from tapwise.errors import JudgeError
from tapwise.evaluator.budget import Budget, Spent
from tapwise.evaluator.frames import screenshots
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.records import End, Trajectory, Verdict

_WORDS = {"success": True, "successful": True, "true": True, "yes": True, "done": True}
_WORDS |= {"failure": False, "failed": False, "unsuccessful": False, "false": False, "no": False, "fail": False}
THREADS_A_REQUEST = 2
_STATUS_LINE = re.compile(r"[\W_]*(?:status|verdict|success)[\W_]*[:=][\W_]*([a-z]+)[\W_]*", re.IGNORECASE)


class VlmJudge:
    """Asks a model once per episode; nothing is kept between episodes.

    client: the endpoint; its time limits, retries and number of requests in flight hold here too.
    prompt: which screens it is shown, and what examples before them.
    prices: cost of a million prompt tokens and of a million generated tokens, for `Verdict.cost`.
    budget: what may be spent in all; episodes that it does not reach are left pending.
    """

    def __init__(
        self,
        client: ChatClient,
        *,
        prompt: Prompt | None = None,
        max_tokens: int = 256,
        prices: tuple[float, float] = (0.0, 0.0),
        budget: Budget | None = None,
    ) -> None:
        self._client = client
        self.prompt = prompt or Prompt()
        self._max_tokens = max_tokens
        self._prices = prices
        self._budget = budget or Budget()

    @property
    def name(self) -> str:
        """Its name in verdicts: another prompt than the plain one gives another name."""
        return f"vlm:{self._client.model}" + (f" {self.prompt.label}" if self.prompt.label else "")

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order; abstains on aborted episodes, on those without a screenshot and on
        replies that cannot be read. Episodes that the endpoint did not answer for, and those that the budget does not
        reach, are pending.

        Raises JudgeError when the endpoint refuses (key, address, model) or answers for none of the episodes.
        """
        asked = [trajectory for trajectory in trajectories if _reason_not_to_ask(trajectory) is None]
        threads = THREADS_A_REQUEST * self._client.concurrency  # some pause between two attempts
        with ThreadPoolExecutor(max(1, min(threads, len(asked))), "judge") as pool:
            replies = dict(zip(map(id, asked), pool.map(self._ask, asked), strict=True))
        failures = [reply for reply in replies.values() if isinstance(reply, ChatError)]
        refusal = next((failure for failure in failures if failure.permanent), None)
        if refusal is not None or (failures and len(failures) == len(replies)):
            raise JudgeError(f"judge {self.name} cannot be asked: {refusal or failures[0]}") from (
                refusal or failures[0]
            )
        return [self._verdict(trajectory, replies.get(id(trajectory))) for trajectory in trajectories]

    def _ask(self, trajectory: Trajectory) -> Completion | ChatError | Spent:
        try:
            with self._budget.call() as call:
                reply = self._client.complete(self.prompt.messages(trajectory), max_tokens=self._max_tokens)
                call.cost = self._cost(reply)
                return reply
        except (ChatError, Spent) as error:
            return error  # one episode's failure must not cost the others their verdicts

    def _cost(self, reply: Completion) -> float:
        return (reply.prompt_tokens * self._prices[0] + reply.completion_tokens * self._prices[1]) / 1e6

    def _verdict(self, trajectory: Trajectory, reply: Completion | ChatError | Spent | None) -> Verdict:
        if reply is None:
            return Verdict(None, self.name, reason=_reason_not_to_ask(trajectory) or "not asked")
        if isinstance(reply, ChatError | Spent):
            return Verdict(None, self.name, reason=f"not answered: {reply}", pending=True)
        success, reason = parse_verdict(reply.text)
        cost = self._cost(reply)
        score = None if success is None else float(success)
        return Verdict(success, self.name, score, reason, cost, reply.latency_s)


def parse_verdict(text: str) -> tuple[bool | None, str]:
    """Read a judge's reply: (success, reason), or (None, what is wrong with it).

    First as the JSON that was asked for. Failing that, JSON objects within prose and lines such as "Status: failure",
    which must all say the same; words inside sentences are never taken for a verdict.
    """
    try:
        strict = json.loads(text)
    except (ValueError, RecursionError):
        strict = None
    if isinstance(strict, dict) and isinstance(strict.get("success"), bool):
        return strict["success"], _text(strict.get("reason"))
    found = [(_as_bool(item["success"]), _text(item.get("reason"))) for item in json_objects(text) if "success" in item]
    if not found:
        matches = [_STATUS_LINE.fullmatch(line.strip()) for line in text.splitlines()]
        found = [(_WORDS.get(match[1].lower()), "") for match in matches if match is not None]
    said = {success for success, _ in found}
    excerpt = " ".join(text.split())[:200]
    if len(said) > 1:
        return None, f"the reply contradicts itself: {excerpt!r}"
    if not found or None in said:
        return None, f"the reply holds no verdict: {excerpt!r}"
    return found[-1]


def _reason_not_to_ask(trajectory: Trajectory) -> str | None:
    if trajectory.end is End.ABORTED:
        return "the episode was aborted by a fault of ours"
    if not screenshots(trajectory):
        return "the episode has no screenshot"
    return None


def _as_bool(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return _WORDS.get(value.strip().lower()) if isinstance(value, str) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
