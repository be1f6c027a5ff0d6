"""Reports say what the live fold says, and lists stay put while calls come in."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from acd.facts import Fact
from acd.kpi.measures import Limits, Measures
from acd.store import reports
from acd.store.base import Database, instant, to_us
from acd.store.records import RecordSettings, RecordWriter
from acd.store.reports import Bounds
from tests.acd.store.world import DAY_US, S, abandoned_call, answered_call, flowed_out_call, refused_call


def _day(seed: int) -> list[Fact]:
    """A few hundred calls over two hours, waits exactly on the bounds among them."""
    chance = random.Random(seed)
    facts: list[Fact] = []
    for n in range(300):
        at_us = DAY_US + chance.randrange(7200 * S)
        wait_us = chance.choice([0, 5 * S - 1, 5 * S, 20 * S, 20 * S + 1, chance.randrange(90 * S)])
        queue = chance.choice(["loans", "cards"])
        match chance.randrange(10):
            case 0 | 1:
                facts += abandoned_call(f"c{n}", at_us, wait_us, queue)
            case 2:
                facts += flowed_out_call(f"c{n}", at_us, wait_us, queue)
            case 3:
                facts += refused_call(f"c{n}", at_us, queue)
            case 4:
                facts += abandoned_call(f"c{n}", at_us, wait_us, queue)[:2]  # waits still
            case 5:
                facts += answered_call(f"c{n}", at_us, queue, wait_us)[:10]  # talks still
            case _:
                facts += answered_call(f"c{n}", at_us, queue, wait_us)
    return facts


async def _recorded(database: Database, folder: Path, facts: list[Fact]) -> None:
    async with RecordWriter(database.writing, RecordSettings(folder / "spool")) as records:
        records.take(facts)


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_report_of_intervals_equals_the_live_fold(
    database: Database, tmp_path: Path, seed: int
) -> None:
    facts = _day(seed)
    await _recorded(database, tmp_path, facts)
    bounds = {"cards": Bounds(target_us=30 * S, short_us=3 * S)}
    live = Measures(limits={"cards": Limits(30 * S, 3 * S)})
    live.fold(facts)
    expected = {
        (queue, begin_us): counts
        for queue, of_queue in live.queues.items()
        for begin_us, counts in of_queue.items()
    }
    begin, end = instant(DAY_US - 3600 * S), instant(DAY_US + 4 * 3600 * S)
    report = await reports.interval_report(database.reporting, begin, end, bounds)
    assert {(row.queue, to_us(row.began_at)): row.counts for row in report} == expected
    assert len(report) > 10
    assert [row.began_at for row in report] == sorted(row.began_at for row in report)
    assert all(
        row.longest_wait_us * max(1, row.counts.answered) >= row.counts.wait_answered_us for row in report
    )


async def test_an_interval_outside_is_not_in_the_report(database: Database, tmp_path: Path) -> None:
    await _recorded(
        database, tmp_path, [*abandoned_call("a", DAY_US, S), *abandoned_call("b", DAY_US + S, S)]
    )
    report = await reports.interval_report(database.reporting, instant(DAY_US), instant(DAY_US + S), {})
    assert [row.counts.offered for row in report] == [1]


async def test_contacts_are_listed_newest_first_in_pages_without_gaps(
    database: Database, tmp_path: Path
) -> None:
    facts = [fact for n in range(25) for fact in abandoned_call(f"c{n:02}", DAY_US + n // 3 * S, 3)]
    await _recorded(database, tmp_path, facts)
    seen: list[str] = []
    page = await reports.list_contacts(database.reporting, limit=10)
    await _recorded(database, tmp_path, abandoned_call("newer", DAY_US + 999 * S, 3))
    while True:
        seen += [row.id for row in page.contacts]
        if page.after is None:
            break
        page = await reports.list_contacts(database.reporting, limit=10, after=page.after)
    assert seen == [f"c{n:02}" for n in reversed(range(25))]


async def test_of_a_contact_that_is_not_there_there_is_no_story(database: Database) -> None:
    assert await reports.contact_story(database.reporting, "nobody") is None


async def test_a_customers_recent_contacts_have_their_last_visit(database: Database, tmp_path: Path) -> None:
    facts = [fact for n in range(4) for fact in answered_call(f"c{n}", DAY_US + n * 3600 * S)]
    await _recorded(database, tmp_path, facts)
    recent = await reports.recent_contacts(database.reporting, "c-1", limit=2, but="c3")
    assert [row.contact for row in recent] == ["c2", "c1"]
    assert (recent[0].queue, recent[0].agent, recent[0].outcome) == ("loans", "reza", "answered")
    assert recent[0].disposition == "sold"
    assert await reports.recent_contacts(database.reporting, "c-2") == []


async def test_the_last_state_of_every_agent(database: Database, tmp_path: Path) -> None:
    await _recorded(database, tmp_path, answered_call("c", DAY_US))
    (state,) = await reports.agent_states(database.reporting)
    assert (state.agent, state.phone, state.status, state.activity) == ("reza", "1002", "available", "idle")
