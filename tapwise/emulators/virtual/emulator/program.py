"""The program `tapwise-emulator`: a virtual phone that is started, found, driven and ended like Google's emulator."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tapwise import __version__
from tapwise.emulators.avd_files import avd_home
from tapwise.emulators.virtual.control import serve_control
from tapwise.emulators.virtual.emulator.announce import announce
from tapwise.emulators.virtual.emulator.avd import BOOT_SNAPSHOT, Avd, list_avds
from tapwise.emulators.virtual.emulator.console import Console, read_token, start_console
from tapwise.emulators.virtual.emulator.launch import NO_SPACE, VARIABLE, armed_faults, launch_faults, leave_stray
from tapwise.emulators.virtual.emulator.machine import Machine
from tapwise.emulators.virtual.emulator.options import FIRST_CONSOLE_PORT, LAST_CONSOLE_PORT, Options, parse
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.serve import PhoneServer
from tapwise.errors import ConfigError, DeviceError, TapwiseError
from tapwise.records import Size

HOST: Final = "127.0.0.1"
INSTALL: Final = "-install-as-emulator"
_ADB_SERVER_PORT: Final = 5037
_HELP: Final = f"""usage: tapwise-emulator [-avd NAME | @NAME] [OPTIONS]

Runs a virtual phone in the place of Google's emulator. Options with an effect:
    -avd NAME | @NAME        the AVD; "tapwise" is always there
    -list-avds               names of all AVDs
    -port P | -ports C,A     the console's port (P + 1 is adb's), or both
    -grpc P                  serve the emulator's gRPC on port P (needs tapwise[grpc])
    -snapshot NAME           start from a snapshot; otherwise from what the last run left
    -no-snapshot             neither start from nor leave a snapshot; -no-snapshot-load, -no-snapshot-save: one of both
    -wipe-data               start as new
    -read-only               share the AVD, and change nothing of it
    -skin WxH, -dpi-device N, -timezone ZONE
    -version, -help
    -fault SPEC              something that goes wrong, as in KIND:NAME=VALUE,...; may be given several times
    -fault-control P         take faults over HTTP on port P
    {INSTALL} DIR  put a program called `emulator` into a folder, and end
All other options of the real program are taken and ignored. The AVD's config.ini may say tapwise.seed,
tapwise.noise and tapwise.faults (several with ; between them), the environment {VARIABLE}. Its
ANDROID_AVD_HOME, ANDROID_USER_HOME and ANDROID_ADB_SERVER_PORT mean what they mean to the real one.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and give the exit status: 0 ended as asked, 1 could not start or was asked for nonsense."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == [INSTALL] and len(words) == 2:
            print(f"{install(Path(words[1]))}")
            return 0
        options = parse(words)
        if options.help:
            print(_HELP)
        elif options.version:
            print(f"Android emulator version 33.1.24.0 (tapwise {__version__})")
        elif options.list_avds:
            print("\n".join(list_avds(avd_home(os.environ))))
        else:
            _run(options, os.environ)
    except TapwiseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def install(folder: Path) -> Path:
    """Write a program called `emulator` that starts this one, whatever the caller's library paths are."""
    path = folder / "emulator"
    call = "import sys; from tapwise.emulators.virtual.emulator.program import main; sys.exit(main())"
    script = f'#!/bin/sh\nunset LD_LIBRARY_PATH\nexec {shlex.quote(sys.executable)} -c {shlex.quote(call)} "$@"\n'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}): choose another folder") from None
    return path


def _run(options: Options, environment: Mapping[str, str]) -> None:
    if not options.avd:
        raise ConfigError("No AVD specified. Use '@foo' or '-avd foo' to launch a virtual device named 'foo'")
    avd = Avd.find(options.avd, avd_home(environment))
    phone = _make_phone(options, avd)
    wrong = launch_faults(phone.faults, armed_faults(avd, environment, options.faults), avd)
    if "disk" in wrong:
        raise ConfigError(NO_SPACE.format(avd.folder))
    with avd.locked(read_only=options.read_only, heeds_stale="lock" in wrong):
        asyncio.run(_serve(options, avd, phone, wrong, environment))


async def _serve(
    options: Options, avd: Avd, phone: VirtualPhone, wrong: frozenset[str], environment: Mapping[str, str]
) -> None:
    started = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(asked_by: str = "kill") -> None:
        if not phone.faults.fires("end", asked_by):
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, end, number.name)
    console_port, adb_port = choose_ports(options)
    machine = Machine(phone, avd, end, read_only=options.read_only)
    _boot(machine, options)
    home = Path(environment.get("HOME", "/"))
    read_token(home)  # made now, so that clients find it
    console = Console(machine, home)
    server = PhoneServer()
    async with contextlib.AsyncExitStack() as stack:
        listening = await start_console(console, HOST, console_port)
        stack.callback(listening.close)
        await server.start([phone], HOST, [0 if "no_adb" in wrong else adb_port])
        stack.push_async_callback(server.close)
        server.devices[0].crash = _crash
        if "stray" in wrong:
            leave_stray([*listening.sockets, *server.sockets])
        if options.fault_port is not None:
            stack.callback((await serve_control([phone], options.fault_port)).close)
        if options.grpc_port is not None:
            await stack.enter_async_context(_grpc(machine, options.grpc_port))
        server_port = int(environment.get("ANDROID_ADB_SERVER_PORT") or _ADB_SERVER_PORT)
        if "no_adb" in wrong:
            print(f"ERROR   | could not bind ADB port {adb_port}", file=sys.stderr, flush=True)
        else:
            telling = asyncio.create_task(announce(adb_port, server_port, lambda: bool(server.devices[0].links)))
            stack.callback(telling.cancel)
        print(
            f"INFO    | emulator-{console_port} is ready: console {console_port}, adb {adb_port}\n"
            f"INFO    | Boot completed in {round(1e3 * (time.monotonic() - started))} ms",
            flush=True,
        )
        await stop.wait()
        if options.save_snapshot:
            machine.save_on_exit()
    print("INFO    | the emulator has ended", flush=True)


def _crash() -> None:
    os._exit(139)


@contextlib.asynccontextmanager
async def _grpc(machine: Machine, port: int) -> AsyncIterator[None]:
    try:
        from tapwise.emulators.virtual.emulator.grpc_server import serve_grpc
    except ImportError:
        raise ConfigError("-grpc needs the packages grpcio and protobuf: pip install 'tapwise[grpc]'") from None
    async with serve_grpc(machine, HOST, port):
        yield


def _make_phone(options: Options, avd: Avd) -> VirtualPhone:
    size = avd.size()
    if options.size:
        width, _, height = options.size.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise ConfigError(f"-skin {options.size!r}: write it as WIDTHxHEIGHT")
        size = Size(int(height), int(width))
    seed = avd.config.get("tapwise.seed", "0")
    if not seed.lstrip("-").isdecimal():
        raise ConfigError(f"{avd.folder / 'config.ini'}: tapwise.seed={seed} is no whole number: mend that line")
    noise = Noise.parse(avd.config.get("tapwise.noise", ""))
    phone = VirtualPhone(size=size, density=options.density or avd.density(), seed=int(seed), noise=noise)
    phone.set_property("ro.boot.qemu.avd_name", avd.name)
    phone.set_property("ro.kernel.qemu.avd_name", avd.name)
    if options.timezone:
        phone.set_property("persist.sys.timezone", options.timezone)
    return phone


def _boot(machine: Machine, options: Options) -> None:
    """Start from the snapshot that is asked for; one that cannot be loaded is said, and the phone starts as new."""
    if not options.load_snapshot:
        return
    name = options.snapshot or BOOT_SNAPSHOT
    try:
        loaded = machine.load_snapshot(name)
    except DeviceError as error:
        print(f"WARNING | snapshot '{name}' cannot be loaded, cold boot: {error}", file=sys.stderr, flush=True)
        return
    if loaded:
        print(f"INFO    | Successfully loaded snapshot '{name}'", flush=True)
    elif options.snapshot:
        print(f"WARNING | there is no snapshot '{name}', cold boot", file=sys.stderr, flush=True)


def choose_ports(options: Options, is_free: Callable[[int], bool] | None = None) -> tuple[int, int]:
    """The ports of console and adb: those that are named, else the first free pair from 5554.

    Raises ConfigError when no pair is free.
    """
    if options.console_port is not None and options.adb_port is not None:
        return options.console_port, options.adb_port
    free = is_free or _is_free
    for console in range(FIRST_CONSOLE_PORT, LAST_CONSOLE_PORT + 1, 2):
        if free(console) and free(console + 1):
            return console, console + 1
    raise ConfigError(
        f"there is no free pair of ports from {FIRST_CONSOLE_PORT} to {LAST_CONSOLE_PORT + 1}: end an emulator, or"
        " name ports with -ports"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
