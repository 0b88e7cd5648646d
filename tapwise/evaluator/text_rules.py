"""Rules that decide from the texts on an episode's screens whether its task is done, written in a file.

A TOML file of `[[rule]]` tables. A rule is for the tasks of some templates, or for goals of a form:

    [[rule]]
    templates = ["calendar.new", "calendar.new_*"]   # names, * for anything
    goal = 'go to (?P<site>\\w+)\\.com'              # instead: a regular expression that the goal holds
    where = {command = "start"}                      # only with these values of parameters
    without = ["days"]                               # only for tasks that lack these parameters
    verdict = "success"                              # or "failure"
    claim = "success"                                # how the agent ended: success, impossible, limit; any of failures
    when = ["top {title}", "near {place} / Location", "unseen Cancel"]

Conditions are about the last screen; a rule holds when all of them do. `{name}` is a parameter of the task or a named
group of the goal's form, `{answer}` what the agent answered; `|` stands between alternatives.

    seen T          T is on the screen               unseen T        it is not
    at 20-30 T      T lies there, in percent of the  not at 20-30 T  it does not
                    height from the top
    top T           the same as at 0-21 T            not top T       the same as not at 0-21 T
    near T / L      T is beside its label L          far T / L       both can be told, and it is not
    ever T          T is on any screen               never T         on no screen, and was not typed
    answered        the agent gave an answer         unanswered      it gave none

A condition that begins with `?` is left out for tasks that lack one of its parameters; a rule with any other such
condition is not for the task. Where texts cannot be told for certain, no condition on them holds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from tapwise.errors import ConfigError
from tapwise.evaluator.ocr import Line
from tapwise.evaluator.text_match import near, seen
from tapwise.records import End, Finish, Task, Trajectory, TypeText

SHIPPED = "virtual_phone"
"""the rules that ship with the package"""
TOP = (0.0, 0.21)
CLAIMS = ("success", "impossible", "limit")
_FIELD = re.compile(r"\{(\w+)\}")
_FORM = re.compile(
    r"(?P<optional>\?)?\s*(?P<negated>not )?"
    r"(?P<word>seen|unseen|top|at (?P<low>\d+)-(?P<high>\d+)|near|far|ever|never|answered|unanswered)(?: (?P<text>.+))?"
)
_KEYS = {"templates", "goal", "where", "without", "verdict", "claim", "when"}


@dataclass(frozen=True, slots=True)
class Screens:
    """What is known of an episode: `last` are the lines of its last screen; `earlier` reads those of the others, when
    a rule asks for them."""

    last: Sequence[Line]
    earlier: Callable[[], Iterable[Sequence[Line]]]
    typed: Sequence[str]
    answer: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `text` is the whole of it, as it was written."""

    text: str
    word: str
    texts: tuple[str, ...]
    label: str
    span: tuple[float, float]
    optional: bool

    def holds(self, values: dict[str, str], screens: Screens) -> bool:
        """Whether it holds for certain, with the fields filled in."""
        if self.word in ("answered", "unanswered"):
            return bool((screens.answer or "").strip()) is (self.word == "answered")
        positive = self.word in ("seen", "at", "near", "ever")
        found = self._found([_filled(text, values) for text in self.texts], _filled(self.label, values), screens)
        return found is True if positive else found is False

    def _found(self, texts: Sequence[str], label: str, screens: Screens) -> bool | None:
        if self.word in ("near", "far"):
            if self.word == "far" and seen(label, screens.last) is not True:
                return None
            return _any([near(text, label, screens.last) for text in texts])
        if self.word in ("at", "not at"):
            low, high = self.span
            there = [line for line in screens.last if low <= (line.box[1] + line.box[3]) / 2 < high]
            return _any([seen(text, there) for text in texts])
        now = _any([seen(text, screens.last) for text in texts])
        if self.word in ("seen", "unseen") or now is True:
            return now
        if self.word == "never" and any(_typed(text, screens.typed) for text in texts):
            return None
        for lines in screens.earlier():
            found = _any([seen(text, lines) for text in texts])
            if found is True:
                return True
            now = None if found is None else now
        return now


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `number` is its place in the file, from 1."""

    number: int
    templates: tuple[str, ...]
    goal: re.Pattern[str] | None
    where: dict[str, str]
    without: tuple[str, ...]
    verdict: bool
    claims: tuple[str, ...]
    when: tuple[Condition, ...]

    def values(self, task: Task) -> dict[str, str] | None:
        """What its fields stand for in a task; None when the rule is not for the task."""
        if self.templates and not any(fnmatchcase(task.template, pattern) for pattern in self.templates):
            return None
        match = None if self.goal is None else self.goal.search(task.instruction)
        if self.goal is not None and match is None:
            return None
        groups = {} if match is None else {name: text for name, text in match.groupdict().items() if text is not None}
        values = {**dict(task.params), **groups}
        if any(name in values for name in self.without):
            return None
        return values if all(values.get(name) == value for name, value in self.where.items()) else None

    def holds(self, values: dict[str, str], screens: Screens) -> bool:
        """Whether all of its conditions hold; what costs the reading of more screens is asked last."""
        known = values if screens.answer is None else {**values, "answer": screens.answer}
        asked = []
        for condition in self.when:
            if all(name in known for text in (*condition.texts, condition.label) for name in _FIELD.findall(text)):
                asked.append(condition)
            elif not condition.optional:
                return False
        asked.sort(key=lambda condition: condition.word in ("ever", "never"))
        return all(condition.holds(known, screens) for condition in asked)


def load_rules(spec: str) -> tuple[Rule, ...]:
    """The rules of a file; `virtual_phone` are those that ship with the package.

    Raises ConfigError that names the file and the rule that is wrong.
    """
    try:
        if spec == SHIPPED:
            text = (files("tapwise.evaluator") / f"{SHIPPED}.toml").read_text(encoding="utf-8")
        else:
            text = Path(spec).read_text(encoding="utf-8")
        entries = tomllib.loads(text).get("rule")
    except (OSError, ValueError) as error:
        raise ConfigError(f"the text rules in {spec} cannot be read: {error}; {SHIPPED} are those we ship") from None
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{spec} has no [[rule]] table")
    return tuple(_rule(entry, number, f"rule {number} of {spec}") for number, entry in enumerate(entries, 1))


def decide(rules: Sequence[Rule], trajectory: Trajectory, screens: Screens) -> tuple[bool | None, str]:
    """What the rules say of an episode, and why. Rules that contradict each other decide nothing."""
    claim = _claim(trajectory)
    said: dict[bool, Rule] = {}
    for rule in rules:
        values = rule.values(trajectory.task)
        if values is None or claim not in rule.claims or rule.verdict in said:
            continue
        if rule.holds(values, screens):
            said[rule.verdict] = rule
    if len(said) == 2:
        return None, f"rules {said[True].number} and {said[False].number} contradict each other"
    if not said:
        return None, "no rule holds"
    ((verdict, rule),) = said.items()
    return verdict, f"rule {rule.number}: " + ", ".join(condition.text for condition in rule.when)


def typed_and_answer(trajectory: Trajectory) -> tuple[list[str], str | None]:
    """What the agent typed, and what it answered."""
    actions = [step.decision.action for step in trajectory.steps]
    last = actions[-1] if actions else None
    return [one.text for one in actions if isinstance(one, TypeText)], last.answer if isinstance(last, Finish) else None


def _claim(trajectory: Trajectory) -> str:
    last = trajectory.steps[-1].decision.action if trajectory.steps else None
    return last.status if trajectory.end is End.FINISHED and isinstance(last, Finish) else "limit"


def _any(found: Sequence[bool | None]) -> bool | None:
    return True if True in found else None if None in found else False


def _typed(text: str, typed: Sequence[str]) -> bool:
    return any(text.casefold() in one.casefold() for one in typed)


def _filled(text: str, values: dict[str, str]) -> str:
    return _FIELD.sub(lambda match: values.get(match[1], ""), text)


def _rule(entry: Any, number: int, name: str) -> Rule:
    if not isinstance(entry, dict) or set(entry) - _KEYS:
        raise ConfigError(f"{name} takes the keys {', '.join(sorted(_KEYS))}, and has {entry!r}")
    if not (entry.get("templates") or entry.get("goal")):
        raise ConfigError(f"{name} needs templates or goal: which tasks it is for")
    verdict = entry.get("verdict")
    if verdict not in ("success", "failure"):
        raise ConfigError(f'{name}: verdict is {verdict!r}; write "success" or "failure"')
    claim = entry.get("claim", "success" if verdict == "success" else "any")
    if claim != "any" and claim not in CLAIMS:
        raise ConfigError(f"{name}: claim is {claim!r}; write {', '.join(CLAIMS)} or any")
    when = entry.get("when")
    if not isinstance(when, list) or not when:
        raise ConfigError(f"{name} needs when = [...], its conditions")
    try:
        goal = None if entry.get("goal") is None else re.compile(entry["goal"], re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise ConfigError(f"{name}: goal is no regular expression: {error}") from None
    return Rule(
        number,
        tuple(entry.get("templates", ())),
        goal,
        dict(entry.get("where", {})),
        tuple(entry.get("without", ())),
        verdict == "success",
        CLAIMS if claim == "any" else (claim,),
        tuple(_condition(text, name) for text in when),
    )


def _condition(text: Any, name: str) -> Condition:
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ConfigError(f"{name}: {text!r} is no condition; write such as 'seen Saved' or 'near {{value}} / Volume'")
    word = match["word"].partition(" ")[0]
    span = TOP if match["low"] is None else (int(match["low"]) / 100, int(match["high"]) / 100)
    if word in ("top", "at"):
        word = "at"
    elif match["negated"]:
        raise ConfigError(f"{name}: {text!r}: only at and top are negated with not")
    words: Literal["not at"] | str = "not at" if match["negated"] else word
    told, label = match["text"] or "", ""
    if word in ("near", "far"):
        told, _, label = told.partition(" / ")
    texts = tuple(one.strip() for one in told.split("|") if one.strip())
    if bool(texts) is (word in ("answered", "unanswered")) or (word in ("near", "far") and not label.strip()):
        raise ConfigError(f"{name}: {text!r} has too little or too much after {match['word']!r}")
    return Condition(text, words, texts, label.strip(), span, bool(match["optional"]))
