from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tapwise.agent.action_text import GridActionText
from tapwise.agent.json_codec import JsonCodec
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.agent.vlm.processor import load_processor
from tapwise.errors import ModelError
from tapwise.records import Context, Wait
from tapwise.training.compose import _add_adapters
from tapwise.training.recipes import LoraConfig, PolicyConfig

MakeContext = Callable[..., Context]


@pytest.fixture
def contexts(make_context: MakeContext) -> list[Context]:
    """Prompts of different lengths, so that the batch is padded."""
    return [
        make_context("turn on wifi", seed=1),
        make_context("search lamp and then search bluetooth settings", seed=2, steps=3),
        make_context("alarm", seed=3, steps=1),
    ]


@pytest.mark.parametrize("folder", ["tiny_folder", "qwen_folder"])
def test_the_processor_comes_from_a_folder_by_the_generic_path(folder: str, request: pytest.FixtureRequest) -> None:
    processor = load_processor(request.getfixturevalue(folder))
    assert processor.tokenizer.convert_tokens_to_ids(processor.image_token) == processor.image_token_id
    assert processor.image_processor.merge_size == 2
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "go"}]}]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert processor.image_token in text
    assert "go" in text


def test_the_form_of_actions_follows_the_tokenizer(tiny: VlmModel, qwen: VlmModel) -> None:
    assert isinstance(tiny.action_text, GridActionText)
    assert tiny.grammar is not None
    assert isinstance(qwen.action_text, JsonCodec)
    assert qwen.grammar is None


def test_a_missing_folder_is_a_model_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        VlmModel(tmp_path / "nowhere")


def test_every_sampled_text_parses_and_no_special_token_is_sampled(tiny: VlmModel, make_context: MakeContext) -> None:
    torch.manual_seed(3)
    many = [make_context(seed=number % 4, steps=number % 3) for number in range(64)]
    special = set(tiny.tokenizer.all_special_ids) - {tiny.tokenizer.eos_token_id}
    texts = set()
    for generation in tiny.generate(many, greedy=False):
        assert special.isdisjoint(generation.token_ids)
        assert generation.token_ids[-1] == tiny.tokenizer.eos_token_id
        assert tiny.can_say(generation.token_ids)
        tiny.action_text.parse(generation.text)
        texts.add(generation.text)
    assert len(texts) > 10


@pytest.mark.parametrize("greedy", [False, True])
def test_log_probs_of_acting_are_those_of_training(any_model: VlmModel, contexts: list[Context], greedy: bool) -> None:
    torch.manual_seed(5)
    generated = any_model.generate(contexts, greedy=greedy)
    with torch.no_grad():
        log_probs, mask = any_model.token_log_probs(contexts, [g.token_ids for g in generated])
    for row, real, generation in zip(log_probs, mask, generated, strict=True):
        assert int(real.sum()) == len(generation.token_ids)
        assert row[real.bool()].tolist() == pytest.approx(generation.log_probs, abs=1e-4)
        assert torch.all(row[~real.bool()] == 0)


def test_a_prompt_is_read_the_same_alone_and_in_a_padded_batch(any_model: VlmModel, contexts: list[Context]) -> None:
    actions = [any_model.action_ids("back"), any_model.action_ids("scroll down"), any_model.action_ids("wait")]
    with torch.no_grad():
        together, mask = any_model.token_log_probs(contexts, actions)
        hidden = any_model.hidden(contexts)
        for number, (context, action) in enumerate(zip(contexts, actions, strict=True)):
            alone, _ = any_model.token_log_probs([context], [action])
            torch.testing.assert_close(together[number][mask[number].bool()], alone[0], atol=1e-4, rtol=0)
            torch.testing.assert_close(hidden[number], any_model.hidden([context])[0], atol=1e-3, rtol=0)


def test_sampling_is_from_the_whole_distribution(any_model: VlmModel, make_context: MakeContext) -> None:
    """The sampling defaults that a checkpoint carries (near-greedy, repetition penalty) must not leak in."""
    torch.manual_seed(7)
    first = {g.token_ids[0] for g in any_model.generate([make_context()] * 32, greedy=False)}
    assert len(first) > 3


def test_temperature_sharpens(tiny: VlmModel, make_context: MakeContext) -> None:
    torch.manual_seed(11)
    cold = tiny.generate([make_context()] * 4, greedy=False, temperature=0.01)
    greedy = tiny.generate([make_context()], greedy=True)
    assert {g.text for g in cold} == {greedy[0].text}


def test_the_same_seed_gives_the_same_texts(any_model: VlmModel, contexts: list[Context]) -> None:
    runs = []
    for _ in range(2):
        torch.manual_seed(13)
        runs.append([g.token_ids for g in any_model.generate(contexts, greedy=False)])
    assert runs[0] == runs[1]


def test_blank_mode_sees_no_screen(tiny_folder: Path, make_context: MakeContext) -> None:
    model = VlmModel(tiny_folder)
    shots = [make_context(seed=seed).observation.screenshot for seed in (1, 2)]
    seen, _ = model.image_features(shots)
    assert not torch.equal(seen.pooler_output[0], seen.pooler_output[1])
    model.blank = True
    blind, _ = model.image_features(shots)
    assert torch.equal(blind.pooler_output[0], blind.pooler_output[1])


def test_features_are_cached_within_the_limit(tiny_folder: Path, make_context: MakeContext) -> None:
    model = VlmModel(tiny_folder, cache_bytes=1)
    shots = [make_context(seed=seed).observation.screenshot for seed in (1, 2, 3)]
    together, grid = model.image_features(shots)
    assert len(model._cache) == 1
    again, _ = model.image_features(shots[:1])
    assert grid.shape == (3, 3)
    torch.testing.assert_close(again.pooler_output[0], together.pooler_output[0], atol=2e-3, rtol=0)


def test_a_saved_model_comes_back_the_same(any_model: VlmModel, contexts: list[Context], tmp_path: Path) -> None:
    any_model.save(tmp_path / "saved")
    again = VlmModel(tmp_path / "saved", max_new_tokens=any_model.max_new_tokens)
    before = any_model.generate(contexts, greedy=True)
    assert [g.token_ids for g in again.generate(contexts, greedy=True)] == [g.token_ids for g in before]


def test_gradients_reach_the_language_model_alone(any_model: VlmModel, contexts: list[Context]) -> None:
    parameters = any_model.trainable_parameters()
    assert parameters
    log_probs, _ = any_model.token_log_probs(contexts[:1], [any_model.action_ids("back")])
    log_probs.sum().backward()
    try:
        assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters)
        visual = [p for name, p in any_model.model.named_parameters() if ".visual." in name]
        assert visual
        assert all(p.grad is None for p in visual)
    finally:
        any_model.model.zero_grad()


@pytest.mark.parametrize("folder", ["tiny_folder", "qwen_folder"])
def test_adapters_alone_are_trained(folder: str, contexts: list[Context], request: pytest.FixtureRequest) -> None:
    pytest.importorskip("peft")
    model = VlmModel(request.getfixturevalue(folder), max_new_tokens=8)
    before = model.generate(contexts, greedy=True)
    _add_adapters(model, PolicyConfig(lora=LoraConfig(rank=2)))
    assert [g.token_ids for g in model.generate(contexts, greedy=True)] == [g.token_ids for g in before]
    trained = {id(p) for p in model.trainable_parameters()}
    names = {name for name, p in model.model.named_parameters() if id(p) in trained}
    assert names
    assert all("lora_" in name and ".visual." not in name for name in names)


def test_a_policy_makes_decisions_that_can_be_trained_on(any_model: VlmModel, contexts: list[Context]) -> None:
    torch.manual_seed(17)
    policy = VlmPolicy(any_model)
    policy.version = 4
    decisions = policy.act(contexts)
    assert len(decisions) == len(contexts)
    for decision in decisions:
        assert decision.policy_version == 4
        assert len(decision.token_ids) == len(decision.log_probs) > 0
        if decision.unparsable is not None:
            assert isinstance(decision.action, Wait)
    assert policy.act([]) == []
