"""Steps per second of importing AitW shards into a store, and the memory it takes.

    python benchmarks/import_aitw.py [--episodes 250 1000] [--steps 5] [--size 320x180] [--workers 2] [--json]

Shards are generated. "tapwise" is `tapwise data import` with that many workers and with one; "reference" is the plain
way, one process with the reader of PyPI's `tfrecord` package and Pillow, storing into the same store; it is left out
when the package is not installed. Peak memory is that of the largest process, each way having one of its own. All
ways write JPEG of the same quality.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from tapwise.datasets.formats.crc32c import method
from tapwise.datasets.formats.example import write_example
from tapwise.datasets.formats.tfrecord import write_records
from tapwise.datasets.importers import Options
from tapwise.datasets.importers.aitw_actions import read_action
from tapwise.datasets.importers.common import build, observe
from tapwise.datasets.importers.into_store import import_into
from tapwise.datasets.importers.parallel import import_all
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.records import Decision, Screenshot, Size, Step

EPISODES_PER_SHARD = 50
FEATURES = {
    "episode_id": "byte",
    "goal_info": "byte",
    "image/encoded": "byte",
    "image/height": "int",
    "image/width": "int",
    "results/action_type": "int",
    "results/yx_touch": "float",
    "results/yx_lift": "float",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One row: steps per second, and the peak memory of the largest process in MiB."""

    way: str
    episodes: int
    steps: int
    seconds: float
    steps_per_s: float
    peak_mib: float


def screen(rng: np.random.Generator, size: Size) -> bytes:
    """Pixels with flat parts and text-like parts, as screens have them."""
    pixels = np.full((size.height, size.width, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(20):
        top, left = int(rng.integers(size.height)), int(rng.integers(size.width))
        block = pixels[top : top + 12, left : left + 60]
        block[:] = rng.integers(0, 256, (*block.shape[:2], 1), np.uint8)
    return pixels.tobytes()


def generate(folder: Path, episodes: int, steps: int, size: Size) -> list[Path]:
    """Write shards of the subset "general", GZIP as the real ones."""
    rng = np.random.default_rng(0)
    shards = []
    for first in range(0, episodes, EPISODES_PER_SHARD):
        shards.append(folder / f"general-{first // EPISODES_PER_SHARD:05d}-of-many")
        numbers = range(first, min(first + EPISODES_PER_SHARD, episodes))
        write_records(
            shards[-1], (record for number in numbers for record in records(rng, number, steps, size)), level=1
        )
    return shards


def records(rng: np.random.Generator, episode: int, steps: int, size: Size) -> Iterator[bytes]:
    """The tf.Examples of one episode."""
    for step in range(steps):
        last = step == steps - 1
        place = np.array([-1.0, -1.0] if last else rng.random(2), np.float32)
        yield write_example(
            {
                "episode_id": [str(episode).encode()],
                "episode_length": [steps],
                "step_id": [step],
                "goal_info": [b"Open the settings and turn on the dark theme"],
                "image/encoded": [screen(rng, size)],
                "image/height": [size.height],
                "image/width": [size.width],
                "image/channels": [3],
                "results/action_type": [10 if last else 4],
                "results/yx_touch": place,
                "results/yx_lift": place,
                "results/type_action": [b""],
            }
        )


def import_ours(shards: list[Path], out: Path, workers: int) -> int:
    """With tapwise; returns the steps."""
    with ParquetTrajectoryStore(out, sync="never") as store:
        report = import_into(store, import_all("aitw", shards, Options(), workers), lambda _: None)
        store.seal()
    return report.steps


def import_plainly(shards: list[Path], out: Path) -> int:
    """With the `tfrecord` package and Pillow; returns the steps."""
    from tfrecord.reader import tfrecord_loader

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
                height, width = int(example["image/height"][0]), int(example["image/width"][0])
                image = Image.fromarray(
                    np.frombuffer(bytes(example["image/encoded"]), np.uint8).reshape(height, width, 3)
                )
                buffer = io.BytesIO()
                image.save(buffer, "JPEG", quality=90, subsampling=0)
                kind = int(example["results/action_type"][0])
                touch, lift = (list(map(float, example[f"results/yx_{one}"]))[::-1] for one in ("touch", "lift"))
                action = read_action(kind, touch, lift, "", name)
                screenshot = Screenshot(buffer.getvalue(), "jpeg", Size(height, width))
                steps.append(Step(observe(screenshot), Decision(action, "")))
                count += 1
            if steps:
                store.append(build("aitw", f"general/{episode}", goal, steps))
        store.seal()
    return count


def measured(pipe: Connection, way: str, shards: list[Path], out: Path, workers: int) -> None:
    """Run one way in this process and send its result."""
    started = time.perf_counter()
    steps = import_plainly(shards, out) if way == "reference" else import_ours(shards, out, workers)
    seconds = time.perf_counter() - started
    usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    pipe.send((steps, seconds, max(usage) / 1024))


def measure(way: str, shards: list[Path], episodes: int, workers: int) -> Result:
    """One way on some of the shards, in a process and a store of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=measured, args=(theirs, way, shards, Path(folder) / "store", workers))
        process.start()
        theirs.close()
        steps, seconds, peak_mib = ours.recv()
        process.join()
    return Result(way, episodes, steps, round(seconds, 2), round(steps / seconds, 1), round(peak_mib, 1))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, nargs="+", default=[250, 1000])
    parser.add_argument("--steps", type=int, default=5, help="of an episode (5)")
    parser.add_argument("--size", default="320x180", help="HEIGHTxWIDTH of the screens (320x180)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    height, width = map(int, options.size.split("x"))
    has_reference = importlib.util.find_spec("tfrecord") is not None
    results = []
    with tempfile.TemporaryDirectory() as folder:
        shards = generate(Path(folder), max(options.episodes), options.steps, Size(height, width))
        for episodes in options.episodes:
            some = shards[: -(-episodes // EPISODES_PER_SHARD)]
            ways = [("tapwise", options.workers), ("tapwise, one process", 1)]
            ways += [("reference", 1)] if has_reference else []
            results += [measure(way, some, episodes, workers) for way, workers in ways]
    ratios = {}
    for episodes in options.episodes:
        rates = {one.way: one.steps_per_s for one in results if one.episodes == episodes}
        if "reference" in rates:
            ratios[str(episodes)] = {way: round(rate / rates["reference"], 2) for way, rate in rates.items()}
    if options.json:
        rows = [asdict(one) for one in results]
        print(json.dumps({"checksums": method(), "size": options.size, "results": rows, "ratio_to_reference": ratios}))
        return
    table = Table("way", "episodes", "steps", "seconds", "steps/s", "peak MiB", "ratio")
    for one in results:
        ratio = ratios.get(str(one.episodes), {}).get(one.way, "")
        table.add_row(*map(str, (one.way, one.episodes, one.steps, one.seconds, one.steps_per_s, one.peak_mib, ratio)))
    Console().print(table)
    print(f"checksums by {method()}")
    if not has_reference:
        print("the reference is left out: install it with `pip install tfrecord`")


if __name__ == "__main__":
    main()
