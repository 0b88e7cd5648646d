"""The templates of the suites office and media, on a noisy phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import LEVELS, Template
from tapwise.records import Finish

TEMPLATES = [template for name in ("office", "media") for template in load_suite(name).templates.values()]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_template(prove: Callable[[Template], None], template: Template) -> None:
    prove(template)


def test_all_levels_answers_and_impossible_tasks_are_there() -> None:
    assert {template.level for template in TEMPLATES} == set(LEVELS)
    assert sum(template.answer is not None for template in TEMPLATES) >= 15
    assert sum(template.impossible for template in TEMPLATES) >= 6
    assert sum(len(template.apps) > 1 for template in TEMPLATES) >= 3
    assert len(load_suite("all").templates) >= 150


def test_answers_and_impossibility_are_judged() -> None:
    asks = next(template for template in TEMPLATES if template.answer is not None)
    told = Template(**{**{f: getattr(asks, f) for f in asks.__dataclass_fields__}, "answer": lambda s, p: "Home 9",
                       "check": lambda s, p: True})  # fmt: skip
    for finish, solved in (
        (Finish("success", "home 9."), True),
        (Finish("success", "home"), False),
        (Finish("success"), False),
        (Finish("impossible", "home 9"), False),
        (None, False),
    ):
        assert told.judge(lambda command: "", {}, finish) is solved
    no = next(template for template in TEMPLATES if template.impossible)
    never = Template(**{**{f: getattr(no, f) for f in no.__dataclass_fields__}, "check": lambda s, p: True})
    assert never.judge(lambda command: "", {}, Finish("impossible"))
    assert not never.judge(lambda command: "", {}, Finish("success"))
