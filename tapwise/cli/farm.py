"""`tapwise farm`: devices that stay up for other programs, and the proof that a farm survives its faults."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.errors import ConfigError, DeviceError

if TYPE_CHECKING:
    from rich.table import Table

    from tapwise.emulators.farm import Farm
    from tapwise.emulators.farm_board import Board
    from tapwise.emulators.farm_status import DeviceStatus
    from tapwise.training.recipes import FarmConfig

DEFAULT_FOLDER = Path("runs/farm")
LOOK_EVERY_S = 0.25
WELL = ("ready", "leased")


def run(argv: list[str]) -> int:
    """Dispatch; gives the exit status. Raises ConfigError for what cannot be met."""
    options = _parser().parse_args(argv)
    handler: Callable[[argparse.Namespace], int] = options.handler
    return handler(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tapwise farm", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start devices and look after them until ended")
    up.set_defaults(handler=_up)
    up.add_argument("--devices", type=int, default=4, help="number of devices (4)")
    up.add_argument(
        "--backend", default="virtual", choices=("virtual", "avd", "docker", "remote", "appium"), help="(virtual)"
    )
    up.add_argument("--transport", default="direct", choices=("direct", "binary"), help="own client, or adb (direct)")
    up.add_argument("--size", default="540x1200", help="screen of virtual phones (540x1200)")
    up.add_argument("--noise", default="", help="the virtual phones' noise, such as popups=0.1")
    up.add_argument("--addresses", nargs="*", default=[], metavar="HOST:PORT", help="remote phones")
    up.add_argument("--grpc", action="store_true", help="emulators serve gRPC, for screenshots among others (no)")
    up.add_argument("--grpc-addresses", nargs="*", default=[], metavar="HOST:PORT", help="of remote emulators")
    up.add_argument("--avd", default="", help="the emulators' AVD")
    up.add_argument("--emulator", default="emulator", help="the program that starts emulators (emulator)")
    up.add_argument("--snapshot", default="", help="the AVD's snapshot to start from")
    up.add_argument("--image", default="", help="the containers' image")
    up.add_argument("--metrics-port", type=int, default=0, help="serve /metrics for Prometheus on loopback (no)")
    up.add_argument("--detach", action="store_true", help="leave it in the background once all devices are up")
    up.add_argument("--timeout", type=float, default=300.0, help="seconds until all must be up with --detach (300)")
    _common(up)

    status = commands.add_parser("status", help="how the devices are; the status is 1 when one is not well")
    status.set_defaults(handler=_status)
    status.add_argument("--watch", action="store_true", help="go on showing it")
    _common(status)

    down = commands.add_parser("down", help="end a farm")
    down.set_defaults(handler=_down)
    down.add_argument("--timeout", type=float, default=60.0, help="seconds to wait for its end (60)")
    _common(down)

    logs = commands.add_parser("logs", help="what happened to the devices")
    logs.set_defaults(handler=_logs)
    logs.add_argument("--follow", action="store_true", help="go on as it happens")
    _common(logs)

    execute = commands.add_parser("exec", help="run a shell command on the devices; gives their largest status")
    execute.set_defaults(handler=_exec)
    execute.add_argument("--serial", action="append", help="only on this device; may be given several times")
    execute.add_argument("--timeout", type=float, default=30.0, help="seconds for each device (30)")
    execute.add_argument("command", nargs="+", help="the command, after --")
    _common(execute)

    chaos = commands.add_parser("chaos", help="play under faults: what is lost, and how long recovery takes")
    chaos.set_defaults(handler=_chaos)
    chaos.add_argument("--profile", default="nasty", choices=("gentle", "nasty", "hostile"), help="how bad (nasty)")
    chaos.add_argument("--rate", type=float, help="faults a step, instead of the profile's")
    chaos.add_argument("--devices", type=int, default=8, help="virtual phones (8)")
    chaos.add_argument("--episodes", type=int, default=200, help="episodes to finish (200)")
    chaos.add_argument("--seed", type=int, default=0, help="of tasks, worlds and faults (0)")
    chaos.add_argument("--out", type=Path, help="JSON file for the result")
    chaos.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="the farm's folder (runs/farm)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _config(options: argparse.Namespace) -> FarmConfig:
    from pydantic import ValidationError

    from tapwise.training.recipes import FarmConfig

    names = (
        *("metrics_port", "devices", "backend", "transport", "size", "noise"),
        *("avd", "emulator", "snapshot", "image", "grpc", "addresses", "grpc_addresses"),
    )
    try:
        return FarmConfig(**{name: getattr(options, name) for name in names})
    except ValidationError as error:
        told = "; ".join(f"--{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"tapwise farm up: {told}") from None


def _up(options: argparse.Namespace) -> int:
    config = _config(options)
    if options.detach:
        return _up_detached(options, config)

    from rich.console import Console
    from rich.live import Live

    from tapwise.cli.interrupts import interruptible
    from tapwise.emulators.farm_board import BoardWriter
    from tapwise.training.farms import make_farm

    console = Console()
    board = BoardWriter(options.folder, config.backend, config.transport)
    live = None if options.json or not console.is_terminal else Live(console=console, auto_refresh=False)
    try:
        with interruptible(), make_farm(config) as farm, _metrics(farm, config.metrics_port):
            if live is not None:
                live.start()
            while True:
                devices = farm.status()
                changed = board.publish(devices)
                if live is not None:
                    live.update(table(devices), refresh=True)
                elif changed:
                    _tell(devices, options.json)
                if all(str(device.state) == "dead" for device in devices):
                    return 1
                time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        return 0
    finally:
        if live is not None:
            live.stop()
        board.close()


def _metrics(farm: Farm, port: int) -> AbstractContextManager[object]:
    from tapwise.emulators.farm_metrics import FarmMetrics, served

    return served(FarmMetrics(farm.status, farm.waiting), port) if port else nullcontext()


def _tell(devices: Sequence[DeviceStatus], as_json: bool) -> None:
    if as_json:
        print(json.dumps([device.to_json() for device in devices]), flush=True)
    else:
        print("\n".join(map(str, devices)), flush=True)


def _up_detached(options: argparse.Namespace, config: FarmConfig) -> int:
    from tapwise.emulators.farm_board import read_board

    options.folder.mkdir(parents=True, exist_ok=True)
    log = options.folder / "farm.log"
    words = [
        *("--folder", str(options.folder), "--devices", str(config.devices), "--backend", config.backend),
        *("--transport", config.transport, "--size", config.size, "--noise", config.noise),
        *("--metrics-port", str(config.metrics_port)),
        *("--avd", config.avd, "--emulator", config.emulator, "--snapshot", config.snapshot, "--image", config.image),
        *(("--addresses", *config.addresses) if config.addresses else ()),
        *(("--grpc-addresses", *config.grpc_addresses) if config.grpc_addresses else ()),
        *(("--grpc",) if config.grpc else ()),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tapwise", "farm", "up", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + options.timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            told = log.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
            raise DeviceError(f"the farm did not come up (status {process.returncode}): {told}")
        if (options.folder / "farm.json").exists():
            board = read_board(options.folder)
            ours = board.owner.pid == process.pid
            if ours and all(str(device.state) in WELL for device in board.devices):
                _show(board, options.json)
                return 0
        time.sleep(LOOK_EVERY_S)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    raise DeviceError(f"not all devices were up within {options.timeout:g} s, and the farm was ended: see {log}")


def _status(options: argparse.Namespace) -> int:
    from tapwise.emulators.farm_board import read_board

    while True:
        board = read_board(options.folder)
        _show(board, options.json)
        if not options.watch:
            well = board.is_up() and all(str(device.state) in WELL for device in board.devices)
            return 0 if well else 1
        time.sleep(1.0)


def _show(board: Board, as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        print(json.dumps({"up": board.is_up(), **board.to_json()}), flush=True)
        return
    if not board.is_up():
        print(f"the farm's process {board.owner.pid} is gone; its last state:")
    Console().print(table(board.devices))
    if board.is_up():
        serials = json.dumps([device.serial for device in board.devices])
        remote = f"--farm.backend remote --farm.devices {len(board.devices)} --farm.addresses '{serials}'"
        print(f"process {board.owner.pid}; to use it: tapwise train demo {remote}")


def table(devices: Sequence[DeviceStatus]) -> Table:
    """A row a device."""
    from rich.table import Table
    from rich.text import Text

    from tapwise.cli.live import STATE_STYLES
    from tapwise.emulators.screen_ways import describe_choice

    columns = ("device", "state", "for", "task", "screenshots", "mended by", "restarts by cause", "last error")
    found = Table(*columns, box=None)
    for device in devices:
        state = Text(str(device.state), style=STATE_STYLES.get(str(device.state), "red"))
        causes = ", ".join(f"{cause} x{count}" for cause, count in device.restarts.items())
        mended = ", ".join(f"{remedy} x{count}" for remedy, count in device.mended.items())
        screens = describe_choice(device.screenshots) if device.screenshots else ""
        words = (device.task or "", screens, mended, causes, device.last_error)
        found.add_row(Text(device.serial), state, f"{device.since_s:.0f} s", *map(Text, words))
    return found


def _down(options: argparse.Namespace) -> int:
    from tapwise.emulators.farm_board import STATE_FILE, read_board
    from tapwise.emulators.processes import wait_until

    board = read_board(options.folder)
    if board.is_up():
        os.kill(board.owner.pid, signal.SIGTERM)
        if not wait_until(board.owner.has_ended, options.timeout):
            raise DeviceError(
                f"the farm's process {board.owner.pid} has not ended within {options.timeout:g} s: end it with"
                f" `kill -9 {board.owner.pid}`; its phones end with it"
            )
        told = f"the farm in {options.folder} has ended"
    else:
        from tapwise.emulators.processes import ProcessRegistry

        reaped = ProcessRegistry().reap_leftovers()
        (options.folder / STATE_FILE).unlink(missing_ok=True)
        told = f"the farm in {options.folder} was gone already; {len(reaped)} programs that it left were ended"
    print(json.dumps({"ended": board.owner.pid}) if options.json else told)
    return 0


def _logs(options: argparse.Namespace) -> int:
    from datetime import datetime

    from tapwise.emulators.farm_board import EVENTS_FILE, read_events
    from tapwise.emulators.screen_ways import describe_choice

    if not (options.folder / EVENTS_FILE).exists():
        raise ConfigError(f"no farm has been up in {options.folder}: there is no {EVENTS_FILE}")
    after = 0
    while True:
        for end, event in read_events(options.folder, after):
            after = end
            if options.json:
                print(json.dumps(event), flush=True)
                continue
            moment = datetime.fromtimestamp(event["time_s"]).isoformat(sep=" ", timespec="milliseconds")
            error = f": {event['error']}" if event["error"] else ""
            screens = event.get("screenshots")
            way = f", screenshots: {describe_choice(screens)}" if screens else ""
            print(f"{moment}  {event['device']:>3}  {event['serial']}  {event['state']}{way}{error}", flush=True)
        if not options.follow:
            return 0
        time.sleep(LOOK_EVERY_S)


def _exec(options: argparse.Namespace) -> int:
    from tapwise.emulators.farm_board import read_board

    board = read_board(options.folder)
    if not board.is_up():
        raise ConfigError(f"the farm in {options.folder} is gone: start it anew with `tapwise farm up`")
    serials = [device.serial for device in board.devices]
    unknown = sorted(set(options.serial or ()) - set(serials))
    if unknown:
        raise ConfigError(f"--serial {', '.join(unknown)}: the farm's devices are {', '.join(serials)}")
    chosen = [serial for serial in serials if not options.serial or serial in options.serial]
    command = " ".join(options.command)
    with ThreadPoolExecutor(len(chosen)) as threads:
        results = list(threads.map(lambda serial: _execute(board, serial, command, options.timeout), chosen))
    for result in results:
        if options.json:
            print(json.dumps(result))
        else:
            text = result["stdout"] + result["stderr"] + (result["error"] or "")
            lines = text.splitlines() or [""]
            print("\n".join(f"{result['serial']}  {line}" for line in lines))
    return int(max(result["status"] for result in results))


def _execute(board: Board, serial: str, command: str, timeout_s: float) -> dict[str, Any]:
    """The command's result on one device over a connection of its own; status 255 when it could not be run."""
    from tapwise.emulators.backends.adb_phone import make_transport

    result: dict[str, Any] = {"serial": serial, "status": 255, "stdout": "", "stderr": "", "error": None}
    try:
        transport = make_transport("binary" if board.transport == "binary" else "direct", serial)
        try:
            transport.connect(timeout_s)
            answer = transport.shell(command, timeout_s)
        finally:
            transport.close()
    except DeviceError as error:
        return {**result, "error": f"{type(error).__name__}: {error}"}
    texts = {name: getattr(answer, name).decode("utf-8", "replace") for name in ("stdout", "stderr")}
    return {**result, **texts, "status": answer.exit_code}


def _chaos(options: argparse.Namespace) -> int:
    from tapwise.cli import farm_chaos

    return farm_chaos.main(options)
