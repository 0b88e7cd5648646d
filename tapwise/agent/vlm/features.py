"""Image features kept for later: the vision tower is frozen, so each screen is looked at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures


@dataclass(frozen=True, slots=True)
class Features:
    """One screen as the language model sees it: half-precision tokens (tokens, width), the same of each deep-stack
    layer, and the grid (1, 3) of patches."""

    tokens: Tensor
    deep: tuple[Tensor, ...]
    grid: Tensor

    @property
    def nbytes(self) -> int:
        """Bytes that the tensors take."""
        return self.tokens.nbytes * (1 + len(self.deep))


class FeatureCache:
    """The features of the screens used last, up to a limit in bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._used = 0
        self._items: OrderedDict[bytes, Features] = OrderedDict()
        self.put_in = 0
        """features that were put in so far"""

    def __contains__(self, key: bytes) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)

    def put(self, key: bytes, features: Features) -> None:
        """Keep the features of a screen."""
        self._items[key] = features
        self._used += features.nbytes
        self.put_in += 1

    def clear(self) -> None:
        """Drop all."""
        self._items.clear()
        self._used = 0

    def take(self, keys: Sequence[bytes]) -> list[Features]:
        """The features of screens that are all there; afterwards those not used for long are dropped."""
        found = []
        for key in keys:
            self._items.move_to_end(key)
            found.append(self._items[key])
        while self._used > self._limit and len(self._items) > 1:
            self._used -= self._items.popitem(last=False)[1].nbytes
        return found


def join(found: Sequence[Features], dtype: torch.dtype) -> Any:
    """A batch of features as the model's own encoder output."""
    layers = len(found[0].deep)
    return BaseModelOutputWithDeepstackFeatures(
        pooler_output=tuple(one.tokens.to(dtype) for one in found),
        deepstack_features=[tuple(one.deep[layer].to(dtype) for one in found) for layer in range(layers)],
    )
