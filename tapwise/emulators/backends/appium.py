"""Phones behind Appium servers that somebody else runs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from tapwise.emulators.appium_device import AppiumDevice, appium_errors
from tapwise.emulators.backends.base import NEW_CONNECTION, Remedy
from tapwise.errors import ConfigError, DeviceError, DeviceLost

if TYPE_CHECKING:
    from appium.webdriver.webdriver import WebDriver

_FIRST_SYSTEM_PORT = 8200
_SESSION_IDLE_S = 3600


class AppiumPhone:
    """A `BootedDevice` that is a session of an Appium server."""

    def __init__(self, url: str, udid: str, capabilities: Mapping[str, object], timeout_s: float) -> None:
        self._url, self._udid, self._capabilities, self._timeout_s = url, udid, capabilities, timeout_s
        self._driver: WebDriver | None = None
        self._device: AppiumDevice | None = None

    @property
    def device(self) -> AppiumDevice:
        """What lessees work with; commands to one whose session has ended raise DeviceLost."""
        if self._device is None:
            raise DeviceLost(f"phone {self._udid or self._url} never had an Appium session")
        return self._device

    @property
    def screen_choice(self) -> None:
        """There is one way only."""

    def alive(self) -> bool:
        """Whether there is a session; whether the phone answers, only a probe can tell."""
        return self._driver is not None

    def probe(self, timeout_s: float) -> None:
        """Ask for the foreground app."""
        self.device.foreground()

    def renew(self, timeout_s: float) -> None:
        """End the session and open another."""
        self.shut_down()
        self._driver = self._open()
        self._device = AppiumDevice(self._driver, self._udid or self._url)

    @property
    def remedies(self) -> Sequence[Remedy]:
        """Another session."""
        return (Remedy(NEW_CONNECTION, self.renew),)

    def shut_down(self) -> None:
        """End the session."""
        driver, self._driver = self._driver, None
        if driver is not None:
            with contextlib.suppress(DeviceError), appium_errors("the end of the session failed"):
                driver.quit()

    def _open(self) -> WebDriver:
        from appium import webdriver
        from appium.options.android import UiAutomator2Options
        from appium.webdriver.client_config import AppiumClientConfig

        options: Any = UiAutomator2Options()
        options.new_command_timeout = _SESSION_IDLE_S
        if self._udid:
            options.udid = self._udid
        for name, value in self._capabilities.items():
            options.set_capability(name, value)
        config = AppiumClientConfig(remote_server_addr=self._url, timeout=self._timeout_s)
        with appium_errors(f"a session with phone {self._udid or 'any'} at {self._url} cannot be opened"):
            return webdriver.Remote(self._url, options=options, client_config=config)


class AppiumBackend:
    """Phones at addresses "http://HOST:PORT#UDID", the udid left out where the server has one phone only.

    `capabilities` are further ones of every session, such as "appium:adbPort". Raises ConfigError when the client is
    not installed, for addresses that are none, and for those with a password, which a recipe would store.
    """

    name = "appium"

    def __init__(
        self, addresses: Sequence[str], capabilities: Mapping[str, object] | None = None, timeout_s: float = 60.0
    ) -> None:
        try:
            import appium  # noqa: F401
        except ImportError:
            raise ConfigError("Appium's client is not installed: pip install 'tapwise[appium-client]'") from None
        self._phones = [_split(address) for address in addresses]
        self._capabilities = dict(capabilities or {})
        self._timeout_s = timeout_s

    def boot(self, index: int, timeout_s: float) -> AppiumPhone:
        """Open a session."""
        if index >= len(self._phones):
            raise ConfigError(f"the farm wants {index + 1} phones and {len(self._phones)} Appium addresses are given")
        url, udid = self._phones[index]
        capabilities = {"appium:systemPort": _FIRST_SYSTEM_PORT + index, **self._capabilities}
        phone = AppiumPhone(url, udid, capabilities, self._timeout_s)
        phone.renew(timeout_s)
        return phone


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"Appium address {address!r} is not http://HOST:PORT#UDID")
    if parts.password or parts.username:
        raise ConfigError("an Appium address with a user or password is not taken: it would be stored with the recipe")
    return urlunsplit(parts._replace(fragment="")), parts.fragment
