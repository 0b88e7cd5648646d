"""The control port of served phones: faults over HTTP, on loopback.

POST /fault              {"kind": "hang", "on": "screencap", "times": 1}; "phone" chooses one by number, else all
GET /faults              what is armed, and what has happened
DELETE /faults           disarm all; DELETE /faults/PHONE/NUMBER one
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from tapwise.emulators.virtual.automation.http import HttpConnection, Reply, Request
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone


class Control:
    """What the port does."""

    def __init__(self, phones: Sequence[VirtualPhone]) -> None:
        self._phones = phones

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        parts = [part for part in request.path.partition("?")[0].split("/") if part]
        try:
            match request.method, parts:
                case "GET", ["faults"]:
                    return Reply({"phones": [self._told(phone) for phone in self._phones]})
                case "POST", ["fault"]:
                    return self._add(request.body)
                case "DELETE", ["faults"]:
                    for phone in self._phones:
                        phone.faults.clear()
                    return Reply({"phones": [self._told(phone) for phone in self._phones]})
                case "DELETE", ["faults", phone, number] if phone.isdecimal() and number.isdecimal():
                    removed = int(phone) < len(self._phones) and self._phones[int(phone)].faults.remove(int(number))
                    return Reply({"removed": removed}, 200 if removed else 404)
        except ConfigError as error:
            return Reply({"error": str(error)}, 400)
        return Reply({"error": "there are POST /fault, GET /faults and DELETE /faults"}, 404)

    def _add(self, body: Any) -> Reply:
        if not isinstance(body, dict):
            raise ConfigError('a fault is a JSON object, such as {"kind": "hang"}')
        values = dict(body)
        chosen = values.pop("phone", None)
        numbers = range(len(self._phones)) if chosen is None else [chosen]
        if not all(isinstance(number, int) and 0 <= number < len(self._phones) for number in numbers):
            raise ConfigError(f"there is no phone {chosen!r}: they go from 0 to {len(self._phones) - 1}")
        spec = FaultSpec.from_mapping(values)
        return Reply({"added": {str(number): self._phones[number].faults.add(spec) for number in numbers}})

    def _told(self, phone: VirtualPhone) -> dict[str, Any]:
        counts = phone.faults.counts()
        armed = [
            {"number": number, **spec.as_dict(), "looks": counts[number][0], "fired": counts[number][1]}
            for number, spec in phone.faults.specs().items()
        ]
        return {"armed": armed, "log": [asdict(firing) for firing in phone.faults.log]}


class _Port(asyncio.Protocol):
    """One connection to the control port."""

    def __init__(self, control: Control) -> None:
        self._connection = HttpConnection(control.handle)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(self._connection.received(data))
        if self._connection.ended:
            self._transport.close()


async def serve_control(phones: Sequence[VirtualPhone], port: int, host: str = "127.0.0.1") -> asyncio.Server:
    """Listen; port 0 takes any. Raises ConfigError when the port cannot be had."""
    control = Control(phones)
    try:
        return await asyncio.get_running_loop().create_server(lambda: _Port(control), host, port)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"control port {port} of {host} cannot be had ({error}): choose another, or 0") from None
