"""The real adb program against the virtual phone."""

from __future__ import annotations

import gc
import io
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import adbutils
import numpy as np
import pytest
from PIL import Image

Call = Callable[..., CompletedProcess[bytes]]


@pytest.fixture
def on_phone(adb: Any, serial: str) -> Call:
    def call(*arguments: str, stdin: bytes | None = None) -> CompletedProcess[bytes]:
        return adb.run("-s", serial, *arguments, stdin=stdin)

    return call


def test_listing_shows_the_model(adb: Any, serial: str) -> None:
    listing = adb.run("devices", "-l").stdout.decode()
    assert f"{serial}" in listing
    assert "model:Tapwise_Phone" in listing


def test_shell_gives_exit_status_and_splits_the_streams(on_phone: Call) -> None:
    done = on_phone("shell", "echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)


def test_unknown_command(on_phone: Call) -> None:
    done = on_phone("shell", "frobnicate", "now")
    assert done.returncode == 127
    assert done.stderr == b"/system/bin/sh: frobnicate: inaccessible or not found\n"


def test_shell_reads_standard_input(on_phone: Call) -> None:
    assert on_phone("shell", "cat > /sdcard/in.txt; wc -c < /sdcard/in.txt", stdin=b"x" * 200_000).stdout == b"200000\n"


def test_screenshot_as_png_is_the_frame(on_phone: Call, phones: Any) -> None:
    picture = Image.open(io.BytesIO(on_phone("exec-out", "screencap", "-p").stdout))
    assert (picture.mode, picture.size) == ("RGB", (540, 1200))
    assert np.array_equal(np.asarray(picture), phones.phones[0].frame())


def test_raw_screenshot_is_the_frame(on_phone: Call, phones: Any) -> None:
    data = on_phone("exec-out", "screencap").stdout
    assert struct.unpack("<4I", data[:16]) == (540, 1200, 1, 1)
    pixels = np.frombuffer(data, np.uint8, offset=16).reshape(1200, 540, 4)
    assert np.array_equal(pixels[..., :3], phones.phones[0].frame())
    assert (pixels[..., 3] == 255).all()


def test_uiautomator_dump_is_pulled(on_phone: Call, tmp_path: Path) -> None:
    assert on_phone("shell", "uiautomator", "dump").stdout == b"UI hierchary dumped to: /sdcard/window_dump.xml\n"
    target = tmp_path / "dump.xml"
    assert on_phone("pull", "/sdcard/window_dump.xml", str(target)).returncode == 0
    assert target.read_text().startswith("<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><hierarchy rotation=")


def test_input_changes_the_screen(on_phone: Call) -> None:
    on_phone("shell", "am start -n com.android.settings/.Settings")
    assert b"com.android.settings/.Settings" in on_phone("shell", "dumpsys window | grep mFocusedApp").stdout
    assert on_phone("shell", "input keyevent KEYCODE_HOME").returncode == 0
    assert b"com.android.settings/.Settings" not in on_phone("shell", "dumpsys window | grep mFocusedApp").stdout


def test_push_and_pull_a_file(on_phone: Call, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(bytes(range(256)) * 9000)
    assert on_phone("push", str(source), "/sdcard/Download/").returncode == 0
    assert on_phone("shell", "stat -c %s /sdcard/Download/source.bin").stdout == b"2304000\n"
    assert on_phone("pull", "/sdcard/Download/source.bin", str(tmp_path / "back.bin")).returncode == 0
    assert (tmp_path / "back.bin").read_bytes() == source.read_bytes()


def test_push_and_pull_a_tree(on_phone: Call, tmp_path: Path) -> None:
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "inner" / "file").write_text("deep")
    (tmp_path / "tree" / "empty").write_text("")
    assert on_phone("push", str(tmp_path / "tree"), "/sdcard/Documents/").returncode == 0
    assert on_phone("shell", "find /sdcard/Documents/tree -type f | sort").stdout.split() == [
        b"/sdcard/Documents/tree/empty",
        b"/sdcard/Documents/tree/inner/file",
    ]
    assert on_phone("pull", "/sdcard/Documents/tree", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back" / "inner" / "file").read_text() == "deep"


def test_failing_transfers_say_why(on_phone: Call, tmp_path: Path) -> None:
    missing = on_phone("pull", "/sdcard/none", str(tmp_path / "x"))
    assert missing.returncode != 0
    assert b"No such file" in missing.stderr + missing.stdout
    (tmp_path / "f").write_text("")
    taken = on_phone("push", str(tmp_path / "f"), "/sdcard/Documents/f/g/")
    assert taken.returncode == 0 or b"failed" in taken.stderr + taken.stdout


def test_forward_reaches_the_phones_echo(on_phone: Call) -> None:
    port = int(on_phone("forward", "tcp:0", "tcp:7").stdout)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"hello")
        assert connection.recv(10) == b"hello"
    assert on_phone("forward", "--remove-all").returncode == 0


def test_forward_to_a_silent_port_is_closed(on_phone: Call) -> None:
    port = int(on_phone("forward", "tcp:0", "tcp:9").stdout)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        assert connection.recv(10) == b""


def test_reverse_is_listed_and_removed(on_phone: Call) -> None:
    assert on_phone("reverse", "tcp:6100", "tcp:7100").returncode == 0
    assert b"tcp:6100 tcp:7100" in on_phone("reverse", "--list").stdout
    assert on_phone("reverse", "--remove", "tcp:6100").returncode == 0
    assert b"tcp:6100" not in on_phone("reverse", "--list").stdout


def test_root(on_phone: Call) -> None:
    assert b"already running as root" in on_phone("root").stdout


APK = Path(adbutils.__file__).parents[1] / "uiautomator2" / "assets" / "app-uiautomator.apk"
PACKAGE = "com.github.uiautomator"


def test_what_is_no_apk_is_not_installed(on_phone: Call, tmp_path: Path) -> None:
    (tmp_path / "app.apk").write_bytes(b"PK")
    done = on_phone("install", str(tmp_path / "app.apk"))
    assert done.returncode != 0
    assert b"INSTALL_PARSE_FAILED_NOT_APK" in done.stderr + done.stdout


@pytest.mark.skipif(not APK.exists(), reason="no APK at hand")
@pytest.mark.parametrize("options", [["-r"], ["--no-streaming", "-r", "-t"]])
def test_an_apk_is_installed_listed_and_removed(on_phone: Call, options: list[str]) -> None:
    assert b"Success" in on_phone("install", *options, str(APK)).stdout
    assert f"package:{PACKAGE}\n".encode() in on_phone("shell", "pm list packages -3").stdout
    assert b"versionName=2.4.0" in on_phone("shell", f"dumpsys package {PACKAGE}").stdout
    assert on_phone("shell", f"pm path {PACKAGE}").returncode == 0
    assert b"Success" in on_phone("uninstall", PACKAGE).stdout
    assert on_phone("uninstall", PACKAGE).returncode != 0
    assert on_phone("shell", f"pm path {PACKAGE}").returncode == 1


def test_logcat_stays_open_until_the_host_ends_it(adb: Any, serial: str) -> None:
    command = [str(adb.program), "-P", str(adb.port), "-s", serial, "logcat"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=adb.environment, start_new_session=True) as log:
        assert log.stdout is not None
        assert b"beginning of main" in log.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            log.wait(0.3)
        log.kill()


def test_interactive_shell(on_phone: Call) -> None:
    done = on_phone("shell", stdin=b"cd /sdcard\npwd\nexit 3\n")
    assert done.returncode == 3
    assert b"/sdcard\n" in done.stdout


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # adbutils leaves sockets to the collector
def test_adbutils(adb: Any, serial: str, tmp_path: Path) -> None:
    device = adbutils.AdbClient("127.0.0.1", adb.port).device(serial)
    assert device.shell("echo hello") == "hello"
    result = device.shell2("echo out; echo err >&2; exit 3", v2=True)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")
    assert device.shell2("false").returncode == 1
    assert tuple(device.window_size()) == (540, 1200)
    device.sync.push(b"pushed", "/sdcard/p.txt")
    assert device.sync.read_bytes("/sdcard/p.txt") == b"pushed"
    assert device.sync.stat("/sdcard/p.txt").size == 6
    assert "p.txt" in [entry.path for entry in device.sync.list("/sdcard")]
    assert device.screenshot().size == (540, 1200)
    assert device.framebuffer().size == (540, 1200)
    assert device.app_current().package
    assert "<hierarchy" in device.dump_hierarchy()
    del device
    gc.collect()


def test_reboot_drops_the_link_and_comes_back(adb: Any, phones: Any) -> None:
    serial = f"127.0.0.1:{phones.ports[1]}"
    adb.run("connect", serial)
    assert adb.run("-s", serial, "reboot").returncode == 0
    adb.run("disconnect", serial)
    adb.run("connect", serial)
    assert adb.run("-s", serial, "shell", "getprop sys.boot_completed").stdout == b"1\n"
