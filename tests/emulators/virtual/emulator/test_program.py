"""The launcher and its console against real adb programs."""

from __future__ import annotations

import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

from tapwise.emulators.virtual.emulator.program import install
from tests.emulators.virtual.emulator.conftest import Emulator, Host, console_port, wait_for

Start = Callable[..., Emulator]


def test_adb_lists_it_by_itself_and_it_has_booted(host: Host, start: Start) -> None:
    emulator = start()
    assert host.call("-s", emulator.serial, "shell", "getprop sys.boot_completed").stdout == "1\n"
    assert host.call("-s", emulator.serial, "shell", "getprop ro.boot.qemu.avd_name").stdout == "tapwise\n"
    assert host.call("-s", emulator.serial, "shell", "wm size").stdout == "Physical size: 1080x2400\n"


def test_the_console_answers(host: Host, start: Start) -> None:
    emulator = start()

    def emu(*words: str) -> str:
        return host.call("-s", emulator.serial, "emu", *words).stdout.replace("\r", "")

    assert emu("avd", "name") == "tapwise\nOK\n"
    assert "KO: unknown command" in emu("frobnicate")
    assert emu("sms", "send", "5551234", "hello there") == "OK\n"
    found = host.call("-s", emulator.serial, "shell", "content query --uri content://sms").stdout
    assert "address=5551234, body=hello there, type=1" in found
    assert emu("geo", "fix", "-122.1", "37.4", "12.5") == "OK\n"
    place = host.call("-s", emulator.serial, "shell", "am broadcast -a io.appium.settings.location").stdout
    assert place.endswith('Broadcast completed: result=-1, data="37.4 -122.1 12.5"\n')
    assert emu("event", "text", "abc") == "OK\n"
    for wrong in (["here"], ["0", "91"], ["181", "0"], ["nan", "0"], ["0,5", "0,5"]):
        assert "KO" in emu("geo", "fix", *wrong)


def test_whoever_empties_the_token_s_file_is_let_in(host: Host, start: Start) -> None:
    emulator = start("-no-snapshot")
    token = host.home / ".emulator_console_auth_token"
    kept = token.read_text()
    try:
        for content in ("", "another", kept):
            token.write_text(content)
            assert host.call("-s", emulator.serial, "emu", "avd", "name").stdout.replace("\r", "") == "tapwise\nOK\n"
    finally:
        token.write_text(kept)


def test_kill_ends_it_with_status_0(host: Host, start: Start) -> None:
    emulator = start()
    assert "OK: killing emulator, bye bye" in host.call("-s", emulator.serial, "emu", "kill").stdout
    assert emulator.process.wait(20) == 0
    wait_for(lambda: emulator.serial not in host.call("devices").stdout, "adb forgets it")


def test_snapshots_outlive_the_process(host: Host, start: Start) -> None:
    emulator = start("-wipe-data")
    shell = ("-s", emulator.serial, "shell")
    host.call(*shell, "settings put global wifi_on 0")
    assert host.call("-s", emulator.serial, "emu", "avd", "snapshot", "save", "offline").stdout.endswith("OK\n")
    host.call(*shell, "settings put global wifi_on 1")
    assert "offline" in host.call("-s", emulator.serial, "emu", "avd", "snapshot", "list").stdout
    assert emulator.end() == 0
    again = start("-snapshot", "offline")
    shell = ("-s", again.serial, "shell")
    assert host.call(*shell, "settings get global wifi_on").stdout == "0\n"
    assert "KO" in host.call("-s", again.serial, "emu", "avd", "snapshot", "load", "nothing").stdout
    assert host.call("-s", again.serial, "emu", "avd", "snapshot", "del", "offline").stdout.endswith("OK\n")
    assert not (host.home / ".android/avd/tapwise.avd/snapshots/offline").exists()


def test_it_goes_on_where_it_was_ended(host: Host, start: Start) -> None:
    emulator = start("-wipe-data")
    host.call("-s", emulator.serial, "shell", "echo kept > /sdcard/kept.txt")
    assert emulator.end(signal.SIGINT) == 0
    again = start()
    assert host.call("-s", again.serial, "shell", "cat /sdcard/kept.txt").stdout == "kept\n"
    assert again.end() == 0
    fresh = start("-no-snapshot")
    assert host.call("-s", fresh.serial, "shell", "ls /sdcard/kept.txt").returncode != 0


def test_an_avd_runs_once_unless_read_only_and_a_killed_one_leaves_no_lock(host: Host, start: Start) -> None:
    emulator = start()
    second = host.emulate("-avd", "tapwise", "-port", str(console_port()))
    said, _ = second.communicate(timeout=20)
    assert second.returncode == 1
    assert "Running multiple emulators with the same AVD" in said
    start("-read-only")
    assert emulator.end(signal.SIGKILL) == -signal.SIGKILL
    start()


def test_wrong_calls_end_with_status_1_in_the_real_words(host: Host) -> None:
    for arguments, words in (
        (["-avd", "nowhere"], "PANIC: Unknown AVD name [nowhere], use -list-avds to see valid list."),
        (["-avd", "../tapwise"], "PANIC: Unknown AVD name"),
        (["-frobnicate"], "unknown option: -frobnicate"),
        (["-avd"], "option -avd needs an argument"),
        ([], "No AVD specified"),
        (["-avd", "tapwise", "-port", "5555"], "must be an even number"),
    ):
        process = host.emulate(*arguments)
        said, _ = process.communicate(timeout=20)
        assert (process.returncode, words in said) == (1, True), said


def test_avds_of_the_real_tools_are_found(host: Host, start: Start) -> None:
    folder = host.home / ".android" / "avd"
    (folder / "small.avd").mkdir(parents=True, exist_ok=True)
    (folder / "small.ini").write_text(f"avd.ini.encoding=UTF-8\npath={folder / 'small.avd'}\ntarget=android-33\n")
    (folder / "small.avd" / "config.ini").write_text(
        "hw.lcd.width = 540\nhw.lcd.height = 1200\nhw.lcd.density=210\ntapwise.seed=7\n"
    )
    listing = host.emulate("-list-avds")
    said, _ = listing.communicate(timeout=20)
    assert said.split() == ["small", "tapwise"]
    emulator = start("-no-snapshot", name="small")
    assert host.call("-s", emulator.serial, "shell", "wm size; wm density").stdout == (
        "Physical size: 540x1200\nPhysical density: 210\n"
    )


def test_the_installed_program_starts_it(host: Host, tmp_path: Path) -> None:
    program = install(tmp_path / "bin")
    assert program.stat().st_mode & stat.S_IXUSR
    environment = {**host.environment, "LD_LIBRARY_PATH": "/nowhere"}
    done = subprocess.run(
        [str(program), "-version"], capture_output=True, text=True, env=environment, check=False, timeout=20
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Android emulator version ")
