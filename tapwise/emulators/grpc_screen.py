"""Screenshots over an emulator's gRPC, which spares the phone's own `screencap` and the way through adbd."""

from __future__ import annotations

import ipaddress
import threading
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tapwise.errors import ConfigError, DeviceError

_METHOD: Final = "/android.emulation.control.EmulatorController/getScreenshot"
_RGB888: Final = 2
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),  # an emulator is never behind the proxy that the environment names
)


class GrpcScreen:
    """The screen of an emulator whose gRPC listens at `address` (host:port). Thread-safe.

    Every picture has `timeout_s` seconds. Raises ConfigError when the address is none.
    """

    def __init__(self, address: str, timeout_s: float = 3.0) -> None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(f"gRPC address {address!r} is not host:port")
        self.address = address
        self._local = _is_loopback(host.strip("[]"))
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._channel: Any = None
        self._call: Any = None
        self._request: Any = None

    def screenshot(self) -> NDArray[np.uint8]:
        """Pixels (height, width, 3), RGB. Raises a plain DeviceError whatever fails: the phone may be well without."""
        call = self._open()
        import grpc

        try:
            image = call(self._request, timeout=self._timeout_s)
        except (grpc.RpcError, ValueError) as error:  # ValueError: the channel was closed by another thread
            told = f"{error.code().name}: {error.details()}" if isinstance(error, grpc.RpcError) else str(error)
            raise DeviceError(f"gRPC at {self.address} gave no screenshot: {told}") from None
        height = image.height or image.format.height
        width = image.width or image.format.width
        if not height or not width or len(image.image) != 3 * height * width:
            raise DeviceError(
                f"gRPC at {self.address} gave {len(image.image)} bytes for a picture of {width}x{height} in RGB"
            )
        return np.frombuffer(image.image, np.uint8).reshape(height, width, 3)

    def close(self) -> None:
        """Close the channel; the next screenshot opens it anew."""
        with self._lock:
            channel, self._channel, self._call = self._channel, None, None
        if channel is not None:
            channel.close()

    def _open(self) -> Any:
        with self._lock:
            if self._call is None:
                try:
                    import grpc

                    from tapwise.emulators.protos import load
                except ImportError:
                    raise DeviceError(
                        "gRPC screenshots need the packages grpcio and protobuf: pip install 'tapwise[grpc]'"
                    ) from None
                messages, _ = load("tapwise.emulators", "emulator.proto")
                if self._local:  # the emulator asks for it: a peer on the same host
                    self._channel = grpc.secure_channel(self.address, grpc.local_channel_credentials(), _OPTIONS)
                else:
                    self._channel = grpc.insecure_channel(self.address, _OPTIONS)
                self._request = messages["ImageFormat"](format=_RGB888)
                self._call = self._channel.unary_unary(
                    _METHOD,
                    request_serializer=messages["ImageFormat"].SerializeToString,
                    response_deserializer=messages["Image"].FromString,
                )
            return self._call


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
