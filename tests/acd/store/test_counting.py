"""Counts asked of the records are those counted live, by every division, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from acd.facts import Fact
from acd.kpi.counts import Counts, total
from acd.kpi.measures import By as Live
from acd.kpi.measures import Limits, Measures
from acd.store import counting
from acd.store.base import Database, instant, to_us
from acd.store.counting import Bounds, By, Counted, Question
from acd.store.records import RecordSettings, RecordWriter
from acd.types import US_PER_S, Kind
from tests.acd.kpi.days import AGENTS, INTERVAL_US, SHORT_S, TARGET_S, TEAMS, counted, day

S = US_PER_S
DAY_US = 1_790_000_100 * S // INTERVAL_US * INTERVAL_US + 60 * S
BEGIN_US = DAY_US // INTERVAL_US * INTERVAL_US
END_US = BEGIN_US + 8 * 3600 * S
BOUNDS = {queue: Bounds(TARGET_S[queue] * S, SHORT_S[queue] * S) for queue in TARGET_S}


async def recorded(database: Database, folder: Path, facts: Sequence[Fact]) -> None:
    async with RecordWriter(database.writing, RecordSettings(folder / "spool")) as records:
        records.take(facts)


def live(facts: Sequence[Fact]) -> Measures:
    made = Measures(limits={q: Limits(TARGET_S[q] * S, SHORT_S[q] * S) for q in TARGET_S})
    made.fold(facts)
    return made


def question(by: By, **more: object) -> Question:
    usual = {"begin": instant(BEGIN_US), "end": instant(END_US), "now": instant(END_US), "bounds": BOUNDS}
    return Question(by, **{**usual, **more})  # type: ignore[arg-type]


def keyed(rows: Sequence[Counted]) -> dict[str | None, Counts]:
    return {row.key: row.counts for row in rows}


async def test_each_queue_and_interval_equals_the_live_count(database: Database, tmp_path: Path) -> None:
    facts = day(1, DAY_US, visits=150)
    await recorded(database, tmp_path, facts)
    expected = {
        (queue, begin_us): counts
        for queue, intervals in live(facts).queues.items()
        for begin_us, counts in intervals.items()
    }
    report = await counting.interval_report(database.reporting, instant(BEGIN_US), instant(END_US), BOUNDS)
    assert {(row.queue, to_us(row.began_at)): row.counts for row in report} == expected
    assert len(report) > 20
    assert [row.began_at for row in report] == sorted(row.began_at for row in report)


async def test_every_division_equals_the_live_one(database: Database, tmp_path: Path) -> None:
    facts = day(2, DAY_US, visits=150)
    await recorded(database, tmp_path, facts)
    measures = live(facts)
    for by in (By.QUEUE, By.SKILL, By.SEGMENT):
        rows = keyed(await counting.count(database.reporting, question(by)))
        for key, counts in rows.items():
            assert counts == measures.between(Live(by.value), key or "", BEGIN_US, END_US), (by, key)
        assert len(rows) >= 2
    agents = keyed(await counting.count(database.reporting, question(By.AGENT, kind=None)))
    assert agents == {
        agent: measures.between(Live.AGENT, agent, BEGIN_US, END_US, END_US) for agent in AGENTS
    }
    teams = keyed(await counting.count(database.reporting, question(By.TEAM, kind=None, teams=TEAMS)))
    assert teams == {
        "": agents["a4"],
        "north": total([agents["a1"], agents["a2"]]),
        "south": agents["a3"],
    }


@pytest.mark.parametrize("kind", [*Kind, None])
async def test_kinds_and_queues_can_be_asked_for_apart(
    database: Database, tmp_path: Path, kind: Kind | None
) -> None:
    facts = day(3, DAY_US, visits=150)
    await recorded(database, tmp_path, facts)
    for by, queue in ((By.QUEUE, None), (By.AGENT, "loans"), (By.SKILL, "cards")):
        rows = keyed(await counting.count(database.reporting, question(by, kind=kind, queue=queue)))
        assert rows
        for key, counts in rows.items():
            expected = counted(
                facts, by.value, key or "", BEGIN_US, END_US, kind=kind, queue=queue, now_us=END_US
            )
            assert counts == expected, (by, key)


async def test_intervals_make_days_of_the_site(database: Database, tmp_path: Path) -> None:
    facts = day(4, DAY_US, visits=150, hours=7)
    await recorded(database, tmp_path, facts)
    by_interval = await counting.count(database.reporting, question(By.INTERVAL))
    assert all(
        row.counts == counted(facts, "", "", to_us(row.began_at), to_us(row.began_at) + INTERVAL_US)
        for row in by_interval
        if row.began_at is not None
    )
    tehran = ZoneInfo("Asia/Tehran")
    by_day = await counting.count(database.reporting, question(By.DAY, zone=tehran))
    assert [row.began_at.astimezone(tehran).hour for row in by_day if row.began_at] == [0] * len(by_day)
    assert len(by_day) == 2
    assert total(row.counts for row in by_day) == total(row.counts for row in by_interval)


async def test_who_waits_beyond_the_target_counts_as_missed_already(
    database: Database, tmp_path: Path
) -> None:
    facts = day(7, DAY_US, visits=120)
    await recorded(database, tmp_path, facts)
    now_us = DAY_US + 7300 * S
    waiting = live(facts).open.values()
    for queue in ("loans", "cards"):
        expected = sum(
            v.waiting
            and v.queue == queue
            and v.kind is Kind.CALL
            and now_us - v.began_us > TARGET_S[queue] * S
            for v in waiting
        )
        rows = await counting.count(database.reporting, question(By.QUEUE, now=instant(now_us)))
        assert [row.waiting_beyond for row in rows if row.key == queue] == [expected]
        assert expected > 0


async def test_agents_times_are_cut_at_both_ends(database: Database, tmp_path: Path) -> None:
    facts = day(5, DAY_US, visits=5, hours=4)
    await recorded(database, tmp_path, facts)
    begin_us, end_us = DAY_US + 3000 * S + 1, DAY_US + 9000 * S + 7
    asked = question(By.AGENT, kind=None, begin=instant(begin_us), end=instant(end_us))
    rows = keyed(await counting.count(database.reporting, asked))
    for agent in AGENTS:
        assert rows[agent] == counted(facts, "agent", agent, begin_us, end_us, kind=None, now_us=END_US)
        assert 0 < rows[agent].logged_in_us <= 6000 * S + 6


async def test_where_nothing_was_there_is_no_row(database: Database) -> None:
    for by in By:
        assert await counting.count(database.reporting, question(by)) == []
    assert await counting.interval_report(database.reporting, instant(0), instant(END_US), {}) == []


async def test_what_began_outside_is_not_counted(database: Database, tmp_path: Path) -> None:
    facts = day(6, DAY_US, visits=60)
    await recorded(database, tmp_path, facts)
    whole = await counting.count(database.reporting, question(By.INTERVAL))
    middle = instant(BEGIN_US + 4 * INTERVAL_US)
    parts = [
        *await counting.count(database.reporting, question(By.INTERVAL, end=middle)),
        *await counting.count(database.reporting, question(By.INTERVAL, begin=middle)),
    ]
    assert parts == whole
