"""Addresses of phones behind Appium; the sessions themselves are tested with the real Appium in tests/appium."""

from __future__ import annotations

import pytest

from tapwise.emulators.backends.appium import AppiumBackend
from tapwise.errors import ConfigError, DeviceLost


@pytest.mark.parametrize("address", ["127.0.0.1:4723", "ftp://host", "http://"])
def test_addresses_are_checked(address: str) -> None:
    with pytest.raises(ConfigError, match="is not http"):
        AppiumBackend([address])


def test_no_password_is_taken() -> None:
    with pytest.raises(ConfigError, match="stored") as caught:
        AppiumBackend(["https://user:secret@cloud.example/wd/hub"])
    assert "secret" not in str(caught.value)


def test_there_must_be_an_address_for_each_phone() -> None:
    with pytest.raises(ConfigError, match="2 phones and 1"):
        AppiumBackend(["http://127.0.0.1:9"]).boot(1, 1)


def test_a_server_that_is_not_there_is_a_lost_device() -> None:
    with pytest.raises(DeviceLost, match="cannot be opened"):
        AppiumBackend(["http://127.0.0.1:9#phone"]).boot(0, 5)
