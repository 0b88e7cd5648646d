"""Random vision-language models of a tiny size: our own architecture, and Qwen2.5-VL as transformers has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tapwise import images
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.tiny import SPECIAL, build_model, build_processor, build_tokenizer
from tapwise.records import Context, Decision, Observation, Point, Step, Tap, Task

WORDS = ("wifi", "lamp", "bluetooth", "settings", "alarm", "search")
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

MakeContext = Callable[..., Context]


@pytest.fixture(scope="session")
def make_context() -> MakeContext:
    """A function that makes a context whose screen is drawn from `seed`, after `steps` taps."""

    def make(instruction: str = "turn on wifi", *, seed: int = 0, steps: int = 0) -> Context:
        pixels = np.random.default_rng(seed).integers(0, 256, (256, 128, 3), dtype=np.uint8)
        observation = Observation(images.encode(pixels, "png"), "app/.Main", True, 0.0)
        task = Task("t", instruction, "general", "settings", "toggle", (), 10, "train")
        tap = Step(observation, Decision(Tap(Point(0.5, 0.5), "settings"), ""))
        return Context(task, (tap,) * steps, observation)

    return make


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our own model, random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = build_tokenizer(WORDS)
    build_model(tokenizer, vision_width=64, text_width=64, layers=2).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Qwen2.5-VL, random weights, and the sampling defaults that the published checkpoints carry."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("qwen")
    tokenizer = _byte_tokenizer()
    model = _qwen_model(tokenizer)
    model.generation_config.update(
        do_sample=True,
        temperature=1e-6,
        top_k=1,
        top_p=0.001,
        repetition_penalty=1.5,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.pad_token_id],
        pad_token_id=tokenizer.pad_token_id,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    size = {"shortest_edge": 28 * 28, "longest_edge": 20_000}
    Qwen2VLImageProcessorPil(patch_size=14, merge_size=2, temporal_patch_size=2, size=size).save_pretrained(folder)
    return folder


def _byte_tokenizer() -> PreTrainedTokenizerFast:
    """Qwen's special tokens over single bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({character: index for index, character in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[t for t in SPECIAL if t not in ("<|im_end|>", "<|endoftext|>")],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = QWEN_TEMPLATE
    return fast


def _qwen_model(tokenizer: PreTrainedTokenizerFast) -> Any:
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL}
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer) + 9,  # published checkpoints have more rows than tokens, too
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 4096,
            "initializer_range": 0.2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]},
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": None,
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": 32,
            "window_size": 56,
            "fullatt_block_indexes": [1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return Qwen2_5_VLForConditionalGeneration(config)


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> VlmModel:
    """Our own model, loaded."""
    return VlmModel(tiny_folder)


@pytest.fixture(scope="session")
def qwen(qwen_folder: Path) -> VlmModel:
    """The Qwen2.5-VL, loaded."""
    return VlmModel(qwen_folder, max_new_tokens=24)


@pytest.fixture(params=["tiny", "qwen"])
def any_model(request: pytest.FixtureRequest) -> VlmModel:
    """Each of the two models."""
    model: VlmModel = request.getfixturevalue(request.param)
    return model
