"""The random agent: seeded, aims at what can be tapped, tries every kind of action."""

from __future__ import annotations

from tapwise.agent.json_codec import JsonCodec
from tapwise.agent.random_agent import RandomPolicy, Weights
from tapwise.protocols import Policy
from tapwise.records import Context, Observation, Screenshot, Size, Tap, Task, TypeText, UiNode

TREE = UiNode(
    bounds=(0, 0, 100, 200),
    children=(
        UiNode(text="Buy", clickable=True, bounds=(10, 20, 30, 40)),
        UiNode(text="Off screen", clickable=True, bounds=(10, 300, 30, 340)),
        UiNode(text="Greyed out", clickable=True, enabled=False, bounds=(50, 50, 60, 60)),
        UiNode(text="Empty", clickable=True, bounds=(5, 5, 5, 5)),
        UiNode(text="Label", bounds=(40, 40, 60, 60)),
    ),
)


def context(task_id: str = "task", ui: UiNode | None = None, instruction: str = "Buy milk.") -> Context:
    observation = Observation(Screenshot(b"", "png", Size(200, 100)), "shop/Main", True, 0.0, ui)
    return Context(Task(task_id, instruction, "shop", "shop", "buy", (), 9, "train"), (), observation)


def test_equal_seeds_act_alike_whatever_other_tasks_do() -> None:
    plain: Policy = RandomPolicy(7)
    mixed = RandomPolicy(7)
    alone = [plain.act([context("a")])[0] for _ in range(30)]
    among = [mixed.act([context("b"), context("a")])[1] for _ in range(30)]
    assert alone == among
    assert alone != [RandomPolicy(8).act([context("a")])[0] for _ in range(30)]


def test_it_taps_only_what_can_be_tapped() -> None:
    policy = RandomPolicy(1, Weights(tap=1, swipe=0, back=0, type_text=0, home=0, wait=0, finish=0))
    for decision in policy.act([context(ui=TREE)] * 20):
        assert isinstance(decision.action, Tap)
        assert decision.action.target == "Buy"
        assert decision.action.at.to_pixels(Size(200, 100)) == (20, 30)
    spread = {decision.action for decision in policy.act([context()] * 20)}
    assert len(spread) == 20


def test_it_tries_every_kind_of_action_and_writes_it() -> None:
    decisions = RandomPolicy(3).act([context(ui=TREE)] * 400)
    kinds = {type(decision.action).__name__ for decision in decisions}
    assert kinds == {"Tap", "Swipe", "Press", "TypeText", "Wait", "Finish"}
    words = {decision.action.text for decision in decisions if isinstance(decision.action, TypeText)}
    assert words == {"Buy", "milk"}
    assert all(type(JsonCodec().parse(decision.text)) is type(decision.action) for decision in decisions)
    RandomPolicy(3).act([context(instruction="")] * 50)
