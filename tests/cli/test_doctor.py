"""Every check on a machine that is broken in its way: what is wrong is found, and the fix is named."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tapwise.cli import doctor
from tapwise.cli.doctor import Machine
from tapwise.emulators.processes import ProcessRegistry

SOUND = Machine(dict(os.environ))


def test_the_command_tells_all_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    status = doctor.run(["--json"])
    told = json.loads(capsys.readouterr().out)
    assert [finding["check"] for finding in told["findings"]] == [
        *("python", "training", "adb", "adb server", "ports", "kvm", "emulator", "disk", "memory", "gpu", "leftovers"),
        "judge",
    ]
    assert status == (1 if told["failed"] else 0)
    assert all(finding["fix"] for finding in told["findings"] if finding["status"] != "ok")


def test_an_old_python() -> None:
    found = doctor.check_python(replace(SOUND, python=(3, 10)))
    assert (found.status, found.fix) == ("fails", "install Python 3.11 or later")


def test_missing_packages() -> None:
    found = doctor.check_training(replace(SOUND, has_module=lambda name: name != "torch"))
    assert (found.status, found.found, found.fix) == ("note", "torch missing", "pip install 'tapwise[train]'")


def test_an_adb_that_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "adb"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr("tapwise.emulators.adb.binary.find_adb", lambda: program)
    found = doctor.check_adb(SOUND)
    assert (found.status, found.fix) == ("fails", "pip install --force-reinstall adbutils")


@pytest.fixture
def stranger() -> Iterator[int]:
    """Something that listens and is no adb server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"HTTP/1.1 400\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(5)


def test_something_else_on_the_adb_servers_port(stranger: int) -> None:
    found = doctor.check_adb_server(replace(SOUND, environment={"ANDROID_ADB_SERVER_PORT": str(stranger)}))
    assert found.status == "fails"
    assert f"sport = :{stranger}" in found.fix


def test_nonsense_for_the_adb_servers_port() -> None:
    found = doctor.check_adb_server(replace(SOUND, environment={"ANDROID_ADB_SERVER_PORT": "x"}))
    assert (found.status, found.fix) == ("fails", "unset ANDROID_ADB_SERVER_PORT")


def test_ports_that_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_is_free", lambda port: port != 5557)
    found = doctor.check_ports(SOUND)
    assert (found.status, found.found.split()[0]) == ("note", "5557")
    assert "outside 5555 to 5585" in found.fix


def test_no_kvm_and_no_rights_to_it(tmp_path: Path) -> None:
    assert "modprobe kvm_intel" in doctor.check_kvm(replace(SOUND, kvm=tmp_path / "kvm")).fix
    (tmp_path / "closed").touch()
    assert doctor.check_kvm(replace(SOUND, kvm=tmp_path / "closed")).status == "ok"


def test_no_emulator(tmp_path: Path) -> None:
    found = doctor.check_emulator(Machine({"ANDROID_HOME": str(tmp_path)}, which=lambda name: None))
    assert (found.status, found.fix) == ("note", "sdkmanager emulator platform-tools")
    there = doctor.check_emulator(Machine({"ANDROID_HOME": "/sdk"}, which=lambda name: name if "/" in name else None))
    assert (there.status, there.found) == ("ok", "/sdk/emulator/emulator")


def test_a_full_disk() -> None:
    found = doctor.check_disk(replace(SOUND, free_gib=lambda path: 0.3))
    assert found.status == "fails"
    assert "set TMPDIR" in found.fix


def test_little_memory_and_none_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 500000 kB\n")
    found = doctor.check_memory(replace(SOUND, meminfo=tmp_path / "meminfo"))
    assert found.status == "fails"
    assert "--farm.devices 2" in found.fix
    assert doctor.check_memory(replace(SOUND, meminfo=tmp_path / "none")).status == "note"


def test_a_gpu_whose_driver_fails(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 9\n")
    program.chmod(0o755)
    found = doctor.check_gpu(replace(SOUND, which=lambda name: str(program)))
    assert (found.status, "driver" in found.fix) == ("fails", True)
    program.write_text("#!/bin/sh\necho 'NVIDIA X, 80 GiB'\n")
    assert doctor.check_gpu(replace(SOUND, which=lambda name: str(program))).found == "NVIDIA X, 80 GiB"


def test_programs_left_by_a_run_that_is_gone(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import sys, os\n"
        "from tapwise.emulators.processes import ProcessRegistry\n"
        f"process = ProcessRegistry(Path({str(tmp_path)!r})).start(['sleep', '60'])\n"
        "print(process.pid, flush=True); os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    found = doctor.check_leftovers(replace(SOUND, processes=tmp_path))
    assert (found.status, done.stdout.strip() in found.found) == ("note", True)
    assert ProcessRegistry(tmp_path).reap_leftovers() == [int(done.stdout)]
    assert doctor.check_leftovers(replace(SOUND, processes=tmp_path)).status == "ok"


def test_a_judge_that_does_not_answer_or_answers_with_errors() -> None:
    dead = doctor.check_judge(replace(SOUND, environment={"OPENAI_BASE_URL": "http://127.0.0.1:9"}))
    assert (dead.status, "mend OPENAI_BASE_URL" in dead.fix) == ("fails", True)

    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        base = f"http://127.0.0.1:{server.server_address[1]}/v1"
        ill = doctor.check_judge(replace(SOUND, environment={"OPENAI_BASE_URL": base}))
        thread.join(5)
    assert (ill.status, ill.found) == ("fails", f"{base}/models answers 503")
