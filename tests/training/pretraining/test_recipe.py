"""The recipe of the base weights at its smallest size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.training.pretraining.recipe import Pretraining, PretrainingConfig, schedule

SMALL = PretrainingConfig(
    vision_width=32, text_width=32, layers=2, batch_size=4, questions=3, reading_steps=2, pointing_steps=2
)


def prepare(folder: Path) -> Path:
    folder.mkdir()
    words = ["settings", "wifi", "lamp", "nova", "alarm"]
    (folder / "vocabulary.json").write_text(json.dumps({"words": words, "icons": [["add", "Add"]]}))
    return folder


@pytest.mark.slow
def test_two_steps_and_two_more_are_four(tmp_path: Path) -> None:
    whole = Pretraining(SMALL, prepare(tmp_path / "whole"))
    whole.run(lambda *_: None)
    half = Pretraining(SMALL.model_copy(update={"pointing_steps": 0}), prepare(tmp_path / "half"))
    half.run(lambda *_: None)
    resumed = Pretraining(SMALL, tmp_path / "half")
    resumed.run(lambda *_: None)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert VlmModel(tmp_path / "half" / "model").grammar is not None


def test_the_schedule_warms_up_stays_and_decays() -> None:
    values = [schedule(step, 1000) for step in range(1000)]
    assert values[0] == pytest.approx(1 / 50)
    assert values[500] == 1.0
    assert values[999] == pytest.approx(1 / 350)
