"""Budgets stop hard, and count only what was answered."""

from __future__ import annotations

import pytest

from tapwise.chat import ChatError
from tapwise.errors import ConfigError
from tapwise.evaluator.budget import Budget, Spent


def test_calls_are_counted_when_they_are_answered() -> None:
    budget = Budget(calls=2)
    with pytest.raises(ChatError), budget.call():
        raise ChatError("lost", permanent=False)
    for _ in range(2):
        with budget.call():
            pass
    with pytest.raises(Spent, match="2 calls"), budget.call():
        pass
    assert budget.calls == 2


def test_calls_under_way_count_against_the_limits() -> None:
    budget = Budget(calls=1)
    with budget.call(), pytest.raises(Spent), budget.call():
        pass
    priced = Budget(cost=1.0)
    with priced.call() as call:
        call.cost = 0.6
    with priced.call(), pytest.raises(Spent, match="used up"), priced.call():
        pass  # two more at 0.6 would be too much


def test_no_limit_and_impossible_limits() -> None:
    with Budget().call():
        pass
    with pytest.raises(ConfigError, match="below 0"):
        Budget(calls=-1)
