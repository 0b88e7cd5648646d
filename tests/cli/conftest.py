"""A tiny model with random weights, and a run of the recipe `debug` on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapwise.cli import main

SMALL = [
    "--farm.devices=2",
    "--supervised.updates=1",
    "--offline.episodes=2",
    "--online.episodes=2",
    "--evaluation.episodes=2",
    "--farm.size=270x600",
]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that can be loaded, and cannot do anything."""
    import torch

    from tapwise.agent.vlm.tiny import build_model, build_processor, build_tokenizer

    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    tokenizer = build_tokenizer(["settings", "clock", "add", "alarm"])
    build_model(tokenizer, vision_width=32, text_width=32, layers=2).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def finished_run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, made by the command itself."""
    folder = tmp_path_factory.mktemp("runs") / "debug"
    assert main(["train", "debug", "--run", str(folder), "--policy.model", str(tiny_model), *SMALL, "--json"]) == 0
    return folder
