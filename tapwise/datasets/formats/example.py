"""tf.Example records: named lists of bytes, floats or integers.

Example { features = 1 } ; Features { repeated map entry feature = 1 { key = 1, value = 2 } } ;
Feature { bytes_list = 1 | float_list = 2 | int64_list = 3 } ; each list { repeated value = 1 }, packed or not.
Source: tensorflow/core/example/feature.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tapwise.datasets.formats import wire
from tapwise.errors import DataError, MissingFeature, WrongText, WrongValue

_BYTES, _FLOATS, _INTEGERS = 1, 2, 3

Feature = list[memoryview] | NDArray[np.float32] | list[int]
Writable = Sequence[bytes] | Sequence[int] | NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """One record's features, each decoded when it is asked for. `where` names file and record in errors.

    The readers raise MissingFeature, WrongText or WrongValue, and DataError for a feature whose bytes are none.
    """

    features: Mapping[str, memoryview]
    """the bytes of Feature messages"""
    where: str
    _decoded: dict[str, Feature] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return len(self._values(name)) > 0

    def blobs(self, name: str) -> list[memoryview]:
        """A list of bytes; views into the record. May be empty, and is where the feature is absent."""
        found = self._values(name)
        if isinstance(found, np.ndarray) or (found and isinstance(found[0], int)):
            raise self._wrong(name, "holds numbers, expected bytes")
        return [item for item in found if isinstance(item, memoryview)]

    def blob(self, name: str) -> memoryview:
        """The first of a list of bytes."""
        return self.blobs(self._present(name))[0]

    def texts(self, name: str) -> list[str]:
        """A list of texts; may be empty."""
        return [self._text(name, blob) for blob in self.blobs(name)]

    def text(self, name: str, default: str | None = None) -> str:
        """The first of a list of texts; `default`, where given, stands in for an absent one."""
        if default is not None and name not in self:
            return default
        return self._text(name, self.blob(name))

    def integers(self, name: str) -> list[int]:
        """A list of integers; may be empty."""
        found = self._values(name)
        if isinstance(found, np.ndarray) or (found and not isinstance(found[0], int)):
            raise self._wrong(name, "holds no integers")
        return [item for item in found if isinstance(item, int)]

    def integer(self, name: str, default: int | None = None) -> int:
        """The first of a list of integers; `default`, where given, stands in for an absent one."""
        if default is not None and name not in self:
            return default
        return self.integers(self._present(name))[0]

    def floats(self, name: str) -> NDArray[np.float32]:
        """A list of floats; may be empty."""
        found = self._values(name)
        if len(found) == 0:
            return np.zeros(0, np.float32)
        if not isinstance(found, np.ndarray):
            raise self._wrong(name, "holds no floats")
        return found

    def identifier(self, name: str) -> str:
        """The first value of a feature that files hold as text or as an integer, as text."""
        found = self._values(self._present(name))[0]
        return self._text(name, found) if isinstance(found, memoryview) else str(int(found))

    def _values(self, name: str) -> Feature:
        try:
            if name not in self._decoded:
                self._decoded[name] = _read_feature(self.features.get(name, memoryview(b"")))
            return self._decoded[name]
        except ValueError as error:
            raise DataError(
                f"{self.where}: feature {name!r} cannot be read ({error}): check the format of the file"
            ) from error

    def _present(self, name: str) -> str:
        if name not in self:
            raise MissingFeature(
                f"{self.where}: feature {name!r} is missing (it has {', '.join(sorted(self.features)) or 'none'}):"
                " check that the file is of the format it is imported as"
            )
        return name

    def _text(self, name: str, blob: memoryview) -> str:
        try:
            return str(blob, "utf-8")
        except UnicodeDecodeError as error:
            raise WrongText(
                f"{self.where}: feature {name!r} is not UTF-8 (byte {error.start} is 0x{blob[error.start]:02x}): fetch"
                " the file again, or convert it to UTF-8"
            ) from None

    def _wrong(self, name: str, what: str) -> WrongValue:
        return WrongValue(f"{self.where}: feature {name!r} {what}: check that the file is of this format")


def read_example(data: bytes | memoryview, where: str) -> Example:
    """The features of a record, as far as their names. Raises DataError when the bytes are no tf.Example."""
    features: dict[str, memoryview] = {}
    try:
        for number, kind, value in wire.fields(memoryview(data)):
            if number == 1 and kind == wire.BYTES and isinstance(value, memoryview):
                _read_features(value, features)
    except ValueError as error:
        raise DataError(f"{where}: the record is no tf.Example ({error}): check the format of the file") from error
    return Example(features, where)


def write_example(features: Mapping[str, Writable], *, packed: bool = True) -> bytes:
    """The bytes of a tf.Example: float32 arrays become float lists, lists of int become integer lists, lists of bytes
    become bytes lists. Lists of numbers are packed, as TensorFlow writes them, unless `packed` is False.
    """
    entries: list[bytes | memoryview] = []
    for name in sorted(features):
        kind, values = _write_values(features[name], packed)
        feature = wire.write_bytes(2, wire.write_bytes(kind, values))
        entries += wire.write_bytes(1, [*wire.write_bytes(1, [name.encode()]), *feature])
    return b"".join(wire.write_bytes(1, entries))


def _read_features(message: memoryview, features: dict[str, memoryview]) -> None:
    for number, _, entry in wire.fields(message):
        if number != 1 or not isinstance(entry, memoryview):
            continue
        name, feature = "", memoryview(b"")
        for place, _, value in wire.fields(entry):
            if not isinstance(value, memoryview):
                continue
            if place == 1:
                name = str(value, "utf-8", "replace")
            elif place == 2:
                feature = value
        features[name] = feature


def _read_feature(message: memoryview) -> Feature:
    found: Feature = []
    for kind, _, values in wire.fields(message):
        if not isinstance(values, memoryview):
            continue
        if kind == _BYTES:
            found = [value for number, _, value in wire.fields(values) if number == 1 and isinstance(value, memoryview)]
        elif kind == _FLOATS:
            found = _read_floats(values)
        elif kind == _INTEGERS:
            found = _read_integers(values)
    return found


def _read_floats(message: memoryview) -> NDArray[np.float32]:
    parts = [value for number, _, value in wire.fields(message) if number == 1 and isinstance(value, memoryview)]
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    return np.frombuffer(data, "<f4")


def _read_integers(message: memoryview) -> list[int]:
    found: list[int] = []
    for number, _, value in wire.fields(message):
        if number == 1:
            found += wire.varints(value) if isinstance(value, memoryview) else [value]
    return [wire.signed(value) for value in found]


def _write_values(values: Writable, packed: bool) -> tuple[int, list[bytes | memoryview]]:
    if isinstance(values, np.ndarray):
        numbers = np.ascontiguousarray(values, "<f4")
        if packed:
            return _FLOATS, wire.write_bytes(1, [numbers.tobytes()])
        return _FLOATS, [wire.write_float(1, value) for value in struct.unpack(f"<{numbers.size}f", numbers.tobytes())]
    if values and isinstance(values[0], int):
        integers = [int(value) for value in values]
        if packed:
            return _INTEGERS, wire.write_bytes(1, [wire.write_varint(value) for value in integers])
        return _INTEGERS, [wire.write_number(1, value) for value in integers]
    parts: list[bytes | memoryview] = []
    for value in values:
        parts += wire.write_bytes(1, [value if isinstance(value, bytes) else bytes(value)])
    return _BYTES, parts
