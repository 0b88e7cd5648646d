from __future__ import annotations

import re

import pytest

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Context, Finish, Step

APPS = {"settings", "clock", "contacts", "messages", "notes", "files"}

SIDE_EFFECTS = {
    "settings.network": "settings put global hotspot_on 7",
    "clock.add_alarm": "content insert --uri content://com.android.deskclock/alarms --bind hour:i:3 --bind minutes:i:0",
    "clock.delete_city": "content insert --uri content://com.android.deskclock/cities --bind name:s:Rome",
    "contacts.add": "content delete --uri content://com.android.contacts/contacts --where 'starred=0'",
    "contacts.star": "content update --uri content://com.android.contacts/contacts --bind number:s:1",
    "messages.send": "content insert --uri content://sms --bind address:s:Eve --bind body:s:Hi --bind type:i:2",
    "messages.pin": "content update --uri content://mms-sms/conversations --bind read:i:0",
    "notes.new": "content insert --uri content://com.google.android.keep/notes --bind title:s:Extra",
    "notes.rename": "content update --uri content://com.google.android.keep/notes --bind body:s:Lost",
    "files.delete": "echo more > /sdcard/Movies/extra.txt",
    "files.move": "rm -rf /sdcard/Documents",
}


def test_the_suite_is_large_and_says_things_in_short() -> None:
    suite = load_suite("general")
    ours = [task for task in suite.tasks() if task.app in APPS]
    assert len({task.template for task in ours}) >= 40
    for task in ours:
        words = task.instruction.split()
        assert 3 <= len(words) <= 9, task.instruction
        assert all(re.fullmatch("[a-z]+|[0-9]+", word) for word in words), task.instruction
        assert task.max_steps == 10


@pytest.mark.parametrize("name", SIDE_EFFECTS)
def test_a_side_effect_spoils_the_task(name: str) -> None:
    suite = load_suite("general")
    task = next(task for task in suite.tasks() if task.template == name)
    device = InProcessDevice(VirtualPhone(seed=1))
    env, expert = AndroidEnv(device, suite, EnvSettings(with_tree=True)), ScriptedExpert(suite)
    check = suite.template_of(task).check
    observation, steps = env.reset(task, 1), []
    while True:
        (decision,) = expert.act([Context(task, tuple(steps), observation)])
        if isinstance(decision.action, Finish):
            break
        steps.append(Step(observation, decision))
        observation = env.step(decision.action).observation
    assert check(device.shell, dict(task.params))
    device.shell(SIDE_EFFECTS[name])
    assert not check(device.shell, dict(task.params))
