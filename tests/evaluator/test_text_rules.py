"""Rules about texts: which tasks they are for, when they hold, and what a judge makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tapwise.android_env.suites import load_suite
from tapwise.errors import ConfigError
from tapwise.evaluator.cascade import Cascade, Stage
from tapwise.evaluator.ocr import Line, Page
from tapwise.evaluator.outcome import OutcomeJudge
from tapwise.evaluator.text_judge import TextJudge
from tapwise.evaluator.text_rules import load_rules
from tapwise.protocols import Judge
from tapwise.records import (
    Action,
    Decision,
    End,
    Finish,
    Observation,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
    TypeText,
    Wait,
)


class Written:
    """A reader of screens whose bytes are their texts, one a line, from the top of the screen downwards."""

    name = "written"

    def __init__(self) -> None:
        self.read_screens: list[bytes] = []

    def read(self, screenshot: Screenshot) -> Page:
        self.read_screens.append(screenshot.data)
        texts = screenshot.data.decode().split("\n")
        return Page(tuple(Line(text, 0.99, (0.1, 0.1 * row, 0.9, 0.1 * row + 0.05)) for row, text in enumerate(texts)))


def observe(text: str) -> Observation:
    return Observation(Screenshot(text.encode(), "png", Size(2, 1)), "a/b", True, 0.0)


def episode(
    *screens: str, action: Action | None = None, end: End = End.FINISHED, instruction: str = "Do", **params: str
) -> Trajectory:
    """An episode of template notes.new with a screen before each action, the last of which is `action`."""
    actions = [*[Wait()] * (len(screens) - 1), action or Finish()]
    steps = tuple(Step(observe(text), Decision(one, "")) for text, one in zip(screens, actions, strict=True))
    task = Task("t", instruction, "s", "notes", "notes.new", tuple(sorted(params.items())), 9, "test")
    return Trajectory("e", task, steps, end, Provenance("p"))


def judge(tmp_path: Path, *rules: str, reader: Written | None = None) -> TextJudge:
    path = tmp_path / "rules.toml"
    path.write_text("\n".join(f"[[rule]]\n{rule}" for rule in rules), encoding="utf-8")
    return TextJudge(load_rules(str(path)), reader or Written())


def said(found: TextJudge, trajectory: Trajectory) -> bool | None:
    (verdict,) = found.judge([trajectory])
    assert verdict.judge == found.name
    assert verdict.score == (None if verdict.success is None else float(verdict.success))
    return verdict.success


def when(*conditions: str, verdict: str = "success", **more: str) -> str:
    others = "\n".join(f"{key} = {value}" for key, value in more.items())
    return f'templates = ["notes.*"]\nverdict = "{verdict}"\nwhen = {list(conditions)!r}\n{others}'


@pytest.mark.parametrize(
    ("condition", "screen", "holds"),
    [
        ("seen {title}", "Notes\nIdeas", True),
        ("seen {title}", "Notes\nBooks", None),
        ("seen Saved|{title}", "Notes\nIdeas", True),
        ("unseen {title}", "Notes\nBooks", True),
        ("unseen {title}", "Notes\nIdeas", None),
        ("unseen {title}", "Notes\nIdoas", None),  # perhaps misread
        ("top {title}", "Ideas\nRename", True),
        ("top {title}", "Notes\nRename\nx\nIdeas", None),
        ("not top {title}", "Notes\nRename\nx\nIdeas", True),
        ("at 30-40 {title}", "Notes\nRename\nx\nIdeas", True),
        ("unanswered", "x", True),
        ("answered", "x", None),
        ("seen {nothing}", "x", None),  # the task has no such parameter
        ("?seen {nothing}", "x", True),
    ],
)
def test_conditions(condition: str, screen: str, holds: bool | None, tmp_path: Path) -> None:
    assert said(judge(tmp_path, when(condition)), episode(screen, title="ideas")) is holds


def test_all_conditions_have_to_hold_and_contradictions_decide_nothing(tmp_path: Path) -> None:
    assert said(judge(tmp_path, when("seen Ideas", "seen Saved")), episode("Ideas")) is None
    both = judge(tmp_path, when("seen Ideas"), when("unseen Saved", verdict="failure"))
    assert said(both, episode("Ideas")) is None
    assert "contradict" in both.judge([episode("Ideas")])[0].reason
    assert said(both, episode("Ideas\nSaved")) is True
    assert said(both, episode("Books")) is False


def test_a_success_has_to_be_claimed_and_a_failure_need_not(tmp_path: Path) -> None:
    success, failure = judge(tmp_path, when("seen x")), judge(tmp_path, when("seen x", verdict="failure"))
    given_up, out_of_steps = episode("x", action=Finish("impossible")), episode("x", action=Wait(), end=End.TRUNCATED)
    assert [said(success, one) for one in (given_up, out_of_steps)] == [None, None]
    assert [said(failure, one) for one in (given_up, out_of_steps)] == [False, False]
    limit = judge(tmp_path, when("seen x", verdict="failure", claim='"limit"'))
    assert [said(limit, one) for one in (given_up, out_of_steps)] == [None, False]


def test_rules_are_for_templates_values_and_goals(tmp_path: Path) -> None:
    assert said(judge(tmp_path, when("seen x", where='{state = "on"}')), episode("x", state="off")) is None
    assert said(judge(tmp_path, when("seen x", where='{state = "on"}')), episode("x", state="on")) is True
    assert said(judge(tmp_path, when("seen x", without='["days"]')), episode("x", days="2")) is None
    assert said(judge(tmp_path, when("seen x").replace("notes.*", "shop.*")), episode("x")) is None
    by_goal = judge(tmp_path, "goal = 'go to (?P<site>\\w+)\\.com'\nverdict = \"success\"\nwhen = ['top {site}.com']")
    assert said(by_goal, episode("ebay.com\nDeals", instruction="Go to ebay.com, please")) is True
    assert said(by_goal, episode("costco.com\nDeals", instruction="Go to ebay.com, please")) is None
    assert said(by_goal, episode("ebay.com", instruction="Open the clock")) is None


def test_answers(tmp_path: Path) -> None:
    found = judge(tmp_path, when("seen {answer}"))
    assert said(found, episode("10 minutes", action=Finish("success", "10 minutes"))) is True
    assert said(found, episode("10 minutes")) is None


def test_earlier_screens_are_read_only_for_a_rule_that_asks_for_them(tmp_path: Path) -> None:
    reader = Written()
    found = judge(tmp_path, when("seen Home", "never Ideas", verdict="failure"), reader=reader)
    assert said(found, episode("a", "b", "Notes")) is None
    assert reader.read_screens == [b"Notes"]
    assert said(found, episode("a", "b", "Home")) is False
    assert reader.read_screens[1:] == [b"Home", b"b", b"a"]
    assert said(found, episode("Ideas", "b", "Home")) is None
    assert said(judge(tmp_path, when("ever Ideas")), episode("Ideas", "b", "Home")) is True


def test_what_was_typed_counts_as_seen_for_never(tmp_path: Path) -> None:
    one = episode("a", "Home")
    steps = (Step(one.steps[0].observation, Decision(TypeText("my ideas"), "")), one.steps[1])
    typed = Trajectory("e", one.task, steps, one.end, one.provenance)
    assert said(judge(tmp_path, when("never Ideas", verdict="failure")), typed) is None


def test_the_judge_abstains_on_what_it_cannot_read(tmp_path: Path) -> None:
    found = judge(tmp_path, when("seen x"))
    assert said(found, episode("x", end=End.ABORTED)) is None
    reader = Written()
    assert said(judge(tmp_path, when("seen x").replace("notes.*", "shop.*"), reader=reader), episode("x")) is None
    assert reader.read_screens == []

    class Blind(Written):
        def read(self, screenshot: Screenshot) -> Page:
            raise ValueError("no readable picture")

    (verdict,) = judge(tmp_path, when("seen x"), reader=Blind()).judge([episode("x")])
    assert (verdict.success, verdict.reason) == (None, "no readable picture")


def test_its_name_tells_rules_and_reader(tmp_path: Path) -> None:
    other = Written()
    other.name = "another"
    names = [
        judge(tmp_path, when("seen x")).name,
        judge(tmp_path, when("seen y")).name,
        judge(tmp_path, when("seen x"), reader=other).name,
    ]
    assert len(set(names)) == 3
    assert judge(tmp_path, when("seen x")).name == names[0]


def test_in_a_cascade_it_hands_on_what_it_does_not_decide(tmp_path: Path) -> None:
    asked: list[str] = []

    class Asked(OutcomeJudge):
        def judge(self, trajectories: Sequence[Trajectory]) -> list[Any]:
            asked.extend(one.task.instruction for one in trajectories)
            return super().judge(trajectories)

    text: Judge = judge(tmp_path, when("seen Saved"))
    cascade = Cascade([Stage(text), Stage(Asked())])
    found = cascade.judge([episode("Saved", instruction="first"), episode("x", instruction="second")])
    assert [one.success for one in found] == [True, None]
    assert asked == ["second"]
    assert (cascade.shares[text.name].asked, cascade.shares[text.name].decided) == (2, 1)


def test_the_rules_that_we_ship_are_for_templates_that_there_are() -> None:
    templates = load_suite("all").templates.values()
    for rule in load_rules("virtual_phone"):
        tasks = [task for task in load_suite("all").tasks() if rule.values(task) is not None]
        assert tasks, f"rule {rule.number} is for no task"
    answered = {template.name for template in templates if template.answer is not None}
    (unanswered,) = [rule for rule in load_rules("virtual_phone") if [one.word for one in rule.when] == ["unanswered"]]
    assert set(unanswered.templates) <= answered


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "no .*rule"),
        ("[[rule", "cannot be read"),
        ('[[rule]]\nverdict = "success"\nwhen = ["seen x"]', "rule 1 .*templates or goal"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "done"\nwhen = ["seen x"]', "verdict is 'done'"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nwhen = []', "needs when"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nwhen = ["sees x"]', "no condition"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nwhen = ["seen"]', "too little"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nwhen = ["answered x"]', "too much"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nwhen = ["near x"]', "too little"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nwhen = ["not seen x"]', "negated"),
        ('[[rule]]\ntemplates = ["*"]\nverdict = "success"\nclaim = "no"\nwhen = ["seen x"]', "claim is 'no'"),
        ("[[rule]]\ngoal = '('\nverdict = \"success\"\nwhen = ['seen x']", "regular expression"),
        ('[[rule]]\ntemplate = ["*"]\nverdict = "success"\nwhen = ["seen x"]', "takes the keys"),
    ],
)
def test_files_that_cannot_be_used(text: str, hint: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=hint):
        load_rules(str(path))
