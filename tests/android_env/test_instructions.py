"""Lists of instructions as suites: what they hold, what they share, and that nobody but a judge knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tapwise.android_env import AndroidEnv, EnvSettings
from tapwise.android_env.instructions import InstructionSuite
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import EnvError
from tapwise.records import Finish, Size, Wait

RNG = np.random.default_rng(0)


@pytest.fixture
def suite(tmp_path: Path) -> InstructionSuite:
    (tmp_path / "train.txt").write_text("Open the clock\n\nGo to ebay.com\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("go to  ebay.com.\nGo to ebay.com\nShow me the news\n", encoding="utf-8")
    return InstructionSuite("aitw_general", str(tmp_path / "train.txt"), str(tmp_path / "test.txt"))


def test_lines_are_tasks_in_their_order_with_the_published_limits(suite: InstructionSuite, tmp_path: Path) -> None:
    assert [task.instruction for task in suite.tasks("train")] == ["Open the clock", "Go to ebay.com"]
    assert [task.id for task in suite.evaluated(RNG, "test", 2)] == ["aitw_general/test/0", "aitw_general/test/1"]
    assert len(suite.evaluated(RNG, "test", 9)) == 3
    assert {task.max_steps for task in suite.tasks()} == {10}
    shops = InstructionSuite("aitw_webshop", "", str(tmp_path / "test.txt"))
    assert {task.max_steps for task in shops.tasks()} == {20}
    assert {task.template for task in suite.sample(RNG, "train", 4)} == {"aitw_general"}


def test_test_instructions_that_were_trained_on_are_counted(suite: InstructionSuite) -> None:
    assert suite.leaked == 2  # case, spacing and closing punctuation make no other instruction


def test_the_published_lists_leak(shared_file: Callable[[str], Path]) -> None:
    def lists(kind: str) -> InstructionSuite:
        files = [str(shared_file(f"data/aitw_{kind}_{split}.txt")) for split in ("train", "test")]
        return InstructionSuite(f"aitw_{kind}", *files)

    general = lists("general")
    assert general.leaked == len(general.tasks("test")) == 432
    assert lists("webshop").leaked > 32


def test_an_episode_ends_without_an_outcome(suite: InstructionSuite) -> None:
    phone = VirtualPhone(size=Size(600, 270), density=105)
    env = AndroidEnv(InProcessDevice(phone), suite, EnvSettings())
    env.reset(suite.tasks("test")[0], 1)
    ended = env.step(Finish())
    assert (ended.terminated, ended.info["outcome"], ended.reward) == (True, None, 0.0)
    env.reset(suite.tasks("test")[0], 1)
    steps = [env.step(Wait(0.0)) for _ in range(10)]
    assert [step.truncated for step in steps] == [False] * 9 + [True]
    assert steps[-1].info["outcome"] is None


@pytest.mark.parametrize(
    ("name", "path", "hint"),
    [("aitw_other", "x", "known are"), ("aitw_general", "", "give aitw"), ("aitw_general", "none", "read")],
)
def test_lists_that_cannot_be_had(name: str, path: str, hint: str) -> None:
    with pytest.raises(EnvError, match=hint):
        InstructionSuite(name, path, "")
