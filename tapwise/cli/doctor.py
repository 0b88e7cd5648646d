"""`tapwise doctor`: what this machine has and lacks, and for each failure its cause and the command that mends it."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

Status = Literal["ok", "note", "fails"]
_LEAST_DISK_GIB, _LEAST_MEMORY_GIB = 2.0, 2.0
_TIMEOUT_S = 10.0
_SCANNED = range(5555, 5586, 2)
"""ports that every adb server that starts takes phones on"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do when it fails; a note is of a thing that not everybody needs."""

    check: str
    status: Status
    found: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look; tests give broken ones."""

    environment: Mapping[str, str]
    python: tuple[int, int] = sys.version_info[:2]
    kvm: Path = Path("/dev/kvm")
    meminfo: Path = Path("/proc/meminfo")
    processes: Path = Path(tempfile.gettempdir()) / f"tapwise-{os.getuid()}"
    folder: Path = Path()
    which: Callable[[str], str | None] = shutil.which
    has_module: Callable[[str], bool] = lambda name: find_spec(name) is not None
    free_gib: Callable[[Path], float] = lambda path: shutil.disk_usage(path).free / 2**30


def check_python(machine: Machine) -> Finding:
    """The interpreter."""
    version = ".".join(map(str, machine.python))
    fine = machine.python >= (3, 11)
    return Finding("python", "ok" if fine else "fails", version, "" if fine else "install Python 3.11 or later")


def check_training(machine: Machine) -> Finding:
    """What training needs."""
    missing = [name for name in ("torch", "transformers", "safetensors", "tokenizers") if not machine.has_module(name)]
    if missing:
        return Finding("training", "note", f"{', '.join(missing)} missing", "pip install 'tapwise[train]'")
    return Finding("training", "ok", "torch and transformers are there")


def check_adb(machine: Machine) -> Finding:
    """The adb program, which comes with adbutils."""
    from tapwise.emulators.adb.binary import find_adb
    from tapwise.errors import TapwiseError

    try:
        program = str(find_adb())
        done = subprocess.run(
            [program, "version"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
            env=machine.environment,
        )
    except (TapwiseError, OSError, subprocess.SubprocessError) as error:
        return Finding("adb", "fails", str(error), "pip install --force-reinstall adbutils")
    version = next((line for line in done.stdout.splitlines() if line.startswith("Version")), done.stdout.strip())
    return Finding("adb", "ok", f"{version}, {program}")


def check_adb_server(machine: Machine) -> Finding:
    """Whether an adb server runs; it is looked at, never restarted."""
    port = machine.environment.get("ANDROID_ADB_SERVER_PORT", "5037")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return Finding("adb server", "fails", f"ANDROID_ADB_SERVER_PORT={port}", "unset ANDROID_ADB_SERVER_PORT")
    with socket.socket() as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(("127.0.0.1", int(port))) != 0:
            return Finding("adb server", "ok", f"none on port {port}; one starts when it is needed")
        try:
            probe.sendall(b"000chost:version")
            answer = probe.recv(64)
        except OSError:
            answer = b""
    if not answer.startswith(b"OKAY"):
        fix = f"find the program with: ss -ltnp 'sport = :{port}'; or export ANDROID_ADB_SERVER_PORT=5137"
        return Finding("adb server", "fails", f"what listens on port {port} is no adb server", fix)
    return Finding("adb server", "ok", f"runs on port {port}")


def check_ports(machine: Machine) -> Finding:
    """Ports on which adb servers look for emulators by themselves."""
    taken = [port for port in _SCANNED if not _is_free(port)]
    if taken:
        text = f"{', '.join(map(str, taken))} in use: adb servers take what is there for emulators"
        return Finding("ports", "note", text, "give phones of your own ports outside 5555 to 5585")
    return Finding("ports", "ok", "5555 to 5585 are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def check_kvm(machine: Machine) -> Finding:
    """Hardware acceleration, which Google's emulator needs; virtual phones do not."""
    if not machine.kvm.exists():
        return Finding(
            "kvm", "note", f"{machine.kvm} is missing: Google's emulator would be too slow; virtual phones need none",
            "enable virtualisation in the firmware, then: sudo modprobe kvm_intel || sudo modprobe kvm_amd",
        )  # fmt: skip
    if not os.access(machine.kvm, os.R_OK | os.W_OK):
        return Finding("kvm", "note", f"no access to {machine.kvm}", "sudo usermod -aG kvm $USER, then log in again")
    return Finding("kvm", "ok", f"{machine.kvm} can be used")


def check_emulator(machine: Machine) -> Finding:
    """Google's emulator."""
    roots = [machine.environment.get(name) for name in ("ANDROID_HOME", "ANDROID_SDK_ROOT")]
    beside = [str(Path(root) / "emulator" / "emulator") for root in roots if root]
    found = machine.which("emulator") or next((path for path in beside if machine.which(path)), None)
    if found is None:
        return Finding("emulator", "note", "not installed; tapwise-emulator is", "sdkmanager emulator platform-tools")
    return Finding("emulator", "ok", found)


def check_disk(machine: Machine) -> Finding:
    """Space for runs and temporary files."""
    places = {"runs": machine.folder, "temporary files": Path(tempfile.gettempdir())}
    sizes = {name: machine.free_gib(path) for name, path in places.items()}
    told = ", ".join(f"{size:.1f} GiB for {name}" for name, size in sizes.items())
    if min(sizes.values()) < _LEAST_DISK_GIB:
        return Finding("disk", "fails", told, "free some, or set TMPDIR and work in a folder on a larger disk")
    return Finding("disk", "ok", told)


def check_memory(machine: Machine) -> Finding:
    """Memory for phones and models."""
    try:
        lines = machine.meminfo.read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 2**20
    except (OSError, StopIteration, ValueError, IndexError):
        return Finding("memory", "note", f"{machine.meminfo} cannot be read", "look at the machine's memory yourself")
    told = f"{available:.1f} GiB available"
    if available < _LEAST_MEMORY_GIB:
        return Finding("memory", "fails", told, "end other programs, or use fewer devices: --farm.devices 2")
    return Finding("memory", "ok", told)


def check_gpu(machine: Machine) -> Finding:
    """A GPU, which large models need."""
    program = machine.which("nvidia-smi")
    if program is None:
        return Finding("gpu", "note", "none; the small model needs none", "for large models: install NVIDIA's driver")
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("gpu", "fails", f"nvidia-smi fails: {error}", "reinstall NVIDIA's driver, or reboot")
    return Finding("gpu", "ok", "; ".join(done.stdout.strip().splitlines()))


def check_leftovers(machine: Machine) -> Finding:
    """Programs that a run which was killed has left behind."""
    from tapwise.emulators.processes import ProcessRegistry

    if not machine.processes.is_dir():
        return Finding("leftovers", "ok", "none")
    left = ProcessRegistry(machine.processes).leftovers()
    if left:
        text = f"processes {', '.join(map(str, left))} belong to runs that are gone"
        return Finding("leftovers", "note", text, "the next farm that starts ends them")
    return Finding("leftovers", "ok", "none")


def check_judge(machine: Machine) -> Finding:
    """The endpoint of a judge, where one is set."""
    base = machine.environment.get("OPENAI_BASE_URL", "")
    if not base:
        return Finding(
            "judge", "note", "OPENAI_BASE_URL is not set; ground truth needs no judge", "export OPENAI_BASE_URL"
        )
    import httpx

    try:
        reply = httpx.get(f"{base.rstrip('/')}/models", timeout=_TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding(
            "judge", "fails", f"{base} does not answer: {error}", "start the server, or mend OPENAI_BASE_URL"
        )
    if reply.status_code >= 500 or reply.status_code == 404:
        return Finding("judge", "fails", f"{base}/models answers {reply.status_code}", "mend OPENAI_BASE_URL")
    return Finding("judge", "ok", f"{base} answers")


CHECKS: tuple[Callable[[Machine], Finding], ...] = (
    *(check_python, check_training, check_adb, check_adb_server, check_ports, check_kvm, check_emulator),
    *(check_disk, check_memory, check_gpu, check_leftovers, check_judge),
)


def run(argv: list[str]) -> int:
    """Check everything; gives 1 when something fails."""
    parser = argparse.ArgumentParser(prog="tapwise doctor", description="Say what this machine has and lacks.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)
    findings = [check(Machine(os.environ)) for check in CHECKS]
    failed = [finding for finding in findings if finding.status == "fails"]
    if options.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings], "failed": len(failed)}))
    else:
        _show(findings)
    return 1 if failed else 0


def _show(findings: Sequence[Finding]) -> None:
    colours = {"ok": "green", "note": "yellow", "fails": "red"}
    table = Table("check", "", "found", "what mends it")
    for finding in findings:
        status = f"[{colours[finding.status]}]{finding.status}[/]"
        table.add_row(finding.check, status, finding.found.replace("[", r"\["), finding.fix.replace("[", r"\["))
    Console().print(table)
