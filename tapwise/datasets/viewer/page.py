"""The viewer's page: the same file serves a program on loopback and stands alone with its episodes inside."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.datasets.viewer.episodes import detailed, listed, pictures
from tapwise.records import Screenshot, Verdict

_SLOT = "null /* the episodes of a page that stands alone */"


def page_source() -> str:
    """The page that asks its server for episodes."""
    return files("tapwise.datasets.viewer").joinpath("view.html").read_text(encoding="utf-8")


def write_page(
    store: ParquetTrajectoryStore,
    ids: Sequence[str],
    path: Path,
    beside: Mapping[str, Sequence[Verdict]] | None = None,
) -> None:
    """Write a page that holds these episodes and needs no server; `beside` are further verdicts, by the episode's id.

    Raises StoreError for an unknown or damaged episode.
    """
    episodes = {}
    for name in ids:
        trajectory = store.get(name)
        further = (beside or {}).get(name, ())
        trajectory = replace(trajectory, verdicts=(*trajectory.verdicts, *further))
        episodes[name] = detailed(trajectory)
        for frame, observation in zip(episodes[name]["frames"], pictures(trajectory), strict=True):
            frame["picture"] = _data_uri(observation.screenshot)
    held = {"list": [listed(store.summary(name)) for name in ids], "episodes": episodes}
    # "</script>" in a text of the episodes must not end the script.
    inside = json.dumps(held).replace("<", "\\u003c")
    path.write_text(page_source().replace(_SLOT, inside), encoding="utf-8")


def _data_uri(screenshot: Screenshot) -> str:
    return f"data:image/{screenshot.format};base64,{base64.b64encode(screenshot.data).decode('ascii')}"
