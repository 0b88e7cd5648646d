"""`tapwise compare`: what differs in how two evaluations were made, and which policy is better if that can be said."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tapwise.errors import ConfigError
from tapwise.evaluator.comparison import Comparison, Difference, Evaluated, compare

_MOST_SUBJECT = 12


def run(argv: list[str]) -> int:
    """Compare; gives 0, or 1 when the two cannot be ranked. Raises ConfigError, DataError for what cannot be read."""
    options = _parser().parse_args(argv)
    first, second = read(options.first), read(options.second)
    found = compare(first, second)
    accepted = set(options.accept)
    unknown = [name for name in options.accept if len(found.in_the_way([name])) == len(found.protocol)]
    if unknown:
        differ = ", ".join(one.field for one in found.protocol) or "none"
        raise ConfigError(f"--accept {', '.join(unknown)}: fields of the protocol that differ are {differ}")
    if options.json:
        print(json.dumps(_told(found, accepted)))
    else:
        print(_words(found, (options.first.name, options.second.name), accepted))
    return 0 if found.comparable(accepted) else 1


def read(path: Path) -> Evaluated:
    """An evaluation's folder, or one file that holds its results and its manifest."""
    if not path.exists():
        raise ConfigError(f"{path} does not exist: give the folder of an evaluation by `tapwise eval`")
    if path.is_file():
        results = _load(path)
        return Evaluated.read(str(path), results, results.get("manifest", {}))
    if not (path / "results.json").exists():
        raise ConfigError(f"{path} holds no results: it is no evaluation, or one that has not ended")
    return Evaluated.read(str(path), _load(path / "results.json"), _load(path / "manifest.json"))


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{path} holds no object")
    return found


def _told(found: Comparison, accepted: set[str]) -> dict[str, Any]:
    comparable = found.comparable(accepted)
    return {**asdict(found), "comparable": comparable, "better": found.better() if comparable else None}


def _words(found: Comparison, names: tuple[str, str], accepted: set[str]) -> str:
    refused = found.in_the_way(accepted)
    lines = _differences("the protocol differs", found.protocol, refused)
    lines = lines or ["the protocol is the same"]
    lines += _differences("what was measured differs", found.subject[:_MOST_SUBJECT])
    if len(found.subject) > _MOST_SUBJECT:
        lines.append(f"  and {len(found.subject) - _MOST_SUBJECT} further fields of the recipes")
    lines += _differences("the host differs", found.host)
    lines.append("")
    width = max(map(len, names))
    for name, rate, interval in zip(names, found.success, found.intervals, strict=True):
        lines.append(f"{name:<{width}}  {rate:6.1%}   95 % interval {interval.low:.1%} to {interval.high:.1%}")
    lines.append("")
    if not found.paired:
        return "\n".join([*lines, "not comparable: no episode was played by both"])
    if not found.comparable(accepted):
        fields = ", ".join(refused)
        advice = "measure anew under one protocol, or say with --accept FIELD that it is what you want to compare"
        return "\n".join([*lines, f"not comparable, since these differ: {fields}", advice])
    assert found.difference is not None
    assert found.interval is not None
    lines.append(
        f"{names[0]} minus {names[1]}: {100 * found.difference:+.1f} points, paired 95 % interval"
        f" {100 * found.interval.low:+.1f} to {100 * found.interval.high:+.1f}, over {found.paired} episodes"
    )
    lines.append(f"only the first succeeds in {found.only_first}, only the second in {found.only_second}")
    if found.unpaired:
        lines.append(f"{found.unpaired} episodes were played by one alone, and do not count in the difference")
    better = found.better()
    verdict = "the two are not told apart" if better is None else f"{names[better == 'second']} is better"
    return "\n".join([*lines, verdict])


def _differences(title: str, differences: Sequence[Difference], refused: Collection[str] | None = None) -> list[str]:
    if not differences:
        return []
    width = max(len(one.field) for one in differences)
    rows = []
    for one in differences:
        accepted = "  (accepted)" if refused is not None and one.field not in refused else ""
        rows.append(f"  {one.field:<{width}}  {one.first!r} | {one.second!r}{accepted}")
    return [f"{title}:", *rows]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tapwise compare", description=__doc__)
    parser.add_argument("first", type=Path, help="an evaluation's folder, or a file with its results and manifest")
    parser.add_argument("second", type=Path, help="the other one")
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="FIELD",
        help="a field of the protocol, or a group of them such as protocol.noise, that may differ",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
