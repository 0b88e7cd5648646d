"""Whether two evaluations may be compared, and what their difference is, episode by episode."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tapwise.errors import DataError
from tapwise.evaluator.statistics import Interval, paired_difference_interval, wilson_interval

_PROTOCOL = ("protocol", "suite.name", "suite.{split}")
_SUBJECT = ("policy", "agent", "model", "recipe", "recipe_sha")
_SAID_ELSEWHERE = ("recipe.farm", "recipe.evaluation", "recipe.suite")
"""what the protocol says in other words, or what does not change an episode, such as the number of devices"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of two manifests that is not the same."""

    field: str
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation: how it was made, and what came of each episode, by the episode's name and task."""

    name: str
    manifest: Mapping[str, Any]
    successes: Mapping[tuple[str, str], bool]

    @classmethod
    def read(cls, name: str, results: Mapping[str, Any], manifest: Mapping[str, Any]) -> Evaluated:
        """From what `tapwise eval` writes. Raises DataError that names what is missing."""
        try:
            successes = {
                (row["trajectory"].partition("+")[0], row["task"]): bool(row["success"]) for row in results["results"]
            }
            manifest["protocol"], manifest["suite"], manifest["recipe"]["evaluation"]["split"]
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{name} is not an evaluation that `tapwise eval` wrote: its results or its manifest lack {error}"
            ) from error
        return cls(name, manifest, successes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two evaluations say about each other.

    `protocol` differs in how success was measured, `subject` in what was measured, `host` in where. `paired` counts
    episodes of both, `only_first` and `only_second` successes of one alone among them; `difference` is first minus
    second over the pairs, `interval` its paired bootstrap interval. Both are None without a pair.
    """

    protocol: tuple[Difference, ...]
    subject: tuple[Difference, ...]
    host: tuple[Difference, ...]
    success: tuple[float, float]
    intervals: tuple[Interval, Interval]
    paired: int
    unpaired: int
    only_first: int
    only_second: int
    difference: float | None
    interval: Interval | None

    def comparable(self, accepted: Collection[str] = ()) -> bool:
        """Whether nothing but the `accepted` fields of the protocol differs, and there are pairs."""
        return self.paired > 0 and not self.in_the_way(accepted)

    def in_the_way(self, accepted: Collection[str] = ()) -> list[str]:
        """The protocol's fields that differ and are not `accepted`, neither by name nor by the group they are in."""
        return [one.field for one in self.protocol if not _under(one.field, accepted)]

    def better(self) -> str | None:
        """ "first" or "second" where the interval leaves no doubt, else None."""
        if self.interval is None or self.interval.low <= 0 <= self.interval.high:
            return None
        return "first" if self.interval.low > 0 else "second"


def compare(first: Evaluated, second: Evaluated) -> Comparison:
    """Fields that differ, and success over the episodes that both have played."""
    protocol, subject, host = _sorted_differences(first.manifest, second.manifest)
    both = sorted(first.successes.keys() & second.successes.keys())
    pairs = [(first.successes[key], second.successes[key]) for key in both]
    numbers = ([float(one) for one, _ in pairs], [float(two) for _, two in pairs])
    rates = [_rate(one) for one in (first, second)]
    return Comparison(
        protocol,
        subject,
        host,
        (rates[0][0], rates[1][0]),
        (rates[0][1], rates[1][1]),
        len(both),
        len(first.successes.keys() ^ second.successes.keys()),
        sum(one and not two for one, two in pairs),
        sum(two and not one for one, two in pairs),
        (sum(numbers[0]) - sum(numbers[1])) / len(pairs) if pairs else None,
        paired_difference_interval(*numbers) if pairs else None,
    )


def _rate(one: Evaluated) -> tuple[float, Interval]:
    wins, count = sum(one.successes.values()), len(one.successes)
    return wins / count if count else 0.0, wilson_interval(wins, count)


def _sorted_differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...], tuple[Difference, ...]]:
    split = first["recipe"]["evaluation"]["split"]
    fields = [field.format(split=split) for field in _PROTOCOL]
    kinds: dict[str, list[Difference]] = {"protocol": [], "subject": [], "host": []}
    flat = (_flat(first), _flat(second))
    for field in sorted(flat[0].keys() | flat[1].keys()):
        values = [_value(one, field) for one in flat]
        if values[0] == values[1] or _under(field, _SAID_ELSEWHERE):
            continue
        if _under(field, fields):
            kind = "protocol"
        elif _under(field, _SUBJECT):
            kind = "subject"
        elif field.startswith("suite."):
            continue  # lists of tasks that were not played
        else:
            kind = "host"
        kinds[kind].append(Difference(field, *values))
    return tuple(kinds["protocol"]), tuple(kinds["subject"]), tuple(kinds["host"])


def _value(flat: Mapping[str, Any], field: str) -> Any:
    """A field's value; a dial of noise that a manifest does not know yet was off when it was made."""
    off = 0.0 if field.startswith("protocol.noise.") and "protocol.noise" not in flat else None
    return flat.get(field, off)


def _under(field: str, names: Collection[str]) -> bool:
    return any(field == name or field.startswith(f"{name}.") for name in names)


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, Mapping):
            found |= _flat(inner, f"{name}.")
        else:
            found[name] = inner
    return found
