from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.android_env.tasks import Template
from tapwise.android_env.templates.settings import CHOICES, SWITCHES, TEMPLATES
from tapwise.emulators.virtual.apps.settings import SECTIONS, Choice, Toggle


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_expert_and_check(template: Template, prove: Callable[[Template], None]) -> None:
    prove(template)


def test_the_templates_know_every_setting_of_the_app() -> None:
    shown = {entry.label.lower(): (section.label.lower(), entry) for section in SECTIONS for entry in section.entries}
    for name, (section, entry) in shown.items():
        known = SWITCHES[name] if isinstance(entry, Toggle) else CHOICES[name]
        assert (known.section, known.namespace, known.key) == (section, entry.namespace, entry.key)
        if isinstance(entry, Choice):
            assert dict(known.values) == {label.lower(): value for label, value in entry.options}
        else:
            assert dict(known.values) == {"on": entry.on, "off": entry.off}
    assert set(shown) == {*SWITCHES, *CHOICES}
