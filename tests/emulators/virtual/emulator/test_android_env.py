"""DeepMind's android-env against the launcher: on ports of a running emulator, and through its own launcher."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.emulators.virtual.emulator.program import install
from tests.emulators.virtual.emulator.conftest import Emulator, Host, free_ports, wait_for

loader = pytest.importorskip("android_env.loader", exc_type=ImportError)
config_classes = pytest.importorskip("android_env.components.config_classes", exc_type=ImportError)
action_type: Any = pytest.importorskip("android_env.components.action_type", exc_type=ImportError).ActionType
adb_pb2 = pytest.importorskip("android_env.proto.adb_pb2", exc_type=ImportError)
state_pb2 = pytest.importorskip("android_env.proto.state_pb2", exc_type=ImportError)

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("collected")]

TASK = """
id: "look"
name: "Look around"
max_episode_sec: 60
"""


def make(host: Host, folder: Path, launcher: Any) -> Any:
    task = folder / "task.textproto"
    task.write_text(TASK)
    adb = config_classes.AdbControllerConfig(
        adb_path=str(host.adb), adb_server_port=host.server_port, use_adb_server_port_from_os_env=False
    )
    config = config_classes.AndroidEnvConfig(
        task=config_classes.FilesystemTaskConfig(path=str(task), tmp_dir=str(folder)),
        simulator=config_classes.EmulatorConfig(emulator_launcher=launcher, adb_controller=adb),
    )
    return loader.load(config)


@contextlib.contextmanager
def environment(host: Host, folder: Path, launcher: Any, patch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in host.environment.items():
        patch.setenv(name, value)
    env = make(host, folder, launcher)
    try:
        yield env
    finally:
        env.close()
        del env
        gc.collect()


def touch(kind: Any, x: float, y: float) -> dict[str, Any]:
    return {"action_type": np.array(kind), "touch_position": np.array([x, y], np.float32)}


def shell(env: Any, *words: str) -> str:
    request = adb_pb2.AdbRequest(generic=adb_pb2.AdbRequest.GenericRequest(args=["shell", *words]))
    response = env.execute_adb_call(request)
    assert response.status == adb_pb2.AdbResponse.Status.OK, response.error_message
    return str(response.generic.output.decode())


def use(env: Any) -> None:
    """What an AndroidEnv program does."""
    first = env.reset().observation["pixels"]
    assert first.shape == (2400, 1080, 3)
    shell(env, "am start -n com.android.settings/.Settings")
    settings = env.step(touch(action_type.LIFT, 0, 0)).observation["pixels"]
    assert (settings != first).any()
    for kind in (action_type.TOUCH, action_type.LIFT):
        opened = env.step(touch(kind, 0.4, 0.3)).observation["pixels"]
    assert (opened != settings).any()
    assert "mCurrentFocus" in shell(env, "dumpsys window")


def test_it_runs_on_the_ports_of_a_running_emulator(
    host: Host, start: Callable[..., Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (grpc_port,) = free_ports(1)
    emulator = start("-grpc", str(grpc_port), "-no-snapshot")
    launcher = config_classes.EmulatorLauncherConfig(
        emulator_console_port=emulator.port, adb_port=emulator.port + 1, grpc_port=grpc_port
    )
    with environment(host, tmp_path, launcher, monkeypatch) as env:
        use(env)
        status = state_pb2.SaveStateResponse.Status.OK
        assert env.save_state(state_pb2.SaveStateRequest(args={"snapshot_name": "here"})).status == status
        shell(env, "settings put global wifi_on 0")
        loaded = env.load_state(state_pb2.LoadStateRequest(args={"snapshot_name": "here"}))
        assert loaded.status == state_pb2.LoadStateResponse.Status.OK
        assert shell(env, "settings get global wifi_on") == "1\n"
        missing = env.load_state(state_pb2.LoadStateRequest(args={"snapshot_name": "nowhere"}))
        assert missing.status == state_pb2.LoadStateResponse.Status.NOT_FOUND


def test_its_own_launcher_starts_and_ends_the_program(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = install(tmp_path / "sdk" / "emulator")
    launcher = config_classes.EmulatorLauncherConfig(
        emulator_path=str(program),
        android_sdk_root=str(tmp_path / "sdk"),
        avd_name="tapwise",
        android_avd_home=str(tmp_path / "avd"),
        tmp_dir=str(tmp_path / "tmp"),
        run_headless=True,
    )
    with environment(host, tmp_path, launcher, monkeypatch) as env:
        use(env)
    wait_for(lambda: "emulator-" not in host.call("devices").stdout, "the emulator has ended")
