"""The replay environment: what counts as agreement, what is patched, and what the policy gets to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tapwise.android_env import EpisodeRunner, ReplayEnv, ReplayEpisode, ReplaySettings, Rollout, paper_step_reward
from tapwise.android_env.replay_episode import with_thought, without_thought
from tapwise.errors import EnvError, PolicyError
from tapwise.matching import Match
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

TASK = Task("t", "type", "general", "notes", "type", (), 10, "train")
WRONG = TypeText("wrong")
SOURCE = Provenance("scripted", 4)


def screen(number: int) -> Observation:
    return Observation(Screenshot(b"%d" % number, "png", Size(20, 10)), f"app/.Screen{number}", True, float(number))


def right(number: int) -> Action:
    return TypeText(f"step {number}")


def make_expert(length: int = 5) -> Trajectory:
    steps = tuple(Step(screen(n), Decision(right(n), text="by another model")) for n in range(length))
    return Trajectory("expert", TASK, steps, End.FINISHED, Provenance("human"), final=screen(length))


def written(action: Action) -> str:
    assert isinstance(action, TypeText)
    return f"type {action.text}"


def play(
    matches: list[bool], settings: ReplaySettings, thoughts: tuple[str, ...] = (), own_thought: str | None = None
) -> tuple[Rollout, list[list[str]]]:
    """A policy that is right or wrong as told; its rollout, and the texts in the history of each context."""
    env = ReplayEnv(make_expert(len(matches)), settings, thoughts=thoughts)
    episode = ReplayEpisode(env, with_thought(written), SOURCE, "r", own_thoughts=own_thought is not None)
    seen: list[list[str]] = []
    while not episode.over:
        number = len(seen)
        assert episode.context.observation == screen(number)
        seen.append([step.decision.text for step in episode.context.history])
        action = right(number) if matches[number] else WRONG
        episode.advance(Decision(action, f"own {number}", (number,), (-0.5,)))
        if episode.patch_wanted is not None:
            assert own_thought is not None
            episode.think(own_thought)
    return episode.rollout, seen


def patch(number: int, thought: str = "") -> str:
    return f"<think>\n{thought}\n</think>\n<action>\ntype step {number}\n</action>"


def test_an_expert_policy_matches_every_step() -> None:
    rollout, seen = play([True] * 3, ReplaySettings(patches=0))
    assert rollout.matches == (Match(kind=True, same=True),) * 3
    assert rollout.rewards == (1.0, 1.0, 1.0)
    assert rollout.patched == (False, False, False)
    assert (rollout.progress, rollout.complete) == (1.0, True)
    assert rollout.trajectory.end is End.FINISHED
    assert rollout.trajectory.final == screen(3)
    assert rollout.trajectory.outcome is None, "no state was checked"
    assert seen == [[], ["own 0"], ["own 0", "own 1"]]


def test_without_patches_a_mismatch_cuts_the_episode_and_is_still_learned_from() -> None:
    rollout, seen = play([True, True, False, True], ReplaySettings(patches=0))
    assert len(seen) == 3
    assert rollout.trajectory.end is End.TRUNCATED
    assert rollout.trajectory.steps[-1].decision.action == WRONG
    assert rollout.rewards == pytest.approx((1.0, 1.0, 0.5))
    assert rollout.patched == (False, False, False)
    assert [step.decision.text for step in rollout.history] == ["own 0", "own 1"]
    assert (rollout.progress, rollout.complete) == (0.5, False)
    assert rollout.trajectory.final is None, "nobody knows what came of it"


def test_a_patch_stands_in_the_history_and_not_in_what_is_learned() -> None:
    rollout, seen = play([True, False, True, False, True], ReplaySettings(patches=1))
    assert seen == [[], ["own 0"], ["own 0", patch(1)], ["own 0", patch(1), "own 2"]]
    assert [step.decision.text for step in rollout.trajectory.steps] == ["own 0", "own 1", "own 2", "own 3"]
    assert rollout.patched == (False, True, False, False)
    assert rollout.history[1].decision.token_ids == (), "the policy never said it"
    assert rollout.history[1].observation == screen(1)
    context = rollout.context(3)
    assert [step.decision.action for step in context.history] == [right(0), right(1), right(2)]
    assert context.observation == screen(3)


@pytest.mark.parametrize(
    ("patches", "steps", "history"),
    [(0, 2, "m"), (1, 4, "mem"), (2, 5, "memem"), (None, 5, "memem")],
    ids=["none", "one", "two", "all"],
)
def test_so_many_mismatches_are_patched(patches: int | None, steps: int, history: str) -> None:
    rollout, _ = play([True, False, True, False, True], ReplaySettings(patches=patches))
    assert len(rollout.rewards) == steps
    assert ["m" if step.decision.token_ids else "e" for step in rollout.history] == list(history)


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.none() | st.integers(0, 4))
def test_a_rollout_keeps_its_books(matches: list[bool], patches: int | None) -> None:
    rollout, _ = play(matches, ReplaySettings(patches=patches))
    steps = len(rollout.rewards)
    assert [match.same for match in rollout.matches] == matches[:steps]
    assert sum(rollout.patched) == min(matches.count(False), matches.count(False) if patches is None else patches)
    cut = rollout.trajectory.end is End.TRUNCATED
    assert len(rollout.history) == steps - cut
    assert cut == (patches is not None and matches.count(False) > patches)
    assert all(step.decision.action == right(n) for n, step in enumerate(rollout.history))


def test_thoughts_that_come_with_the_expert_stand_in_the_patch() -> None:
    _, seen = play([False, True], ReplaySettings(), thoughts=("look here", "then there"))
    assert seen[1] == [patch(0, "look here")]


def test_the_policy_s_own_thought_is_asked_for_where_it_failed() -> None:
    _, seen = play([True, False, False], ReplaySettings(patches=None), own_thought="I see")
    assert seen[2] == ["own 0", patch(1, "I see")]


def test_an_episode_that_waits_for_a_thought_takes_no_decision() -> None:
    episode = ReplayEpisode(ReplayEnv(make_expert(2)), without_thought(written), SOURCE, "r", own_thoughts=True)
    with pytest.raises(EnvError, match="waits for no thought"):
        episode.think("too soon")
    episode.advance(Decision(WRONG, "own"))
    assert episode.patch_wanted == right(0)
    assert episode.context.observation == screen(0), "the thought is about the screen where it failed"
    with pytest.raises(EnvError, match="waits for a thought"):
        episode.advance(Decision(WRONG, "own"))
    episode.think("hm")
    assert [step.decision.text for step in episode.context.history] == ["type step 0"]


def test_an_expert_s_history_is_the_expert_s_whatever_the_policy_does() -> None:
    rollout, seen = play([True, False, False], ReplaySettings(own_history=False, patches=None))
    assert seen == [[], [patch(0)], [patch(0), patch(1)]]
    assert rollout.patched == (False, True, True)
    with pytest.raises(ValidationError, match='set patches to "all"'):
        ReplaySettings(own_history=False)


def test_text_that_nobody_could_read_matches_nothing() -> None:
    expert = replace(make_expert(1), steps=(Step(screen(0), Decision(Wait(), "")),))
    for unparsable, reward in ((None, 1.0), ("no action in it", 0.0)):
        episode = ReplayEpisode(ReplayEnv(expert, ReplaySettings(patches=0)), without_thought(str), SOURCE, "r")
        episode.advance(Decision(Wait(), "?", unparsable=unparsable))
        assert episode.rollout.rewards == (reward,)
        assert episode.rollout.complete == (unparsable is None)


def test_it_is_an_environment_like_any_other() -> None:
    env = ReplayEnv(make_expert(3), ReplaySettings(patches=1))
    runner = EpisodeRunner(env, TASK, 0, SOURCE)
    runner.start()
    runner.advance(Decision(right(0), ""))
    runner.advance(Decision(WRONG, ""))
    assert runner.context.observation == screen(2)
    runner.advance(Decision(Finish(), ""))
    assert [step.reward for step in runner.trajectory.steps] == pytest.approx([1.0, 0.5, 0.1])
    assert runner.trajectory.end is End.TRUNCATED
    assert env.serial == "replay:expert"
    with pytest.raises(EnvError, match="reset"):
        env.step(WRONG)


def test_matcher_and_reward_are_the_caller_s() -> None:
    def never(action: Action, expert: Action, observation: Observation) -> Match:
        return Match(kind=True, same=False)

    def pays(readable: bool, match: Match) -> float:
        return 7.0

    env = ReplayEnv(make_expert(2), ReplaySettings(patches=None), never, pays).another()
    env.reset(TASK, 0)
    transition = env.step(right(0))
    assert (transition.reward, transition.info["patched"]) == (7.0, True)
    assert transition.observation == screen(1)


def test_a_fault_of_the_policy_aborts() -> None:
    episode = ReplayEpisode(ReplayEnv(make_expert(2)), without_thought(written), SOURCE, "r")
    episode.advance(Decision(right(0), ""))
    episode.abort(PolicyError("too long"))
    trajectory = episode.rollout.trajectory
    assert trajectory.end is End.ABORTED
    assert not trajectory.trainable
    assert trajectory.fault is not None
    assert (trajectory.fault.boundary, trajectory.fault.message) == ("policy", "too long")


Mend = Callable[[Trajectory], Trajectory]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda t: replace(t, end=End.ABORTED), "ended as aborted"),
        (lambda t: replace(t, steps=()), "0 steps"),
        (lambda t: replace(t, steps=(Step(screen(0), Decision(Wait(), "?", unparsable="no")),)), "step 0 could not be"),
    ],
)
def test_what_cannot_be_replayed_is_refused(spoil: Mend, reason: str) -> None:
    with pytest.raises(EnvError, match=reason):
        ReplayEnv(spoil(make_expert(1)))


def test_misuse_is_refused() -> None:
    env = ReplayEnv(make_expert(2))
    with pytest.raises(EnvError, match="replays task 't' and not 'other'"):
        env.reset(replace(TASK, id="other"), 0)
    with pytest.raises(EnvError, match="2 steps but 1 thoughts"):
        ReplayEnv(make_expert(2), thoughts=("one",))
    episode = ReplayEpisode(env, without_thought(written), SOURCE, "r")
    with pytest.raises(EnvError, match="has not ended"):
        _ = episode.rollout
    episode.abort(PolicyError("x"))
    with pytest.raises(EnvError, match="has ended"):
        _ = episode.context


def test_the_paper_s_reward() -> None:
    same, kind, other = Match(kind=True, same=True), Match(kind=True, same=False), Match(kind=False, same=False)
    earned = [paper_step_reward(True, match) for match in (same, kind, other)]
    assert earned == pytest.approx([1.0, 0.5, 0.1])
    assert paper_step_reward(False, same) == 0.0
