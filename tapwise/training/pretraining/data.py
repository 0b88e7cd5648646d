"""Batches of screens with questions. Batch n is a function of the recipe's seed and n alone, so that a resumed run
sees exactly what an uninterrupted one would have seen."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from tapwise import images
from tapwise.agent.vlm.tiny import MAX_PIXELS
from tapwise.training.pretraining.questions import Questioner, naming_targets
from tapwise.training.pretraining.random_pages import RandomPages
from tapwise.training.pretraining.screens import LabelledScreen, walk_screens
from tapwise.training.pretraining.vocabulary import Vocabulary

IGNORED = -100
WALKED_SHARE = 0.6
"""of the screens that are not pages full of text, how many are met on walks through the apps"""
WALKS = 2
"""walks a batch; of the screens of each, a random half is taken, so that walks come further than their screens cost"""


@dataclass(slots=True)
class Batch:
    """One batch. B screens, C visual tokens a screen, L text tokens.

    pixel_values float32 (B * patches, values), grid int64 (B, 3); words int64 (B, C, 4), rows and columns int64
    (B, C), empty bool (B, C);
    input_ids, labels, turns, image_mask int64 (B, L): all questions of a screen follow one after another; labels are
    `IGNORED` outside the answers; turns are 0 over the picture, k over the k-th question and -1 over padding.
    """

    pixel_values: Tensor
    grid: Tensor
    words: Tensor
    rows: Tensor
    columns: Tensor
    empty: Tensor
    input_ids: Tensor
    labels: Tensor
    turns: Tensor
    image_mask: Tensor


class PretrainingData(IterableDataset[Batch]):
    """An endless stream of batches from `first` on."""

    def __init__(
        self,
        processor: Any,
        vocabulary: Vocabulary,
        *,
        seed: int,
        batch_size: int,
        questions: int,
        text_share: float = 0.0,
        first: int = 0,
    ) -> None:
        self._processor = processor
        self._vocabulary = vocabulary
        self._pages = RandomPages(vocabulary.words, vocabulary.icons)
        self._questioner = Questioner(vocabulary.words)
        self._ids = {word: processor.tokenizer.convert_tokens_to_ids(word) for word in vocabulary.words}
        self._seed, self._batch_size, self._questions, self._first = seed, batch_size, questions, first
        self._text_share = text_share

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, step = (self._first + worker.id, worker.num_workers) if worker else (self._first, 1)
        while True:
            yield self.batch(number)
            number += step

    def screens(self, rng: random.Random, count: int) -> list[LabelledScreen]:
        """Pages full of text, screens of short walks through the apps, and random pages."""
        texts = [self._pages.text_screen(rng) for _ in range(round(count * self._text_share))]
        each = round((count - len(texts)) * WALKED_SHARE / WALKS)
        walked = [screen for _ in range(WALKS) for screen in self._walked(rng, each)]
        pages = [self._pages.screen(rng) for _ in range(count - len(texts) - len(walked))]
        return [*texts, *walked, *pages]

    def _walked(self, rng: random.Random, count: int) -> list[LabelledScreen]:
        """`count` screens of one walk, none of its first two."""
        steps = 2 * count + 2
        taken = set(rng.sample(range(2, steps), count))
        return list(walk_screens(rng.randrange(1 << 30), self._vocabulary.words, steps, taken))

    def batch(self, number: int) -> Batch:
        """Batch `number` of the stream."""
        rng = random.Random(f"pretraining/{self._seed}/{number}")
        screens = self.screens(rng, self._batch_size)
        pictures = [images.decode_at_least(images.encode(s.pixels), MAX_PIXELS) for s in screens]
        pixels = self._processor.image_processor(pictures, return_tensors="pt")
        named = [naming_targets(screen, self._ids) for screen in screens]
        texts = [self._conversation(screen, rng) for screen in screens]
        ids, labels = (
            pad([t[0] for t in texts], self._processor.tokenizer.pad_token_id),
            pad([t[1] for t in texts], IGNORED),
        )
        return Batch(
            pixel_values=pixels["pixel_values"],
            grid=pixels["image_grid_thw"],
            words=torch.from_numpy(np.stack([n.words for n in named])),
            rows=torch.from_numpy(np.stack([n.rows for n in named])),
            columns=torch.from_numpy(np.stack([n.columns for n in named])),
            empty=torch.from_numpy(np.stack([n.empty for n in named])),
            input_ids=ids,
            labels=labels,
            turns=pad([t[2] for t in texts], -1),
            image_mask=(ids == self._processor.image_token_id).long(),
        )

    def _conversation(self, screen: LabelledScreen, rng: random.Random) -> tuple[list[int], list[int], list[int]]:
        tokenizer, image = self._processor.tokenizer, self._processor.image_token
        pairs = self._questioner.ask(screen, rng, self._questions)
        ids: list[int] = tokenizer(f"<|vision_start|>{image * 78}<|vision_end|>", add_special_tokens=False)["input_ids"]
        labels, turns = [IGNORED] * len(ids), [0] * len(ids)
        for turn, (prompt, answer) in enumerate(pairs, start=1):
            asked = tokenizer(f"{prompt}<|im_start|>", add_special_tokens=False)["input_ids"]
            answered = tokenizer(f"{answer}<|im_end|>", add_special_tokens=False)["input_ids"]
            ids += asked + answered
            labels += [IGNORED] * len(asked) + answered
            turns += [turn] * (len(asked) + len(answered))
        return ids, labels, turns


def pad(rows: list[list[int]], value: int) -> Tensor:
    """Rows of different lengths as one int64 tensor (rows, longest), padded on the right."""
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def stream(data: PretrainingData) -> DataLoader[Batch]:
    """The batches in order, made in two processes of their own."""
    return DataLoader(data, batch_size=None, num_workers=2, prefetch_factor=4, worker_init_fn=partial(_one_thread))


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)
