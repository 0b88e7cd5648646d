"""Steps per second of importing AitW shards into a store against the plain way, and the memory that it takes.

    python benchmarks/import_aitw.py [--episodes 250 500 1000] [--repeats 3] [--steps 5] [--size 732x412] [--out FILE]

Shards are generated: GZIP, the features of the real ones, raw pixels. "tapwise" is what `tapwise data import` does with
that many workers, and with one; "reference" is one process with the reader of PyPI's `tfrecord` package and Pillow,
which stores into the same store. All write JPEG of the same quality, and each way has a process and a new store of its
own. For the largest number of episodes the ways take turns, so that other work on the machine slows all of them;
the ratio is that of the medians. For smaller numbers only memory is of interest, and they run once.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import io
import json
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
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

REFERENCE = "reference"
AIM = 3.0
"""times the steps per second of the reference"""
EPISODES_PER_SHARD = 50
BASES = 48
"""different screens; each step adds text of its own"""
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
LIBRARIES = ("tfrecord", "protobuf", "pillow", "numpy", "pyarrow", "google-crc32c", "zlib-ng", "tapwise")


@dataclass(frozen=True, slots=True)
class Result:
    """One run: its rate, and the peak memory of the process that stores and of the largest worker, in MiB."""

    way: str
    episodes: int
    steps: int
    seconds: float
    steps_per_s: float
    peak_mib: float
    worker_peak_mib: float


# --- shards ----------------------------------------------------------------------------------------------


def screen(rng: np.random.Generator, size: Size) -> NDArray[np.uint8]:
    """A screen with a background, a picture with a little noise, and lines of text, of shape (height, width, 3)."""
    pixels = np.full((size.height, size.width, 3), rng.integers(200, 256, 3), np.uint8)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    photo = np.asarray(coarse.resize((size.width, size.height // 3), Image.Resampling.BICUBIC), np.int16)
    top = int(rng.integers(size.height - len(photo)))
    pixels[top : top + len(photo)] = np.clip(photo + rng.integers(-3, 4, photo.shape), 0, 255)
    return with_text(rng, pixels, 20)


def with_text(rng: np.random.Generator, pixels: NDArray[np.uint8], lines: int) -> NDArray[np.uint8]:
    """A copy with lines of text-like pixels."""
    pixels = pixels.copy()
    for _ in range(lines):
        top, left = int(rng.integers(pixels.shape[0])), int(rng.integers(pixels.shape[1]))
        block = pixels[top : top + 12, left : left + 120]
        block[:] = np.where(rng.random(block.shape[:2]) < 0.4, 30, 245)[..., None]
    return pixels


def generate(folder: Path, episodes: int, steps: int, size: Size) -> list[Path]:
    """Write shards of the subset "general", GZIP as the real ones."""
    rng = np.random.default_rng(0)
    bases = [screen(rng, size) for _ in range(BASES)]
    shards = []
    for first in range(0, episodes, EPISODES_PER_SHARD):
        shards.append(folder / f"general-{first // EPISODES_PER_SHARD:05d}-of-many")
        numbers = range(first, min(first + EPISODES_PER_SHARD, episodes))
        write_records(shards[-1], (one for number in numbers for one in records(rng, bases, number, steps)), level=1)
    return shards


def records(rng: np.random.Generator, bases: Sequence[NDArray[np.uint8]], episode: int, steps: int) -> Iterator[bytes]:
    """The tf.Examples of one episode, with the features that the real ones have."""
    for step in range(steps):
        last = step == steps - 1
        place = np.array([-1.0, -1.0] if last else rng.random(2), np.float32)
        pixels = with_text(rng, bases[int(rng.integers(len(bases)))], 5)
        yield write_example(
            {
                "android_api_level": [30],
                "current_activity": [b"com.android.settings/.Settings"],
                "device_type": [b"pixel_4a"],
                "episode_id": [str(episode).encode()],
                "episode_length": [steps],
                "goal_info": [b"Open the settings and turn on the dark theme"],
                "image/channels": [3],
                "image/encoded": [pixels.tobytes()],
                "image/height": [pixels.shape[0]],
                "image/width": [pixels.shape[1]],
                "image/ui_annotations_positions": rng.random(80).astype(np.float32),
                "image/ui_annotations_text": [b"Display"] * 20,
                "image/ui_annotations_ui_types": [b"TEXT"] * 20,
                "results/action_type": [10 if last else 4],
                "results/type_action": [b""],
                "results/yx_lift": place,
                "results/yx_touch": place,
                "step_id": [step],
            }
        )


# --- ways of importing -----------------------------------------------------------------------------------


def import_ours(shards: list[Path], out: Path, workers: int) -> int:
    """With tapwise; returns the steps."""
    with ParquetTrajectoryStore(out, sync="never") as store:
        report = import_into(store, import_all("aitw", shards, Options(keep_ui=False), workers), lambda _: None)
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


# --- measuring -------------------------------------------------------------------------------------------


def measured(pipe: Connection, way: str, shards: list[Path], out: Path, workers: int) -> None:
    """Run one way in this process and send its steps, seconds and peaks."""
    started = time.perf_counter()
    steps = import_plainly(shards, out) if way == REFERENCE else import_ours(shards, out, workers)
    seconds = time.perf_counter() - started
    largest_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    pipe.send((steps, seconds, peak_mib(), largest_child))


def peak_mib() -> float:
    """The peak memory of this process since its program was loaded."""
    status = Path("/proc/self/status")
    if status.exists():  # the other count begins with that of whoever started this process
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(way: str, shards: list[Path], episodes: int, workers: int) -> Result:
    """One way on some of the shards, in a process and a store of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=measured, args=(theirs, way, shards, Path(folder) / "store", workers))
        process.start()
        theirs.close()
        steps, seconds, peak, worker_peak = ours.recv()
        process.join()
    rounded = (round(one, 1) for one in (steps / seconds, peak, worker_peak))
    result = Result(way, episodes, steps, round(seconds, 2), *rounded)
    print(f"{way}, {episodes} episodes: {result.steps_per_s} steps/s", file=sys.stderr, flush=True)
    return result


def run(shards: list[Path], episodes: list[int], repeats: int, workers: int) -> list[Result]:
    """All runs: the smaller numbers of episodes once, the largest `repeats` times in turns."""
    ways = {f"tapwise, {workers} workers": workers, REFERENCE: 1, "tapwise, one process": 1}
    *smaller, largest = sorted(episodes)
    results = []
    for count in (*smaller, *[largest] * repeats):
        some = shards[: -(-count // EPISODES_PER_SHARD)]
        results += [measure(way, some, count, number) for way, number in ways.items()]
    return results


def summary(results: list[Result], largest: int) -> dict[str, dict[str, float]]:
    """Median, least and greatest steps per second of each way, and its ratio to the reference."""
    rates: dict[str, list[float]] = {}
    for one in results:
        if one.episodes == largest:
            rates.setdefault(one.way, []).append(one.steps_per_s)
    base = statistics.median(rates[REFERENCE])
    return {
        way: {
            "median_steps_per_s": statistics.median(found),
            "least": min(found),
            "greatest": max(found),
            "ratio_to_reference": round(statistics.median(found) / base, 2),
        }
        for way, found in rates.items()
    }


def manifest(options: argparse.Namespace, shards: list[Path]) -> dict[str, Any]:
    """Versions and sizes."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "python": platform.python_version(),
        "versions": versions,
        "checksums": method(),
        "processors": os.cpu_count(),
        "load_before": [round(one, 2) for one in options.load],
        "episodes": sorted(options.episodes),
        "steps_of_an_episode": options.steps,
        "size": options.size,
        "shards": len(shards),
        "shard_mib": round(sum(shard.stat().st_size for shard in shards) / 2**20, 1),
        "repeats": options.repeats,
        "order": "the ways take turns within each repeat",
        "aim": AIM,
    }


def main() -> int:
    """Measure, print, and write the results where --out says."""
    options = arguments()
    if importlib.util.find_spec("tfrecord") is None:
        print(
            "error: the reference needs the package tfrecord: install it with `pip install --group bench`, or run"
            " `make bench-import`",
            file=sys.stderr,
        )
        return 1
    height, width = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        shards = generate(Path(folder), max(options.episodes), options.steps, Size(height, width))
        facts = manifest(options, shards)
        results = run(shards, options.episodes, options.repeats, options.workers)
    found = summary(results, max(options.episodes))
    table = Table("way", "episodes", "steps", "seconds", "steps/s", "peak MiB", "of a worker")
    for one in results:
        table.add_row(*map(str, asdict(one).values()))
    Console().print(table)
    for way, row in found.items():
        print(f"{way}: {row['median_steps_per_s']} steps/s, {row['ratio_to_reference']} times the reference")
    if options.out is not None:
        rows = {"summary": found, "runs": [asdict(one) for one in results], "manifest": facts}
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--repeats", type=int, default=3, help="of the largest number of episodes (3)")
    parser.add_argument("--steps", type=int, default=5, help="of an episode (5)")
    parser.add_argument("--size", default="732x412", help="HEIGHTxWIDTH of the screens (732x412)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="JSON file for the results and their manifest")
    options = parser.parse_args()
    options.load = os.getloadavg()
    return options


if __name__ == "__main__":
    sys.exit(main())
