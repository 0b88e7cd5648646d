"""Message classes made from .proto files when they are needed: no generated code, which ties one to a version of
protobuf. Our files use few of the language's means, and only those are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_SCALARS: Final = {"int32": 5, "int64": 3, "uint32": 13, "uint64": 4, "string": 9, "bytes": 12, "bool": 8}
_MESSAGE, _OPTIONAL, _REPEATED = 11, 1, 3


@dataclass(frozen=True, slots=True)
class Method:
    """One call: its request's and reply's classes; `streams` when the reply is a stream."""

    request: type[Any]
    reply: type[Any]
    streams: bool


def load(folder: str, file: str) -> tuple[Mapping[str, type[Any]], Mapping[str, Mapping[str, Method]]]:
    """Message classes by name, and methods by the full name of their service; `folder` is the file's package."""
    text = re.sub(r"//[^\n]*", "", files(folder).joinpath(file).read_text(encoding="utf-8"))
    named = re.search(r"package ([\w.]+);", text)
    assert named is not None
    package = named[1]
    form = descriptor_pb2.FileDescriptorProto(name=f"tapwise/{file}", package=package, syntax="proto3")
    for name, body in re.findall(r"message (\w+) \{([^}]*)\}", text):
        _add_message(form.message_type.add(name=name), body, package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(form)
    classes = {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{message.name}"))
        for message in form.message_type
    }
    services = {
        f"{package}.{name}": {
            method: Method(classes[request], classes[reply], bool(stream))
            for method, request, stream, reply in re.findall(r"rpc (\w+)\((\w+)\) returns \((stream )?(\w+)\);", body)
        }
        for name, body in re.findall(r"service (\w+) \{([^}]*)\}", text)
    }
    return classes, services


def _add_message(form: Any, body: str, package: str) -> None:
    for repeated, kind, name, number in re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body):
        label = _REPEATED if repeated else _OPTIONAL
        field = form.field.add(name=name, number=int(number), label=label, type=_SCALARS.get(kind, _MESSAGE))
        if kind not in _SCALARS:
            field.type_name = f".{package}.{kind}"
