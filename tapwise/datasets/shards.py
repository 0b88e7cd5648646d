"""Sealed trajectories in Parquet: one row group per trajectory, one row per step, and a last row for the final screen.

`datasets.load_dataset("parquet", data_files=".../shard-*.parquet")` reads the files; "image" is an Image feature.
The columns "header", "record" and "image" hold everything; the others repeat parts of them for queries and for people.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tapwise.datasets.journal import sync_folder
from tapwise.datasets.schema import VERSION, Stored, Summary, blob_index, dump, summarise
from tapwise.errors import StoreError

_HUGGINGFACE = {"info": {"features": {"image": {"_type": "Image"}}}}

SCHEMA = pa.schema(
    [
        pa.field("trajectory_id", pa.string()),
        pa.field("kind", pa.string()),  # "step", or "final" for the screen after the last action
        pa.field("step", pa.int32()),
        pa.field("image", pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])),
        pa.field("instruction", pa.string()),
        pa.field("action", pa.string()),  # JSON
        pa.field("text", pa.string()),
        pa.field("token_ids", pa.list_(pa.int64())),
        pa.field("log_probs", pa.list_(pa.float64())),
        pa.field("reward", pa.float64()),
        pa.field("value", pa.float64()),
        pa.field("advantage", pa.float64()),
        pa.field("activity", pa.string()),
        pa.field("suite", pa.string()),
        pa.field("app", pa.string()),
        pa.field("template", pa.string()),
        pa.field("split", pa.string()),
        pa.field("end", pa.string()),
        pa.field("outcome", pa.bool_()),
        pa.field("success", pa.bool_()),  # the outcome, else the first verdict that did not abstain
        pa.field("verdicts", pa.string()),  # JSON
        pa.field("policy", pa.string()),
        pa.field("policy_version", pa.int64()),
        pa.field("header", pa.string()),  # JSON of the trajectory without its steps
        pa.field("record", pa.string()),  # JSON of the step or final observation without tokens
    ],
    metadata={"tapwise.schema": str(VERSION), "huggingface": json.dumps(_HUGGINGFACE)},
)
_LIGHT = ["trajectory_id", "kind", "reward", "header"]
_WHOLE = ["kind", "image", "token_ids", "log_probs", "header", "record"]
# Screenshots are compressed already; compressing them again only costs time. Row groups are small, and setting ZSTD up
# for each column of each takes longer than compressing it.
_COMPRESSION = {
    column: "NONE" if column == "image.bytes" else "SNAPPY"
    for column in (
        *(name for name in SCHEMA.names if name not in ("image", "token_ids", "log_probs")),
        *("image.bytes", "image.path", "token_ids.list.element", "log_probs.list.element"),
    )
}
_DICTIONARY = [
    *("trajectory_id", "kind", "instruction", "suite", "app", "template", "split", "end", "policy", "header"),
    *("activity", "verdicts"),
]
_SEARCHED = [
    *("trajectory_id", "kind", "step", "reward", "suite", "app", "split", "end", "outcome", "success"),
    "policy_version",
]


def write_shard(path: Path, trajectories: Iterable[Stored]) -> None:
    """Write a shard so that it either exists whole, on the disk, or not at all. Raises StoreError."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            with pq.ParquetWriter(
                file,
                SCHEMA,
                compression=_COMPRESSION,
                use_dictionary=_DICTIONARY,
                write_statistics=_SEARCHED,
                write_page_checksum=True,
            ) as writer:
                for stored in trajectories:
                    rows = _rows(stored)
                    writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), row_group_size=len(rows))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(path.parent)
    except (OSError, pa.ArrowException, OverflowError) as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"shard {path} cannot be written ({error}): free space on its disk and seal again") from error


class Shard:
    """One sealed file, read a row group at a time. Not safe to share between threads.

    `summaries` lists the trajectories in the order of their row groups. Raises StoreError when the file is no shard,
    is damaged, or was written by a newer tapwise.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            self._check_schema()
            self.summaries = self._summarise()
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise self._damaged(error) from error

    @property
    def current(self) -> bool:
        """Whether the file has exactly the columns that are written today, so that it loads together with others."""
        return bool(self._file.schema_arrow.equals(SCHEMA))

    def read(self, group: int) -> Stored:
        """The trajectory in a row group. Raises StoreError when it is damaged."""
        try:
            rows = self._file.read_row_group(group, columns=_WHOLE, use_threads=False).to_pylist()
            return _stored(rows)
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise self._damaged(error, f", row group {group} (trajectory {self.summaries[group].id!r})") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_schema(self) -> None:
        metadata = self._file.schema_arrow.metadata or {}
        version = int(metadata.get(b"tapwise.schema", b"0"))
        if version > VERSION:
            raise StoreError(
                f"shard {self.path} was written by a newer tapwise (schema {version}, this one reads up to {VERSION}):"
                " upgrade tapwise"
            )
        if version < 1:
            raise ValueError("it does not carry the schema's version, so tapwise did not write it")

    def _summarise(self) -> list[Summary]:
        metadata = self._file.metadata
        starts = [0]
        for group in range(metadata.num_row_groups):
            starts.append(starts[-1] + metadata.row_group(group).num_rows)
        columns = self._file.read(columns=_LIGHT, use_threads=False).to_pydict()
        summaries = []
        for first, end in pairwise(starts):
            steps = columns["kind"][first:end].count("step")
            reward = float(sum(columns["reward"][first : first + steps]))
            summaries.append(summarise(json.loads(columns["header"][first]), steps, reward))
        return summaries

    def _damaged(self, error: Exception, place: str = "") -> StoreError:
        if isinstance(error, StoreError):
            return error
        detail = f"no column {error}" if isinstance(error, KeyError) else str(error)
        return StoreError(
            f"shard {self.path}{place} cannot be read ({detail}): bring the file back from a copy, or open the store"
            ' with on_corrupt="skip" to use all else'
        )


def _rows(stored: Stored) -> list[dict[str, Any]]:
    header = stored.header
    task, provenance = header["task"], header["provenance"]
    common = {
        "trajectory_id": header["id"],
        "instruction": task["instruction"],
        "suite": task["suite"],
        "app": task["app"],
        "template": task["template"],
        "split": task["split"],
        "end": header["end"],
        "outcome": header["outcome"],
        "success": _success(header),
        "verdicts": dump(header["verdicts"]),
        "policy": provenance["policy"],
    }
    common = {name: _clean(value) for name, value in common.items()} | {"header": dump(header)}
    rows = [common | _step_columns(step, stored.blobs) | {"step": index} for index, step in enumerate(stored.steps)]
    if stored.final is not None or not rows:
        columns = {"kind": "final", "step": len(rows), "record": dump(stored.final)}
        if stored.final is not None:
            columns |= {"image": _image(stored.final, stored.blobs), "activity": _clean(stored.final["activity"])}
        rows.append(common | columns)
    return rows


def _success(header: dict[str, Any]) -> bool | None:
    """As `Trajectory.success`."""
    said: list[bool | None] = [header["outcome"], *(verdict["success"] for verdict in header["verdicts"])]
    return next((word for word in said if word is not None), None)


def _step_columns(step: dict[str, Any], blobs: list[bytes]) -> dict[str, Any]:
    decision, observation = step["decision"], step["observation"]
    lean = {name: value for name, value in decision.items() if name not in ("token_ids", "log_probs")}
    return {
        "kind": "step",
        "image": _image(observation, blobs),
        "action": dump(decision["action"]),
        "text": _clean(decision["text"]),
        "token_ids": decision["token_ids"],
        "log_probs": decision["log_probs"],
        "policy_version": decision["policy_version"],
        "reward": step["reward"],
        "value": step["value"],
        "advantage": step["advantage"],
        "activity": _clean(observation["activity"]),
        "record": dump({**step, "decision": lean}),
    }


def _image(observation: dict[str, Any], blobs: list[bytes]) -> dict[str, Any]:
    data = blobs[blob_index(observation)]
    name = hashlib.sha256(data).hexdigest()[:32]
    return {"bytes": data, "path": f"{name}.{observation['screenshot']['format']}"}


def _stored(rows: list[dict[str, Any]]) -> Stored:
    blobs: list[bytes] = []
    steps: list[Any] = []
    final = None
    for row in rows:
        record = json.loads(row["record"])
        if row["kind"] == "step":
            record["decision"] |= {"token_ids": row["token_ids"], "log_probs": row["log_probs"]}
            steps.append(record)
            _take_image(record["observation"], row, blobs)
        elif record is not None:
            final = record
            _take_image(record, row, blobs)
    return Stored(json.loads(rows[0]["header"]), steps, final, blobs)


def _take_image(observation: dict[str, Any], row: dict[str, Any], blobs: list[bytes]) -> None:
    data = row["image"]["bytes"]
    if not isinstance(data, bytes):
        raise ValueError("a screenshot is missing")
    observation["screenshot"]["data"] = len(blobs)
    blobs.append(data)


def _clean(value: Any) -> Any:
    """Text that Parquet can hold: half of a surrogate pair, which JSON can spell, becomes "?"."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
