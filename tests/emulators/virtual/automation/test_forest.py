"""The accessibility forest: what it says, when it is sent, and what goes wrong with it."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import pytest

from tapwise.emulators.adb.client import DirectAdb
from tapwise.emulators.virtual.automation.forest import forest
from tapwise.emulators.virtual.automation.forwarder import PACKAGE, SERVICE
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell
from tests.emulators.virtual.wire.conftest import RunningPhones, free_port

grpc = pytest.importorskip("grpc")
protos = pytest.importorskip("tapwise.emulators.protos")

RECEIVER = f"{PACKAGE}/{PACKAGE}.FlagsBroadcastReceiver"
ACTION = "accessibility_forwarder.intent.action."


class Host:
    """The server that a client of the forwarder has."""

    def __init__(self, port: int = 0) -> None:
        classes, _ = protos.load("tapwise.emulators.virtual.automation", "accessibility.proto")
        self._received: list[Any] = []
        self._arrived = threading.Condition()
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))

        def take(request: Any, _: Any) -> Any:
            with self._arrived:
                self._received.append(request)
                self._arrived.notify_all()
            return classes["ForestResponse"]()

        handler = grpc.unary_unary_rpc_method_handler(
            take, classes["AndroidAccessibilityForest"].FromString, classes["ForestResponse"].SerializeToString
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("android_env.A11yService", {"SendForest": handler}),)
        )
        self.port = self._server.add_secure_port(f"127.0.0.1:{port}", grpc.local_server_credentials())
        self._server.start()

    def wait(self, wanted: Callable[[set[str]], bool], timeout_s: float = 10) -> set[str]:
        """The texts of the first forest from now on that is wanted."""
        deadline = time.monotonic() + timeout_s
        with self._arrived:
            self._received.clear()
            while True:
                for one in self._received:
                    if wanted(found := texts(one)):
                        return found
                self._received.clear()
                assert self._arrived.wait(deadline - time.monotonic()), "no such forest"

    def count(self, seconds: float) -> int:
        """How many arrive in a time."""
        with self._arrived:
            self._received.clear()
            self._arrived.wait_for(lambda: False, seconds)
            return len(self._received)

    def close(self) -> None:
        self._server.stop(None).wait(5)


def texts(message: Any) -> set[str]:
    return {node.text for window in message.windows for node in window.tree.nodes if node.text}


def anything(_: set[str]) -> bool:
    return True


def in_settings(found: set[str]) -> bool:
    return "Battery" in found


@pytest.fixture
def phones() -> Iterator[RunningPhones]:
    running = RunningPhones(1)
    yield running
    running.close()


@pytest.fixture
def adb(phones: RunningPhones) -> Iterator[DirectAdb]:
    client = DirectAdb("127.0.0.1", phones.ports[0])
    yield client
    client.close()


@pytest.fixture
def host() -> Iterator[Host]:
    server = Host()
    yield server
    server.close()


def configure(adb: DirectAdb, port: int, where: str = "10.0.2.2") -> None:
    """What android_env sends."""
    for command in (
        f"settings put secure enabled_accessibility_services {SERVICE}",
        f"am broadcast -a {ACTION}ENABLE_ACCESSIBILITY_TREE_LOGS -n {RECEIVER}",
        f'am broadcast -a {ACTION}SET_GRPC --ei "port" {port} --es "host" {where} -n {RECEIVER}',
    ):
        assert adb.shell(command, 5).exit_code == 0


def arm(phones: RunningPhones, text: str) -> None:
    phones.call(lambda: phones.phones[0].faults.add(FaultSpec.parse(text)) and None)


def log(adb: DirectAdb) -> str:
    return adb.shell("logcat -d -v epoch AndroidRLTask:V '*:S'", 5).stdout.decode()


def test_the_forest_is_the_tree_layer_by_layer() -> None:
    phone = VirtualPhone()
    phone.open("com.google.android.apps.nexuslauncher")
    (window,) = forest(phone)["windows"]
    nodes = window["tree"]["nodes"]
    tree = list(phone.tree().walk())
    assert (window["window_type"], len(nodes)) == (1, len(tree))
    assert [node["unique_id"] for node in nodes] == list(range(len(nodes)))
    children = [child for node in nodes for child in node["child_ids"]]
    assert children == list(range(1, len(nodes)))  # each node but the root is one node's child
    assert [node["depth"] for node in nodes] == sorted(node["depth"] for node in nodes)
    assert sorted(node["text"] for node in nodes) == sorted(node.text for node in tree)
    phone.key_event("KEYCODE_NOTIFICATION")
    assert forest(phone)["windows"][0]["window_type"] == 3


def test_a_field_tells_its_hint_also_when_it_holds_something() -> None:
    phone = VirtualPhone()
    phone.open("com.google.android.contacts", "new")
    field = next(node for node in phone.tree().walk() if node.hint)
    phone.tap(*field.centre)
    phone.type_text("Ada")
    (window,) = forest(phone)["windows"]
    (typed,) = [node for node in window["tree"]["nodes"] if node["is_focused"]]
    assert (typed["text"], typed["hint_text"], typed["is_editable"]) == ("Ada", field.hint, True)
    assert typed["text_selection_start"] == typed["text_selection_end"] == 3


def test_forests_come_at_every_change_and_without_one(phones: RunningPhones, adb: DirectAdb, host: Host) -> None:
    configure(adb, host.port)
    at_home = host.wait(anything)
    assert {"Settings", "Clock"} <= at_home
    assert host.wait(anything) == at_home
    adb.shell("am start -n com.android.settings/.Settings", 5)
    assert host.wait(in_settings) != at_home
    assert PACKAGE not in adb.shell("pm list packages", 5).stdout.decode()


def test_it_is_silent_until_it_is_enabled_told_where_to_and_allowed(
    phones: RunningPhones, adb: DirectAdb, host: Host
) -> None:
    configure(adb, host.port)
    host.wait(anything)
    put = "settings put secure enabled_accessibility_services"
    tell = f"am broadcast -a {ACTION}"
    for off, on in (
        (f"{put} a/.B", f"{put} a/.B:{SERVICE}"),
        (f"{tell}DISABLE_ACCESSIBILITY_TREE_LOGS", f"{tell}ENABLE_ACCESSIBILITY_TREE_LOGS"),
        (f"{tell}SET_GRPC", f"{tell}SET_GRPC --ei port {host.port}"),
    ):
        adb.shell(off, 5)
        host.count(0.15)  # one may be under way
        assert host.count(0.3) == 0
        adb.shell(on, 5)
        host.wait(anything)
    adb.shell(f"am force-stop {PACKAGE}", 5)
    host.count(0.15)
    assert host.count(0.3) == 0


def test_no_host_but_the_own_one_is_ever_connected_to(phones: RunningPhones, adb: DirectAdb, host: Host) -> None:
    configure(adb, host.port, "192.0.2.1")
    assert host.count(0.3) == 0
    assert "No route to host 192.0.2.1" in log(adb)


def test_without_a_network_it_logs_an_exception_and_goes_on_with_one(
    phones: RunningPhones, adb: DirectAdb, host: Host
) -> None:
    configure(adb, host.port)
    host.wait(anything)
    adb.shell("settings put global airplane_mode_on 1; svc wifi disable", 5)
    host.count(0.15)
    assert host.count(0.3) == 0
    assert "I AndroidRLTask: extra: exception ['io.grpc.StatusException: UNAVAILABLE" in log(adb)
    adb.shell("svc wifi enable", 5)
    host.wait(anything)


def test_a_server_that_comes_later_or_again_is_found(phones: RunningPhones, adb: DirectAdb) -> None:
    port = free_port()
    configure(adb, port)
    deadline = time.monotonic() + 10
    while "UNAVAILABLE" not in log(adb):
        assert time.monotonic() < deadline
    for _ in range(2):
        with contextlib.closing(Host(port)) as host:
            host.wait(anything)


def test_a_silent_forwarder(phones: RunningPhones, adb: DirectAdb, host: Host) -> None:
    configure(adb, host.port)
    host.wait(anything)
    arm(phones, "forest:times=5")
    host.count(0.1)
    adb.shell("am start -n com.android.settings/.Settings", 5)
    host.wait(in_settings)
    assert [firing.mode for firing in phones.phones[0].faults.log] == ["silent"] * 5


def test_a_stale_forest_is_the_one_before_the_change(phones: RunningPhones, adb: DirectAdb, host: Host) -> None:
    configure(adb, host.port)
    at_home = host.wait(anything)
    arm(phones, "forest:mode=stale,times=8")
    adb.shell("am start -n com.android.settings/.Settings", 5)
    assert host.wait(anything) == at_home
    host.wait(in_settings)


def test_a_refused_connection_is_logged(phones: RunningPhones, adb: DirectAdb, host: Host) -> None:
    configure(adb, host.port)
    host.wait(anything)
    arm(phones, "forest:mode=refused,times=3")
    host.wait(lambda _: len(phones.phones[0].faults.log) == 3)
    assert log(adb).count("Connection refused") == 3


def test_without_the_packages_for_it_the_log_says_so(
    phones: RunningPhones, adb: DirectAdb, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tapwise.emulators.virtual.automation.forest_channel", None)
    configure(adb, host.port)
    assert host.count(0.2) == 0
    assert log(adb).count("started without tapwise[grpc]") == 1
    monkeypatch.undo()
    configure(adb, host.port)
    host.wait(anything)


def test_logcat_filters_formats_and_goes_on() -> None:
    phone = VirtualPhone()
    shell = PhoneShell(phone)

    def shown(command: str) -> str:
        return b"".join(shell.run(command).stdout).decode().removeprefix("--------- beginning of main\n")

    phone.forwarder.hear(f"{ACTION}SET_GRPC", {"port": "1"})
    phone.forwarder.hear(f"{ACTION}OTHER", {})
    assert (
        shown("logcat -d").splitlines()[0].endswith(" 1900  1900 I AndroidRLTask: Setting gRPC endpoint to 10.0.2.2:1.")
    )
    assert shown("logcat -d -v raw -t 1") == f"Unknown action: {ACTION}OTHER\n"
    assert shown("logcat -d -v brief AndroidRLTask:W '*:S'").startswith("W/AndroidRLTask( 1900): Unknown")
    assert shown("logcat -d -s Other") == ""
    heard: list[bytes] = []
    session = shell.session()
    assert session.run("logcat -v raw -s AndroidRLTask:W").goes_on
    session.listen(heard.append)
    phone.forwarder.hear(f"{ACTION}MORE", {})
    phone.forwarder.hear(f"{ACTION}SET_GRPC", {})
    assert heard == [f"Unknown action: {ACTION}MORE\n".encode()]
    session.close()
    phone.forwarder.hear(f"{ACTION}MORE", {})
    assert len(heard) == 1
    shell.run("logcat -b all -c")
    assert shown("logcat -d") == ""
