from __future__ import annotations

import pytest

from tapwise.emulators.virtual.keyboards import APPIUM_IME, UNICODE_IME, from_utf7
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell


@pytest.mark.parametrize(
    ("coded", "text"),
    [("plain", "plain"), ("&ThZ1TA- &- co", "世界 & co"), ("Gr&APwA3w-e", "Grüße"), ("a&b", "a&b"), ("&!-", "&!-")],
)
def test_utf7_becomes_text(coded: str, text: str) -> None:
    assert from_utf7(coded) == text


def field_of(phone: VirtualPhone) -> str:
    return next(node.text for node in phone.tree().walk() if node.class_name == "android.widget.EditText")


def test_input_goes_through_the_keyboard_that_is_set() -> None:
    phone = VirtualPhone(seed=5)
    shell = PhoneShell(phone)
    phone.open("com.google.android.keep", "new")
    node = next(node for node in phone.tree().walk() if node.class_name == "android.widget.EditText")
    phone.tap(*node.centre)
    shell.run("input text 'a&APwA3w-'")
    assert field_of(phone) == "a&APwA3w-"
    shell.run(f"ime set {UNICODE_IME}; input text 'b&APwA3w-'")
    assert field_of(phone) == "a&APwA3w-büß"
    shell.run(f"ime set {APPIUM_IME}; input text /done/")
    assert phone.entry.focus is None


def test_escape_hides_the_keyboard_and_the_phone_says_so() -> None:
    phone = VirtualPhone(seed=5)
    shell = PhoneShell(phone)
    phone.open("com.google.android.keep", "new")
    phone.tap(*next(node for node in phone.tree().walk() if node.class_name == "android.widget.EditText").centre)
    assert b"mIsInputViewShown=true" in b"".join(map(bytes, shell.run("dumpsys input_method").stdout))
    shell.run("input keyevent 111")
    assert b"mIsInputViewShown=false" in b"".join(map(bytes, shell.run("dumpsys input_method").stdout))
