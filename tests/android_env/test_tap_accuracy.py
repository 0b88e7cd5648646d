"""Every pixel of a control is that control's: through scaling, turned displays, and overridden sizes and densities."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.android_env.actuator import actuate
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.protocols import Device
from tapwise.records import Point, Size, Tap, UiNode

PAGES = ("settings", "clock", "browser")


@given(st.integers(1, 4000), st.data())
def test_a_pixel_survives_the_way_to_a_point_and_back(width: int, data: st.DataObject) -> None:
    x = data.draw(st.integers(0, width - 1))
    assert Point.from_pixels(x, 0, Size(1, width)).to_pixels(Size(1, width)) == (x, 0)


def corners(node: UiNode) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = node.bounds
    yield (left + right) // 2, (top + bottom) // 2
    yield from ((x, y) for x in (left, right - 1) for y in (top, bottom - 1))


def touched(root: UiNode, x: int, y: int) -> UiNode | None:
    """The control that a tree says is at a pixel: the last one of those that reach it, as it lies on top."""
    found = None
    for node in root.walk():
        left, top, right, bottom = node.bounds
        if node.clickable and left <= x < right and top <= y < bottom:
            found = node
    return found


def misses(device: Device, phone: VirtualPhone) -> tuple[int, list[str]]:
    """Touches each control at its centre and corners; how many touches, and those that did something else than the
    touch of its centre."""
    start, root, size = phone.snapshot(), device.ui_tree(), device.size()
    count, wrong = 0, []
    for node in root.walk():
        effects = {}
        for x, y in corners(node) if node.clickable else ():
            if touched(root, x, y) is not node:
                continue
            phone.restore(start)
            actuate(device, Tap(Point.from_pixels(x, y, size)), size)
            effects[x, y] = phone.state_hash()
            count += 1
        if len(set(effects.values())) > 1:
            wrong.append(f"{node.text or node.description or node.resource_id} {node.bounds}: {effects}")
    phone.restore(start)
    return count, wrong


@pytest.mark.parametrize("rotation", range(4))
@pytest.mark.parametrize(("size", "density"), [("540x1200", 210), ("1080x2400", 420), ("719x1281", 280)])
def test_every_corner_of_every_control_is_hit(size: str, density: int, rotation: int) -> None:
    phone = VirtualPhone()
    device = InProcessDevice(phone)
    device.shell(f"wm size {size}; wm density {density}; wm user-rotation lock {rotation}")
    total = 0
    for page in PAGES:
        device.press("KEYCODE_HOME")
        device.open_app(page)
        width, height = map(int, size.split("x"))
        shown = (width, height) if rotation % 2 else (height, width)
        assert device.screenshot().shape[:2] == shown
        count, wrong = misses(device, phone)
        assert not wrong, "\n".join(wrong)
        total += count
    assert total > 60
