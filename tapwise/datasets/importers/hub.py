"""Any data set that the Hugging Face library can read, by a map of columns; one row per step, episodes contiguous.

Ours: image, instruction, action, episode, and, where there are any, text, split, kind, reward, value, advantage, end,
outcome, verdicts, record. The default map is that of tapwise's own shards. Actions may be JSON of tapwise's records, of
UI-S1 or of AndroidControl; verdicts are JSON as tapwise's shards have it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tapwise.datasets.encoding import decode
from tapwise.datasets.importers import android_control, ui_s1_actions
from tapwise.datasets.importers.common import Imported, Options, Problem, build, decide, encoded, need, observe
from tapwise.errors import ConfigError, DataError, WrongValue
from tapwise.records import Action, Decision, End, Observation, Size, Split, Step, Trajectory, Verdict

DEFAULT_COLUMNS = {
    "image": "image",
    "instruction": "instruction",
    "action": "action",
    "episode": "trajectory_id",
    "text": "text",
    "split": "split",
    "kind": "kind",
    "reward": "reward",
    "value": "value",
    "advantage": "advantage",
    "end": "end",
    "outcome": "outcome",
    "verdicts": "verdicts",
    "record": "record",
}
_NEEDED = ("image", "instruction", "action", "episode")


def episodes(source: Path, options: Options) -> Imported:
    """The episodes of a data set: a folder or file of Parquet, or a name on the Hub such as `owner/name`.

    An aborted episode stays aborted. Raises ConfigError for a wrong column map, DataError when the library cannot read
    the source, or not to its end.
    """
    columns = {**DEFAULT_COLUMNS, **dict(options.columns)}
    unknown = set(columns) - set(DEFAULT_COLUMNS)
    if unknown:
        raise ConfigError(f"columns {', '.join(sorted(unknown))} are unknown: map any of {', '.join(DEFAULT_COLUMNS)}")
    for part, rows in _open(source, columns):
        numbered = enumerate(_streamed(rows, f"{source}, {part}"))
        for episode, group in itertools.groupby(numbered, key=lambda one: one[1].get(columns["episode"])):
            if f"hub/{episode}" in options.skip:
                continue
            where = f"{source}, {part}, {columns['episode']} {episode!r}"
            try:
                yield _episode(str(episode), list(group), columns, part, where)
            except DataError as error:
                yield Problem.of(error, "episode")


def _open(source: Path, columns: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    try:
        import datasets as hf_datasets
    except ImportError as error:
        raise DataError("Hugging Face's library is needed to read data sets: install tapwise[hub]") from error
    try:
        if source.is_file():
            found = hf_datasets.load_dataset("parquet", data_files=str(source), streaming=True)
        else:
            found = hf_datasets.load_dataset(str(source), streaming=True)
    except Exception as error:  # the library has no common error, and lets through those of what it is made of
        raise DataError(
            f"{source} cannot be read by the Hugging Face library ({_said(error)}): give a folder or file of Parquet,"
            " or the name of a data set on the Hub"
        ) from error
    for part, rows in found.items():
        names = rows.column_names or ()
        missing = [columns[name] for name in _NEEDED if columns[name] not in names]
        if missing:
            raise ConfigError(
                f"{source} has no column {', '.join(missing)} (it has {', '.join(names)}): map ours to theirs with"
                " --column, such as --column instruction=goal"
            )
        if isinstance((rows.features or {}).get(columns["image"]), hf_datasets.Image):
            # The encoded bytes are what is stored; decoding them here would only cost time and quality.
            rows = rows.cast_column(columns["image"], hf_datasets.Image(decode=False))
        yield str(part), rows


def _streamed(rows: Iterable[Mapping[str, Any]], where: str) -> Iterator[Mapping[str, Any]]:
    """The rows, with whatever the library raises on the way as a DataError."""
    number = 0
    try:
        for row in rows:
            yield row
            number += 1
    except Exception as error:
        raise DataError(
            f"{where}: the rows from {number} on cannot be read ({_said(error)}): fetch the file again, and import into"
            " the same store to go on"
        ) from error


def _said(error: Exception) -> str:
    """The first line of an error with its kind."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"


def _episode(
    name: str, rows: Sequence[tuple[int, Mapping[str, Any]]], columns: Mapping[str, str], part: str, where: str
) -> Trajectory:
    steps, final = [], None
    for number, row in rows:
        here = f"{where}, row {number}"
        data = row.get(columns["image"])
        data = data.get("bytes") if isinstance(data, Mapping) else data
        if row.get(columns["kind"]) == "final" and data is None:
            continue
        if not isinstance(data, bytes):
            raise WrongValue(f"{here}: column {columns['image']!r} holds no bytes of a picture")
        screen = observe(encoded(data, here))
        if row.get(columns["kind"]) == "final":
            final = screen
            continue
        raw = row.get(columns["action"])
        text = row.get(columns["text"])
        decision = _decide(raw, text if isinstance(text, str) else None, screen.screenshot.size, here)
        decision = replace(decision, unparsable=decision.unparsable or _unparsable(row.get(columns["record"])))
        steps.append(_step(screen, decision, row, columns, here))
    if not steps:
        raise WrongValue(f"{where} has no steps")
    first = rows[0][1]
    told = str(first.get(columns["split"]) or part)
    split: Split = "train" if told.startswith("train") else "test"
    instruction = need(first, columns["instruction"], str, where)
    made = build("hub", name, instruction, steps, split=split, params={"official_split": told}, final=final)
    end = first.get(columns["end"])
    return replace(
        made, end=made.end if end is None else _end(end, columns, where), verdicts=_verdicts(first, columns, where)
    )


def _step(
    screen: Observation, decision: Decision, row: Mapping[str, Any], columns: Mapping[str, str], where: str
) -> Step:
    numbers = {}
    for name in ("reward", "value", "advantage"):
        given = row.get(columns[name])
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
            raise WrongValue(f"{where}: column {columns[name]!r} is {given!r:.80}, expected a number")
        numbers[name] = None if given is None else float(given)
    reward = numbers.pop("reward")
    return Step(screen, decision, reward=0.0 if reward is None else reward, **numbers)


def _end(told: Any, columns: Mapping[str, str], where: str) -> End:
    try:
        return End(told)
    except ValueError:
        raise WrongValue(f"{where}: column {columns['end']!r} is {told!r:.80}, expected {', '.join(End)}") from None


def _verdicts(row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> tuple[Verdict, ...]:
    """What others have said of the episode. The outcome that a data set names is somebody's word too, and the first."""
    outcome, told = row.get(columns["outcome"]), row.get(columns["verdicts"])
    found = [Verdict(outcome, "hub:outcome")] if isinstance(outcome, bool) else []
    if told is not None:
        try:
            found += [decode(Verdict, one, ()) for one in json.loads(told)]
        except (TypeError, ValueError) as error:
            raise WrongValue(f"{where}: column {columns['verdicts']!r} holds no list of verdicts ({error})") from error
    return tuple(found)


def _unparsable(record: Any) -> str | None:
    """What tapwise's own shards say of an action that could not be read when it was generated."""
    try:
        found = json.loads(record)["decision"]["unparsable"]
    except (TypeError, ValueError, KeyError):
        return None
    return found if isinstance(found, str) else None


def _decide(raw: Any, text: str | None, size: Size, where: str) -> Decision:
    def read() -> Action:
        try:
            value = json.loads(raw) if isinstance(raw, str) else raw
        except ValueError as error:
            raise WrongValue(f"{where}: the action is not JSON ({error})") from error
        return read_any(value, size, where)

    return decide(read, text if text is not None else str(raw))


def read_any(value: Any, size: Size, where: str) -> Action:
    """An action in any of the forms that the module's docstring lists. Raises DataError."""
    if isinstance(value, Mapping) and "action_type" in value:
        return android_control.read_action(value, size, where)
    if isinstance(value, Mapping) and "action" in value:
        return ui_s1_actions.read_action(value, size, where)
    try:
        step = {"type": "Decision", "text": "", "action": value, "token_ids": [], "log_probs": []}
        step |= {"policy_version": 0, "latency_s": 0.0, "unparsable": None}
        return decode(Decision, step, ()).action
    except ValueError as error:
        raise WrongValue(f"{where}: the action {value!r:.80} is of no known form ({error})") from error
