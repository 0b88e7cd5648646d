from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from tapwise.emulators.virtual.shell.session import PhoneShell

Sh = Callable[..., str]
SETTINGS = "com.android.settings/.Settings"


def test_files(sh: Sh) -> None:
    sh("mkdir -p /sdcard/a/b && echo hi > /sdcard/a/b/f && cp -r /sdcard/a /sdcard/c && mv /sdcard/c/b/f /sdcard/c/g")
    assert sh("find /sdcard/c /sdcard/a -type f") == "/sdcard/c/g\n/sdcard/a/b/f\n"
    assert sh("md5sum /sdcard/c/g").split() == ["764efa883dda1e11db47671c4a3bbd9e", "/sdcard/c/g"]
    sh("rm /sdcard/c", 1)
    sh("rm -r /sdcard/c; rm -f /sdcard/none")
    sh("rm /sdcard/none; mkdir /sdcard/a", 1)
    assert sh("[ -d /sdcard/c ] || echo gone") == "gone\n"


def test_file_times_follow_the_phones_clock(sh: Sh) -> None:
    sh("sleep 90; touch /sdcard/t")
    assert "2026-03-02 09:01:30.000000000 +0000 t\n" in sh("cd /sdcard; ls -ll t")
    assert sh("stat -c '%y %s %a' /sdcard/t") == "2026-03-02 09:01:30.000000000 +0000 0 660\n"
    sh("date 101515342023.00")
    assert sh("date") == "Sun Oct 15 15:34:00 UTC 2023\n"


def test_text(sh: Sh) -> None:
    sh("printf 'b 2\\na 10\\nc 1\\na 10\\n' > /sdcard/t")
    assert sh("sort -u /sdcard/t") == "a 10\nb 2\nc 1\n"
    assert sh("sort -k2 -n /sdcard/t | head -1") == "c 1\n"
    assert sh("tail -n +3 /sdcard/t") == "c 1\na 10\n"
    assert sh("wc -l /sdcard/t; wc < /sdcard/t") == "4 /sdcard/t\n4 8 18\n"
    assert sh("grep -n -e ^c -e ^b /sdcard/t") == "1:b 2\n3:c 1\n"
    assert sh("grep -c '^a' /sdcard/t; grep -oE '[0-9]+' /sdcard/t | tr '\\n' ,") == "2\n2,10,1,10,"
    assert sh("sort /sdcard/t | uniq -c | cut -d ' ' -f 7-") == "2 a 10\n1 b 2\n1 c 1\n"
    sh("grep zzz /sdcard/t", 1)
    sh("grep zzz /sdcard/none", 2)
    assert sh("cut -d' ' -f2 /sdcard/t | xargs -n 2 echo") == "2 10\n1 10\n"


def test_apps_start_and_stop(sh: Sh) -> None:
    assert "Status: ok" in sh(f"am start -W -n {SETTINGS}")
    assert sh(f"am start -n {SETTINGS}").endswith("brought to the front\n")
    assert f" u0 {SETTINGS} t5}}" in sh("dumpsys activity activities | grep topResumedActivity")
    assert "u0 com.android.settings/com.android.settings.Settings}" in sh("dumpsys window | grep mCurrentFocus")
    assert sh("am stack list").endswith(
        "topActivity=ComponentInfo{com.android.settings/com.android.settings.Settings}\n"
    )
    sh("am force-stop com.android.settings")
    assert SETTINGS not in sh("dumpsys window")
    assert "Events injected: 1" in sh("monkey -p com.android.settings -c android.intent.category.LAUNCHER 1")
    assert "monkey aborted" in sh("monkey -p no.such.app 1", 252)
    assert "does not exist" in sh("am start -n no.such.app/.Main")


def test_packages(sh: Sh) -> None:
    assert "package:com.android.settings\n" in sh("pm list packages")
    assert sh("cmd package list packages settings") == "package:com.android.settings\n"
    assert sh("pm path com.android.settings").startswith("package:/data/app/~~")
    sh("pm path no.such.app", 1)
    assert sh("pm clear com.android.settings") == "Success\n"
    assert sh("pm clear no.such.app", 1) == "Failed\n"


def test_settings_and_properties(sh: Sh) -> None:
    assert sh("settings get global nothing") == "null\n"
    assert sh("settings put system my_key 'my value'; settings get system my_key") == "my value\n"
    assert "my_key=my value\n" in sh("settings list system")
    assert sh("settings delete system my_key; settings delete system my_key") == "Deleted 1 rows\nDeleted 0 rows\n"
    sh("settings get nowhere key", 255)
    assert sh("svc wifi disable; settings get global wifi_on; svc wifi enable; settings get global wifi_on") == "0\n1\n"
    assert sh("svc bluetooth enable; settings get global bluetooth_on") == "1\n"
    assert sh("getprop sys.boot_completed; getprop none; setprop a.b c; getprop a.b") == "1\n\nc\n"
    assert sh("wm size; wm density") == "Physical size: 540x1200\nPhysical density: 210\n"
    assert (
        sh("service check activity; service check nothing") == "Service activity: found\nService nothing: not found\n"
    )
    assert sh("dumpsys nothing", 0) == ""
    assert sh("cmd connectivity airplane-mode enable; cmd connectivity airplane-mode") == "enabled\n"


def test_screen(sh: Sh, shell: PhoneShell) -> None:
    raw = b"".join(shell.run("screencap").stdout)
    assert struct.unpack("<4I", raw[:16]) == (540, 1200, 1, 1)
    assert b"".join(shell.run("screencap -p").stdout).startswith(b"\x89PNG")
    assert shell.screen.png() is shell.screen.png()
    output = sh("uiautomator dump /dev/tty")
    xml, _, message = output.rpartition("UI hierchary")
    assert message == " dumped to: /dev/tty\n"
    nodes = list(ElementTree.fromstring(xml).iter("node"))
    assert nodes[0].attrib["bounds"] == "[0,0][540,1200]"
    assert all(len(node.attrib) in (17, 18) for node in nodes)


def test_frame_counter_moves_only_with_the_picture(sh: Sh) -> None:
    first = sh("dumpsys SurfaceFlinger --latency")
    assert first.splitlines()[0] == "16666666"
    assert sh("dumpsys SurfaceFlinger --latency") == first
    sh(f"am start -n {SETTINGS}")
    assert sh("dumpsys SurfaceFlinger --latency") != first


def test_input_reads_what_android_reads(sh: Sh, shell: PhoneShell, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[object] = []
    for name in ("tap", "swipe", "type_text", "key_event"):
        monkeypatch.setattr(shell.phone, name, lambda *values, name=name: events.append((name, *values)))
    sh("input tap 10 20.5; input touchscreen swipe 1 2 3 4 1000; input swipe 1 2 3 4 ''")
    sh("input text hello%sworld%; input text 'a b'; input keyevent 4 KEYCODE_HOME 29; input keyevent --longpress enter")
    assert events == [
        ("tap", 10.0, 20.5),
        ("swipe", 1.0, 2.0, 3.0, 4.0, 1.0),
        ("swipe", 1.0, 2.0, 3.0, 4.0, 0.3),
        ("type_text", "hello world%"),
        ("type_text", "a b"),
        ("key_event", "KEYCODE_BACK"),
        ("key_event", "KEYCODE_HOME"),
        ("type_text", "a"),
        ("key_event", "KEYCODE_ENTER"),
    ]
    for wrong in ("input", "input tap 1", "input tap a b", "input tap nan 1", "input dance", "input text é"):
        sh(wrong, 255)


def test_content(sh: Sh, shell: PhoneShell, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, str | int | None]] = [{"_id": 1, "body": "Hi, you", "read": 1, "who": None}]
    monkeypatch.setattr(shell.phone.content, "query", lambda uri: rows)
    monkeypatch.setattr(
        shell.phone.content, "insert", lambda uri, values: rows.append({"_id": 2, "who": None, **values})
    )
    assert sh("content query --uri content://sms") == "Row: 0 _id=1, body=Hi, you, read=1, who=NULL\n"
    assert sh("content insert --uri content://sms --bind body:s:it\\'s:x --bind read:i:0") == ""
    assert sh('content query --uri content://sms --projection _id:body --sort "_id DESC"') == (
        "Row: 0 _id=2, body=it's:x\nRow: 1 _id=1, body=Hi, you\n"
    )
    query = "content query --uri content://sms --projection _id --where "
    assert sh(query + "\"body='it''s:x' AND read=0\"") == "Row: 0 _id=2\n"
    assert sh(query + "\"read=0 OR body LIKE 'hi%'\"") == "Row: 0 _id=1\nRow: 1 _id=2\n"
    assert sh(query + '"who IS NOT NULL"') == "No result found.\n"
    sh(query + '"1; DROP TABLE sms"', 1)
    sh("content query", 1)


def test_unknown_content_uri_is_named(shell: PhoneShell) -> None:
    result = shell.run("content query --uri content://nowhere")
    assert result.status == 1
    assert b"content://nowhere" in b"".join(result.stderr)


def test_the_phones_own_command(sh: Sh, shell: PhoneShell) -> None:
    before = sh("tapwise-phone snapshot save start; tapwise-phone snapshot list; tapwise-phone state-hash")
    assert before.startswith("start\n")
    sh("echo x > /sdcard/x; tapwise-phone open-app SETTINGS")
    assert SETTINGS in sh("dumpsys window")
    assert sh("tapwise-phone snapshot diff start") == "files: added /sdcard/x\n"
    assert sh("tapwise-phone state-hash") != before.split()[1] + "\n"
    sh("tapwise-phone snapshot load start")
    assert sh("tapwise-phone state-hash") == before.split()[1] + "\n"
    sh("tapwise-phone snapshot load none; tapwise-phone open-app nothing", 1)
    sh("tapwise-phone snapshot diff none", 1)
    assert b"installed: " in b"".join(shell.run("tapwise-phone open-app nothing").stderr)
    assert sh("tapwise-phone seed 7; getprop debug.tapwise.seed") == "7\n"
    sh("tapwise-phone dance", 2)
