"""Steps per second of importing AitW shards into a store against the plain way, and the memory that it takes.

    python benchmarks/import_aitw.py [--episodes 250 500 1000] [--repeats 3] [--steps 5] [--size 732x412]
                                     [--shards FOLDER] [--out FILE]

Shards are generated: GZIP, the features of the real ones, raw pixels; with --shards they are kept in a folder, and
taken from there the next time. "tapwise" is the command `tapwise data import` with two workers; "reference" is
`aitw_reference.py`, the plain way in one process. Both write JPEG of the same quality into a new store, and the start
of the programs counts. For the largest number of episodes the two take turns, so that other work on the machine slows
both; ratios are those of medians. The processor's time stands beside the clock's, since it depends less on other work.
Smaller numbers of episodes are imported once with tapwise, for their memory: the largest sum over all processes, looked
at every 50 ms. Results are written after every run; "complete" says whether it was the last.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
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
from tapwise.records import Size

HERE = Path(__file__).parent
OURS, REFERENCE = "tapwise, two workers", "reference"
AIM = 3.0
"""times the steps per second of the reference"""
EPISODES_PER_SHARD = 50
BASES = 48
"""different screens; each step adds text of its own"""
LOOK_EVERY_S = 0.05
LIBRARIES = ("tapwise", "tfrecord", "protobuf", "pillow", "numpy", "pyarrow", "google-crc32c", "zlib-ng")


@dataclass(frozen=True, slots=True)
class Result:
    """One run: seconds by the clock, processor seconds of all its processes, and their peak memory in MiB."""

    way: str
    episodes: int
    steps: int
    seconds: float
    processor_s: float
    steps_per_s: float
    peak_mib: float


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


# --- measuring -------------------------------------------------------------------------------------------


def measure(way: str, command: list[str], episodes: int) -> Result:
    """Run one way, whose last line of output is JSON with its `steps`, into a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = subprocess.Popen([*command, "--out", f"{folder}/store"], stdout=subprocess.PIPE)
        peak = 0
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, sum(map(resident_bytes, family(process.pid))))
            time.sleep(LOOK_EVERY_S)
        seconds = time.perf_counter() - started
        _, status, usage = ended
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stdout is not None
        with process.stdout:
            told = process.stdout.read().decode()
    if process.returncode != 0:
        raise SystemExit(f"{way} failed with status {process.returncode}: {told}")
    steps = int(json.loads(told.splitlines()[-1])["steps"])
    processor = usage.ru_utime + usage.ru_stime
    rounded = (round(seconds, 2), round(processor, 2), round(steps / seconds, 1), round(peak / 2**20, 1))
    result = Result(way, episodes, steps, *rounded)
    print(f"{way}, {episodes} episodes: {result.steps_per_s} steps/s", file=sys.stderr, flush=True)
    return result


def family(process: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [process, *(one for child in children for one in family(int(child)))]


def resident_bytes(process: int) -> int:
    """The memory of a process, shared parts included; 0 when it has ended."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def run(folders: dict[int, Path], repeats: int) -> Iterator[Result]:
    """All runs: the smaller numbers of episodes once with tapwise, the largest `repeats` times with both in turns."""
    *smaller, largest = sorted(folders)
    for episodes in (*smaller, *[largest] * repeats):
        source = str(folders[episodes])
        ours = [sys.executable, "-m", "tapwise", "data", "import", "aitw", source, "--json", "--workers", "2"]
        yield measure(OURS, ours, episodes)
        if episodes == largest:
            yield measure(REFERENCE, [sys.executable, str(HERE / "aitw_reference.py"), source], episodes)


def summary(results: list[Result], largest: int) -> dict[str, dict[str, float]]:
    """Of each way at the largest size: medians, extremes, and the ratios of its medians to the reference's; empty
    until the reference has run."""
    runs: dict[str, list[Result]] = {}
    for one in results:
        if one.episodes == largest:
            runs.setdefault(one.way, []).append(one)
    rates = {way: [one.steps_per_s for one in found] for way, found in runs.items()}
    costs = {way: statistics.median(one.processor_s / one.steps for one in found) for way, found in runs.items()}
    if REFERENCE not in runs:
        return {}
    return {
        way: {
            "median_steps_per_s": statistics.median(found),
            "least": min(found),
            "greatest": max(found),
            "ratio_to_reference": round(statistics.median(found) / statistics.median(rates[REFERENCE]), 2),
            "processor_ms_per_step": round(1000 * costs[way], 2),
            "ratio_of_processor_time": round(costs[REFERENCE] / costs[way], 2),
        }
        for way, found in rates.items()
    }


def manifest(options: argparse.Namespace, shards: list[Path], load: tuple[float, ...]) -> dict[str, Any]:
    """Versions, sizes, and how busy the machine was before the first run."""
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
        "load_before": [round(one, 2) for one in load],
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
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as name:
        shards = kept_shards(options) if options.shards else generate(Path(name), *sizes(options))
        folders = {episodes: part(shards, episodes, Path(name)) for episodes in options.episodes}
        facts = manifest(options, shards, load)
        results: list[Result] = []
        for result in run(folders, options.repeats):
            results.append(result)
            complete = len(results) == len(folders) - 1 + 2 * options.repeats
            if options.out is not None:
                write(options.out, results, {**facts, "complete": complete})
    show(results, max(options.episodes))
    return 0


def write(path: Path, results: list[Result], facts: dict[str, Any]) -> None:
    """Put all that is known so far into the file."""
    found = summary(results, max(facts["episodes"]))
    rows = {"summary": found, "runs": [asdict(one) for one in results], "manifest": facts}
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def show(results: list[Result], largest: int) -> None:
    """Print everything for a person."""
    table = Table("way", "episodes", "steps", "seconds", "processor s", "steps/s", "peak MiB")
    for one in results:
        table.add_row(*map(str, asdict(one).values()))
    Console().print(table)
    for way, row in summary(results, largest).items():
        print(
            f"{way}: {row['median_steps_per_s']} steps/s, {row['ratio_to_reference']} times the reference;"
            f" {row['processor_ms_per_step']} ms of processor a step"
        )


def sizes(options: argparse.Namespace) -> tuple[int, int, Size]:
    """Episodes, steps of each and size of the screens that the options ask for."""
    height, width = map(int, options.size.split("x"))
    return max(options.episodes), options.steps, Size(height, width)


def kept_shards(options: argparse.Namespace) -> list[Path]:
    """The shards in the folder that --shards names; made when it holds none."""
    folder: Path = options.shards
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob("general-*"))
    return found or generate(folder, *sizes(options))


def part(shards: Sequence[Path], episodes: int, parent: Path) -> Path:
    """A folder with links to as many shards as hold so many episodes."""
    folder = parent / f"first-{episodes}"
    folder.mkdir()
    for shard in shards[: -(-episodes // EPISODES_PER_SHARD)]:
        (folder / shard.name).symlink_to(shard.resolve())
    return folder


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--repeats", type=int, default=3, help="of the largest number of episodes (3)")
    parser.add_argument("--steps", type=int, default=5, help="of an episode (5)")
    parser.add_argument("--size", default="732x412", help="HEIGHTxWIDTH of the screens (732x412)")
    parser.add_argument("--shards", type=Path, help="folder to keep the shards in; those in it are taken as they are")
    parser.add_argument("--out", type=Path, help="JSON file for the results and their manifest")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
