"""A farm's metrics as Prometheus reads them."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_metrics import FarmMetrics, served
from tapwise.emulators.processes import wait_until
from tapwise.emulators.screen_ways import ScreenChoice
from tapwise.errors import ConfigError, DeviceTimeout
from tests.emulators.test_farm import QUICK, Phone, Phones


def scrape(port: int) -> dict[tuple[str, tuple[str, ...]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_devices_restarts_and_shares_are_told() -> None:
    with Farm(Phones(), 2, QUICK) as farm:
        metrics = FarmMetrics(farm.status, farm.waiting)
        farm.wait_ready(5)
        with served(metrics, 0) as port:
            assert scrape(port)["tapwise_devices", ("ready",)] == 2
            for _ in range(2):
                with pytest.raises(DeviceTimeout), farm.lease(5), farm.lease(5):
                    raise DeviceTimeout("slow")
                assert wait_until(lambda: all(str(one.state) == "ready" for one in farm.status()), 5)
            for supervisor in farm._supervisors:
                assert isinstance(supervisor.booted, Phone)
                supervisor.booted.screen_choice = ScreenChoice("grpc", {"raw": 9.0, "grpc": 2.5})
            metrics.usage({"farm/utilisation": 0.75, "farm/act_share": 0.5})
            with farm.lease(5):
                found = scrape(port)
    assert (found["tapwise_devices", ("ready",)], found["tapwise_devices", ("leased",)]) == (1, 1)
    assert sum(value for (name, _), value in found.items() if name == "tapwise_device_mended_total") >= 1
    assert found["tapwise_waiting_leases", ()] == 0
    screens = {labels: value for (name, labels), value in found.items() if name == "tapwise_screenshot_ms"}
    assert (len(screens), screens["true", "phone-0", "grpc"], screens["false", "phone-0", "raw"]) == (4, 2.5, 9.0)
    assert found["tapwise_farm_utilisation", ()] == 0.75
    assert found["tapwise_farm_act_share", ()] == 0.5


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="give another port"), served(FarmMetrics(list), port):
            pass
