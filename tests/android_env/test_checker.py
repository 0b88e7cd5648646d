from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, Suite, Template, check_env
from tapwise.records import Size, UiNode


def failed(env: AndroidEnv) -> set[str]:
    return {finding.name for finding in check_env(env, env.suite.tasks()[0]) if not finding.passed}


@pytest.mark.parametrize("with_tree", [True, False])
def test_a_sound_environment_has_no_failed_finding(phone: Any, suite: Suite, with_tree: bool) -> None:
    findings = check_env(AndroidEnv(phone, suite, EnvSettings(with_tree=with_tree)), suite.tasks()[0])
    assert len(findings) > 8
    assert [finding for finding in findings if not finding.passed] == []


def test_a_wrong_size_is_found(phone: Any, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "size", lambda: Size(600, 400))
    assert "screenshot has the device's size" in failed(AndroidEnv(phone, suite))


def test_bounds_beyond_the_screen_are_found(phone: Any, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "ui_tree", lambda: UiNode(bounds=(0, 0, 900, 900), clickable=True, text="Settings"))
    assert "tree lies inside the screen" in failed(AndroidEnv(phone, suite))


def test_taps_that_miss_are_found(phone: Any, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "tap", lambda x, y: None)
    assert failed(AndroidEnv(phone, suite)) == {"tap hits what it aims at"}


def test_a_phone_that_differs_every_time_is_found(phone: Any, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, count = phone.screenshot, iter(range(10**6))
    monkeypatch.setattr(phone, "screenshot", lambda: (draw() // 2 + next(count) % 5 * 25).astype("uint8"))
    found = failed(AndroidEnv(phone, suite))
    assert {"same seed resets to the same pixels", "same actions lead to the same pixels"} <= found


def test_a_task_solved_from_the_start_is_found(phone: Any, toggle: Template) -> None:
    env = AndroidEnv(phone, Suite("easy", [replace(toggle, check=lambda shell, params: True)]))
    assert failed(env) == {"task starts unsolved"}


def test_a_probe_that_raises_is_a_finding(phone: Any, toggle: Template) -> None:
    env = AndroidEnv(phone, Suite("broken", [replace(toggle, check=lambda shell, params: 1 / 0)]))  # type: ignore[arg-type,return-value]
    details = {finding.name: finding.detail for finding in check_env(env, env.suite.tasks()[0])}
    assert "ZeroDivisionError" in details["finish terminates"]
