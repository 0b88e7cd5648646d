"""`tapwise phone`: virtual phones for any ADB client."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.emulators.virtual.faults import Firing
    from tapwise.emulators.virtual.phone import VirtualPhone


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise phone",
        description="Serve virtual Android phones over the ADB protocol; reach one with `adb connect 127.0.0.1:5555`.",
    )
    parser.add_argument("--port", type=int, default=5555, help="port of the first phone, 0 for any free one (5555)")
    parser.add_argument("--count", type=int, default=1, help="number of phones; phone k listens on PORT + 2k (1)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--size", default="540x1200", help="screen in pixels, WIDTHxHEIGHT (540x1200)")
    parser.add_argument("--density", type=int, default=210, help="screen density in dpi (210)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first world; phone k gets SEED + k (0)")
    parser.add_argument("--noise", default="", help="the world's noise, such as popups=0.1,ads=0.2,slow_loads=0.1")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="KIND:NAME=VALUE,...",
        help="something that goes wrong, such as hang:on=screencap,after=10; may be given several times",
    )
    parser.add_argument("--fault-log", help="file that gets a line of JSON for each fault that happens")
    parser.add_argument("--control-port", type=int, help="port for faults over HTTP, on loopback; 0 for any free one")
    parser.add_argument("--json", action="store_true", help="announce the phones in one line of JSON")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input does")
    return parser


def run(argv: list[str]) -> int:
    """Serve until ended by a signal; gives the exit status. Raises ConfigError for arguments that cannot be met."""
    options = _parser().parse_args(argv)
    width, height = _size(options.size)
    if options.count < 1:
        raise ConfigError(f"--count {options.count}: at least one phone is needed")

    from tapwise.emulators.virtual.faults import FaultSpec
    from tapwise.emulators.virtual.noise import Noise
    from tapwise.emulators.virtual.phone import VirtualPhone
    from tapwise.emulators.virtual.serve import serve_forever
    from tapwise.records import Size

    noise = Noise.parse(options.noise)
    phones = [
        VirtualPhone(size=Size(height, width), density=options.density, seed=options.seed + number, noise=noise)
        for number in range(options.count)
    ]
    for spec in map(FaultSpec.parse, options.fault):
        for phone in phones:
            phone.faults.add(spec)
    if options.fault_log:
        _log_faults(phones, options.fault_log)
    serve_forever(
        phones,
        options.host,
        options.port,
        announce=_print_json if options.json else _print_help,
        end_with_stdin=options.end_with_stdin,
        control_port=options.control_port,
    )
    return 0


def _log_faults(phones: Sequence[VirtualPhone], path: str) -> None:
    """Write each firing at once: the next thing that happens may be the end of this process."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"--fault-log {path} cannot be written: {error}") from error

    def tell(firing: Firing) -> None:
        os.write(descriptor, (json.dumps(asdict(firing)) + "\n").encode())

    for phone in phones:
        phone.faults.tell = tell


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise ConfigError(f"--size {text!r} is not WIDTHxHEIGHT in pixels: write it like 540x1200")
    return int(match[1]), int(match[2])


def _print_json(line: str) -> None:
    print(line, flush=True)


def _print_help(line: str) -> None:
    told = json.loads(line)
    for entry in told["phones"]:
        print(f"phone {entry['serial']}  seed {entry['seed']}  {entry['size']}  ->  adb connect {entry['serial']}")
    if "control_port" in told:
        print(f"faults: http://127.0.0.1:{told['control_port']}/faults")
    print("end with Ctrl-C", file=sys.stderr, flush=True)
    sys.stdout.flush()
