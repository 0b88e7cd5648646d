"""The gRPC of android_env's accessibility service, as its client. Importing it needs the packages of tapwise[grpc]."""

from __future__ import annotations

from typing import Any, Final

import grpc

from tapwise.emulators.protos import load

_METHOD: Final = "/android_env.A11yService/SendForest"
_TIMEOUT_S: Final = 1.0
_OPTIONS: Final = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))


class ForestChannel:
    """A connection to a port of the host's loopback, made anew after each failure."""

    def __init__(self) -> None:
        classes, _ = load(__package__, "accessibility.proto")
        self._forest, self._reply = classes["AndroidAccessibilityForest"], classes["ForestResponse"]
        self._port = 0
        self._channel: grpc.aio.Channel | None = None
        self._call: Any = None

    async def send(self, port: int, fields: dict[str, Any]) -> str:
        """Send a forest; why it did not arrive, or nothing."""
        if self._channel is None or port != self._port:
            await self.close()
            self._port = port
            self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
            self._call = self._channel.unary_unary(
                _METHOD,
                request_serializer=self._forest.SerializeToString,
                response_deserializer=self._reply.FromString,
            )
        try:
            reply = await self._call(self._forest(**fields), timeout=_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            await self.close()
            return f"{error.code().name}: {error.details()}"
        return str(reply.error)

    async def close(self) -> None:
        """Close the connection; the next forest opens another."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()
