"""What scripts ask of the machine under Android, and small tools."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tapwise.emulators.virtual.shell.session import PhoneShell

Sh = Callable[..., str]


def test_memory_adds_up(sh: Sh) -> None:
    total, used, free, *_ = map(int, sh("free").splitlines()[1].split()[1:])
    assert total == used + free > 2**30


def test_uptime_runs_with_the_virtual_clock(shell: PhoneShell, sh: Sh) -> None:
    def minutes() -> int:
        found = re.search(r"up (\d+) min", sh("uptime"))
        assert found is not None
        return int(found[1])

    before = minutes()
    sh("sleep 600")
    assert minutes() - before == 10


def test_processes_are_the_same_in_all_that_lists_them(sh: Sh) -> None:
    sh("am start -n com.android.settings/.Settings")
    number = sh("pidof com.android.settings").strip()
    assert sh("pgrep com.android.settings").split() == [number]
    assert sh("pgrep -l android.settings").strip() == f"{number} com.android.settings"
    assert re.search(rf"^ *{number} .*com.android.settings$", sh("top -n 1"), re.MULTILINE)
    assert sh("pgrep nobody", status=1) == ""


@pytest.mark.parametrize(
    ("command", "has"),
    [
        ("mount", "/dev/block/dm-5 on /data type ext4 (rw"),
        ("ip addr show wlan0", "inet 10.0.2.16/24"),
        ("ip route", "src 10.0.2.16"),
        ("ifconfig wlan0", "inet addr:10.0.2.16"),
        ("service call notification 1", "Result: Parcel("),
        ("cmd wifi status", "Wifi is enabled"),
        ("dumpsys activity recents", "ACTIVITY MANAGER RECENT TASKS"),
    ],
)
def test_answers_have_androids_form(sh: Sh, command: str, has: str) -> None:
    assert has in sh(command)


def test_wifi_tells_the_setting(sh: Sh) -> None:
    sh("svc wifi disable")
    assert sh("cmd wifi status") == "Wifi is disabled\n"


def test_a_service_that_does_not_exist_is_said(sh: Sh) -> None:
    assert sh("service call nobody 1", status=10) == "service: Service nobody does not exist\n"


def test_truncate_cuts_fills_and_makes_files(sh: Sh) -> None:
    sh("cd /sdcard; printf abcdef > a; truncate -s 3 a; truncate -s 2 new; truncate -c -s 2 none")
    assert sh("cat /sdcard/a") == "abc"
    assert sh("stat -c %s /sdcard/new").strip() == "2"
    sh("test -e /sdcard/none", status=1)


def test_mktemp_never_gives_a_name_twice(sh: Sh) -> None:
    first, second = sh("mktemp").strip(), sh("mktemp").strip()
    assert first != second
    sh(f"test -f {first}")
    sh(f"test -d {sh('mktemp -d').strip()}")


def test_what_is_timed_gives_its_own_status(sh: Sh) -> None:
    assert sh("timeout 5 echo in time") == "in time\n"
    assert sh("timeout -s KILL 5 sh -c 'exit 4'", status=4) == ""
    assert sh("time echo timed") == "timed\n"


def test_the_clipboard_is_set_read_and_pasted(shell: PhoneShell, sh: Sh) -> None:
    sh("cmd clipboard set some words")
    assert sh("cmd clipboard get") == "some words\n"


def test_key_combinations_copy_cut_and_paste(shell: PhoneShell, sh: Sh) -> None:
    def text() -> str:
        return next(node.text for node in shell.phone.tree().walk() if node.focused)

    sh("am start -n com.android.chrome/com.google.android.apps.chrome.Main")
    field = next(node for node in shell.phone.tree().walk() if node.class_name.endswith("EditText"))
    sh(f"input tap {int(field.centre[0])} {int(field.centre[1])}; input text abc")
    assert text() == "abc"
    sh("input keycombination 113 31")
    assert sh("cmd clipboard get") == "abc\n"
    sh("input keycombination 113 52")
    assert text() == "Search or type address"  # an empty field's hint, as Android has it
    sh("input keycombination CTRL_LEFT V; input keycombination CTRL_LEFT V")
    assert text() == "abcabc"
    sh("input keycombination 113", status=255)


def test_messages_by_folder(sh: Sh) -> None:
    sh("content insert --uri content://sms --bind address:s:555 --bind body:s:Hi --bind type:i:2")
    everything = sh("content query --uri content://sms --projection _id:type").splitlines()
    inbox = sh("content query --uri content://sms/inbox --projection _id:type").splitlines()
    sent = sh("content query --uri content://sms/sent --projection _id:type").splitlines()
    assert len(inbox) + len(sent) == len(everything) > 0
    assert all(row.endswith("type=1") for row in inbox)
    assert all(row.endswith("type=2") for row in sent)
    numbers = [int(found[1]) for row in inbox if (found := re.search(r"_id=(\d+)", row))]
    assert numbers == sorted(numbers, reverse=True)
    sh("content delete --uri content://sms/inbox")
    assert sh("content query --uri content://sms/sent --projection _id:type").splitlines() == sent
