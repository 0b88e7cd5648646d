"""Constrained decoding: only texts that the grid form can read are ever sampled.

The grammar is a small automaton over token ids. The same masks are applied when sampling and when log-probabilities
are computed for training, so that importance ratios are consistent; special tokens can never be sampled.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from tapwise.agent.action_text import grid_tokens

MAX_WORDS = 6
"""words of a label or of a typed text"""
MAX_PIECES = 18
"""tokens that these words may fall into"""
LONGEST = MAX_PIECES + 4
"""tokens of the longest action text: verb, label, row, column, end"""
SIMPLE = ("back", "home", "enter", "wait", "done", "impossible")


class Grammar:
    """The automaton of `GridActionText` over one tokenizer's ids.

    `masks` is bool of shape (states, vocabulary): which tokens may follow in each state. `transitions` is int64 of the
    same shape: the state after each token.
    """

    START = 0

    def __init__(self, tokenizer: Any, vocabulary_size: int) -> None:
        vocabulary: dict[str, int] = tokenizer.get_vocab()
        special = set(tokenizer.all_special_ids) | {vocabulary[t] for t in grid_tokens()}
        words = [i for token, i in vocabulary.items() if i not in special and not token.startswith("##")]
        pieces = [i for token, i in vocabulary.items() if i not in special and token.startswith("##")]
        rows = [vocabulary[t] for t in grid_tokens() if t.startswith("<y")]
        columns = [vocabulary[t] for t in grid_tokens() if t.startswith("<x")]
        end = tokenizer.eos_token_id
        scroll, column, closing, final = 1, 2, 3, 4
        labels = (MAX_WORDS + 1) * (MAX_PIECES + 1)
        touch, typing = 5, 5 + labels
        states = 5 + 2 * labels
        self.end_id = end
        self.masks = torch.zeros(states, vocabulary_size, dtype=torch.bool)
        self.transitions = torch.zeros(states, vocabulary_size, dtype=torch.long)

        def allow(state: int, ids: list[int], then: int) -> None:
            self.masks[state, ids] = True
            self.transitions[state, ids] = then

        allow(self.START, [vocabulary["tap"], vocabulary["hold"]], touch)
        allow(self.START, [vocabulary["type"]], typing)
        allow(self.START, [vocabulary["scroll"]], scroll)
        allow(self.START, [vocabulary[word] for word in SIMPLE], closing)
        allow(scroll, [vocabulary["up"], vocabulary["down"]], closing)
        for first, closers, then in ((touch, rows, column), (typing, [end], final)):
            for count, length in itertools.product(range(MAX_WORDS + 1), range(MAX_PIECES + 1)):
                state = first + count * (MAX_PIECES + 1) + length
                if count < MAX_WORDS and length < MAX_PIECES:
                    allow(state, words, state + MAX_PIECES + 2)
                if count > 0:
                    allow(state, closers, then)
                if count > 0 and length < MAX_PIECES:
                    allow(state, pieces, state + 1)  # the rest of a word outside the vocabulary
        allow(column, columns, closing)
        allow(closing, [end], final)
        allow(final, [tokenizer.pad_token_id, end], final)

    def to(self, device: torch.device) -> Grammar:
        """Move the tables to where the logits are."""
        self.masks, self.transitions = self.masks.to(device), self.transitions.to(device)
        return self

    def states(self, token_ids: Tensor) -> Tensor:
        """The state before each token: int64 of shape (batch, tokens) for ids of that shape."""
        state = torch.full_like(token_ids[:, 0], self.START)
        visited = []
        for column in token_ids.T:
            visited.append(state)
            state = self.transitions[state, column]
        return torch.stack(visited, dim=1)

    def accepts(self, token_ids: Sequence[int]) -> bool:
        """Whether the grammar can produce the tokens."""
        ids = torch.tensor([list(token_ids)], device=self.masks.device)
        return bool(self.masks[self.states(ids), ids].all())

    def mask_logits(self, logits: Tensor, token_ids: Tensor) -> Tensor:
        """`logits` (batch, tokens, vocabulary) with -inf wherever the grammar forbids a token, given the actual ids."""
        return logits.masked_fill(~self.masks[self.states(token_ids)], float("-inf"))


class GrammarProcessor(LogitsProcessor):  # type: ignore[misc]
    """Applies a grammar while generating; `prompt_length` is the padded length of the prompts in the batch."""

    def __init__(self, grammar: Grammar, prompt_length: int) -> None:
        self._grammar = grammar
        self._prompt_length = prompt_length
        self._state: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self._state is None or input_ids.shape[1] == self._prompt_length:
            self._state = torch.full_like(input_ids[:, 0], Grammar.START)
        else:
            self._state = self._grammar.transitions[self._state, input_ids[:, -1]]
        return scores.masked_fill(~self._grammar.masks[self._state], float("-inf"))
