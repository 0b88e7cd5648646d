from __future__ import annotations

import base64
import contextlib
import io
import struct
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tapwise.emulators import screen
from tapwise.emulators.adb.transport import ShellResult
from tapwise.emulators.device import AdbDevice
from tapwise.emulators.foreground import find_foreground, short_component
from tapwise.emulators.snapshots import ShellSnapshots
from tapwise.emulators.text_input import ADB_KEYBOARD, typing_commands
from tapwise.errors import CommandFailed, DeviceError, DeviceLost
from tapwise.protocols import Device
from tapwise.records import Size

PIXELS = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)
TREE = (
    "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><hierarchy rotation=\"0\">"
    '<node text="A &amp; B" class="android.widget.Button" package="p" content-desc="d" clickable="true"'
    ' resource-id="p:id/b" bounds="[0,10][20,40]"><node text="in" bounds="[-1,0][1,1]" enabled="false" /></node>'
    "</hierarchy>"
)


def raw_frame(pixels: np.ndarray, header: int = 16) -> bytes:
    height, width = pixels.shape[:2]
    rgba = np.dstack([pixels, np.full((height, width), 255, np.uint8)])
    return struct.pack("<IIII", width, height, 1, 0)[:header] + rgba.tobytes()


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


class Script:
    """A transport that answers from a table, the last answer again and again."""

    def __init__(self, **answers: ShellResult | bytes | list[bytes]) -> None:
        self.answers: dict[str, object] = dict(answers)
        self.asked: list[str] = []

    def connect(self, timeout_s: float = 5.0) -> None: ...

    def shell(self, command: str, timeout_s: float = 30.0) -> ShellResult:
        answer = self._next(command, b"")
        return answer if isinstance(answer, ShellResult) else ShellResult(answer, b"", 0)

    def exec_out(self, command: str, timeout_s: float = 30.0, expected_size: int = 0) -> bytes | bytearray:
        answer = self._next(command, b"")
        assert isinstance(answer, bytes)
        return answer

    def push(self, data: bytes, path: PurePosixPath | str, timeout_s: float = 60.0) -> None: ...

    def pull(self, path: PurePosixPath | str, timeout_s: float = 60.0) -> bytes:
        return b""

    def is_alive(self) -> bool:
        return True

    def close(self) -> None: ...

    def _next(self, command: str, default: bytes) -> ShellResult | bytes:
        self.asked.append(command)
        answer = self.answers.get(command, default)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, ShellResult | bytes)
        return answer


def device(script: Script) -> AdbDevice:
    return AdbDevice(script, "fake-1", ShellSnapshots(script.shell))


def scripted(answers: dict[str, object]) -> tuple[AdbDevice, Script]:
    script = Script()
    script.answers = {"wm size": b"Physical size: 3x4\n", **answers}
    return device(script), script


def test_it_is_a_device() -> None:
    assert isinstance(device(Script()), Device)


def test_size_prefers_the_override_and_is_asked_once() -> None:
    phone, script = scripted({"wm size": b"Physical size: 1080x2400\nOverride size: 720x1280\n"})
    assert phone.size() == phone.size() == Size(1280, 720)
    assert script.asked == ["wm size"]


def test_a_phone_without_size_is_named() -> None:
    phone, _ = scripted({"wm size": b"?"})
    with pytest.raises(DeviceError, match="fake-1 does not tell its size"):
        phone.size()


@pytest.mark.parametrize("header", [12, 16])
def test_raw_frames_with_both_headers(header: int) -> None:
    phone, _ = scripted({"screencap": raw_frame(PIXELS, header)})
    assert np.array_equal(phone.screenshot(), PIXELS)


def test_the_screenshot_tells_of_rotation() -> None:
    phone, _ = scripted({"screencap": raw_frame(PIXELS.reshape(3, 4, 3))})
    assert phone.size() == Size(4, 3)
    phone.screenshot()
    assert phone.size() == Size(3, 4)


def test_a_phone_without_raw_frames_is_read_as_png_from_then_on() -> None:
    warning = b"[Warning] Multiple displays were found\n"
    phone, script = scripted({"screencap": warning, "screencap -p": warning + png(PIXELS)})
    for _ in range(2):
        assert np.array_equal(phone.screenshot(), PIXELS)
    assert script.asked.count("screencap") == 1


def test_one_torn_frame_does_not_give_up_raw_frames() -> None:
    whole = raw_frame(PIXELS)
    phone, script = scripted({"screencap": [whole, whole[:-1], whole], "screencap -p": png(PIXELS)})
    for _ in range(3):
        assert np.array_equal(phone.screenshot(), PIXELS)
    assert script.asked.count("screencap") == 3
    assert script.asked.count("screencap -p") == 1


def test_a_screenshot_torn_twice_is_an_error() -> None:
    phone, script = scripted({"screencap": raw_frame(PIXELS)[:-1], "screencap -p": png(PIXELS)[:-40]})
    with pytest.raises(DeviceError, match="torn PNG"):
        phone.screenshot()
    assert script.asked.count("screencap -p") == 2


def test_a_lost_phone_is_not_asked_again() -> None:
    phone, script = scripted({"screencap": DeviceLost("gone")})
    with pytest.raises(DeviceLost):
        phone.screenshot()
    assert script.asked.count("screencap") == 1


@given(st.binary(max_size=80))
def test_garbage_is_never_a_frame_and_never_a_crash(data: bytes) -> None:
    for read in (screen.read_raw, screen.read_png):
        with contextlib.suppress(DeviceError):
            assert read(data).ndim == 3


def test_frame_counter_is_none_on_phones_that_only_list_latencies() -> None:
    zeros = "16666666\n" + "0\t0\t0\n" * 128
    phone, script = scripted({"dumpsys SurfaceFlinger --latency": zeros.encode()})
    assert phone.frame_counter() is None
    assert phone.frame_counter() is None
    assert len(script.asked) == 1


def test_frame_counter_of_a_virtual_phone() -> None:
    rows = [f"16666666\n{n * 16666666}\t{n * 16666666}\t{n * 16666666}\n".encode() for n in (1, 2)]
    phone, _ = scripted({"dumpsys SurfaceFlinger --latency": rows})
    first, second = phone.frame_counter(), phone.frame_counter()
    assert first is not None
    assert second is not None
    assert first < second


def test_the_tree_is_read_with_what_is_printed_around_it() -> None:
    text = TREE + "UI hierchary dumped to: /dev/tty\n"
    phone, script = scripted({"uiautomator dump /dev/tty": text.encode()})
    node = phone.ui_tree()
    assert (node.text, node.description, node.resource_id, node.clickable) == ("A & B", "d", "p:id/b", True)
    assert node.bounds == (0, 10, 20, 40)
    assert [child.enabled for child in node.children] == [False]
    assert len(script.asked) == 1


def test_a_failed_dump_never_gives_an_old_file() -> None:
    phone, script = scripted({"uiautomator dump /dev/tty": b"ERROR: could not get idle state.\n"})
    with pytest.raises(DeviceError, match="no output"):
        phone.ui_tree()
    assert script.asked[-1].startswith("rm -f ")


@pytest.mark.parametrize(
    "text",
    [
        "ERROR: null root node returned by UiTestAutomationBridge.",
        "",
        TREE[:-30],
        TREE.replace("[0,10]", "[x,10]"),
        TREE.replace("<hierarchy", '<!DOCTYPE a [<!ENTITY b "c">]><hierarchy'),
        '<hierarchy rotation="0">' + '<node bounds="[0,0][1,1]">' * 300 + "</node>" * 300 + "</hierarchy>",
        TREE.replace("A &amp; B", "A & B"),
    ],
)
def test_broken_trees_are_device_errors(text: str) -> None:
    phone, script = scripted({})
    script.answers["uiautomator dump /dev/tty"] = text.encode()
    with pytest.raises(DeviceError):
        phone.ui_tree()


def test_several_windows_come_under_one_root() -> None:
    two = '<hierarchy rotation="0">' + '<node text="w" bounds="[0,0][1,1]" />' * 2 + "</hierarchy>"
    phone, _ = scripted({"uiautomator dump /dev/tty": two.encode()})
    assert [node.text for node in phone.ui_tree().children] == ["w", "w"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("  mCurrentFocus=Window{b22bb15 u0 com.a/com.a.Main}\n", "com.a/.Main"),
        (
            "  mCurrentFocus=Window{1 u0 StatusBar}\n  mFocusedApp=ActivityRecord{12376650 u0 com.a/.b.C t349}\n",
            "com.a/.b.C",
        ),
        (
            "  mFocusedApp=AppWindowToken{1 token=Token{2 ActivityRecord{3 u0 com.a/.Main t1}}}",
            "com.a/.Main",
        ),
        ("    mResumedActivity: ActivityRecord{7fbc105 u0 com.a/.Main t1573}", "com.a/.Main"),
        ("    topResumedActivity=ActivityRecord{7fbc105 u0 com.a/org.b.Main$X t8}", "com.a/org.b.Main$X"),
        ("  mCurrentFocus=Window{1 u0 Application Not Responding: com.a}\n", None),
        ("  mCurrentFocus=null\n", None),
    ],
)
def test_foreground_in_the_formats_of_many_androids(text: str, found: str | None) -> None:
    assert find_foreground(text) == found


def test_foreground_asks_the_activity_manager_when_no_window_has_the_focus() -> None:
    phone, _ = scripted(
        {
            "dumpsys window | grep -e mCurrentFocus -e mFocusedApp": b"  mCurrentFocus=null\n  mFocusedApp=null\n",
            "dumpsys activity activities | grep -e ResumedActivity": b" ResumedActivity: ActivityRecord{1 u0 a.b/.C t}",
        }
    )
    assert phone.foreground() == "a.b/.C"


def test_components_are_written_short() -> None:
    assert short_component("com.a", "com.a.Main") == "com.a/.Main"
    assert short_component("com.a", "com.ab.Main") == "com.a/com.ab.Main"
    assert short_component("com.a", ".Main") == "com.a/.Main"


def test_touch_and_keys_become_commands() -> None:
    phone, script = scripted({})
    phone.tap(1, 2)
    phone.swipe(1, 2, 3, 4, 0.25)
    phone.press("KEYCODE_BACK; reboot")
    assert script.asked == ["input tap 1 2", "input swipe 1 2 3 4 250", "input keyevent 'KEYCODE_BACK; reboot'"]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("hello", ["input text hello"]),
        ("a b", ["input text a%sb"]),
        ("it's $(reboot) `x` \\", ["input text 'it'\"'\"'s%s$(reboot)%s`x`%s\\'"]),
        ("100%s", ["input text 100%", "input text s"]),
        ("%s%s", ["input text %", "input text s%", "input text s"]),
        (
            "one\ntwo\n",
            ["input text one", "input keyevent KEYCODE_ENTER", "input text two", "input keyevent KEYCODE_ENTER"],
        ),
        ("", []),
    ],
)
def test_typing_is_quoted_for_shell_and_input(text: str, commands: list[str]) -> None:
    assert [
        command.replace("'100%'", "100%").replace("'%'", "%").replace("'s%'", "s%").replace("'a%sb'", "a%sb")
        for command in typing_commands(text)
    ] == commands


KEYBOARD_IN_USE = ShellResult(f"  mCurId={ADB_KEYBOARD} mHaveConnection=true\n".encode(), b"", 0)


def test_text_beyond_ascii_goes_through_the_adb_keyboard_and_the_users_is_given_back() -> None:
    phone, script = scripted(
        {
            "ime list -a -s": ShellResult(f"their/.Ime\n{ADB_KEYBOARD}\n".encode(), b"", 0),
            "settings get secure default_input_method": ShellResult(b"their/.Ime\n", b"", 0),
            "dumpsys input_method": KEYBOARD_IN_USE,
        }
    )
    phone.type_text("naïve\n日本")
    words = [base64.b64encode(word.encode()).decode() for word in ("naïve", "日本")]
    assert script.asked[2:] == [
        f"ime enable {ADB_KEYBOARD}",
        f"ime set {ADB_KEYBOARD}",
        "dumpsys input_method",
        f"am broadcast -a ADB_INPUT_B64 --es msg {words[0]}",
        "input keyevent KEYCODE_ENTER",
        f"am broadcast -a ADB_INPUT_B64 --es msg {words[1]}",
        "ime set their/.Ime",
    ]


def test_the_users_keyboard_is_given_back_when_typing_fails() -> None:
    phone, script = scripted(
        {
            "ime list -a -s": ShellResult(f"{ADB_KEYBOARD}\n".encode(), b"", 0),
            "settings get secure default_input_method": ShellResult(b"their/.Ime\n", b"", 0),
            "dumpsys input_method": KEYBOARD_IN_USE,
            f"am broadcast -a ADB_INPUT_B64 --es msg {base64.b64encode('ï'.encode()).decode()}": ShellResult(
                b"", b"no", 1
            ),
        }
    )
    with pytest.raises(CommandFailed):
        phone.type_text("ï")
    assert script.asked[-1] == "ime set their/.Ime"


def test_text_beyond_ascii_without_that_keyboard_names_the_way_out() -> None:
    phone, _ = scripted({"ime list -a -s": ShellResult(b"their/.Ime\n", b"", 0)})
    with pytest.raises(DeviceError, match="ADBKeyboard"):
        phone.type_text("naïve")


@pytest.mark.parametrize("text", ["tab\t", "\x00", "bell\x07"])
def test_control_characters_cannot_be_typed(text: str) -> None:
    phone, _ = scripted({})
    with pytest.raises(DeviceError, match="control characters"):
        phone.type_text(text)


def test_a_failed_command_gives_status_and_output() -> None:
    phone, _ = scripted({"false": ShellResult(b"", b"no", 3)})
    with pytest.raises(CommandFailed, match="status 3: no"):
        phone.shell("false")


def test_open_app_by_launcher_name_on_a_virtual_phone() -> None:
    phone, script = scripted({})
    phone.open_app("It's; reboot")
    assert script.asked == ["tapwise-phone open-app 'It'\"'\"'s; reboot'"]


def test_open_app_falls_back_to_packages_elsewhere_and_remembers() -> None:
    phone, script = scripted(
        {
            "tapwise-phone open-app Settings": ShellResult(b"", b"inaccessible or not found", 127),
            "pm list packages": b"package:com.android.settings\npackage:com.android.chrome\n",
        }
    )
    phone.open_app("Settings")
    phone.open_app("com.android.chrome")
    assert script.asked[-1] == "monkey -p com.android.chrome -c android.intent.category.LAUNCHER 1"
    assert sum("tapwise-phone" in command for command in script.asked) == 1
    with pytest.raises(DeviceError, match="no package is called so; give the package name"):
        phone.open_app("Nothing")


def test_open_app_of_an_unknown_app_is_a_failed_command() -> None:
    phone, _ = scripted({"tapwise-phone open-app X": ShellResult(b"", b"no such app", 1)})
    with pytest.raises(CommandFailed, match="no such app"):
        phone.open_app("X")


def test_snapshots_are_quoted_and_their_failures_named() -> None:
    phone, script = scripted(
        {
            "tapwise-phone snapshot load none": ShellResult(b"", b"no snapshot", 1),
            "tapwise-phone snapshot load real": ShellResult(b"", b"not found", 127),
        }
    )
    phone.save_snapshot("a b")
    assert script.asked == ["tapwise-phone snapshot save 'a b'"]
    with pytest.raises(DeviceError, match="'none' cannot be loaded: no snapshot"):
        phone.load_snapshot("none")
    with pytest.raises(DeviceError, match="use the virtual backend"):
        phone.load_snapshot("real")
