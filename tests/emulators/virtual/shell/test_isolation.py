"""Nothing that a client sends reaches the host."""

from __future__ import annotations

import builtins
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tapwise.emulators.virtual.shell.session import PhoneShell

FORBIDDEN = ("system", "popen", "listdir", "scandir", "open", "remove", "mkdir", "rename", "kill", "stat", "fork")
ATTEMPTS = (
    "cat /etc/hostname /proc/self/environ ../../../../etc/passwd",
    "cat {secret}",
    "ls -la {folder}; find {folder}; du {folder}",
    "rm -rf {folder} /*",
    "echo owned > {folder}/new; cp /system/bin {folder}; mkdir -p {folder}/sub; mv /sdcard {folder}",
    "/bin/sh -c 'id > {folder}/id'; /usr/bin/env python3 -c 'open(1)'; python3 -c 'print(1)'",
    "sh {script}; . {script}; {script}; exec {script}",
    "am start -d file://{secret} -a android.intent.action.VIEW",
    "screencap -p {folder}/s.png; uiautomator dump {folder}/d.xml",
    "echo $(cat {secret}) `cat {secret}`; cat < {secret}; xargs -I X cat X < {secret}",
    "kill -9 1; kill -9 $$; reboot; su -c 'cat {secret}'",
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=range(len(ATTEMPTS)))
def test_nothing_reaches_the_host(
    shell: PhoneShell, attempt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, script = tmp_path / "secret", tmp_path / "script.sh"
    secret.write_text("top secret")
    script.write_text("echo host code ran")
    script.chmod(0o755)
    before = sorted(tmp_path.rglob("*"))
    shell.run("echo warm")

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"the host was asked for {args}")

    with monkeypatch.context() as patch:
        for name in FORBIDDEN:
            patch.setattr(os, name, refuse)
        patch.setattr(subprocess, "Popen", refuse)
        patch.setattr(builtins, "open", refuse)
        result = shell.run(attempt.format(secret=secret, folder=tmp_path, script=script))
    output = b"".join(result.stdout) + b"".join(result.stderr)
    assert b"top secret" not in output
    assert b"host code ran" not in output
    assert sorted(tmp_path.rglob("*")) == before
    assert secret.read_text() == "top secret"
