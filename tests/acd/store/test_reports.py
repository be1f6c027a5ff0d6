"""Lists stay put while calls come in, and a contact is told whole."""

from __future__ import annotations

from pathlib import Path

from acd.facts import Fact
from acd.store import reports
from acd.store.base import Database
from acd.store.records import RecordSettings, RecordWriter
from tests.acd.store.world import DAY_US, S, abandoned_call, answered_call


async def _recorded(database: Database, folder: Path, facts: list[Fact]) -> None:
    async with RecordWriter(database.writing, RecordSettings(folder / "spool")) as records:
        records.take(facts)


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
