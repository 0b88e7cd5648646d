"""What judges are worth on the test-bed, and what a cascade saves.

    python benchmarks/judge.py [--work DIR] [--out FILE] [--episodes 300] [--json]

On labelled episodes of held-out instructions: the rule that believes the phone's state; the small judge that `tapwise
judge train` makes with its defaults; a large judge alone; and cascades of the small one and the large one, by how near
to one half the small one's score may be for the large one to be asked. Where rapidocr is installed, also the rules
about texts that ship with the package, alone and before the others, and what reading a screen takes.

And what is saved by keeping the encodings of pictures: a model on this machine, the small one that ships with the
package, is asked about some of the episodes with four key frames and four worked examples: without keeping anything,
with keeping, and once more with another prompt.

There is no large model here. A stand-in takes its place: it is right with a probability that is given, drawn for each
episode from a seed, and it costs what a hosted model of the given prices would, for the words and the one screenshot
that `VlmJudge` sends. What the cascade saves depends on the small judge and on these two givens alone.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tapwise.agent.vlm.model import VlmModel
from tapwise.android_env.mutants import kind_of_policy
from tapwise.cli import main as tapwise
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import ConfigError
from tapwise.evaluator.cascade import Cascade, Stage
from tapwise.evaluator.ocr import RapidReader, RememberingReader
from tapwise.evaluator.outcome import OutcomeJudge
from tapwise.evaluator.statistics import agreement
from tapwise.evaluator.text_judge import TextJudge
from tapwise.evaluator.text_rules import SHIPPED, load_rules
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.protocols import Judge
from tapwise.records import Screenshot, Trajectory, Verdict
from tapwise.training.critic_judge import CriticJudge
from tapwise.training.local_judge import LocalVlmJudge
from tapwise.training.manifest import git_commit
from tapwise.training.vem.critic import load_critic

DOUBTS = (0.1, 0.2, 0.3, 0.4, 0.45)
ACCURACY = 0.93
PRICES = (2.5, 10.0)
"""of a million tokens, asked and answered"""
IMAGE_TOKENS, ANSWER_TOKENS = 1100, 40
PICTURED = 40
"""episodes for which the keeping of encodings is measured"""
CHARACTERS_A_TOKEN = 4


class StandIn:
    """In the place of a large model: right as often as it is told, at a large model's price."""

    name = "stand-in"

    def __init__(self, accuracy: float, seed: int) -> None:
        self._accuracy, self._seed = accuracy, seed

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, the same whenever it is asked."""
        return [self._one(trajectory) for trajectory in trajectories]

    def _one(self, trajectory: Trajectory) -> Verdict:
        right = random.Random(f"{self._seed}/{trajectory.id}").random() < self._accuracy
        said = bool(trajectory.outcome) is right
        words = sum(len(part["text"]) for part in Prompt().messages(trajectory)[1]["content"] if "text" in part)  # type: ignore[attr-defined]
        asked = len(Prompt().messages(trajectory)[0]["content"]) + words  # type: ignore[arg-type]
        cost = (asked / CHARACTERS_A_TOKEN + IMAGE_TOKENS) * PRICES[0] + ANSWER_TOKENS * PRICES[1]
        return Verdict(said, self.name, float(said), "", cost / 1e6)


def measured(judge: Judge, episodes: Sequence[Trajectory]) -> dict[str, Any]:
    """Accuracy with its interval, false completions, accuracy by kind, and what it took."""
    started = time.monotonic()
    said = judge.judge(episodes)
    seconds = time.monotonic() - started
    found = agreement([one.success for one in said], [one.outcome for one in episodes])
    kinds: dict[str, list[bool]] = {}
    for one, verdict in zip(episodes, said, strict=True):
        if verdict.success is not None:
            kinds.setdefault(kind_of_policy(one.provenance.policy), []).append(verdict.success == one.outcome)
    return {
        "accuracy": found.accuracy,
        "accuracy_ci95": list(found.accuracy_interval()),
        "decided": found.decided,
        "false_completion_rate": found.false_completion_rate,
        "false_completion_ci95": list(found.false_completion_interval()),
        "kappa": found.kappa,
        "by_kind": {kind: sum(right) / len(right) for kind, right in sorted(kinds.items())},
        "decided_by_kind": {kind: len(right) for kind, right in sorted(kinds.items())},
        "cost": sum(one.cost for one in said),
        "seconds": seconds,
    }


def compare(small: Judge, large: Judge, episodes: Sequence[Trajectory]) -> dict[str, Any]:
    """All judges on the same episodes."""
    rows = {"state rules": measured(OutcomeJudge(), episodes), "small": measured(small, episodes)}
    rows["large alone"] = measured(large, episodes)
    for doubt in DOUBTS:
        cascade = Cascade([Stage(small, doubt), Stage(large)])
        row = measured(cascade, episodes)
        row["asked_large"] = cascade.shares[large.name].asked if large.name in cascade.shares else 0
        row["cost_share"] = row["cost"] / rows["large alone"]["cost"]
        rows[f"small, then large within {doubt:g} of one half"] = row
    return rows


def text_rules(small: Judge, large: Judge, episodes: Sequence[Trajectory], texts: Path) -> dict[str, Any]:
    """The rules about texts alone, by kind, and before the other judges; empty where no screen can be read."""
    try:
        reader = RememberingReader(RapidReader(), texts)
    except ConfigError as error:
        print(f"left out: {error}", file=sys.stderr)
        return {}
    judge = TextJudge(load_rules(SHIPPED), reader)
    rows = {"text rules": measured(judge, episodes)}
    rows["text rules"]["screens"] = {"read": reader.read_now, "seconds": reader.seconds}
    cascade = Cascade([Stage(judge), Stage(small, 0.4), Stage(large)])
    row = measured(cascade, episodes)
    row["asked_large"] = cascade.shares[large.name].asked if large.name in cascade.shares else 0
    rows["text rules, small, then large within 0.4 of one half"] = row
    return rows


def encodings(episodes: Sequence[Trajectory]) -> dict[str, Any]:
    """Seconds of a local model for the same questions, and pictures that went through its vision tower."""
    found: dict[str, Any] = {"episodes": len(episodes)}
    prompt = Prompt.parse("key:4", "4")
    found["pictures"] = sum(
        isinstance(part, Screenshot) for one in episodes for _, parts in prompt.turns(one) for part in parts
    )
    model = VlmModel()
    again = Prompt.parse("key:4", "3")
    for name, asked, keep in (("nothing kept", prompt, False), ("kept", prompt, True), ("asked again", again, True)):
        judge = LocalVlmJudge(model, asked, batch_size=1)
        before, started = model.pictures_encoded, time.monotonic()
        for one in episodes:
            if not keep:
                model.forget_pictures()
            judge.judge([one])
        found[name] = {"seconds": time.monotonic() - started, "encoded": model.pictures_encoded - before}
        if not keep:
            model.forget_pictures()
    return found


def show(rows: dict[str, Any]) -> None:
    """The table."""
    table = Table("judge", "decided", "right", "95 %", "failures called success", "cost", "of large alone")
    for name, row in rows.items():
        low, high = row["accuracy_ci95"]
        share = f"{row['cost_share']:.0%}" if "cost_share" in row else ""
        false = f"{row['false_completion_rate']:.1%}"
        table.add_row(
            name,
            str(row["decided"]),
            f"{row['accuracy']:.1%}",
            f"{low:.1%} to {high:.1%}",
            false,
            f"{row['cost']:.3f}",
            share,
        )
    Console().print(table)


def main() -> int:
    """Make what is missing, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="folder of the judge and its episodes; kept (a temporary one)")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    parser.add_argument("--episodes", type=int, default=300, help="of the test-bed (300)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work: Path = options.work or Path(temporary)
        if not (work / "card.json").exists():
            made = tapwise(["judge", "train", "--out", str(work), "--measured", str(options.episodes)])
            if made != 0:
                return made
        card = json.loads((work / "card.json").read_text(encoding="utf-8"))
        with ParquetTrajectoryStore(work / "testbed", mode="read") as store:
            episodes = [store.get(name) for name in store.ids()[: options.episodes]]
        small, large = CriticJudge(load_critic(work)), StandIn(ACCURACY, seed=0)
        rows = compare(small, large, episodes)
        read = text_rules(small, large, episodes, work / "texts.jsonl")
        for name, row in read.items():
            row["cost_share"] = row["cost"] / rows["large alone"]["cost"]
            rows[name] = row
        pictures = encodings(episodes[:PICTURED])
    result = {
        "git_commit": git_commit(),
        "episodes": len(episodes),
        "small_judge": {name: card[name] for name in ("judge", "training", "updates", "seed", "training_seconds")},
        "large_judge": f"stand-in, right with probability {ACCURACY}, at {PRICES} a million tokens",
        "judges": rows,
        "encodings": pictures,
    }
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(result))
    else:
        show(rows)
        for name, row in pictures.items():
            if isinstance(row, dict):
                print(f"{name}: {row['seconds']:.1f} s, {row['encoded']} pictures encoded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
