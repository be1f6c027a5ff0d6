"""Every moment of a wait has one cause, told from the records."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from acd.store.base import Database
from acd.store.records import RecordSettings, RecordWriter
from acd.store.waits import NOT_IN_LINE, NOT_RECORDED, OFFERED, Step, stretches, waits_of
from acd.types import US_PER_S, WaitCause
from tests.acd.store.world import DAY_US, S, abandoned_call, relaxed_call

moments = st.integers(0, 20)
causes = st.sampled_from([None, *(cause.value for cause in WaitCause)])


async def test_a_wait_is_told_with_its_causes_and_offers(database: Database, tmp_path: Path) -> None:
    async with RecordWriter(database.writing, RecordSettings(tmp_path / "spool")) as records:
        records.take([*relaxed_call("c0", DAY_US - 60 * S), *relaxed_call("c1", DAY_US)])
        records.take(abandoned_call("c2", DAY_US, 3 * S))
    (wait,) = await waits_of(database.reporting, "c1", DAY_US + 99 * S)
    told = [
        ((each.from_us - DAY_US) // S, each.cause, each.requirement, each.step) for each in wait.stretches
    ]
    assert told == [
        (0, "nobody_signed_in", "loans>=3", 0),
        (5, "all_busy", "loans>=3", 0),
        (10, "all_busy", "loans>=1", 1),
        (15, OFFERED, "loans>=1", 1),
        (20, NOT_IN_LINE, "loans>=1", 1),
        (24, OFFERED, "loans>=1", 1),
    ]
    assert wait.to_us == wait.stretches[-1].to_us == DAY_US + 30 * S
    assert [(one.agent, one.state, one.chosen) for one in wait.offers] == [
        ("sara", "timed_out", "preferred idle_s=4.0 free=1"),
        ("reza", "accepted", "longest-idle idle_s=9.5 free=2 step=1"),
    ]
    (short,) = await waits_of(database.reporting, "c2", DAY_US + 99 * S)
    assert [each.cause for each in short.stretches] == [NOT_RECORDED], "of a time before causes were kept"
    assert await waits_of(database.reporting, "nobody", DAY_US) == ()


async def test_a_wait_that_goes_on_is_told_up_to_now(database: Database, tmp_path: Path) -> None:
    async with RecordWriter(database.writing, RecordSettings(tmp_path / "spool")) as records:
        records.take(relaxed_call("c1", DAY_US)[:4])
    (wait,) = await waits_of(database.reporting, "c1", DAY_US + 7 * US_PER_S)
    assert [each.cause for each in wait.stretches] == ["nobody_signed_in", "all_busy"]
    assert wait.stretches[-1].to_us == DAY_US + 7 * US_PER_S


@given(
    moments,
    moments,
    st.lists(st.tuples(moments, st.sampled_from("ab"))),
    st.dictionaries(st.sampled_from("ab"), st.lists(st.tuples(moments, causes))),
    st.lists(st.tuples(moments, st.none() | moments)),
)
def test_stretches_cover_the_wait_without_a_gap(
    one: int,
    other: int,
    asked: list[tuple[int, str]],
    changes: dict[str, list[tuple[int, str | None]]],
    offered: list[tuple[int, int | None]],
) -> None:
    from_us, to_us = sorted((one, other))
    steps = [Step(at, line, line, 0, 0) for at, line in sorted(asked)]
    ordered = {line: sorted(each, key=lambda change: change[0]) for line, each in changes.items()}
    found = stretches(from_us, to_us, steps, ordered, offered)
    edges = [edge for each in found for edge in (each.from_us, each.to_us)]
    assert edges == sorted(edges)
    assert edges[1:-1:2] == edges[2::2]
    assert ([edges[0], edges[-1]] if edges else [from_us, from_us]) == [from_us, to_us]
    assert all(before != after for before, after in pairwise(found))
