"""Small files in the real formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tapwise.datasets.formats.example import Writable, write_example
from tapwise.datasets.formats.tfrecord import write_records

Features = dict[str, Writable]
StepMaker = Callable[..., Features]


def _step(episode: str, step: int, length: int, kind: int, **changes: Writable) -> Features:
    features: Features = {
        "episode_id": [episode.encode()],
        "episode_length": [length],
        "step_id": [step],
        "goal_info": ["Öffne the settings".encode()],
        "current_activity": [b"com.android.settings/.Settings"],
        "device_type": [b"Pixel 4"],
        "image/encoded": [np.full((20, 10, 3), 10 * step, np.uint8).tobytes()],
        "image/height": [20],
        "image/width": [10],
        "image/channels": [3],
        "image/ui_annotations_positions": np.array([0.1, 0.2, 0.3, 0.4], np.float32),
        "image/ui_annotations_text": [b"Wi-Fi"],
        "image/ui_annotations_ui_types": [b"TEXT"],
        "results/action_type": [kind],
        "results/yx_touch": np.array([0.75, 0.25], np.float32),
        "results/yx_lift": np.array([0.75, 0.25], np.float32),
        "results/type_action": [b""],
    }
    return {**features, **changes}


@pytest.fixture(scope="session")
def aitw_step() -> StepMaker:
    """The features of one AitW step: aitw_step(episode, step, length, action type, **features)."""
    return _step


@pytest.fixture
def aitw_shard(tmp_path: Path) -> Callable[[Sequence[Features]], Path]:
    """Write steps as an AitW shard of the subset "general"."""

    def write(steps: Sequence[Features]) -> Path:
        path = tmp_path / "general-00000-of-00321"
        write_records(path, [write_example(step) for step in steps])
        return path

    return write
