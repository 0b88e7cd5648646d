"""Containers: the commands that run them, and their life with a stand-in for the engine that runs virtual phones."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapwise.emulators.backends.docker import DockerBackend, DockerSettings
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits
from tapwise.emulators.processes import ProcessRegistry, wait_until
from tapwise.errors import ConfigError, DeviceError, DeviceTimeout

ENGINE = '''
"""Takes the command line of docker; containers are virtual phones, remembered by files."""
import json, os, pathlib, signal, subprocess, sys

home = pathlib.Path(os.environ["FAKE_ENGINE"])
with (home / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + chr(10))
words = sys.argv[1:]
if words[0] == "run":
    name = words[words.index("--name") + 1]
    label = words[words.index("--label") + 1].partition("=")[2]
    if words[-1] == "missing":
        sys.exit("docker: Error response from daemon: pull access denied for missing")
    if words[-1] == "dies":
        sys.exit("no /dev/kvm")
    phone = subprocess.Popen(
        [sys.executable, "-m", "tapwise", "phone", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True
    )
    port = json.loads(phone.stdout.readline())["phones"][0]["port"]
    if words[-1] != "silent":
        (home / f"{name}.json").write_text(json.dumps({"pid": phone.pid, "port": port, "label": label}))
    signal.signal(signal.SIGTERM, lambda *_: phone.terminate())
    phone.wait()
    (home / f"{name}.json").unlink(missing_ok=True)
elif words[0] == "port":
    file = home / f"{words[1]}.json"
    if not file.exists():
        sys.exit("Error: No such container")
    print(f"127.0.0.1:{json.loads(file.read_text())['port']}")
elif words[0] == "ps":
    for file in home.glob("*.json"):
        print(file.stem.replace("-", "_"), json.loads(file.read_text())["label"])
elif words[0] == "rm":
    for name in words[2:]:
        for file in home.glob("*.json"):
            if name in (file.stem, file.stem.replace("-", "_")):
                os.kill(json.loads(file.read_text())["pid"], signal.SIGTERM)
'''


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "engine"
    home.mkdir()
    (home / "docker.py").write_text(textwrap.dedent(ENGINE))
    program = home / "docker"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {home / "docker.py"} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("FAKE_ENGINE", str(home))
    yield home
    assert list(home.glob("*.json")) == []  # no container stays behind


def backend(home: Path, image: str = "android", **changes: object) -> DockerBackend:
    settings = DockerSettings(image, program=str(home / "docker"), **changes)  # type: ignore[arg-type]
    return DockerBackend(settings, registry=ProcessRegistry(home / "processes"))


def test_the_command_publishes_on_loopback_alone_and_says_whose_the_container_is(home: Path) -> None:
    command = backend(home, adb_port=5037, options=("--memory", "4g")).run_command("tapwise-0")
    assert command[:5] == [str(home / "docker"), "run", "--rm", "--name", "tapwise-0"]
    assert command[command.index("--publish") + 1] == "127.0.0.1::5037"
    assert command[command.index("--label") + 1].startswith(f"tapwise.owner={os.getpid()}:")
    assert command[-3:] == ["--memory", "4g", "android"]


def test_a_container_boots_is_lent_crashes_and_is_replaced(home: Path) -> None:
    with Farm(backend(home), 1, FarmLimits(watch_every_s=0.05, first_retry_s=0.05)) as farm:
        farm.wait_ready(60)
        with farm.lease() as device:
            assert device.shell("echo here").strip() == "here"
        (container,) = home.glob("*.json")
        backend(home)._engine("rm", "--force", container.stem)  # somebody removes it
        assert wait_until(lambda: sum(farm.status()[0].restarts.values()) == 1, 30)
        farm.wait_ready(60)
        with farm.lease() as device:
            assert device.shell("echo again").strip() == "again"


def test_an_image_that_cannot_be_had_is_not_tried_again(home: Path) -> None:
    with pytest.raises(ConfigError, match="pull access denied"):
        backend(home, "missing").boot(0, 30)


def test_a_container_that_ends_says_why(home: Path) -> None:
    with pytest.raises(DeviceError, match="no /dev/kvm"):
        backend(home, "dies").boot(0, 30)


def test_a_container_without_a_port_is_given_up_in_time(home: Path) -> None:
    with pytest.raises(DeviceTimeout, match="no port"):
        backend(home, "silent").boot(0, 2)


def test_containers_of_owners_that_are_gone_are_removed(home: Path) -> None:
    code = (
        "import os, pathlib\n"
        "from tapwise.emulators.backends.docker import DockerBackend, DockerSettings\n"
        "from tapwise.emulators.processes import ProcessRegistry\n"
        f"home = pathlib.Path({str(home)!r})\n"
        "settings = DockerSettings('android', program=str(home / 'docker'))\n"
        "DockerBackend(settings, registry=ProcessRegistry(home / 'theirs')).boot(0, 60)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False, timeout=90)
    assert len(list(home.glob("*.json"))) == 1
    backend(home)  # the processes of theirs are in another registry: the label alone tells
    assert wait_until(lambda: not list(home.glob("*.json")), 10)


def test_an_engine_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not installed"):
        DockerBackend(DockerSettings("android", program=str(tmp_path / "none")))


def test_an_image_is_not_taken_for_an_option() -> None:
    with pytest.raises(ConfigError, match="not the name of an image"):
        DockerSettings("--privileged")
