"""Installed apps: pm."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from tapwise.emulators.virtual.apk import ApkError, read_apk
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation


def apk_path(package: str) -> str:
    """Where the package's APK would lie; the same on every run."""
    tag = base64.urlsafe_b64encode(hashlib.sha256(package.encode()).digest()[:16]).decode()
    return f"/data/app/~~{tag}/{package}-{tag[::-1]}/base.apk"


def _list(call: Invocation, words: list[str]) -> None:
    installed = call.phone.state.packages
    if words[:1] == ["packages"]:
        filters = [word for word in words[1:] if not word.startswith("-")]
        for package in sorted({*call.phone.apps, *installed}):
            if ("-3" in words and package not in installed) or ("-s" in words and package in installed):
                continue
            if all(text in package for text in filters):
                path = apk_path(package) + "=" if "-f" in words else ""
                version = f" versionCode:{version_code(call, package)}" if "--show-versioncode" in words else ""
                call.out.line(f"package:{path}{package}{version}")
    elif words[:1] == ["instrumentation"]:
        for package, apk in sorted(installed.items()):
            for runner, target in apk.instrumentation:
                call.out.line(f"instrumentation:{package}/{runner} (target={target})")
    elif words[:1] == ["users"]:
        call.out.line("Users:\n\tUserInfo{0:Owner:4c13} running")
    elif words[:1] == ["features"]:
        call.out.line("feature:android.hardware.touchscreen\nfeature:android.hardware.wifi")
    elif words[:1] not in (["permissions"], ["libraries"]):
        raise CommandError(f"Error: unknown list type '{' '.join(words)}'", 255)


def pm(call: Invocation) -> int:
    """The package manager."""
    words = [word for word in call.arguments if word not in ("--user", "0", "cmd")]
    match words[:1]:
        case ["list"]:
            _list(call, words[1:])
            return 0
        case ["path"]:
            package = words[-1]
            if package not in call.phone.apps and package not in call.phone.state.packages:
                return 1
            call.out.line(f"package:{apk_path(package)}")
            return 0
        case ["clear"]:
            done = call.phone.clear(words[-1]) or words[-1] in call.phone.state.packages
            call.out.line("Success" if done else "Failed")
            return 0 if done else 1
        case ["resolve-activity"]:
            return _resolve(call, words[-1])
        case ["grant" | "revoke" | "enable" | "disable-user" | "set-home-activity" | "trim-caches" | "enable-user"]:
            return 0
        case ["install"]:
            return _install(call, words[1:])
        case ["uninstall"]:
            done = call.phone.uninstall(words[-1])
            call.out.line("Success" if done else "Failure [DELETE_FAILED_INTERNAL_ERROR]")
            return 0 if done else 1
        case ["install-create" | "install-write" | "install-commit"]:
            raise CommandError("Failure [INSTALL_FAILED_INVALID_INSTALL: install split APKs as one]")
    raise CommandError(f"Unknown command: {' '.join(words) or '(none)'}", 255)


def version_code(call: Invocation, package: str) -> int:
    """The version of an app; that of the built-in ones is 1."""
    apk = call.phone.state.packages.get(package)
    return 1 if apk is None else apk.version_code


def _install(call: Invocation, words: list[str]) -> int:
    """Install a file of the phone, or standard input."""
    names = [word for word in words if word.startswith("/")]
    try:
        data = call.phone.files.read(call.path(names[0])) if names else call.stdin.read()
        verdict = call.phone.install(read_apk(data))
    except OSError as error:
        raise CommandError(f"Error: Unable to open file: {names[0]}: {error.strerror}") from None
    except ApkError as error:
        verdict = f"Failure [INSTALL_PARSE_FAILED_NOT_APK: {error}]"
    call.out.line(verdict)
    return 0 if verdict == "Success" else 1


def _resolve(call: Invocation, package: str) -> int:
    app = call.phone.apps.get(package)
    call.out.line(f"{package}/{app.activity}" if app is not None else "No activity found")
    return 0


COMMANDS: Final[CommandTable] = {"pm": pm}
