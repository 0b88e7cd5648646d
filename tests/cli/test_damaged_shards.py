"""What a user sees of damaged AitW shards: the error's name, the file and the record, and what it cost."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.cli import main
from tapwise.datasets import ParquetTrajectoryStore
from tapwise.datasets.formats.example import write_example
from tapwise.datasets.formats.tfrecord import frame

EPISODES, STEPS = 4, 3
DAMAGED = 4
"""the record: step 1 of episode 1"""


def record(number: int, **fields: Any) -> bytes:
    episode, step = divmod(number, STEPS)
    last = step == STEPS - 1
    place = np.array([-1, -1] if last else [0.5, 0.5], np.float32)
    features = {
        "episode_id": [str(episode).encode()],
        "episode_length": [STEPS],
        "step_id": [step],
        "goal_info": [b"Open the settings"],
        "image/encoded": [np.random.default_rng(number).integers(0, 256, 20 * 10 * 3, np.uint8).tobytes()],
        "image/height": [20],
        "image/width": [10],
        "image/channels": [3],
        "results/action_type": [10 if last else 4],
        "results/yx_touch": place,
        "results/yx_lift": place,
        **fields,
    }
    return frame(write_example({name: value for name, value in features.items() if value is not None}))


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]


def truncated(frames: list[bytes]) -> bytes:
    whole = gzip.compress(b"".join(frames))
    return whole[: len(gzip.compress(b"".join(frames[:DAMAGED]))) + 200]


def replaced(change: Callable[[bytes], bytes]) -> Callable[[list[bytes]], bytes]:
    return lambda frames: gzip.compress(b"".join([*frames[:DAMAGED], change(frames[DAMAGED]), *frames[DAMAGED + 1 :]]))


CASES: list[tuple[str, Callable[[list[bytes]], bytes], str, str]] = [
    ("TruncatedShard", truncated, "the GZIP data ends early", "rest of the file"),
    ("WrongLength", replaced(lambda one: flipped(one, 0)), "does not fit its checksum", "rest of the file"),
    ("WrongChecksum", replaced(lambda one: flipped(one, 99)), "does not fit its checksum; this record is", "step"),
    (
        "MissingFeature",
        replaced(lambda _: record(DAMAGED, **{"results/action_type": None})),
        "feature 'results/action_type' is missing",
        "step",
    ),
    (
        "WrongText",
        replaced(lambda _: record(DAMAGED, goal_info=[b"turn on \xff"])),
        "feature 'goal_info' is not UTF-8 (byte 8 is 0xff)",
        "step",
    ),
]


@pytest.mark.parametrize(("kind", "damage", "words", "lost"), CASES, ids=[case[0] for case in CASES])
def test_the_damage_has_a_name_and_costs_nothing_else(
    kind: str,
    damage: Callable[[list[bytes]], bytes],
    words: str,
    lost: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shard = tmp_path / "general-00000-of-00002"
    shard.write_bytes(damage([record(number) for number in range(EPISODES * STEPS)]))
    sound = tmp_path / "general-00001-of-00002"
    sound.write_bytes(gzip.compress(record(EPISODES * STEPS, episode_length=[1])))
    command = ["data", "import", "aitw", str(tmp_path), "--workers", "1", "--out"]
    assert main([*command, str(tmp_path / "store")]) == 1
    output = capsys.readouterr()
    first, second = (line for line in output.err.splitlines() if line.startswith("problem: "))
    assert first.startswith(f"problem: {kind}: {shard}, record {DAMAGED}: ")
    assert words in first
    assert first.endswith(f"(lost: {lost})")
    missing, kept = ("1", 2) if lost == "step" else ("1,2", 1)
    assert second.startswith(f"problem: WrongValue: {shard}: episode 1 has {kept} of its 3 steps, without {missing};")
    assert f"lost: {lost} (1)" in output.out
    with ParquetTrajectoryStore(tmp_path / "store", mode="read") as store:
        found = {one.id.removeprefix("aitw/general/"): (len(one.steps), dict(one.task.params)) for one in store}
    assert found.pop("1") == (kept, {"missing_steps": missing})
    assert found == {"0": (3, {}), "4": (1, {})} | ({"2": (3, {}), "3": (3, {})} if lost == "step" else {})
    assert main([*command, str(tmp_path / "other"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["problems"], told["lost"]) == ({kind: 1, "WrongValue": 1}, {lost: 1, "nothing": 1})
