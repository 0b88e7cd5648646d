"""Constrained decoding: only texts that the grid form can read are ever sampled.

The grammar is a small automaton over token ids. The same masks are applied when sampling and when log-probabilities
are computed for training, so that importance ratios are consistent; special tokens can never be sampled.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from tapwise.agent.action_text import grid_tokens

MAX_WORDS = 6
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
        touch, typing = 5, 6 + MAX_WORDS
        states = 7 + 2 * MAX_WORDS
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
        for count in range(MAX_WORDS + 1):
            if count < MAX_WORDS:
                allow(touch + count, words, touch + count + 1)
                allow(typing + count, words, typing + count + 1)
            if 0 < count < MAX_WORDS:  # pieces of a word outside the vocabulary
                allow(touch + count, pieces, touch + count + 1)
                allow(typing + count, pieces, typing + count + 1)
            if count > 0:
                allow(touch + count, rows, column)
                allow(typing + count, [end], final)
        allow(column, columns, closing)
        allow(closing, [end], final)
        allow(final, [tokenizer.pad_token_id, end], final)

    def states(self, token_ids: Tensor) -> Tensor:
        """The state before each token: int64 of shape (batch, tokens) for ids of that shape."""
        state = torch.zeros(token_ids.shape[0], dtype=torch.long)
        visited = []
        for column in token_ids.T:
            visited.append(state)
            state = self.transitions[state, column]
        return torch.stack(visited, dim=1)

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
            self._state = torch.full((input_ids.shape[0],), Grammar.START, dtype=torch.long)
        else:
            self._state = self._grammar.transitions[self._state, input_ids[:, -1]]
        return scores.masked_fill(~self._grammar.masks[self._state], float("-inf"))
