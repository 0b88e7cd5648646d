"""Milliseconds per call of uiautomator2 on a virtual phone: with its own client, and over a forwarded port kept open.

    python benchmarks/client_calls.py [--calls 50] [--size 540x1200] [--json]

Figures of Appium are printed by `make test-appium ARGS=-s`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import adbutils
import uiautomator2
from rich.console import Console
from rich.table import Table

from tapwise.emulators.adb.binary import find_adb
from tapwise.emulators.processes import ProcessRegistry, wait_until

PORT = 9008


class Forwarded:
    """JSON-RPC over one connection to a forwarded port."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, method: str, *parameters: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        self._connection.request("POST", "/jsonrpc/0", body)
        return json.loads(self._connection.getresponse().read())["result"]

    def close(self) -> None:
        self._connection.close()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def median_ms(call: Callable[[], Any], calls: int) -> float:
    call()
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return round(statistics.median(times) * 1e3, 2)


def measure(calls: int, size: str) -> dict[str, dict[str, float]]:
    """Milliseconds by call and way."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as probe:
        registry, server_port = ProcessRegistry(Path(folder)), int(probe.getsockname()[1])
        probe.close()
        server = registry.start([str(find_adb()), "-P", str(server_port), "nodaemon", "server"])
        options = ["--port", "0", "--size", size, "--json", "--end-with-stdin"]
        phone = registry.start([sys.executable, "-m", "tapwise", "phone", *options])
        try:
            serial = json.loads(phone.stdout.readline())["phones"][0]["serial"]
            if not wait_until(lambda: listens(server_port), 10):
                raise SystemExit(f"adb server did not start: {server.error_output()}")
            return _measure(serial, server_port, calls)
        finally:
            phone.end()
            server.end()


def _measure(serial: str, server_port: int, calls: int) -> dict[str, dict[str, float]]:
    adb = adbutils.AdbClient(port=server_port)
    adb.connect(serial, timeout=10)
    started = time.perf_counter()
    client = uiautomator2.connect(adb.device(serial))
    connected_ms = round((time.perf_counter() - started) * 1e3, 2)
    forwarded = Forwarded(adb.device(serial).forward_port(PORT))
    selector = client(text="Settings").selector
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "exists": (lambda: client(text="Settings").exists(), lambda: forwarded.call("exist", selector)),
        "info": (lambda: client(text="Settings").info, lambda: forwarded.call("objInfo", selector)),
        "dump": (client.dump_hierarchy, lambda: forwarded.call("dumpWindowHierarchy", False, 50)),
        "screenshot": (client.screenshot, lambda: forwarded.call("takeScreenshot", 1, 80)),
        "click at a point": (lambda: client.click(5, 5), lambda: forwarded.call("click", 5, 5)),
        "press": (lambda: client.press("home"), lambda: forwarded.call("pressKey", "home")),
    }
    rows = {"connect": {"client": connected_ms}}
    for name, (by_client, by_port) in pairs.items():
        rows[name] = {"client": median_ms(by_client, calls), "forwarded": median_ms(by_port, calls)}
    forwarded.close()
    client.stop_uiautomator()
    return rows


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=50, help="how often each call is made")
    parser.add_argument("--size", default="540x1200", help="width x height in pixels")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    rows = measure(options.calls, options.size)
    if options.json:
        print(json.dumps({"size": options.size, "calls": options.calls, "ms": rows}))
        return
    table = Table("call", "uiautomator2 ms", "forwarded port ms", title=f"median of {options.calls}, {options.size}")
    for name, row in rows.items():
        table.add_row(name, str(row["client"]), str(row.get("forwarded", "")))
    Console().print(table)


if __name__ == "__main__":
    main()
