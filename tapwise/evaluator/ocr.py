"""Reading the text on screenshots: by RapidOCR, whose models ship with its package, each picture once."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tapwise import images
from tapwise.errors import ConfigError, StoreError
from tapwise.records import Screenshot

LONGEST_SIDE = 800
"""pixels to which screens are reduced in search of text; recognition itself sees every pixel"""
LEAST_SCORE = 0.5
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text on a screen. `box` is (left, top, right, bottom) in [0, 1] of the screen, origin top left;
    `score` is how sure the reader is, in [0, 1]."""

    text: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Page:
    """The text of a screen, from the top to the bottom; `seconds` is what it took to read it now, 0 when it was known
    from before."""

    lines: tuple[Line, ...]
    seconds: float = 0.0


class Reader(Protocol):
    """Reads screenshots."""

    @property
    def name(self) -> str:
        """What is read depends on it: library, version and settings."""
        ...

    def read(self, screenshot: Screenshot) -> Page:
        """The text of a screen. Raises ValueError when the bytes are no picture."""
        ...


class RapidReader:
    """RapidOCR on one thread of the CPU. Raises ConfigError where the package is not installed."""

    def __init__(self) -> None:
        try:
            from rapidocr import RapidOCR

            version = importlib.metadata.version("rapidocr")
            runtime = importlib.metadata.version("onnxruntime")
        except ImportError:
            raise ConfigError("reading the text of screens needs rapidocr: pip install 'tapwise[ocr]'") from None
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "Det.limit_side_len": LONGEST_SIDE,
                "Det.limit_type": "max",
            }
        )
        self.name = f"rapidocr {version}, onnxruntime {runtime}, {LONGEST_SIDE} px"

    def read(self, screenshot: Screenshot) -> Page:
        """The text of a screen, without its upside-down readings: a phone's text is upright."""
        started = time.monotonic()
        pixels = images.decode(screenshot)
        height, width = pixels.shape[:2]
        found = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]), use_cls=False)
        lines = []
        for text, score, corners in zip(found.txts or (), found.scores or (), _boxes(found.boxes), strict=True):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            if score >= LEAST_SCORE:
                box = tuple(
                    round(float(edge), 4) for edge in (left / width, top / height, right / width, bottom / height)
                )
                lines.append(Line(text, round(float(score), 4), box))  # type: ignore[arg-type]
        lines.sort(key=lambda line: (line.box[1], line.box[0]))
        return Page(tuple(lines), time.monotonic() - started)


class RememberingReader:
    """Reads each picture once, by its content, also in later runs where there is a file.

    path: a JSON line for each picture, under a hash of it and of the reader's name. A torn last line, which a killed
        writer leaves, is passed over and overwritten. Raises StoreError when the file cannot be read.
    """

    def __init__(self, reader: Reader, path: Path | None = None) -> None:
        self._reader, self._path = reader, path
        self._guard = threading.Lock()
        self._known: OrderedDict[str, Page] = OrderedDict()
        self.asked, self.read_now = 0, 0
        """pictures that were asked about, and those among them that had to be read"""
        self.seconds = 0.0
        """what reading took"""
        if path is not None and path.exists():
            self._load(path)

    @property
    def name(self) -> str:
        """That of the reader."""
        return self._reader.name

    def read(self, screenshot: Screenshot) -> Page:
        """As the reader's own, but for the time that it takes."""
        key = hashlib.blake2b(self.name.encode() + b"\0" + screenshot.data, digest_size=16).hexdigest()
        with self._guard:
            self.asked += 1
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            page = self._reader.read(screenshot)
            self.read_now += 1
            self.seconds += page.seconds
            self._known[key] = Page(page.lines)
            if self._path is None:
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            else:
                self._keep(self._path, key, page)
            return page

    def _keep(self, path: Path, key: str, page: Page) -> None:
        line = json.dumps({"key": key, "lines": [list(asdict(line).values()) for line in page.lines]})
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _load(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise StoreError(f"the texts read before in {path} cannot be read: {error}") from None
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with path.open("r+b") as file:
                file.truncate(whole)
        for number, text in enumerate(content[:whole].splitlines(), 1):
            try:
                entry = json.loads(text)
                lines = [Line(str(words), float(score), tuple(box)) for words, score, box in entry["lines"]]
                self._known[str(entry["key"])] = Page(tuple(lines))
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"line {number} of {path} is no text of a screen ({error}): remove it") from None


def _boxes(boxes: Any) -> Any:
    return () if boxes is None else boxes
