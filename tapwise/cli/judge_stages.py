"""The judges that options name, the cheapest first: the phone's state, text rules, local models, a model's endpoint."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.chat import ChatClient
    from tapwise.evaluator.cascade import Stage
    from tapwise.evaluator.ocr import RememberingReader

TEXTS = "texts.jsonl"
"""beside a store: what was read from its screens"""


@dataclass
class Stages:
    """What is asked, the cheapest first, and what there is to tell of it afterwards beside its shares."""

    stages: list[Stage]
    prompt: dict[str, str] = field(default_factory=dict)
    """how the model is asked: frames, examples, and a hash of all of it"""
    reader: RememberingReader | None = None

    def told(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {"prompt": self.prompt} if self.prompt else {}
        if self.reader is not None:
            found["texts"] = {
                "screens": self.reader.asked,
                "read_now": self.reader.read_now,
                "seconds": self.reader.seconds,
            }
        return found

    def lines(self) -> list[str]:
        """In words."""
        if self.reader is None:
            return []
        each = f" at {1000 * self.reader.seconds / self.reader.read_now:.0f} ms each" if self.reader.read_now else ""
        return [f"  texts of {self.reader.asked} screens, {self.reader.read_now} of them read now{each}"]


def check_stages(options: argparse.Namespace) -> None:
    """Raises ConfigError when the options name no judge, or not all of one."""
    if options.retries < 0:
        raise ConfigError("--retries must not be negative")
    if bool(options.url) != bool(options.model):
        raise ConfigError("--url and --model belong together: where the model answers, and its name there")
    if not any((options.url, options.local, options.critic, options.text_rules, options.outcome)):
        raise ConfigError(
            "name a judge: --url and --model, --local MODEL, --critic FOLDER, --text-rules FILE or --outcome; several"
            " make a cascade"
        )
    if not 0 <= options.doubt <= 0.5:
        raise ConfigError("--doubt must lie between 0 and 0.5: how near to one half a score is not taken")


@contextmanager
def open_stages(options: argparse.Namespace, folder: Path) -> Iterator[Stages]:
    """The judges that the options name; texts that are read from screens are kept in the store's `folder`.

    Raises ConfigError, ModelError and StoreError when one cannot be had.
    """
    from tapwise.evaluator.cascade import Stage
    from tapwise.evaluator.outcome import OutcomeJudge

    found = Stages([Stage(OutcomeJudge())] if options.outcome else [])
    if options.text_rules:
        from tapwise.evaluator.ocr import RapidReader, RememberingReader
        from tapwise.evaluator.text_judge import TextJudge
        from tapwise.evaluator.text_rules import load_rules

        rules = load_rules(options.text_rules)
        found.reader = RememberingReader(RapidReader(), folder / TEXTS)
        found.stages.append(Stage(TextJudge(rules, found.reader)))
    if options.critic is not None:
        from tapwise.training.critic_judge import CriticJudge
        from tapwise.training.vem.critic import load_critic

        found.stages.append(Stage(CriticJudge(load_critic(options.critic)), options.doubt))
    if not (options.url or options.local):
        yield found
        return
    from tapwise.evaluator.vlm_prompt import Prompt

    prompt = Prompt.parse(options.frames, options.examples)
    found.prompt = {"frames": options.frames, "examples": options.examples, "sha": prompt.sha}
    if options.local:
        from tapwise.training.compose import make_model
        from tapwise.training.local_judge import LocalVlmJudge
        from tapwise.training.recipes import PolicyConfig

        model = make_model(PolicyConfig(model=options.local, device=options.device, dtype=options.dtype))
        found.stages.append(Stage(LocalVlmJudge(model, prompt), options.doubt))
    if not options.url:
        yield found
        return
    from tapwise.evaluator.budget import Budget
    from tapwise.evaluator.vlm_judge import VlmJudge

    client = _client(options)
    try:
        budget = Budget(options.budget_calls, options.budget_cost)
        found.stages.append(Stage(VlmJudge(client, prompt=prompt, prices=options.prices, budget=budget)))
        yield found
    finally:
        client.close()


def _client(options: argparse.Namespace) -> ChatClient:
    from tapwise.chat import ChatClient
    from tapwise.evaluator.cassette import CassetteClient

    named = (options.url, options.model, options.key_env)
    settings: dict[str, Any] = {
        "retries": options.retries,
        "concurrency": options.concurrency,
        "requests_per_minute": options.rate,
    }
    return CassetteClient(options.cassette, *named, **settings) if options.cassette else ChatClient(*named, **settings)


def add_stage_options(parser: argparse.ArgumentParser) -> None:
    """Which judges, and how they are asked."""
    parser.add_argument("--url", help="the endpoint up to its version, such as http://127.0.0.1:8000/v1")
    parser.add_argument("--model", help="the model's name there")
    parser.add_argument("--critic", type=Path, help="folder of a small judge")
    parser.add_argument("--outcome", action="store_true", help="believe what was read from the phone where it was")
    parser.add_argument(
        "--text-rules", metavar="FILE", help="decide by the texts on the screens; virtual_phone: the rules we ship"
    )
    parser.add_argument("--local", metavar="MODEL", help="a vision-language model here: a folder, or a name on the hub")
    parser.add_argument("--device", default="cpu", help="of --local: torch's device (cpu)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="of --local (float32)")
    parser.add_argument(
        "--doubt", type=float, default=0.0, help="of --critic and --local: not taken so near to one half (0)"
    )
    parser.add_argument("--key-env", default="OPENAI_API_KEY", help="environment variable of the key (OPENAI_API_KEY)")
    add_prompt_options(parser)
    parser.add_argument("--retries", type=int, default=4, help="further attempts on each busy or failing answer (4)")
    parser.add_argument("--concurrency", type=int, default=8, help="requests in flight at once (8)")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a minute at most (0: no limit)")
    parser.add_argument("--prices", type=_prices, default=(0.0, 0.0), help="of a million tokens: PROMPT,GENERATED")
    parser.add_argument("--budget-calls", type=int, help="answers to pay for at most; the rest is pending")
    parser.add_argument("--budget-cost", type=float, help="what to spend at most, at --prices; the rest is pending")
    parser.add_argument("--cassette", type=Path, help="file of recorded replies: known questions are not asked again")


def add_prompt_options(parser: argparse.ArgumentParser, prefix: str = "--") -> None:
    """How an episode is put to a model: `frames` and `examples`."""
    parser.add_argument(
        f"{prefix}frames", default="final", help="screenshots shown: final, key:K where the screen changed most, steps"
    )
    parser.add_argument(
        f"{prefix}examples", default="none", help="worked examples shown before: none, how many of ours, or a folder"
    )


def _prices(text: str) -> tuple[float, float]:
    prompt, _, generated = text.partition(",")
    return float(prompt), float(generated)
