"""A judge that reads the text on the screens and decides by rules; it abstains wherever they do not tell."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from tapwise.evaluator.frames import screenshots
from tapwise.evaluator.ocr import Line, Reader
from tapwise.evaluator.text_rules import Rule, Screens, decide, typed_and_answer
from tapwise.records import End, Screenshot, Trajectory, Verdict


class TextJudge:
    """Decides by `rules` from what `reader` reads. The last screen is read always, when there is a rule for the task,
    and earlier ones only when a rule asks for them, the later first."""

    def __init__(self, rules: Sequence[Rule], reader: Reader) -> None:
        self._rules, self._reader = rules, reader
        told = hashlib.sha256(f"{reader.name}\n{rules!r}".encode()).hexdigest()
        self._name = f"text:{told[:8]}"

    @property
    def name(self) -> str:
        """Its name in verdicts: other rules, and another reader, give another name."""
        return self._name

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        """One verdict per trajectory, in order; their latency is the time that reading and deciding took."""
        return [self._one(trajectory) for trajectory in trajectories]

    def _one(self, trajectory: Trajectory) -> Verdict:
        started = time.monotonic()
        shots = screenshots(trajectory)
        if trajectory.end is End.ABORTED or not shots:
            return Verdict(None, self.name, reason="the episode was aborted, or has no screenshot")
        if all(rule.values(trajectory.task) is None for rule in self._rules):
            return Verdict(None, self.name, reason="no rule is for this task")
        typed, answer = typed_and_answer(trajectory)
        try:
            last = self._lines(shots[-1])
            screens = Screens(last, lambda: map(self._lines, reversed(shots[:-1])), typed, answer)
            success, reason = decide(self._rules, trajectory, screens)
        except ValueError as error:
            success, reason = None, str(error)
        score = None if success is None else float(success)
        return Verdict(success, self.name, score, reason, latency_s=time.monotonic() - started)

    def _lines(self, shot: Screenshot) -> Sequence[Line]:
        return self._reader.read(shot).lines
