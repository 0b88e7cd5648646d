"""The scripted experts get past whatever the world puts in their way, by what the screen shows."""

from __future__ import annotations

import pytest

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Suite
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Size

DIALS = ("permissions", "heads_up", "walls", "failed_loads")
TEMPLATES = ("camera.photo", "contacts.star", "messages.send", "music.add", "shop.check_out", "shop.pay_bag")


@pytest.mark.parametrize("dial", DIALS)
def test_the_expert_gets_through(dial: str) -> None:
    met = 0
    for name in TEMPLATES:
        suite = Suite("under test", [load_suite("all").templates[name]])
        phone = VirtualPhone(size=Size(600, 270), density=105, noise=Noise(**{dial: 0.6}))
        env = AndroidEnv(InProcessDevice(phone), suite, EnvSettings(with_tree=True))
        task = suite.tasks()[0]
        played = run_episode(env, ScriptedExpert(suite), task, 4)
        assert played.fault is None, (task.id, played.fault)
        assert played.outcome is True, (task.id, [step.decision.action for step in played.steps])
        quiet = AndroidEnv(InProcessDevice(_quiet_phone()), suite, EnvSettings(with_tree=True))
        met += len(played.steps) > len(run_episode(quiet, ScriptedExpert(suite), task, 4).steps)
    assert met  # something was in the way


def _quiet_phone() -> VirtualPhone:
    return VirtualPhone(size=Size(600, 270), density=105)
