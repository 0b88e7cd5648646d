"""Any data set that the Hugging Face library can read, by a map of columns; one row per step, episodes contiguous.

Ours: image, instruction, action, episode, and, where there are any, text, split, kind, outcome, record. The default map
is that of tapwise's own shards. Actions may be JSON of tapwise's records, of UI-S1 or of AndroidControl.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tapwise.datasets.encoding import decode
from tapwise.datasets.importers import android_control, ui_s1_actions
from tapwise.datasets.importers.common import Imported, Options, Problem, build, decide, encoded, need, observe
from tapwise.errors import ConfigError, DataError, WrongValue
from tapwise.records import Action, Decision, Size, Split, Step, Trajectory, Verdict

DEFAULT_COLUMNS = {
    "image": "image",
    "instruction": "instruction",
    "action": "action",
    "episode": "trajectory_id",
    "text": "text",
    "split": "split",
    "kind": "kind",
    "outcome": "outcome",
    "record": "record",
}
_NEEDED = ("image", "instruction", "action", "episode")


def episodes(source: Path, options: Options) -> Imported:
    """The episodes of a data set: a folder or file of Parquet, or a name on the Hub such as `owner/name`.

    Raises ConfigError for a wrong column map, DataError when the library cannot read the source.
    """
    columns = {**DEFAULT_COLUMNS, **dict(options.columns)}
    unknown = set(columns) - set(DEFAULT_COLUMNS)
    if unknown:
        raise ConfigError(f"columns {', '.join(sorted(unknown))} are unknown: map any of {', '.join(DEFAULT_COLUMNS)}")
    for part, rows in _open(source, columns):
        numbered = enumerate(rows)
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
        for part, rows in found.items():
            missing = [columns[name] for name in _NEEDED if columns[name] not in (rows.column_names or ())]
            if missing:
                raise ConfigError(
                    f"{source} has no column {', '.join(missing)} (it has {', '.join(rows.column_names or ())}): map"
                    " ours to theirs with --column, such as --column instruction=goal"
                )
            if isinstance((rows.features or {}).get(columns["image"]), hf_datasets.Image):
                # The encoded bytes are what is stored; decoding them here would only cost time and quality.
                rows = rows.cast_column(columns["image"], hf_datasets.Image(decode=False))
            yield str(part), rows
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{source} cannot be read by the Hugging Face library ({error})") from error


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
        steps.append(Step(screen, decision))
    if not steps:
        raise WrongValue(f"{where} has no steps")
    first = rows[0][1]
    told = str(first.get(columns["split"]) or part)
    split: Split = "train" if told.startswith("train") else "test"
    instruction = need(first, columns["instruction"], str, where)
    outcome = first.get(columns["outcome"])
    return build(
        "hub",
        name,
        instruction,
        steps,
        split=split,
        params={"official_split": told},
        final=final,
        verdict=Verdict(outcome, "hub:outcome") if isinstance(outcome, bool) else None,
    )


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
