"""How far an offline result can be trusted: by action type, by matcher, and beside a policy that looks at nothing.

One set of predictions is judged under several matchers: each mode, and the strictest with one rule loosened at a
time. What a rule forgives is then a number, and the same number for always tapping the centre of the screen says how
much of it needs no skill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Generic, TypeVar

from tapwise.evaluator.statistics import Interval, wilson_interval
from tapwise.evaluator.ui_s1_matching import StepMatch

Prediction = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OfflineEpisode(Generic[T]):
    """What a policy said on an expert's episode, and what the expert did.

    A prediction of None could not be parsed. Predictions may end before the expert's steps do, where the policy was
    no longer asked after a mismatch; a looser matcher would have let it go on, so its numbers are then lower bounds.
    """

    predictions: tuple[Prediction | None, ...]
    expert: tuple[T, ...]

    def __post_init__(self) -> None:
        if not self.expert or len(self.predictions) > len(self.expert):
            raise ValueError(f"{len(self.predictions)} predictions for an episode of {len(self.expert)} steps")


@dataclass(frozen=True, slots=True)
class Matcher(Generic[T]):
    """A way to compare a prediction with an expert's step.

    `error_forfeits_task`: a step that cannot be judged takes away the steps matched before it.
    """

    name: str
    match: Callable[[Prediction | None, T], StepMatch]
    error_forfeits_task: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark(Generic[T]):
    """What is needed to report on a kind of data: matchers, of which the first is the one reported.

    `baseline` names the strict matcher that the others are compared with; `action_type` names an expert's action and
    `centre` is the tap on the middle of its screen.
    """

    name: str
    matchers: tuple[Matcher[T], ...]
    baseline: str
    action_type: Callable[[T], str]
    centre: Callable[[T], Prediction]

    def __post_init__(self) -> None:
        if self.baseline not in [matcher.name for matcher in self.matchers]:
            raise ValueError(f"benchmark {self.name!r} has no matcher {self.baseline!r} to compare with")


@dataclass(frozen=True, slots=True)
class TypeRow:
    """How the steps of one type of expert action were met, among those where the policy was asked."""

    action_type: str
    steps: int
    type_matches: int
    matches: int

    @property
    def type_interval(self) -> Interval:
        """Wilson's 95% interval of the share of steps with the right type."""
        return wilson_interval(self.type_matches, self.steps)

    @property
    def interval(self) -> Interval:
        """Wilson's 95% interval of the share of steps matched."""
        return wilson_interval(self.matches, self.steps)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one policy under one matcher; all of the expert's steps are in the denominators.

    `progress` is the mean share of an episode's steps that were matched before the first mismatch (UI-S1's PG).
    """

    steps: int
    matched_steps: int
    episodes: int
    complete_episodes: int
    progress: float

    @property
    def step_rate(self) -> float:
        """Share of steps matched."""
        return self.matched_steps / self.steps

    @property
    def step_interval(self) -> Interval:
        """Wilson's 95% interval of the share of steps matched, as if steps were independent."""
        return wilson_interval(self.matched_steps, self.steps)

    @property
    def episode_rate(self) -> float:
        """Share of episodes with every step matched (UI-S1's TSR, AitW's complete match)."""
        return self.complete_episodes / self.episodes

    @property
    def episode_interval(self) -> Interval:
        """Wilson's 95% interval of the share of episodes with every step matched."""
        return wilson_interval(self.complete_episodes, self.episodes)


@dataclass(frozen=True, slots=True)
class MatcherRow:
    """One matcher: the policy, and always tapping the centre; `worth` is the policy's steps won over the baseline."""

    matcher: str
    policy: Tally
    centre: Tally
    worth: float


@dataclass(frozen=True, slots=True)
class OfflineReport:
    """Rows by action type under the benchmark's first matcher, and rows by matcher."""

    benchmark: str
    types: tuple[TypeRow, ...]
    matchers: tuple[MatcherRow, ...]

    def to_markdown(self) -> str:
        """Both tables, in percent with 95% intervals."""
        first = self.matchers[0]
        lines = [
            f"### {self.benchmark}: {first.policy.episodes} episodes, {first.policy.steps} steps",
            "",
            "| matcher | steps | episodes | progress | steps over strict | centre: steps | centre: episodes |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in self.matchers:
            policy, centre = row.policy, row.centre
            lines.append(
                f"| {row.matcher} | {_cell(policy.step_rate, policy.step_interval)}"
                f" | {_cell(policy.episode_rate, policy.episode_interval)} | {100 * policy.progress:.1f}"
                f" | {100 * row.worth:+.1f} | {100 * centre.step_rate:.1f} | {100 * centre.episode_rate:.1f} |"
            )
        lines += ["", f"| action ({first.matcher}) | steps asked | right type | matched |", "|---|---|---|---|"]
        for kind in self.types:
            right, matched = (count / kind.steps for count in (kind.type_matches, kind.matches))
            lines.append(
                f"| {kind.action_type} | {kind.steps} | {_cell(right, kind.type_interval)}"
                f" | {_cell(matched, kind.interval)} |"
            )
        return "\n".join(lines) + "\n"


def offline_report(benchmark: Benchmark[T], episodes: Sequence[OfflineEpisode[T]]) -> OfflineReport:
    """Judge the episodes under every matcher of the benchmark. Raises ValueError where there is no episode."""
    if not episodes:
        raise ValueError(f"a report on {benchmark.name!r} needs at least one episode")
    centred = [
        OfflineEpisode(tuple(benchmark.centre(step) for step in episode.expert), episode.expert) for episode in episodes
    ]
    policy = {matcher.name: tally(matcher, episodes) for matcher in benchmark.matchers}
    strict = policy[benchmark.baseline].step_rate
    return OfflineReport(
        benchmark.name,
        types_table(benchmark, episodes),
        tuple(
            MatcherRow(
                matcher.name,
                policy[matcher.name],
                tally(matcher, centred),
                policy[matcher.name].step_rate - strict,
            )
            for matcher in benchmark.matchers
        ),
    )


def tally(matcher: Matcher[T], episodes: Sequence[OfflineEpisode[T]]) -> Tally:
    """Counts over all episodes (at least one) under one matcher."""
    matched = complete = 0
    progress = 0.0
    for episode in episodes:
        found = _matches(matcher, episode)
        done = sum(1 for _ in takewhile(lambda step: step.match, found))
        forfeited = matcher.error_forfeits_task and done < len(found) and found[done].error
        matched += sum(step.match for step in found)
        complete += done == len(episode.expert)
        progress += 0.0 if forfeited else done / len(episode.expert)
    steps = sum(len(episode.expert) for episode in episodes)
    return Tally(steps, matched, len(episodes), complete, progress / len(episodes))


def types_table(benchmark: Benchmark[T], episodes: Sequence[OfflineEpisode[T]]) -> tuple[TypeRow, ...]:
    """One row per type of expert action, most frequent first, under the benchmark's first matcher."""
    counts: dict[str, list[int]] = {}
    for episode in episodes:
        # Not strict: the policy may not have been asked to the end.
        for step, found in zip(episode.expert, _matches(benchmark.matchers[0], episode), strict=False):
            row = counts.setdefault(benchmark.action_type(step), [0, 0, 0])
            for index, add in enumerate((True, found.type_match, found.match)):
                row[index] += add
    rows = [TypeRow(kind, *row) for kind, row in counts.items()]
    return tuple(sorted(rows, key=lambda row: (-row.steps, row.action_type)))


def _matches(matcher: Matcher[T], episode: OfflineEpisode[T]) -> list[StepMatch]:
    pairs = zip(episode.predictions, episode.expert, strict=False)
    return [matcher.match(predicted, step) for predicted, step in pairs]


def _cell(rate: float, interval: Interval) -> str:
    return f"{100 * rate:.1f} ({100 * interval.low:.1f} to {100 * interval.high:.1f})"
