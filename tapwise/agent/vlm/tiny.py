"""The architecture of our own small model: a Qwen3-VL at a tiny size, with its own tokenizer and processor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3VLConfig, Qwen3VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tapwise.agent.action_text import grid_tokens
from tapwise.agent.vlm.grammar import SIMPLE
from tapwise.agent.vlm.processor import PhoneProcessor

PATCH = 16
MERGE = 2
CELL = PATCH * MERGE
"""pixels of the policy's image that one visual token covers, on each side"""
MAX_PIXELS = 82_000
"""a 540 x 1200 screen becomes 192 x 416"""

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
WORDS = ("tap", "hold", "type", "scroll", "up", "down", *SIMPLE, "goal", "did", ";", "state", "on", "off", "open")
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,:!?'\"-_/@#&()+%$*="
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ message['content'][0]['text'] }}<|im_end|>"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>{% endif %}"
)


def build_tokenizer(words: Iterable[str]) -> PreTrainedTokenizerFast:
    """A word-level tokenizer over lower-cased words; unknown words fall apart into characters."""
    vocabulary: dict[str, int] = {}
    for token in (
        *SPECIAL,
        "[UNK]",
        *grid_tokens(),
        *CHARACTERS,
        *(f"##{c}" for c in CHARACTERS),
        *WORDS,
        *sorted(words),
    ):
        vocabulary.setdefault(token, len(vocabulary))
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in grid_tokens()])
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token="[UNK]",
        additional_special_tokens=[t for t in SPECIAL if t not in ("<|im_end|>", "<|endoftext|>")],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def build_processor(tokenizer: PreTrainedTokenizerFast) -> PhoneProcessor:
    """The processor: images of at most `MAX_PIXELS`, sides multiples of `CELL`."""
    image_processor = Qwen2VLImageProcessorPil(
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=1,
        size={"shortest_edge": CELL * CELL, "longest_edge": MAX_PIXELS},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    return PhoneProcessor(image_processor, tokenizer, chat_template=CHAT_TEMPLATE)


def build_model(
    tokenizer: PreTrainedTokenizerFast, *, vision_width: int = 96, text_width: int = 64, layers: int = 3
) -> Any:
    """A randomly initialised model whose attention starts out looking for tokens like each query (mimetic)."""
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": text_width,
            "intermediate_size": 3 * text_width,
            "num_hidden_layers": layers,
            "num_attention_heads": text_width // 32,
            "num_key_value_heads": text_width // 32,
            "head_dim": 32,
            "initializer_range": 0.08,
            "max_position_embeddings": 1024,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [8, 4, 4],
                "mrope_interleaved": True,
            },
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": None,
        },
        vision_config={
            "depth": layers,
            "hidden_size": vision_width,
            "intermediate_size": 3 * vision_width,
            "num_heads": vision_width // 32,
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": 1,
            "out_hidden_size": text_width,
            "num_position_embeddings": 1024,
            "deepstack_visual_indexes": [1],
            "initializer_range": 0.08,
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    model = Qwen3VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    mimetic_initialisation(model)
    return model


def mimetic_initialisation(model: Any) -> None:
    """Let every text attention start as "attend to your like, copy a bit of it": K = Q, V orthogonal, O = V^T / 2."""
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            attention = layer.self_attn
            attention.k_proj.weight.copy_(attention.q_proj.weight)
            orthogonal = torch.nn.init.orthogonal_(torch.empty_like(attention.v_proj.weight))
            attention.v_proj.weight.copy_(orthogonal)
            attention.o_proj.weight.copy_(0.5 * orthogonal.T)
