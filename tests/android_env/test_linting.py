"""The linter finds what is wrong with templates that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tapwise.android_env.linting import PROOFS
from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Template
from tapwise.cli.task_proofs import prove_template
from tapwise.emulators.virtual.noise import Noise
from tapwise.records import Finish

QUIET = Noise()


def failures(template: Template) -> set[str]:
    return {proof.name for proof in prove_template(template, QUIET, 2) if not proof.passed}


@pytest.fixture
def sound() -> Template:
    return load_suite("general").templates["notes.rename"]


def test_a_sound_template_has_every_proof_on_a_noisy_phone(sound: Template) -> None:
    noise = Noise(popups=0.3, ads=0.3, slow_loads=0.3, layout_shifts=1.0)
    proofs = prove_template(sound, noise, 3)
    assert [proof.name for proof in proofs] == list(PROOFS)
    assert [proof for proof in proofs if not proof.passed] == []


BREAK: dict[str, Callable[[Template], Template]] = {
    "expert succeeds": lambda t: replace(t, check=lambda shell, p: False),
    "doing nothing fails": lambda t: replace(t, check=lambda shell, p: True),
    "finishing alone fails": lambda t: replace(t, check=lambda shell, p: True),
    "last step counts": lambda t: replace(t, check=lambda shell, p: "keep" in shell("dumpsys activity activities")),
    "check only reads": lambda t: replace(
        t, check=lambda shell, p: t.check(shell, p) and shell("settings put system looked 1") == ""
    ),
}


@pytest.mark.parametrize("name", BREAK)
def test_each_proof_finds_what_it_is_for(sound: Template, name: str) -> None:
    assert name in failures(BREAK[name](sound))


def test_an_expert_that_does_nothing_has_no_effective_step(sound: Template) -> None:
    assert "last step counts" in failures(replace(sound, expert=lambda screen, p: Finish()))
