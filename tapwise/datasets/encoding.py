"""Records to JSON values and back, without loss, driven by the records' own annotations.

A dataclass becomes an object of its fields; a member of a union carries its class name under "type"; bytes go to a
list of blobs beside the JSON and leave their index. Reading checks every field, and names the one that is wrong.
"""

from __future__ import annotations

import dataclasses
import functools
import numbers
import types
from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

RecordT = TypeVar("RecordT")

_PLAIN = frozenset({type(None), bool, int, float, str})


def encode(value: object, blobs: list[bytes]) -> Any:
    """The JSON value of a record; its bytes are appended to `blobs`. Raises TypeError for a foreign type."""
    if type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {name: encode(getattr(value, name), blobs) for name in _hints(type(value))}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        if _PLAIN.issuperset(map(type, value)):  # thousands of token ids at once
            return list(value)
        return [encode(item, blobs) for item in value]
    if isinstance(value, bytes):
        blobs.append(value)
        return len(blobs) - 1
    if isinstance(value, numbers.Integral):  # numpy's numbers too
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{value!r} is of type {type(value).__name__}, which a record cannot hold")


def decode(kind: type[RecordT], value: Any, blobs: Sequence[bytes]) -> RecordT:
    """The record of class `kind` that `encode` made `value` from.

    Raises ValueError that names the field and what was expected of it.
    """
    record: RecordT = _decode(kind, value, blobs, kind.__name__)
    return record


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, value: Any, blobs: Sequence[bytes], where: str) -> Any:
    if kind in _PLAIN and type(value) is kind:
        return value
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value, blobs, where)
    if origin is tuple:
        return _decode_tuple(get_args(kind), value, blobs, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise ValueError(f"{where} is {value!r}, expected one of {', '.join(map(repr, get_args(kind)))}")
        return value
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, blobs, where)
    if issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    if kind is bytes:
        if type(value) is not int or not 0 <= value < len(blobs):
            raise ValueError(f"{where} refers to blob {value!r} of {len(blobs)}")
        return blobs[value]
    if kind is float and type(value) is int:
        return value
    if type(value) is not kind:
        raise ValueError(f"{where} is {value!r}, expected {kind.__name__}")
    return value


def _decode_union(kinds: tuple[Any, ...], value: Any, blobs: Sequence[bytes], where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    members = [kind for kind in kinds if kind is not type(None)]
    if len(members) == 1:
        return _decode(members[0], value, blobs, where)
    name = value.get("type") if isinstance(value, dict) else None
    for member in members:
        if member.__name__ == name:
            return _decode(member, value, blobs, where)
    raise ValueError(f"{where} has type {name!r}, expected one of {', '.join(member.__name__ for member in members)}")


def _decode_tuple(items: tuple[Any, ...], value: Any, blobs: Sequence[bytes], where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{where} is {value!r}, expected a list")
    if len(items) == 2 and items[1] is Ellipsis and items[0] in _PLAIN and {items[0]}.issuperset(map(type, value)):
        return tuple(value)
    kinds = [items[0]] * len(value) if len(items) == 2 and items[1] is Ellipsis else list(items)
    if len(kinds) != len(value):
        raise ValueError(f"{where} has {len(value)} items, expected {len(kinds)}")
    return tuple(
        _decode(kind, item, blobs, f"{where}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_dataclass(kind: Any, value: Any, blobs: Sequence[bytes], where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {value!r}, expected an object")
    hints = _hints(kind)
    unknown = sorted(set(value) - set(hints) - {"type"})
    if unknown:
        raise ValueError(f"{where} has the unknown field {unknown[0]!r}")
    given = {
        name: _decode(hint, value[name], blobs, f"{where}.{name}") for name, hint in hints.items() if name in value
    }
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
