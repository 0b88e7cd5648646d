"""A policy behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tapwise.agent.action_text import ActionText
from tapwise.chat import ChatClient, ChatError, Message, image_part, text_part
from tapwise.errors import PolicyError
from tapwise.records import Context, Decision, Wait


class RemotePolicy:
    """Asks a remote vision-language model for each action; a batch is asked in parallel.

    client: the endpoint, with its time limits, retries and number of requests in flight.
    codec: how the model writes actions.
    max_history: how many past actions the prompt lists, the newest ones.
    version: stored with each decision, for endpoints whose weights change.
    """

    def __init__(
        self,
        client: ChatClient,
        codec: ActionText,
        *,
        temperature: float = 0.0,
        max_tokens: int = 512,
        max_history: int = 20,
        version: int = 0,
    ) -> None:
        self._client = client
        self._codec = codec
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._max_history = max_history
        self._version = version

    @property
    def name(self) -> str:
        """Its name in provenance."""
        return f"remote:{self._client.model}"

    @property
    def version(self) -> int:
        """The version that decisions carry."""
        return self._version

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        """One decision per context, in order. A reply that cannot be read becomes a `Wait` with `unparsable` set.

        Raises PolicyError, naming the URL, when the endpoint does not answer.
        """
        if len(contexts) == 1:
            return [self._decide(contexts[0])]
        with ThreadPoolExecutor(max(1, min(self._client.concurrency, len(contexts))), "remote-policy") as pool:
            return list(pool.map(self._decide, contexts))

    def messages(self, context: Context) -> list[Message]:
        """The prompt for one context."""
        past = context.history[-self._max_history :] if self._max_history > 0 else ()
        first = len(context.history) - len(past) + 1
        lines = []
        for number, step in enumerate(past, first):
            unread = step.decision.unparsable
            done = self._codec.format(step.decision.action) if unread is None else f"(reply not understood: {unread})"
            lines.append(f"{number}. {done}")
        text = (
            f"Task: {context.task.instruction}\n"
            f"Your actions so far:\n{chr(10).join(lines) or '(none)'}\n"
            f"Step {len(context.history) + 1} of at most {context.task.max_steps}. The screen now:"
        )
        system = f"You operate an Android phone to complete a task.\n{self._codec.instructions}"
        parts = [text_part(text), image_part(context.observation.screenshot)]
        return [{"role": "system", "content": system}, {"role": "user", "content": parts}]

    def _decide(self, context: Context) -> Decision:
        try:
            reply = self._client.complete(
                self.messages(context), temperature=self._temperature, max_tokens=self._max_tokens
            )
        except ChatError as error:
            raise PolicyError(f"policy {self.name} cannot decide: {error}") from error
        unparsable = None
        try:
            action = self._codec.parse(reply.text)
        except ValueError as error:
            action, unparsable = Wait(), str(error)
        return Decision(
            action, reply.text, policy_version=self._version, latency_s=reply.latency_s, unparsable=unparsable
        )
