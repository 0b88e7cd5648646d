from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.android_env.tasks import Template
from tapwise.android_env.templates.files import TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_expert_and_check(template: Template, prove: Callable[[Template], None]) -> None:
    prove(template)
