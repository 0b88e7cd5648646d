"""What a farm does, for Prometheus: text at /metrics, read from what the status and farm.jsonl are made of."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tapwise.emulators.farm_status import DeviceStatus, State
from tapwise.errors import ConfigError

LOOPBACK = "127.0.0.1"


class FarmMetrics:
    """The metrics of one farm. `status` and `waiting` are asked at each scrape; `usage` is told after a collection."""

    def __init__(self, status: Callable[[], Sequence[DeviceStatus]], waiting: Callable[[], int] = lambda: 0) -> None:
        self._status, self._waiting = status, waiting
        self._usage: dict[str, float] = {}
        self._lock = threading.Lock()

    def usage(self, summary: Mapping[str, float]) -> None:
        """Take in rates and shares of the latest collection, by the names that they have in farm.jsonl."""
        with self._lock:
            self._usage = dict(summary)

    def collect(self) -> Iterator[Any]:
        """The metrics at this moment, as the package's registries ask for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        devices = self._status()
        states = Counter(device.state for device in devices)
        by_state = GaugeMetricFamily("tapwise_devices", "Devices by state", labels=["state"])
        for state in State:
            by_state.add_metric([str(state)], states[state])
        yield by_state
        restarts = CounterMetricFamily("tapwise_device_restarts", "Restarts by cause", labels=["serial", "cause"])
        mended = CounterMetricFamily("tapwise_device_mended", "Faults healed without one", labels=["serial", "by"])
        for device in devices:
            for remedy, count in device.mended.items():
                mended.add_metric([device.serial, remedy], count)
            for cause, count in device.restarts.items():
                restarts.add_metric([device.serial, cause], count)
        yield restarts
        yield mended
        yield _screenshots(devices)
        yield GaugeMetricFamily("tapwise_waiting_leases", "Leases that wait for a device", self._waiting())
        with self._lock:
            usage = dict(self._usage)
        for name, value in usage.items():
            plain = name.removeprefix("farm/").replace("/", "_")
            yield GaugeMetricFamily(f"tapwise_farm_{plain}", f"{name} of the latest collection", value)


def _screenshots(devices: Sequence[DeviceStatus]) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    labels = ["serial", "way", "chosen"]
    found = GaugeMetricFamily("tapwise_screenshot_ms", "Milliseconds a screenshot, as measured", labels=labels)
    for device in devices:
        for way, ms in (device.screenshots or {"ms": {}})["ms"].items():
            chosen = device.screenshots is not None and device.screenshots["chosen"] == way
            found.add_metric([device.serial, way, str(chosen).lower()], ms)
    return found


@contextmanager
def served(metrics: FarmMetrics, port: int, address: str = LOOPBACK) -> Iterator[int]:
    """Serve metrics over HTTP while the context lasts; gives the port, a free one for 0.

    Raises ConfigError when the package is missing or the port is taken.
    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError:
        raise ConfigError("metrics for Prometheus need a package: pip install 'tapwise[metrics]'") from None
    registry = CollectorRegistry()
    registry.register(metrics)
    try:
        server, thread = start_http_server(port, address, registry)
    except OSError as error:
        raise ConfigError(f"metrics cannot be served at {address}:{port} ({error}): give another port") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
