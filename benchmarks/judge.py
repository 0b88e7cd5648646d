"""What judges are worth on the test-bed, and what a cascade saves.

    python benchmarks/judge.py [--work DIR] [--out FILE] [--episodes 300] [--json]

On labelled episodes of held-out instructions: the rule that believes the phone's state; the small judge that `tapwise
judge train` makes with its defaults; a large judge alone; and cascades of the small one and the large one, by how near
to one half the small one's score may be for the large one to be asked.

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

from tapwise.android_env.mutants import kind_of_policy
from tapwise.cli import main as tapwise
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.evaluator.cascade import Cascade, Stage
from tapwise.evaluator.outcome import OutcomeJudge
from tapwise.evaluator.statistics import agreement
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.protocols import Judge
from tapwise.records import Trajectory, Verdict
from tapwise.training.critic_judge import CriticJudge
from tapwise.training.manifest import git_commit
from tapwise.training.vem.critic import load_critic

DOUBTS = (0.1, 0.2, 0.3, 0.4, 0.45)
ACCURACY = 0.93
PRICES = (2.5, 10.0)
"""of a million tokens, asked and answered"""
IMAGE_TOKENS, ANSWER_TOKENS = 1100, 40
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
        kinds.setdefault(kind_of_policy(one.provenance.policy), []).append(verdict.success == one.outcome)
    return {
        "accuracy": found.accuracy,
        "accuracy_ci95": list(found.accuracy_interval()),
        "false_completion_rate": found.false_completion_rate,
        "false_completion_ci95": list(found.false_completion_interval()),
        "kappa": found.kappa,
        "by_kind": {kind: sum(right) / len(right) for kind, right in sorted(kinds.items())},
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


def show(rows: dict[str, Any]) -> None:
    """The table."""
    table = Table("judge", "right", "95 %", "failures called success", "cost", "of large alone")
    for name, row in rows.items():
        low, high = row["accuracy_ci95"]
        share = f"{row['cost_share']:.0%}" if "cost_share" in row else ""
        false = f"{row['false_completion_rate']:.1%}"
        table.add_row(name, f"{row['accuracy']:.1%}", f"{low:.1%} to {high:.1%}", false, f"{row['cost']:.3f}", share)
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
        rows = compare(CriticJudge(load_critic(work)), StandIn(ACCURACY, seed=0), episodes)
    result = {
        "git_commit": git_commit(),
        "episodes": len(episodes),
        "small_judge": {name: card[name] for name in ("judge", "training", "updates", "seed", "training_seconds")},
        "large_judge": f"stand-in, right with probability {ACCURACY}, at {PRICES} a million tokens",
        "judges": rows,
    }
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if options.json:
        print(json.dumps(result))
    else:
        show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
