"""`/proc`: what the kernel would tell, made when it is read, of the phone alone and by its own clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from tapwise.emulators.virtual.clock import EPOCH, START
from tapwise.emulators.virtual.running import processes

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

TOTAL_KIB: Final = 2_048_000
FREE_KIB: Final = 1_024_000
MOUNTS: Final = (
    ("/dev/block/dm-0", "/", "ext4", "ro"),
    ("/dev/block/dm-5", "/data", "ext4", "rw"),
    ("/dev/fuse", "/storage/emulated", "fuse", "rw"),
)
_PROCESSORS: Final = 4
_TICKS: Final = 100
_SHELL: Final = (4242, "sh")
"""whoever reads"""


def seconds_up(phone: VirtualPhone) -> float:
    """Virtual seconds since the phone started; never less than a minute, so that nothing takes it for just booted."""
    return max(60.0, (phone.clock.now() - EPOCH).total_seconds() - (START - EPOCH).total_seconds() + 60.0)


def proc_files(phone: VirtualPhone) -> Mapping[str, bytes]:
    """Every file below /proc with its content, directories left out."""
    up = seconds_up(phone)
    running = {**processes(phone), _SHELL[0]: _SHELL[1]}
    booted = int(phone.clock.now().timestamp() - up)
    whole = {
        "version": "Linux version 5.15.83-android13 (tapwise) #1 SMP PREEMPT\n",
        "uptime": f"{up:.2f} {up * _PROCESSORS * 0.9:.2f}\n",
        "loadavg": f"0.10 0.10 0.10 1/{len(running)} {_SHELL[0]}\n",
        "meminfo": _lines({"MemTotal": TOTAL_KIB, "MemFree": FREE_KIB, "MemAvailable": FREE_KIB, "Buffers": 0,
                           "Cached": 0, "SwapTotal": 0, "SwapFree": 0}),
        "mounts": "".join(f"{device} {place} {kind} {mode},seclabel,relatime 0 0\n"
                          for device, place, kind, mode in MOUNTS),
        "cpuinfo": "".join(f"processor\t: {n}\nBogoMIPS\t: 38.40\nFeatures\t: fp asimd aes pmull sha1 sha2 crc32\n\n"
                           for n in range(_PROCESSORS)),
        "stat": f"cpu  {int(up * _TICKS * 0.1)} 0 {int(up * _TICKS * 0.1)} {int(up * _TICKS * 3.6)} 0 0 0 0 0 0\n"
                f"btime {booted}\nprocesses {len(running)}\nprocs_running 1\nprocs_blocked 0\n",
        "filesystems": "nodev\tproc\nnodev\tsysfs\n\text4\n\tfuse\n",
    }  # fmt: skip
    found = {f"/proc/{name}": text.encode() for name, text in whole.items()}
    for pid, name in running.items():
        found |= {f"/proc/{pid}/{part}": content for part, content in _process(pid, name).items()}
    for part, content in _process(*_SHELL).items():
        found[f"/proc/self/{part}"] = content
    found["/proc/self/mounts"] = found["/proc/mounts"]
    return found


def _process(pid: int, name: str) -> dict[str, bytes]:
    short, parent = name[-15:], 0 if pid == 1 else 1
    told = {"Name": short, "State": "S (sleeping)", "Tgid": pid, "Pid": pid, "PPid": parent, "VmRSS": "   81920 kB",
            "Threads": 1}  # fmt: skip
    status = "".join(f"{name}:\t{value}\n" for name, value in told.items())
    return {
        "cmdline": name.encode() + b"\0",
        "comm": f"{short}\n".encode(),
        "stat": f"{pid} ({short}) S {parent} {pid} 0 0 -1 0 0 0 0 0 10 0 0 0 20 0 1 0 100\n".encode(),
        "status": status.encode(),
        "oom_score_adj": b"0\n",
    }


def _lines(values: Mapping[str, int]) -> str:
    return "".join(f"{name + ':':<16}{value:>8} kB\n" for name, value in values.items())
