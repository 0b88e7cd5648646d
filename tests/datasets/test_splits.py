"""Splits are stable, and what leaks between them is named."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.datasets.leakage import find_leaks
from tapwise.datasets.similarity import near_groups, near_pairs, similarity
from tapwise.datasets.splits import Item, normalise, split_by_ids, split_by_instruction
from tapwise.errors import StoreError

TaskSet = Callable[[str], list[Item]]
TEXTS = st.text(alphabet="abc ", max_size=7)


@given(texts=st.lists(TEXTS, max_size=15, unique=True), threshold=st.sampled_from([0.2, 0.5, 0.7, 0.75, 1.0]))
def test_no_near_pair_is_missed(texts: list[str], threshold: float) -> None:
    found = {(pair.first, pair.second): pair.similarity for pair in near_pairs(texts, threshold)}
    every = {pair: similarity(texts[pair[0]], texts[pair[1]]) for pair in itertools.combinations(range(len(texts)), 2)}
    assert found == {pair: value for pair, value in every.items() if value >= threshold}
    groups = near_groups(texts, threshold)
    assert sorted(itertools.chain(*groups)) == list(range(len(texts)))
    assert all(any(set(pair) <= set(group) for group in groups) for pair in found)


def test_similarity_by_hand() -> None:
    # " ab ": " ab", "ab "; " abc ": " ab", "abc", "bc "
    assert similarity("ab", "abc") == 1 / 4
    assert similarity("", "") == similarity("same", "same") == 1.0
    with pytest.raises(ValueError, match="threshold is 0"):
        list(near_pairs([], 0.0))


@given(texts=st.lists(TEXTS, max_size=20), more=st.lists(TEXTS, max_size=20), seed=st.integers(0, 9))
def test_an_instruction_keeps_its_split(texts: list[str], more: list[str], seed: int) -> None:
    items = [Item(str(n), text) for n, text in enumerate(texts + more)]
    small, large = (split_by_instruction(part, seed=seed) for part in (items[: len(texts)], items))
    for name in ("train", "validation", "test"):
        assert {item.episode for item in small[name]} <= {item.episode for item in large[name]}
    assert sorted(item.episode for part in large.values() for item in part) == sorted(item.episode for item in items)
    assert find_leaks(large, kinds=("episode", "instruction")).leaks == ()
    apart = split_by_instruction(items, seed=seed, near=0.5)
    assert find_leaks(apart, near=0.5).leaks == ()


def test_shares_are_about_those_asked_for() -> None:
    items = [Item(str(n), f"task {n}") for n in range(4000)]
    sizes = {name: len(part) for name, part in split_by_instruction(items).items()}
    assert sizes["train"] == pytest.approx(3200, abs=80)
    assert sizes["test"] == pytest.approx(400, abs=60)
    assert split_by_instruction(items, seed=1) != split_by_instruction(items)
    with pytest.raises(ValueError, match=r"add up to 0\.9"):
        split_by_instruction(items, {"train": 0.9})


def test_given_ids() -> None:
    items = [Item("a", "x"), Item("b", "y"), Item("c", "z")]
    assert split_by_ids(items, {"train": ["a"], "test": ["c"]}) == {"train": items[:1], "test": items[2:]}
    with pytest.raises(StoreError, match="'a' is in the splits 'train' and 'test'"):
        split_by_ids(items, {"train": ["a"], "test": ["a"]})
    with pytest.raises(StoreError, match="split 'test' names episode 'q', which is not in the data"):
        split_by_ids(items, {"test": ["q"]})


def test_every_kind_of_leak_is_named() -> None:
    train = [Item("1", "Open the calendar, please", "s1"), Item("2", "Buy a red lamp at the shop", "s2")]
    train.append(Item("3", "Call mum", None))
    test = [Item("1", "Something else", None), Item("8", "open the calendar please!", "s9")]
    test += [Item("9", "Buy a red lamp at the shop.now", "s2")]
    report = find_leaks({"train": train, "test": test})
    assert [(leak.kind, dict(leak.episodes)) for leak in report.leaks] == [
        ("episode", {"train": ("1",), "test": ("1",)}),
        ("instruction", {"train": ("1",), "test": ("8",)}),
        ("near_instruction", {"train": ("2",), "test": ("9",)}),
        ("first_screen", {"train": ("2",), "test": ("9",)}),
    ]
    assert report.affected("train") == 2
    assert report.affected("test", ["instruction"]) == 1
    with pytest.raises(StoreError, match=r"(?s)the splits leak.*the same instruction in two splits: 1 of 3 in train"):
        report.check()
    assert "nearly the same instruction 'buy a red lamp at the shop | buy a red lamp at the shop now'" in "\n".join(
        report.lines()
    )
    nothing = find_leaks({"train": train[2:], "test": test[:1]})
    nothing.check()
    assert nothing.lines() == ["no leak between train, test"]


def test_items_of_trajectories(make: Any) -> None:
    first, second, other = (Item.of(make(name, picture=shot)) for name, shot in (("a", b"x"), ("b", b"x"), ("c", b"y")))
    assert first.first_screen == second.first_screen != other.first_screen
    assert Item.of(make("d", steps=0)).first_screen is None
    assert normalise("  What's the TIME?? ") == "what s the time"
    assert normalise("?!") == "?!"


@pytest.fixture
def task_set(shared_file: Callable[[str], Path]) -> TaskSet:
    """`task_set(name)`: one item per instruction of a published list."""

    def read(name: str) -> list[Item]:
        lines = shared_file(f"data/aitw_{name}.txt").read_text(encoding="utf-8").splitlines()
        return [Item(f"{name}:{number}", line.strip()) for number, line in enumerate(lines, 1) if line.strip()]

    return read


def test_published_general_split_is_not_held_out(task_set: TaskSet) -> None:
    train, test = task_set("general_train"), task_set("general_test")
    assert (len(train), len(test)) == (545, 432)
    published = find_leaks({"train": train, "test": test})
    assert published.affected("test", ["instruction"]) == 432
    assert find_leaks({"train": train, "test": test[:96]}).affected("test", ["instruction"]) == 96
    ours = split_by_instruction([*train, *test], near=0.85)
    assert find_leaks(ours).leaks == ()
    assert min(map(len, ours.values())) > 40


def test_published_shop_split(task_set: TaskSet) -> None:
    train, test = task_set("webshop_train"), task_set("webshop_test")
    assert (len(train), len(test)) == (438, 360)
    shared = {item.instruction for item in train}
    assert sum(item.instruction in shared for item in test[:96]) == 32
    assert find_leaks({"train": train, "test": test[:96]}).affected("test", ["instruction"]) >= 32


def test_golden_counts(golden: dict[str, Any], task_set: TaskSet) -> None:
    expected = golden["digirl.task_sets"]["expected"]
    train, test = task_set("general_train"), task_set("general_test")
    assert (
        find_leaks({"train": train, "test": test}).affected("test", ["instruction"])
        == (expected["general_test_also_in_train"])
    )
    assert {name: len(task_set(name)) for name in expected["counts"]} == expected["counts"]
