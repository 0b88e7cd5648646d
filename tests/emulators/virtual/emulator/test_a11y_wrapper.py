"""android-env's accessibility wrapper around a running emulator, unchanged but for its download and its waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tapwise.emulators.ui_dump import read_ui_dump
from tests.emulators.virtual.emulator import test_android_env as android_env
from tests.emulators.virtual.emulator.conftest import BUNDLED, Emulator, Host, free_ports

wrapper: Any = pytest.importorskip("android_env.wrappers.a11y_grpc_wrapper", exc_type=ImportError)
uiautomator2 = pytest.importorskip("uiautomator2", exc_type=ImportError)
APK = Path(uiautomator2.__file__).parent / "assets" / "app-uiautomator.apk"
TASK = (
    android_env.TASK
    + r"""
log_parsing_config: {
  filters: ["AndroidRLTask:V"]
  log_regexps: { extra: ["^extra: (?P<name>[^ ]+) (?P<extra>.*)$"] }
}
"""
)
BOUNDS = ("left", "top", "right", "bottom")

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("collected")]


@pytest.fixture
def env(host: Host, start: Callable[..., Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if host.adb != BUNDLED:
        pytest.skip("the wrapper does not care which adb it is")
    monkeypatch.setattr(android_env, "TASK", TASK)
    monkeypatch.setattr(wrapper, "_get_accessibility_forwarder_apk", APK.read_bytes)
    monkeypatch.setattr(wrapper, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.3))))
    (grpc_port,) = free_ports(1)
    emulator = start("-grpc", str(grpc_port), "-no-snapshot")
    launcher = android_env.config_classes.EmulatorLauncherConfig(
        emulator_console_port=emulator.port, adb_port=emulator.port + 1, grpc_port=grpc_port
    )
    with android_env.environment(host, tmp_path, launcher, monkeypatch) as inner:
        wrapped = wrapper.A11yGrpcWrapper(
            inner,
            install_a11y_forwarding=True,
            enable_a11y_tree_info=True,
            add_latest_a11y_info_to_obs=True,
            a11y_info_timeout=0.3,
            latest_a11y_info_only=True,
        )
        try:
            yield wrapped
        finally:
            wrapped._server.stop(None).wait(5)


def step(env: Any) -> Any:
    """One step without a touch; the forest of its observation."""
    lift = np.array(android_env.action_type.LIFT)
    return env.step({"action_type": lift, "touch_position": np.zeros(2, np.float32)}).observation["a11y_forest"]


def step_until(env: Any, what: str, condition: Callable[[Any], bool], timeout_s: float = 20) -> Any:
    """Steps until the forest that comes during one, or None, fulfils a condition."""
    deadline = time.monotonic() + timeout_s
    while True:
        env.task_extras()  # from here on the wrapper forgets what it had
        if condition(found := step(env)):
            return found
        assert time.monotonic() < deadline, what


def told(forest: Any) -> list[tuple[str, str, str, tuple[int, ...]]]:
    return sorted(
        (
            node.class_name,
            node.text,
            node.content_description,
            tuple(getattr(node.bounds_in_screen, side) for side in BOUNDS),
        )
        for window in forest.windows
        for node in window.tree.nodes
    )


def dumped(env: Any) -> list[tuple[str, str, str, tuple[int, ...]]]:
    android_env.shell(env, "uiautomator dump /sdcard/window_dump.xml")
    tree = read_ui_dump(android_env.shell(env, "cat /sdcard/window_dump.xml"))
    return sorted((node.class_name, node.text, node.description, node.bounds) for node in tree.walk())


def test_its_forests_are_what_uiautomator_dumps_and_it_revives_the_network(env: Any) -> None:
    env.reset()
    at_home = told(step(env))
    assert at_home == dumped(env)
    for package in ("com.android.settings", "com.google.android.contacts"):
        android_env.shell(env, f"monkey -p {package} 1")
        forest = step(env)
        assert told(forest) == dumped(env) != at_home
        assert {node.package_name for window in forest.windows for node in window.tree.nodes} == {package}
    android_env.shell(env, "settings put global airplane_mode_on 1; svc wifi disable")

    def is_online(_: Any) -> bool:
        return android_env.shell(env, "settings get global airplane_mode_on") == "0\n"

    step_until(env, "the wrapper reads of the failure in the log, and turns the network on", is_online)
    forest = step_until(env, "a forest comes", lambda found: found is not None)
    assert told(forest) == dumped(env)
    assert env.task_extras(latest_only=True)["accessibility_tree"].shape == (1,)
