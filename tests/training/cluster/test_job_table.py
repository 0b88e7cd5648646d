"""Who has which job, and that each counts once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tapwise.records import End, Provenance, Task, Trajectory
from tapwise.training.cluster.job_table import MOST_A_DEVICE, JobTable
from tapwise.training.collect import Job

TASK = Task("t", "Do it.", "general", "notes", "t", (), 5, "train")


def jobs(count: int) -> list[Job]:
    return [Job(f"j{n}", TASK, n) for n in range(count)]


def played(name: str, end: End = End.FINISHED) -> Trajectory:
    return Trajectory(name, TASK, (), end, Provenance("p"))


def test_batches_shrink_towards_the_end_and_stay_small() -> None:
    table = JobTable(jobs(40), 3)
    sizes = []
    while table.waiting:
        sizes.append(len(table.hand_out(f"w{len(sizes)}", 2, 2)))
    assert sizes[0] == 2 * MOST_A_DEVICE
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 40
    assert sizes[-1] <= 2


def test_what_a_lost_worker_had_is_handed_out_first_and_costs_no_attempt() -> None:
    table = JobTable(jobs(6), attempts=1)
    given_out = [job.id for job in table.hand_out("a", 2, 2)]
    assert table.answer("a", given_out[0], played(given_out[0]))
    assert [job.id for job in table.lose("a")] == given_out[1:]
    assert [job.id for job in table.hand_out("b", 1, 5)][: len(given_out) - 1] == given_out[1:]


def test_a_late_second_answer_does_not_count() -> None:
    table = JobTable(jobs(1), 3)
    table.hand_out("cut off", 2, 1)
    table.lose("cut off")
    table.hand_out("other", 1, 1)
    assert not table.answer("cut off", "j0", played("j0"))
    assert table.answer("other", "j0", played("j0+2"))
    assert not table.answer("other", "j0", played("j0+3"))
    assert [trajectory.id for trajectory in table.found()] == ["j0+2"]
    assert table.over


def test_aborted_episodes_are_tried_up_to_the_limit() -> None:
    table = JobTable(jobs(1), attempts=2)
    for _ in range(2):
        assert not table.over
        table.hand_out("a", 1, 1)
        assert table.answer("a", "j0", played("j0", End.ABORTED))
    assert table.over
    assert table.found() == []


def test_what_is_known_is_not_played() -> None:
    table = JobTable(jobs(2), 3, {"j1": played("j1")})
    assert [job.id for job in table.hand_out("a", 1, 4)] == ["j0"]
    table.answer("a", "j0", played("j0"))
    assert [trajectory.id for trajectory in table.found()] == ["j0", "j1"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["take", "answer", "lose"])), max_size=60))
def test_no_job_is_lost_or_counted_twice(moves: list[tuple[str, str]]) -> None:
    table, held, counted = JobTable(jobs(7), 3), {name: set[str]() for name in "abc"}, list[str]()
    for worker, move in moves:
        if move == "take":
            held[worker] |= {job.id for job in table.hand_out(worker, 3, 1)}
        elif move == "lose":
            table.lose(worker)  # it may still answer later
        else:
            for name in sorted(held[worker]):
                if table.answer(worker, name, played(name)):
                    counted.append(name)
            held[worker].clear()
    while table.waiting or not table.over:
        for worker in "abc":
            table.lose(worker)
        for job in table.hand_out("last", 1, 9):
            assert table.answer("last", job.id, played(job.id))
            counted.append(job.id)
    assert sorted(counted) == [job.id for job in jobs(7)]
