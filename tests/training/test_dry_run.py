"""What a recipe would use, told without training: with the real classes of transformers at a tiny size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, SettleBudget, load_suite, run_episode
from tapwise.cli import main
from tapwise.cli.recipe_options import read_recipe, shipped_recipes
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Context, Decision, Observation, Size, Step
from tapwise.training.dry_run import dry_run
from tapwise.training.outline import TYPICAL, blank_screen, outline, prompt_tokens
from tapwise.training.recipes import LoraConfig, PolicyConfig

FULL_SIZE = ("vem_aitw", "semi_online_android_control")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few trajectories with pictures of 270 x 600."""
    folder = tmp_path_factory.mktemp("store")
    suite = load_suite("general")
    phone = InProcessDevice(VirtualPhone(size=Size(600, 270)))
    env = AndroidEnv(phone, suite, EnvSettings(with_tree=True, settle=SettleBudget(seconds=60.0)))
    tasks = [task for task in suite.tasks("train") if task.app == "clock"]
    with ParquetTrajectoryStore(folder, keep_ui=True) as kept:
        for number, task in enumerate(tasks[:: len(tasks) // 8]):
            found = run_episode(env, ScriptedExpert(suite), task, number, trajectory_id=f"expert/{number}")
            if found.success:  # on so small a screen not always
                kept.append(found)
        assert len(kept) >= 4
    return folder


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", [name for name in shipped_recipes() if name not in FULL_SIZE])
def test_shipped_recipes_for_phones(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", name, "--dry-run", "--json"]) == 0
    found = told(capsys)
    recipe = read_recipe(shipped_recipes()[name], [])
    assert found["kind"] == recipe.kind
    assert found["data"]["templates"] == len(load_suite(recipe.suite).templates)
    assert found["updates"]["supervised"] == recipe.supervised.updates
    assert found["memory"]["peak"] == max(parts["total"] for parts in found["memory"]["phases"].values())
    assert not list(tmp_path.iterdir()), "something was written"


@pytest.mark.parametrize("name", FULL_SIZE)
def test_full_size_recipes_at_a_tiny_size(
    name: str, qwen_folder: Path, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--policy.model", str(qwen_folder), "--policy.device=cpu", "--data.store", str(store)]
    assert main(["train", name, *options, "--data.held_out=0.3", "--dry-run", "--json"]) == 0
    found = told(capsys)
    data = found["data"]
    with ParquetTrajectoryStore(store, mode="read") as kept:
        assert data["training_episodes"] + data["held_out_episodes"] == len(kept)
        assert data["training_steps"] + data["held_out_steps"] == sum(one.steps for one in kept.scan())
    assert found["model"]["weight_bytes"] == 2
    assert found["model"]["trained"] < found["model"]["parameters"]
    assert found["decisions_at_most"]["evaluation"] > 0
    assert all(parts["optimiser"] > 0 for parts in found["memory"]["phases"].values())


@pytest.mark.parametrize("name", FULL_SIZE)
def test_missing_data_and_models_are_explained(
    name: str, qwen_folder: Path, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--policy.model", str(qwen_folder), "--policy.device=cpu"]
    assert main(["train", name, *model, "--data.store", str(tmp_path), "--dry-run"]) == 2
    assert "tapwise data import" in capsys.readouterr().err
    missing = str(tmp_path / "model")
    options = ["--policy.model", missing, "--data.store", str(store), "--data.held_out=0.3"]
    assert main(["train", name, *options, "--dry-run"]) == 1
    assert missing in capsys.readouterr().err


def test_a_missing_value_environment_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "digirl_vem_virtual", "--algorithm.vem=nowhere", "--dry-run"]) == 1
    assert "tapwise train vem_virtual" in capsys.readouterr().err


def test_counts_are_those_of_the_real_model(qwen_folder: Path) -> None:
    found, model = outline(PolicyConfig(model=str(qwen_folder))), VlmModel(qwen_folder)
    assert found.parameters == sum(parameter.numel() for parameter in model.model.parameters())
    assert found.trained == sum(parameter.numel() for parameter in model.trainable_parameters())
    assert found.layers == 2
    lora = outline(PolicyConfig(model=str(qwen_folder), lora=LoraConfig(rank=2)))
    assert 0 < lora.trained < found.trained


def test_adapters_are_counted_as_they_are_made(qwen_folder: Path) -> None:
    pytest.importorskip("peft")
    from tapwise.training.compose import make_model

    config = PolicyConfig(model=str(qwen_folder), lora=LoraConfig(rank=2))
    made = make_model(config).trainable_parameters()
    assert outline(config).trained == sum(parameter.numel() for parameter in made)


def test_tokens_are_those_of_the_real_prompt(qwen_folder: Path) -> None:
    model, screen = VlmModel(qwen_folder), blank_screen(600, 270)
    task = load_suite("general").tasks("train")[0]
    found = prompt_tokens(qwen_folder, [task.instruction], screen, [TYPICAL])
    observation = Observation(screen, "", True, 0.0)
    context = Context(task, (Step(observation, Decision(TYPICAL, "")),) * 4, observation)
    encoded = model.encode([context]).inputs
    assert found.prompt == encoded["input_ids"].shape[1]
    assert found.image == int((encoded["input_ids"] == model.processor.image_token_id).sum())
    assert found.answer == len(model.action_ids(model.action_text.format(TYPICAL)))


def test_semi_online_at_full_size_runs_with_a_tiny_model(
    qwen_folder: Path, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adapters, weights in half, a store, no phone: all that the recipe says but its size."""
    pytest.importorskip("peft")
    options = ["--policy.model", str(qwen_folder), "--policy.device=cpu", "--policy.lora.rank=2"]
    options += ["--data.store", str(store), "--data.held_out=0.3", "--iterations=1", "--checkpoint_every=1"]
    options += ["--sampling.rollouts=2", "--sampling.tasks=1", "--sampling.attempts=1", "--evaluation.episodes=1"]
    assert main(["train", "semi_online_android_control", *options, "--run", str(tmp_path / "run"), "--json"]) == 0
    assert set(told(capsys)["phases"]) == {"supervised", "semi_online"}


def test_vem_at_full_size_runs_with_a_tiny_model(
    qwen_folder: Path, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], chat_server: Any
) -> None:
    chat_server.reply_to = lambda body: '{"good": %s}' % ("true" if len(str(body)) % 2 else "false")
    options = ["--policy.model", str(qwen_folder), "--policy.device=cpu", "--labels.url", chat_server.url]
    options += ["--data.store", str(store), "--data.held_out=0.3", "--iterations=1", "--critic_updates=1"]
    options += ["--optimisation.states=2", "--guard.episodes=1", "--evaluation.episodes=1"]
    torch.manual_seed(0)
    assert main(["train", "vem_aitw", *options, "--run", str(tmp_path / "run"), "--json"]) == 0
    found = told(capsys)
    assert set(found["phases"]) == {"supervised", "vem"}
    assert found["critic"]["source"] == "vlm"


def test_more_of_everything_takes_more(qwen_folder: Path) -> None:
    def peak(*overrides: str) -> int:
        recipe = read_recipe(shipped_recipes()["semi_online_virtual"], [f"policy.model={qwen_folder}", *overrides])
        found: int = dry_run(recipe)["memory"]["peak"]
        return found

    assert peak("loss.micro_batch_size=128") > peak("loss.micro_batch_size=64")
    assert peak("loss.kl_coefficient=0.0") < peak()
    assert peak("policy.dtype=bfloat16") < peak()
