"""Phones in containers: any image that runs Android, real or emulated, and serves its ADB on a port."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
import uuid
from dataclasses import dataclass

from tapwise.emulators.backends.adb_phone import AdbPhone, TransportKind
from tapwise.emulators.backends.output import Output
from tapwise.emulators.processes import Identity, OwnedProcess, ProcessRegistry, identify
from tapwise.errors import ConfigError, DeviceError, DeviceLost, DeviceTimeout

_OWNER = "tapwise.owner"
_COMMAND_S = 30.0
_POLL_S = 0.2
_NEVER = ("No such image", "pull access denied", "manifest unknown", "invalid reference format", "unknown flag")
"""what the engine says of calls that fail again however often they are tried"""


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """How containers are started.

    image: what to run. adb_port: the port in the container that Android's ADB listens on. program: docker, or what
    takes its command line, such as podman. options: further ones of `docker run`, such as `--device /dev/kvm`, which
    most images of emulators need. reads_back: as `AdbDevice` takes it.
    """

    image: str
    adb_port: int = 5555
    program: str = "docker"
    options: tuple[str, ...] = ("--device", "/dev/kvm")
    reads_back: bool = True

    def __post_init__(self) -> None:
        if not self.image or self.image.startswith("-"):
            raise ConfigError(f"container image {self.image!r} is not the name of an image")


class DockerBackend:
    """Runs a container per phone; its port is published on loopback alone, at one that the engine chooses.

    A container ends with its phone, and is removed. Containers whose owner was killed are removed when a backend is
    made: each bears the owner's process, its start and its boot as a label.
    """

    name = "docker"

    def __init__(
        self, settings: DockerSettings, transport: TransportKind = "direct", *, registry: ProcessRegistry | None = None
    ) -> None:
        self._settings = settings
        self._transport: TransportKind = transport
        self._registry = registry or ProcessRegistry()
        self._registry.reap_leftovers()
        self._remove_leftovers()

    def boot(self, index: int, timeout_s: float) -> AdbPhone:
        """Start a container and wait until Android in it has booted."""
        deadline = time.monotonic() + timeout_s
        name = f"tapwise-{index}-{uuid.uuid4().hex[:12]}"
        process = self._registry.start(self.run_command(name))
        said = Output(process.stdout)  # read, so that the container's log never waits for a reader

        def end() -> None:
            with contextlib.suppress(DeviceError):  # an engine that hangs: the next backend removes the container
                self._engine("rm", "--force", name)
            process.end()
            said.join()

        try:
            address = self._address(name, process, deadline)
            phone = AdbPhone(
                self._transport,
                address,
                alive=process.alive,
                end=end,
                reads_back=self._settings.reads_back,
                reboots=True,
                measures=True,
            )
            _wait_for_boot(phone, process, deadline)
        except BaseException:
            end()
            raise
        return phone

    def run_command(self, name: str) -> list[str]:
        """The command that runs a container of that name."""
        settings = self._settings
        owner = identify(os.getpid())
        label = [] if owner is None else ["--label", f"{_OWNER}={owner.pid}:{owner.started}:{owner.boot}"]
        publish = f"127.0.0.1::{settings.adb_port}"
        return [
            *(settings.program, "run", "--rm", "--name", name, *label, "--publish", publish),
            *(*settings.options, settings.image),
        ]

    def _address(self, name: str, process: OwnedProcess, deadline: float) -> str:
        """Where the engine has published the container's port."""
        while time.monotonic() < deadline:
            if not process.alive():
                raise _ended(process)
            told = self._engine("port", name, f"{self._settings.adb_port}/tcp")
            if match := re.search(r"^(127\.0\.0\.1:\d+)$", told, re.MULTILINE):
                return match[1]
            time.sleep(_POLL_S)
        raise DeviceTimeout(f"container {name} had no port in time: its image may need longer, or cannot be had")

    def _remove_leftovers(self) -> None:
        columns = '{{.ID}} {{.Label "tapwise.owner"}}'
        listing = self._engine("ps", "--filter", f"label={_OWNER}", "--format", columns)
        gone = [identifier for identifier, owner in _owners(listing) if not owner.is_running()]
        if gone:
            self._engine("rm", "--force", *gone)

    def _engine(self, *words: str) -> str:
        """What the engine prints for a short command; empty when it refuses."""
        try:
            done = subprocess.run(
                [self._settings.program, *words],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_COMMAND_S,
                check=False,
            )
        except FileNotFoundError:
            raise ConfigError(
                f"program {self._settings.program!r} is not installed: install a container engine, or take another"
                " farm.backend"
            ) from None
        except subprocess.TimeoutExpired:
            raise DeviceTimeout(f"`{self._settings.program} {words[0]}` gave no answer in {_COMMAND_S:g} s") from None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _owners(listing: str) -> list[tuple[str, Identity]]:
    found = re.findall(r"^(\w+) (\d+):(\d+):(\S+)$", listing, re.MULTILINE)
    return [(identifier, Identity(int(pid), int(started), boot)) for identifier, pid, started, boot in found]


def _wait_for_boot(phone: AdbPhone, process: OwnedProcess, deadline: float) -> None:
    last: DeviceError = DeviceTimeout("it was not asked once")
    while (left_s := deadline - time.monotonic()) > 0:
        if not process.alive():
            raise _ended(process)
        try:
            phone.renew(min(left_s, 5.0))
        except DeviceError as error:
            last = error
            time.sleep(_POLL_S)
        else:
            return
    raise DeviceTimeout(f"Android in the container at {phone.device.serial} has not booted in time: {last}")


def _ended(process: OwnedProcess) -> Exception:
    said = process.error_output() or "it said nothing"
    if any(word in said for word in _NEVER):
        return ConfigError(f"the container cannot be started: {said}")
    return DeviceLost(f"the container ended while it started: {said}")
