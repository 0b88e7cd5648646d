"""The gRPC with a plain client of it."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tapwise.emulators.virtual.emulator.avd import Avd
from tapwise.emulators.virtual.emulator.machine import Machine
from tapwise.emulators.virtual.phone import VirtualPhone

grpc = pytest.importorskip("grpc")
protos = pytest.importorskip("tapwise.emulators.protos")
grpc_server = pytest.importorskip("tapwise.emulators.virtual.emulator.grpc_server")

CONTROLLER = "android.emulation.control.EmulatorController"
SNAPSHOTS = "android.emulation.control.SnapshotService"


class Client:
    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self.messages, self._services = protos.load("tapwise.emulators", "emulator.proto")

    async def __call__(self, name: str, request: str = "Empty", service: str = CONTROLLER, **fields: Any) -> Any:
        form = self._services[service][name]
        call = self._channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=self.messages[request].SerializeToString,
            response_deserializer=form.reply.FromString,
        )
        return await call(self.messages[request](**fields), timeout=10)

    async def first_of_stream(self) -> Any:
        call = self._channel.unary_stream(
            f"/{CONTROLLER}/streamScreenshot",
            request_serializer=self.messages["ImageFormat"].SerializeToString,
            response_deserializer=self.messages["Image"].FromString,
        )(self.messages["ImageFormat"](format=2), timeout=10)
        async for image in call:
            call.cancel()
            return image
        raise AssertionError("the stream ended")


def run(tmp_path: Path, work: Any) -> Machine:
    phone = VirtualPhone(seed=2)
    ended: list[bool] = []
    machine = Machine(phone, Avd("tapwise", tmp_path, {}), lambda: ended.append(True), read_only=False)

    async def go() -> None:
        async with grpc_server.serve_grpc(machine, "127.0.0.1", 0) as port:
            credentials = grpc.local_channel_credentials()
            options = [("grpc.max_receive_message_length", -1)]
            async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
                await work(Client(channel), machine, ended)

    asyncio.run(go())
    return machine


def test_screenshots_in_all_forms(tmp_path: Path) -> None:
    async def work(call: Client, machine: Machine, _: list[bool]) -> None:
        frame = machine.phone.frame()
        height, width = frame.shape[:2]
        png = await call("getScreenshot", "ImageFormat", format=0)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(png.image))), frame)
        rgba = await call("getScreenshot", "ImageFormat", format=1)
        pixels = np.frombuffer(rgba.image, np.uint8).reshape(height, width, 4)
        assert np.array_equal(pixels[..., :3], frame)
        assert (pixels[..., 3] == 255).all()
        small = await call("getScreenshot", "ImageFormat", format=2, width=90, height=2000)
        assert (small.width, small.height, len(small.image)) == (90, 200, 3 * 90 * 200)
        assert (await call.first_of_stream()).seq == rgba.seq

    run(tmp_path, work)


def test_touches_and_keys(tmp_path: Path) -> None:
    async def work(call: Client, machine: Machine, _: list[bool]) -> None:
        machine.phone.open("com.android.settings")
        before = machine.phone.frame()
        for pressure in (1, 1, 0):
            touch = {"x": 200, "y": 400, "pressure": pressure}
            await call("sendTouch", "TouchEvent", touches=[touch])
        assert not np.array_equal(machine.phone.frame(), before)
        await call("sendKey", "KeyboardEvent", key="GoHome", eventType=2)
        assert "nexuslauncher" in machine.phone.foreground()

    run(tmp_path, work)


def test_two_fingers_pinch_when_both_are_lifted(tmp_path: Path) -> None:
    pinches: list[tuple[float, float, float]] = []

    async def work(call: Client, machine: Machine, _: list[bool]) -> None:
        machine.phone.pinch = lambda *pinch: pinches.append(pinch)  # type: ignore[method-assign]
        for gap, pressures in ((50, (1, 1)), (200, (1, 1)), (200, (0, 1)), (200, (0, 0))):
            assert pinches == []
            touches = [
                {"identifier": finger, "x": 270 + way * gap, "y": 400, "pressure": pressure}
                for finger, (way, pressure) in enumerate(zip((-1, 1), pressures, strict=True))
            ]
            await call("sendTouch", "TouchEvent", touches=touches)
        await call("sendTouch", "TouchEvent", touches=[{"identifier": 1, "x": 1, "y": 1}])  # lifted already

    run(tmp_path, work)
    assert pinches == [(270, 400, 4)]


def test_snapshots_texts_and_the_end(tmp_path: Path) -> None:
    async def work(call: Client, machine: Machine, ended: list[bool]) -> None:
        assert (await call("getStatus")).booted
        saved = await call("SaveSnapshot", "SnapshotPackage", SNAPSHOTS, snapshot_id="one")
        assert saved.success
        assert (await call("sendSms", "SmsMessage", srcAddress="555", text="hi")).response == 0
        listed = await call("ListSnapshots", "SnapshotFilter", SNAPSHOTS)
        assert [one.snapshot_id for one in listed.snapshots] == ["one"]
        assert any(row["address"] == "555" for row in machine.phone.content.query("content://sms"))
        assert (await call("LoadSnapshot", "SnapshotPackage", SNAPSHOTS, snapshot_id="one")).success
        assert not any(row["address"] == "555" for row in machine.phone.content.query("content://sms"))
        missing = await call("LoadSnapshot", "SnapshotPackage", SNAPSHOTS, snapshot_id="two")
        assert (missing.success, missing.err) == (False, b"there is no such snapshot")
        with pytest.raises(grpc.aio.AioRpcError, match="cannot be the name"):
            await call("SaveSnapshot", "SnapshotPackage", SNAPSHOTS, snapshot_id="../up")
        assert (await call("DeleteSnapshot", "SnapshotPackage", SNAPSHOTS, snapshot_id="one")).success
        await call("setVmState", "VmRunState", state=5)
        assert ended == [True]

    run(tmp_path, work)
