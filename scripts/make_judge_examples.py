"""Make the worked examples that ship with the package: tapwise/evaluator/judge_examples.

Each is the end of an episode on a virtual phone, of a task of the training split, played from a seed. Its verdict is
what was read from the phone's state; its reason is written here, about what the screen shows.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tapwise import images
from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.mutants import MutantMaker
from tapwise.android_env.suites import load_suite
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.evaluator.vlm_prompt import describe
from tapwise.records import Screenshot, Trajectory

TARGET = Path(__file__).parents[1] / "tapwise" / "evaluator" / "judge_examples"
SEED = 7
WIDTH, COLOURS = 270, 32
MOST_BYTES = 300_000
ATTEMPTS = 30


@dataclass(frozen=True)
class Wanted:
    """An example: what kind of episode of which template; the reason has the task's parameters as fields."""

    kind: str
    template: str
    reason: str


WANTED = (
    Wanted("success", "clock.add_alarm", "The alarms show {hour} {minute}, switched on, as asked."),
    Wanted("near miss", "notes.delete", "The phone still asks whether to delete the note {title}: it is not deleted."),
    Wanted("false completion", "settings.volume", "The page Sound shows another volume than {value}."),
    Wanted("success", "shop.add_to_cart", "The page of {product} on brightbuy.com says that it is in the cart."),
    Wanted("side effect", "messages.pin", "Another chat was pinned as well, which nobody asked for."),
    Wanted("success", "cookbook.time", "The recipe {title} shows the time that the agent answers."),
    Wanted("failure", "calendar.new", "The agent stopped before an event {title} was in the calendar."),
    Wanted("false completion", "cookbook.servings", "The agent does not say for how many people {title} is."),
)


def play(maker: MutantMaker, wanted: Wanted, number: int) -> Trajectory:
    """An episode of the wanted kind: a function of the seed and the example's number."""
    rng = np.random.default_rng([SEED, number])
    tasks = [task for task in load_suite("all").tasks("train") if task.template == wanted.template]
    for _ in range(ATTEMPTS):
        found = maker.make(wanted.kind, tasks[int(rng.integers(len(tasks)))], int(rng.integers(1 << 31)), rng)
        if found is not None:
            return found
    raise SystemExit(f"no task of {wanted.template} gave an episode of kind {wanted.kind!r}")


def small(screenshot: Screenshot) -> bytes:
    """A small PNG of a screen, in few colours."""
    picture = images.decode_image(screenshot)
    height = round(WIDTH * picture.height / picture.width)
    reduced = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    few = reduced.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main() -> int:
    """Write pictures and index."""
    suite = load_suite("all")
    maker = MutantMaker(AndroidEnv(InProcessDevice(VirtualPhone(noise=Noise())), suite, EnvSettings(with_tree=True)))
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    told = ["# Made by scripts/make_judge_examples.py; the format is told in tapwise/evaluator/examples.py."]
    total = 0
    for number, wanted in enumerate(WANTED):
        played = play(maker, wanted, number)
        name = f"{number + 1:02}_{wanted.template.replace('.', '_')}.png"
        last = played.steps[-1].observation if played.final is None else played.final
        data = small(last.screenshot)
        (TARGET / name).write_bytes(data)
        total += len(data)
        actions = [describe(step.decision.action) for step in played.steps]
        values = {
            "image": name,
            "goal": played.task.instruction,
            "actions": actions,
            "success": played.outcome,
            "reason": wanted.reason.format(**dict(played.task.params)),
        }
        told += ["", "[[example]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    (TARGET / "index.toml").write_text("\n".join(told) + "\n", encoding="utf-8")
    print(f"{len(WANTED)} examples, {total} bytes of pictures, in {TARGET}")
    return 0 if total < MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
