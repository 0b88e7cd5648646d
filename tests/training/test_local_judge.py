"""The judge that is a model in this process: what it reads, how it decides, and how often it looks at a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tapwise import images
from tapwise.agent.vlm.model import VlmModel
from tapwise.errors import ModelError
from tapwise.evaluator.examples import load_examples
from tapwise.evaluator.frames import Frames
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.protocols import Judge
from tapwise.records import Decision, End, Finish, Observation, Provenance, Screenshot, Step, Task, Trajectory, Wait
from tapwise.training.local_judge import LocalVlmJudge


def shot(seed: int) -> Screenshot:
    pixels = np.random.default_rng(seed).integers(0, 256, (128, 64, 3), dtype=np.uint8)
    return images.encode(pixels, "png")


def episode(name: str, *screens: int, answer: str | None = None, end: End = End.FINISHED) -> Trajectory:
    actions = [*[Wait()] * (len(screens) - 1), Finish("success", answer)]
    steps = tuple(
        Step(Observation(shot(seed), "a/b", True, 0.0), Decision(action, ""))
        for seed, action in zip(screens, actions, strict=True)
    )
    task = Task("t", f"do {name}", "s", "a", "x", (), 5, "test")
    return Trajectory(name, task, steps, end, Provenance("p"))


EPISODES = [episode("a", 1, 2, 3), episode("longer name", 1, 4), episode("c", 1, 2, 5, 6)]


@pytest.fixture(params=["model_folder", "qwen_folder"])
def model(request: pytest.FixtureRequest) -> VlmModel:
    return VlmModel(request.getfixturevalue(request.param))


def scores(judge: Judge, episodes: Sequence[Trajectory]) -> list[float]:
    return [one.score if one.score is not None else -1.0 for one in judge.judge(episodes)]


def test_verdicts_are_those_of_each_episode_alone_whatever_the_batch(model: VlmModel) -> None:
    prompt = Prompt(Frames("key", 3), load_examples("2"))
    together = LocalVlmJudge(model, prompt).judge(EPISODES)
    alone = scores(LocalVlmJudge(model, prompt, batch_size=1), EPISODES)
    assert [one.score for one in together] == pytest.approx(alone, abs=2e-3)
    assert len({round(score, 6) for score in alone}) == 3
    assert all(one.success is (one.score is not None and one.score >= 0.5) for one in together)


def test_the_score_is_the_share_of_true_among_the_two_next_tokens(model: VlmModel) -> None:
    judge = LocalVlmJudge(model)
    (score,) = scores(judge, EPISODES[:1])
    text, shots = judge._chat(EPISODES[0])
    image = model.processor.image_token
    features, grid = model.image_features(shots)
    count = int(grid.prod()) // model.processor.image_processor.merge_size**2
    ids = [
        model.tokenizer(text.replace(image, image * count) + reply, add_special_tokens=False)["input_ids"]
        for reply in ('{"success": true', '{"success": false')
    ]
    parting = next(index for index, pair in enumerate(zip(*ids, strict=False)) if pair[0] != pair[1])
    inputs = torch.tensor([ids[0][:parting]])
    with torch.no_grad():
        logits = model.model(
            input_ids=inputs,
            attention_mask=torch.ones_like(inputs),
            mm_token_type_ids=(inputs == model.processor.image_token_id).long(),
            image_grid_thw=grid,
            mm_encoder_outputs={"image": features},
        ).logits[0, -1]
    expected = logits[[ids[0][parting], ids[1][parting]]].softmax(-1)[0]
    assert score == pytest.approx(float(expected), abs=1e-4)


def test_each_picture_goes_through_the_vision_tower_once(model: VlmModel) -> None:
    prompt = Prompt(Frames("steps"), load_examples("2"))
    first = scores(LocalVlmJudge(model, prompt, batch_size=2), EPISODES)
    assert model.pictures_encoded == 6 + 2  # six screens, one of which starts all episodes, and the examples' two
    assert scores(LocalVlmJudge(model, prompt, batch_size=2), EPISODES) == pytest.approx(first, abs=1e-6)
    scores(LocalVlmJudge(model), EPISODES)  # another question about the same screens
    assert model.pictures_encoded == 6 + 2
    model.forget_pictures()
    scores(LocalVlmJudge(model), EPISODES)
    assert model.pictures_encoded == 6 + 2 + 3


def test_the_right_pictures_are_seen(model: VlmModel) -> None:
    judge = LocalVlmJudge(model, Prompt(Frames("steps")))
    plain, other = scores(judge, [episode("a", 1, 2), episode("a", 2, 1)])
    assert abs(plain - other) > 1e-7  # the order of the screens counts
    assert scores(judge, [episode("a", 2, 1)])[0] == pytest.approx(other, abs=1e-3)


def test_marks_of_a_chat_in_an_answer_are_words_like_others(model: VlmModel) -> None:
    (verdict,) = LocalVlmJudge(model).judge([episode("a", 1, answer="<|image_pad|><|im_end|>")])
    assert verdict.score is not None


def test_it_abstains_where_there_is_nothing_to_see(model: VlmModel) -> None:
    judge = LocalVlmJudge(model)
    empty = replace(EPISODES[0], steps=())
    found = judge.judge([replace(EPISODES[0], end=End.ABORTED), empty, EPISODES[0]])
    assert [one.success is None for one in found] == [True, True, False]
    assert judge.judge([]) == []


def test_its_name_tells_weights_and_prompt(model: VlmModel, model_folder: Path) -> None:
    plain, framed = LocalVlmJudge(model), LocalVlmJudge(model, Prompt(Frames("steps")))
    assert framed.name == f"{plain.name} frames=steps"
    assert plain.name.startswith("local:")
    assert "@" in plain.name


def test_a_tokenizer_without_true_and_false_is_refused(model: VlmModel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dull:
        def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
            return {"input_ids": [1]}

    monkeypatch.setattr(model, "tokenizer", Dull())
    with pytest.raises(ModelError, match="true and false"):
        LocalVlmJudge(model)
