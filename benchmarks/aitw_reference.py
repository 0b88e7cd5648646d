"""The plain way to import AitW shards: one process, the reader of PyPI's `tfrecord` package, and Pillow.

    python benchmarks/aitw_reference.py SHARDS --out STORE

Prints {"steps": number}. It stores what `tapwise data import` stores, so that the two can be compared.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tfrecord.reader import tfrecord_loader

from tapwise.datasets.importers.aitw_actions import read_action
from tapwise.datasets.importers.common import build, observe
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.records import Decision, Screenshot, Size, Step

FEATURES = {
    "episode_id": "byte",
    "goal_info": "byte",
    "image/encoded": "byte",
    "image/height": "int",
    "image/width": "int",
    "results/action_type": "int",
    "results/type_action": "byte",
    "results/yx_touch": "float",
    "results/yx_lift": "float",
}


def import_plainly(shards: list[Path], out: Path) -> int:
    """With the `tfrecord` package and Pillow; returns the steps."""

    count = 0
    with ParquetTrajectoryStore(out, sync="never") as store:
        for shard in shards:
            episode, steps, goal = "", [], ""
            for example in tfrecord_loader(str(shard), None, FEATURES, compression_type="gzip"):
                name = bytes(example["episode_id"]).decode()
                if name != episode and steps:
                    store.append(build("aitw", f"general/{episode}", goal, steps))
                    steps = []
                episode, goal = name, bytes(example["goal_info"]).decode()
                steps.append(plain_step(example, name))
                count += 1
            if steps:
                store.append(build("aitw", f"general/{episode}", goal, steps))
        store.seal()
    return count


def plain_step(example: dict[str, Any], where: str) -> Step:
    """A step from what the `tfrecord` package gives."""
    height, width = int(example["image/height"][0]), int(example["image/width"][0])
    image = Image.fromarray(np.frombuffer(bytes(example["image/encoded"]), np.uint8).reshape(height, width, 3))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, subsampling=0)
    touch, lift = (list(map(float, example[f"results/yx_{one}"]))[::-1] for one in ("touch", "lift"))
    text = bytes(example["results/type_action"]).decode()
    action = read_action(int(example["results/action_type"][0]), touch, lift, text, where)
    return Step(observe(Screenshot(buffer.getvalue(), "jpeg", Size(height, width))), Decision(action, ""))


def main() -> None:
    """Import a folder of shards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    print(json.dumps({"steps": import_plainly(sorted(options.shards.iterdir()), options.out)}))


if __name__ == "__main__":
    main()
