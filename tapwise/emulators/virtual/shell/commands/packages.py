"""Installed apps: pm."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation


def apk_path(package: str) -> str:
    """Where the package's APK would lie; the same on every run."""
    tag = base64.urlsafe_b64encode(hashlib.sha256(package.encode()).digest()[:16]).decode()
    return f"/data/app/~~{tag}/{package}-{tag[::-1]}/base.apk"


def _list(call: Invocation, words: list[str]) -> None:
    if words[:1] == ["packages"]:
        filters = [word for word in words[1:] if not word.startswith("-")]
        for package in sorted(call.phone.apps):
            if "-3" in words and package.startswith("com.android."):
                continue
            if all(text in package for text in filters):
                call.out.line(f"package:{apk_path(package) + '=' if '-f' in words else ''}{package}")
    elif words[:1] == ["users"]:
        call.out.line("Users:\n\tUserInfo{0:Owner:4c13} running")
    elif words[:1] == ["features"]:
        call.out.line("feature:android.hardware.touchscreen\nfeature:android.hardware.wifi")
    elif words[:1] not in (["instrumentation"], ["permissions"], ["libraries"]):
        raise CommandError(f"Error: unknown list type '{' '.join(words)}'", 255)


def pm(call: Invocation) -> int:
    """The package manager. Installing is refused: this phone's apps are built in."""
    words = [word for word in call.arguments if word not in ("--user", "0", "cmd")]
    match words[:1]:
        case ["list"]:
            _list(call, words[1:])
            return 0
        case ["path"]:
            package = words[-1]
            if package not in call.phone.apps:
                return 1
            call.out.line(f"package:{apk_path(package)}")
            return 0
        case ["clear"]:
            done = call.phone.clear(words[-1])
            call.out.line("Success" if done else "Failed")
            return 0 if done else 1
        case ["resolve-activity"]:
            return _resolve(call, words[-1])
        case ["grant" | "revoke" | "enable" | "disable-user" | "set-home-activity" | "trim-caches"]:
            return 0
        case ["install" | "install-create" | "install-write" | "uninstall"]:
            raise CommandError("Failure [INSTALL_FAILED_INVALID_INSTALL: the apps of a virtual phone are built in]")
    raise CommandError(f"Unknown command: {' '.join(words) or '(none)'}", 255)


def _resolve(call: Invocation, package: str) -> int:
    app = call.phone.apps.get(package)
    call.out.line(f"{package}/{app.activity}" if app is not None else "No activity found")
    return 0


COMMANDS: Final[CommandTable] = {"pm": pm}
