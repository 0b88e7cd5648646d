"""What all importers share: their options, the problems they report, and how they put a trajectory together."""

from __future__ import annotations

import functools
import io
import json
import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from tapwise import __version__
from tapwise.directions import CONTENT, NAMES, Directions, is_direction
from tapwise.errors import DataError, MissingFeature, TruncatedShard, WrongLength, WrongText, WrongValue
from tapwise.records import (
    Action,
    Decision,
    End,
    Finish,
    Observation,
    Point,
    Provenance,
    Screenshot,
    Size,
    Split,
    Step,
    Swipe,
    Task,
    Trajectory,
    UiNode,
    Verdict,
    Wait,
)

Lost = Literal["nothing", "step", "episode", "rest of the file"]

OUTSIDE = 0.02
"""how far beyond the screen's edge a coordinate may lie to count as its edge; further out it is an error"""
_LONGEST_LIST = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read. `kind` is the name of the error's class; `lost` is all that is lost by it."""

    kind: str
    message: str
    lost: Lost

    @classmethod
    def of(cls, error: DataError, lost: Lost) -> Problem:
        """The problem that an error is. Errors that end a file cost its rest, whatever `lost` says."""
        rest = isinstance(error, TruncatedShard | WrongLength)
        return cls(type(error).__name__, str(error), "rest of the file" if rest else lost)


@dataclass(frozen=True, slots=True)
class Options:
    """How to import.

    skip: ids of trajectories that are not wanted again; their pictures are not even decoded.
    keep_ui: read accessibility trees and screen annotations, which takes time that is lost where they are not stored.
    images: folder of the screenshots, for formats that only name them; None is the folder of the source.
    image_format: of screenshots that come as raw pixels.
    size: of the screen, for formats without pictures that do not say it.
    split_file: AitW's split JSON, {"train": [ids], "validation": [ids], "test": [ids]}.
    parts: names of the official parts to import, such as ("train",); empty for all.
    columns: for Hugging Face data sets, ours to theirs, as (name, column) pairs.
    """

    skip: Container[str] = field(default=frozenset(), repr=False)
    keep_ui: bool = True
    images: Path | None = None
    image_format: Literal["jpeg", "png"] = "jpeg"
    size: Size = Size(2400, 1080)
    split_file: Path | None = None
    parts: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


Imported = Iterator[Trajectory | Problem]
Importer = Callable[[Path, Options], Imported]


# --- actions and places ----------------------------------------------------------------------------------


def point(x: float, y: float, where: str) -> Point:
    """A place given in parts of the screen; just outside counts as on the edge. Raises WrongValue further out."""
    if not all(math.isfinite(one) and -OUTSIDE <= one <= 1 + OUTSIDE for one in (x, y)):
        raise WrongValue(
            f"{where}: place (x {x}, y {y}) lies outside the screen: check the order and unit of coordinates"
        )
    return Point(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))


def pixel_point(xy: Any, size: Size, where: str) -> Point:
    """A place given as [x, y] in pixels. Raises WrongValue."""
    try:
        x, y = (float(one) for one in xy)
    except (TypeError, ValueError):
        raise WrongValue(f"{where}: {xy!r} is no place: expected [x, y] in pixels") from None
    return point(x / size.width, y / size.height, where)


def scroll(direction: str, where: str, directions: Directions = CONTENT) -> Swipe:
    """The finger's vector for a direction, by default the content's: to read on downwards the finger moves up.

    Raises WrongValue.
    """
    name = direction.lower()
    if not is_direction(name):
        raise WrongValue(f"{where}: scroll direction {direction!r} is none of {', '.join(NAMES)}")
    return directions.swipe(name)


def decide(read: Callable[[], Action], text: str) -> Decision:
    """The decision for a foreign action with its source text; one that cannot be read is a `Wait`, and says why."""
    try:
        return Decision(read(), text)
    except DataError as error:
        return Decision(Wait(), text, unparsable=str(error))


def source_text(action: Any) -> str:
    """A foreign action as it stands in the source: JSON in one line."""
    return json.dumps(action, ensure_ascii=False, sort_keys=False)


# --- observations ----------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def placeholder(size: Size) -> Screenshot:
    """A black screenshot of the right size in a few hundred bytes, for one that the source names but does not hold."""
    buffer = io.BytesIO()
    Image.new("1", (size.width, size.height)).save(buffer, "PNG", optimize=True)
    return Screenshot(buffer.getvalue(), "png", size)


def encoded(data: bytes, where: str) -> Screenshot:
    """PNG or JPEG bytes as a screenshot, without decoding the pixels; other kinds of picture become PNG.

    Raises WrongValue when the bytes are no picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            size = Size(image.height, image.width)
            if image.format in ("PNG", "JPEG"):
                return Screenshot(data, "png" if image.format == "PNG" else "jpeg", size)
            buffer = io.BytesIO()
            image.convert("RGB").save(buffer, "PNG", compress_level=1)
            return Screenshot(buffer.getvalue(), "png", size)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise WrongValue(f"{where}: {len(data)} bytes are no readable picture ({error}): fetch it again") from error


def load_picture(path: Path) -> Screenshot | None:
    """The picture in a file; None when there is no such file. Raises WrongValue when it is no picture."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise WrongValue(f"{path}: the picture cannot be read ({error.strerror}): check its rights") from error
    return encoded(data, str(path))


def find_picture(name: str, folders: Sequence[Path]) -> Path:
    """Where a picture named in a source lies: by its whole relative path or its file name, in the first folder that
    has it; else where its file name would lie. Nothing outside of the folders is ever read, whatever a source names."""
    given = Path(name)
    relative = given.relative_to(given.anchor) if given.is_absolute() else given
    for folder in folders:
        for candidate in (folder / relative, folder / given.name):
            if candidate.is_file() and candidate.resolve().is_relative_to(folder.resolve()):
                return candidate
    return folders[0] / given.name


def picture_folders(source: Path, options: Options) -> list[Path]:
    """Where pictures that a source names are looked for."""
    base = source if source.is_dir() else source.parent
    return [base, base / "images"] if options.images is None else [options.images]


def observe(screenshot: Screenshot, activity: str = "", ui: UiNode | None = None) -> Observation:
    """A foreign screen: taken as settled; the time is not known and 0."""
    return Observation(screenshot, activity, settled=True, time_s=0.0, ui=ui)


# --- trajectories ----------------------------------------------------------------------------------------


def build(
    dataset: str,
    name: str,
    instruction: str,
    steps: Sequence[Step],
    *,
    template: str = "",
    app: str = "",
    split: Split = "train",
    params: Mapping[str, str] | None = None,
    missing_images: Sequence[int] = (),
    final: Observation | None = None,
    device: str = "",
    verdict: Verdict | None = None,
) -> Trajectory:
    """A trajectory named `dataset/name`.

    `params` and `missing_images`, the numbers of the steps whose screenshot is a placeholder, go into the task's
    params. The end is FINISHED when the last action is `Finish`, else TRUNCATED.
    """
    identity = f"{dataset}/{name}"
    told = dict(params or {})
    if missing_images:
        told["missing_images"] = "all" if len(missing_images) == len(steps) else ",".join(map(str, missing_images))
    task = Task(identity, instruction, dataset, app, template, tuple(sorted(told.items())), len(steps), split)
    finished = bool(steps) and isinstance(steps[-1].decision.action, Finish)
    return Trajectory(
        identity,
        task,
        tuple(steps),
        End.FINISHED if finished else End.TRUNCATED,
        Provenance(policy=f"import:{dataset}", device=device, tapwise=__version__),
        final=final,
        verdicts=() if verdict is None else (verdict,),
    )


# --- JSON ------------------------------------------------------------------------------------------------


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
    """The objects of a JSONL file, each with its place; a bad line is an error in its place.

    Raises DataError when the file cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the path and its rights") from error
    with file:
        for number, line in enumerate(file, 1):
            where = f"{path}, line {number}"
            if line.strip():
                try:
                    value = json.loads(line.decode("utf-8"))
                except UnicodeDecodeError as error:
                    yield WrongText(f"{where}: byte {error.start} is not UTF-8: convert the file to UTF-8")
                except ValueError as error:
                    yield WrongValue(f"{where} is not JSON ({error}): mend or delete the line")
                else:
                    ok = isinstance(value, dict)
                    yield (where, value) if ok else WrongValue(f"{where} is no JSON object: mend or delete the line")


def need(record: Mapping[str, Any], name: str, kind: type[Any], where: str) -> Any:
    """A field that must be there and of a kind. Raises MissingFeature or WrongValue."""
    if name not in record:
        raise MissingFeature(
            f"{where}: field {name!r} is missing (it has {', '.join(sorted(map(str, record)))[:_LONGEST_LIST]}):"
            " check that the file is of the format it is imported as"
        )
    value = record[name]
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise WrongValue(f"{where}: field {name!r} is {value!r:.80}, expected {kind.__name__}")
    return value
