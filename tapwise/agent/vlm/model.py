"""A local vision-language model: prompts in, action texts with log-probabilities out, and back again for training.

Shapes: B contexts, P prompt tokens (padded on the left), A action tokens (padded on the right).
"""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import AutoModelForImageTextToText

from tapwise import images
from tapwise.agent.action_text import ActionText, GridActionText, grid_tokens
from tapwise.agent.json_codec import JsonCodec
from tapwise.agent.vlm.features import FeatureCache, Features, join
from tapwise.agent.vlm.grammar import LONGEST, Grammar, GrammarProcessor
from tapwise.agent.vlm.processor import load_processor
from tapwise.agent.vlm.prompt import context_prompt
from tapwise.errors import ModelError
from tapwise.records import Context, Screenshot

BASE_MODEL = Path(__file__).parent / "base"
"""the weights that ship with the package"""


@dataclass(frozen=True, slots=True)
class Generation:
    """One sampled action text: ids and log-probabilities of its tokens (the end token included), and the text."""

    token_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    text: str


@dataclass(slots=True)
class Encoded:
    """Tokenised prompts, ready for the model: input_ids, attention_mask and mm_token_type_ids (B, P), image_grid_thw
    (B, 3), and the image features as the model's own encoder output."""

    inputs: dict[str, Tensor]
    features: Any


class VlmModel:
    """A `transformers` image-text-to-text model with its processor and its form of actions.

    `name` is a folder or a hub name. Models whose tokenizer has our grid tokens use the grid form and its grammar;
    others use `action_text`. Raises ModelError when the model cannot be loaded.
    """

    def __init__(
        self,
        name: str | Path = BASE_MODEL,
        *,
        action_text: ActionText | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        max_new_tokens: int | None = None,
        cache_bytes: int = 2 << 30,
    ) -> None:
        self.name = "base" if name == BASE_MODEL else str(name)
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        try:
            self.processor = load_processor(name)
            self.model = AutoModelForImageTextToText.from_pretrained(name, dtype=dtype).to(device)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise ModelError(
                f"model {name} cannot be loaded: {reason}; give a folder that `save_pretrained` wrote, or the name of"
                " an image-text-to-text model on the hub"
            ) from error
        self.model.eval()
        self.tokenizer = self.processor.tokenizer
        self.tokenizer.padding_side = "left"
        self.device = torch.device(device)
        self.grammar: Grammar | None = None
        self.action_text = action_text or own_form(self.tokenizer)
        if isinstance(self.action_text, GridActionText):
            vocabulary_size = self.model.config.get_text_config().vocab_size
            self.grammar = Grammar(self.tokenizer, vocabulary_size).to(self.device)
        self.max_new_tokens = max_new_tokens or (LONGEST if self.grammar else 96)
        self.adapters = False
        """whether only low-rank adapters are trained"""
        self.blank = False
        """show the model empty screenshots: a control that its success must not survive"""
        self._cache = FeatureCache(cache_bytes)
        self._looking = threading.Lock()
        size = getattr(self.processor.image_processor, "size", None) or {}
        self._max_pixels = size.get("longest_edge", 1 << 62)

    def fork(self) -> VlmModel:
        """A model with a language model of its own that starts out with the same weights, on the same vision tower and
        cache of image features. Each of the two may be used in a thread of its own."""
        other = copy.copy(self)
        visual = getattr(self.model.model, "visual", None)
        other.model = copy.deepcopy(self.model, {id(visual): visual} if visual is not None else {})
        other.processor = copy.deepcopy(self.processor)  # tokenizers keep state while they pad
        other.tokenizer = other.processor.tokenizer
        return other

    # --- images --------------------------------------------------------------------------------------

    def image_features(self, screenshots: Sequence[Screenshot]) -> tuple[Any, Tensor]:
        """The vision tower's output for a batch, and its grid (B, 3). Cached: the tower is never trained here."""
        keys = [b"blank" if self.blank else hashlib.blake2b(shot.data, digest_size=16).digest() for shot in screenshots]
        with self._looking:
            missing = {key: shot for key, shot in zip(keys, screenshots, strict=True) if key not in self._cache}
            if missing:
                self._encode(missing)
            found = self._cache.take(keys)
        return join(found, self.model.dtype), torch.cat([features.grid for features in found])

    @property
    def pictures_encoded(self) -> int:
        """How often a picture went through the vision tower so far."""
        return self._cache.put_in

    def forget_pictures(self) -> None:
        """Encode every picture again when it is next seen."""
        with self._looking:
            self._cache.clear()

    def _encode(self, missing: dict[bytes, Screenshot]) -> None:
        """Run the vision tower. On the CPU one screen at a time: the last bits of a batch depend on its size, and a run
        that goes on must find the very same features."""
        items = list(missing.items())
        size = 1 if self.device.type == "cpu" else 32
        for start in range(0, len(items), size):
            self._encode_batch(dict(items[start : start + size]))

    def _encode_batch(self, screens: dict[bytes, Screenshot]) -> None:
        pictures = [images.decode_at_least(shot, self._max_pixels) for shot in screens.values()]
        if self.blank:
            pictures = [picture.point(lambda _: 128) for picture in pictures]
        pixels = self.processor.image_processor(pictures, return_tensors="pt").to(self.device)
        grid = pixels["image_grid_thw"]
        with torch.no_grad():
            output = self.model.get_image_features(pixels["pixel_values"].to(self.model.dtype), grid, return_dict=True)
        layers = getattr(output, "deepstack_features", None) or []
        for index, key in enumerate(screens):
            deep = tuple(layer[index].half() for layer in layers)
            self._cache.put(key, Features(output.pooler_output[index].half(), deep, grid[index : index + 1]))

    # --- prompts -------------------------------------------------------------------------------------

    def encode(self, contexts: Sequence[Context]) -> Encoded:
        """Prompts of a batch of contexts, padded on the left."""
        texts = [chat_prompt(self.processor, self.action_text, context) for context in contexts]
        return self.encode_chats(texts, [[context.observation.screenshot] for context in contexts])

    def encode_chats(self, texts: Sequence[str], screenshots: Sequence[Sequence[Screenshot]]) -> Encoded:
        """Chats of a batch, padded on the left; each text has an image token for each of its screenshots, in order.
        Raises ValueError when a text has another number of them."""
        features, grid = self.image_features([shot for each in screenshots for shot in each])
        merge = getattr(self.processor.image_processor, "merge_size", 2)
        counts = iter((grid.prod(dim=1) // merge**2).tolist())
        texts = [
            self._widened(text, [next(counts) for _ in each]) for text, each in zip(texts, screenshots, strict=True)
        ]
        tokens = self.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False).to(self.device)
        image = (tokens["input_ids"] == self.processor.image_token_id).long()
        inputs = {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "mm_token_type_ids": image,
            "image_grid_thw": grid,
        }
        return Encoded(inputs, features)

    def _widened(self, text: str, counts: Sequence[int]) -> str:
        """A chat with as many image tokens for each screenshot as its features take."""
        token = self.processor.image_token
        first, *others = text.split(token)
        if len(others) != len(counts):
            raise ValueError(f"a chat has {len(others)} image tokens for {len(counts)} screenshots")
        return first + "".join(token * count + part for count, part in zip(counts, others, strict=True))

    # --- acting --------------------------------------------------------------------------------------

    @torch.no_grad()
    def generate(self, contexts: Sequence[Context], *, greedy: bool, temperature: float = 1.0) -> list[Generation]:
        """One action text a context, sampled with the global generator of torch unless `greedy`."""
        encoded = self.encode(contexts)
        length = encoded.inputs["input_ids"].shape[1]
        processors = [GrammarProcessor(self.grammar, length)] if self.grammar else []
        output = self.model.generate(
            **encoded.inputs,
            mm_encoder_outputs={"image": encoded.features},
            max_new_tokens=self.max_new_tokens,
            do_sample=not greedy,
            temperature=None if greedy else temperature,
            top_k=None if greedy else 0,
            top_p=None,
            repetition_penalty=1.0,  # published checkpoints bring a penalty, which training would not know of
            logits_processor=processors,
            suppress_tokens=None if self.grammar else self._never_sampled(),
            return_dict_in_generate=True,
            output_scores=True,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        new = output.sequences[:, length:]
        log_p = torch.stack([s.log_softmax(-1) for s in output.scores], dim=1).gather(2, new[..., None])[..., 0]
        return [self._generation(ids, values) for ids, values in zip(new.tolist(), log_p.tolist(), strict=True)]

    def _generation(self, ids: list[int], log_probs: list[float]) -> Generation:
        ends = {self.tokenizer.eos_token_id, *_as_list(self.model.generation_config.eos_token_id)}
        stop = next((i + 1 for i, token in enumerate(ids) if token in ends), len(ids))
        kept = ids[:stop]
        words = [token for token in kept if token not in ends]
        text = self.tokenizer.decode(words, skip_special_tokens=self.grammar is None)
        return Generation(tuple(kept), tuple(log_probs[:stop]), text.strip())

    def _never_sampled(self) -> list[int]:
        keep = {self.tokenizer.eos_token_id, *_as_list(self.model.generation_config.eos_token_id)}
        return [token for token in self.tokenizer.all_special_ids if token not in keep]

    # --- training ------------------------------------------------------------------------------------

    def action_ids(self, text: str) -> tuple[int, ...]:
        """Token ids of an action text, with the end token: what a demonstration is trained on."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return (*ids, self.tokenizer.eos_token_id)

    def can_say(self, token_ids: Sequence[int]) -> bool:
        """Whether the constrained decoding could produce the tokens."""
        return self.grammar is None or self.grammar.accepts(token_ids)

    def token_log_probs(
        self, contexts: Sequence[Context], actions: Sequence[Sequence[int]], temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities (B, A) of given action tokens under the masked distribution that is sampled from at a
        temperature, and the mask (B, A) of real tokens. Differentiable in the language model's weights."""
        encoded = self.encode(contexts)
        longest = max(len(action) for action in actions)
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[*action, *[pad] * (longest - len(action))] for action in actions], device=self.device)
        mask = torch.tensor(
            [[1] * len(action) + [0] * (longest - len(action)) for action in actions], device=self.device
        )
        inputs = encoded.inputs
        logits = self.model(
            input_ids=torch.cat([inputs["input_ids"], ids], dim=1),
            attention_mask=torch.cat([inputs["attention_mask"], mask], dim=1),
            mm_token_type_ids=torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(ids)], dim=1),
            image_grid_thw=inputs["image_grid_thw"],
            mm_encoder_outputs={"image": encoded.features},
            logits_to_keep=longest + 1,
        ).logits[:, :-1]
        if self.grammar is not None:
            logits = self.grammar.mask_logits(logits, ids)
        else:
            logits[..., self._never_sampled()] = float("-inf")
        log_p = (logits.float() / temperature).log_softmax(-1).gather(2, ids[..., None])[..., 0]
        return log_p.masked_fill(mask == 0, 0.0), mask

    def hidden(self, contexts: Sequence[Context]) -> Tensor:
        """The last hidden state (B, width) at the end of each prompt: what value heads read."""
        encoded = self.encode(contexts)
        output = self.model.model(**encoded.inputs, mm_encoder_outputs={"image": encoded.features})
        last: Tensor = output.last_hidden_state[:, -1]
        return last

    def hidden_text(self, texts: Sequence[str]) -> Tensor:
        """The last hidden state (B, width) after reading bare texts, without any picture."""
        tokens = self.tokenizer(list(texts), return_tensors="pt", padding=True, add_special_tokens=False).to(
            self.device
        )
        output = self.model.model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
        last: Tensor = output.last_hidden_state[:, -1]
        return last

    def trainable_parameters(self) -> list[torch.nn.Parameter]:
        """The language model's parameters, or its adapters' alone; the vision tower is frozen."""
        for name, parameter in self.model.named_parameters():
            trained = "lora_" in name if self.adapters else ".visual." not in f".{name}"
            parameter.requires_grad_(trained)
        return [p for p in self.model.parameters() if p.requires_grad]

    def save(self, folder: Path) -> None:
        """Write model and processor so that `VlmModel(folder)`, or any generic loader, takes them."""
        self.model.save_pretrained(folder)
        self.processor.save_pretrained(folder)


def own_form(tokenizer: Any) -> ActionText:
    """The form of actions of a model with this tokenizer: the grid's where it has our grid tokens, else JSON."""
    return GridActionText() if set(grid_tokens()) <= set(tokenizer.get_vocab()) else JsonCodec()


def chat_prompt(processor: Any, form: ActionText, context: Context) -> str:
    """The whole prompt for a context, with one image token for the screenshot."""
    words = context_prompt(context)
    if form.instructions:
        words = f"{form.instructions}\n{words}"
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": words}]}]
    text: str = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    return text


def _as_list(value: int | list[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else list(value)
