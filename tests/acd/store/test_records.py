"""The writer of records: everything once, in order, whatever the database and the disk do meanwhile."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from acd.common.number import parse_number
from acd.facts import ContactBegan, Disposed, Fact, VisitBegan
from acd.store.base import Database, DatabaseSettings, instant, opened
from acd.store.records import RecordSettings, RecordWriter
from acd.store.reports import contact_story, list_contacts
from acd.store.tables import contact, visit
from tests.acd.store.world import DAY_US, S, abandoned_call, answered_call, flowed_out_call


@pytest.fixture
def settings(tmp_path: Path) -> RecordSettings:
    return RecordSettings(
        spool=tmp_path / "spool", batch_every_s=0.01, retry_every_s=0.02, write_timeout_s=3.0
    )


async def count(database: Database, table: object = contact) -> int:
    async with database.reporting.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


Away = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def away(database: Database, database_url: str) -> Away:
    """Within this the database takes nothing: SQLite is locked by somebody, PostgreSQL lets nobody in."""
    return lambda: _locked(database_url) if database.is_sqlite else _closed(database_url)


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[None]:
    async with opened(DatabaseSettings(url=url)) as other, other.writing.begin():
        yield


@asynccontextmanager
async def _closed(url: str) -> AsyncIterator[None]:
    name = make_url(url).database
    admin = await asyncpg.connect(url.replace("+asyncpg", "").replace(f"/{name}?", "/postgres?"))
    try:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        try:
            yield
        finally:
            await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        await admin.close()


async def test_a_call_is_recorded_whole(database: Database, settings: RecordSettings) -> None:
    durable: list[str] = []
    async with RecordWriter(database.writing, settings, durable.extend) as records:
        records.note_caller("pbx-1.1", parse_number("09125550001"))
        records.take(answered_call("pbx-1.1", DAY_US))
        await records.flush()
        assert durable == ["pbx-1.1"]
        assert (
            records.counters().written == 20
        )  # the number is told on its own, and once more with the contact
    story = await contact_story(database.reporting, "pbx-1.1")
    assert story is not None
    assert story.contact.caller_e164 == "+989125550001"
    assert (story.contact.customer, story.contact.segment) == ("c-1", "gold")
    assert story.contact.began_at == instant(DAY_US)
    assert (story.contact.handled_by, story.contact.dialled) == ("center", "02191001500")
    (stay,) = story.visits
    assert (stay.queue, stay.outcome, stay.agent, stay.priority) == ("loans", "answered", "reza", 5)
    assert (stay.wait_us, stay.talk_us, stay.hold_us, stay.acw_us) == (7_000_001, 50 * S, 10 * S, 5 * S)
    assert (stay.disposition, stay.ended_by) == ("sold", "caller")
    assert [(o.agent, o.phone, o.state, o.why) for o in story.offers] == [
        ("sara", "1001", "rejected", "rejected"),
        ("reza", "1002", "accepted", None),
    ]
    assert story.offers[1].shown_before_ring is True
    assert [(leg.party, leg.agent, leg.talk_us) for leg in story.legs] == [
        ("caller", None, None),
        ("agent", "reza", 50 * S),
    ]


async def test_facts_told_again_after_a_restart_are_kept_once(
    database: Database, settings: RecordSettings
) -> None:
    facts = answered_call("pbx-1.1", DAY_US)
    for part in (facts, facts[:7], facts):
        async with RecordWriter(database.writing, settings) as records:
            records.take(part)
    story = await contact_story(database.reporting, "pbx-1.1")
    assert story is not None
    assert (len(story.visits), len(story.offers), len(story.legs)) == (1, 2, 2)
    assert (story.visits[0].outcome, story.visits[0].disposition) == ("answered", "sold")


async def test_a_number_may_come_before_the_contact_and_in_another_batch(
    database: Database, settings: RecordSettings
) -> None:
    async with RecordWriter(database.writing, settings) as records:
        records.note_caller("a", parse_number("09125550001"))
        await records.flush()
        records.take([ContactBegan(DAY_US, "a", "1500", None), ContactBegan(DAY_US, "b", "1500", None)])
        await records.flush()
        records.note_caller("b", parse_number("anonymous"))
    first = await contact_story(database.reporting, "a")
    second = await contact_story(database.reporting, "b")
    assert first is not None
    assert first.contact.caller_e164 == "+989125550001"
    assert second is not None
    assert (second.contact.caller_kind, second.contact.caller_e164) == ("withheld", None)


async def test_what_happens_while_the_database_is_away_is_in_it_once_afterwards(
    database: Database, settings: RecordSettings, away: Away
) -> None:
    durable: list[str] = []
    async with RecordWriter(database.writing, settings, durable.extend) as records:
        records.take(answered_call("before", DAY_US))
        await records.flush()
        async with away():
            for n in range(40):
                records.take(answered_call(f"while-{n}", DAY_US + n))
                if n % 10 == 0:
                    await records.flush()
            await records.flush()
            assert durable == ["before"]
            assert records.counters().spool_bytes > 0
            assert records.counters().oldest_age_s > 0
            assert stat.S_IMODE(settings.spool.stat().st_mode) == 0o600
            records.take(answered_call("last", DAY_US + 99))
        await records.drained()
        counters = records.counters()
        assert (counters.spool_bytes, counters.pending, counters.lost, counters.rejected) == (0, 0, 0, 0)
        assert counters.written == 42 * 18
        records.take(answered_call("after", DAY_US + 100))
    assert not settings.spool.exists()
    assert durable == ["before", *(f"while-{n}" for n in range(40)), "last", "after"]
    assert await count(database) == 43
    assert await count(database, visit) == 43


async def test_a_spool_that_a_dead_process_left_is_written_by_the_next(
    database: Database, settings: RecordSettings, away: Away
) -> None:
    facts = answered_call("pbx-1.1", DAY_US)
    async with away():
        async with RecordWriter(database.writing, settings) as records:
            records.take(facts[:9])
        async with RecordWriter(database.writing, settings) as records:
            records.take(facts[9:])
        with settings.spool.open("ab") as file:
            file.write(b'["ContactEnded",{"at_us":17')  # the machine died while it wrote
    durable: list[str] = []
    async with RecordWriter(database.writing, settings, durable.extend) as records:
        records.take(abandoned_call("pbx-1.2", DAY_US, 3 * S))
        await records.drained()
        assert records.counters().rejected == 1
    assert durable == ["pbx-1.1", "pbx-1.2"]
    story = await contact_story(database.reporting, "pbx-1.1")
    assert story is not None
    assert story.visits[0].disposition == "sold"


async def test_a_database_that_is_away_at_the_start_is_no_reason_not_to_start(
    database: Database, settings: RecordSettings, away: Away
) -> None:
    async with away(), RecordWriter(database.writing, settings) as records:
        records.take(answered_call("pbx-1.1", DAY_US))
        await records.flush()
        assert records.counters().spooled == 18


async def test_a_record_that_no_database_takes_is_set_aside_and_holds_nothing_up(
    database: Database, settings: RecordSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    too_large = VisitBegan(DAY_US, "v", "good-1", "loans", 2**70)
    async with RecordWriter(database.writing, settings) as records:
        records.note_caller("good-1", parse_number("09125550001"))
        records.take([*abandoned_call("good-1", DAY_US, 3), too_large, *abandoned_call("good-2", DAY_US, 3)])
        await records.flush()
        assert records.counters().rejected == 1
        assert records.counters().spool_bytes == 0
    assert await count(database) == 2
    assert b"VisitBegan" in settings.spool.with_name("spool.rejected").read_bytes()
    assert "9125550001" not in caplog.text


async def test_hostile_text_is_stored_as_text(database: Database, settings: RecordSettings) -> None:
    hostile = "'; DROP TABLE visit; --\x00\ud800"
    async with RecordWriter(database.writing, settings) as records:
        records.take(
            [*abandoned_call("c", DAY_US, 3), Disposed(DAY_US, "c.1", "c", "loans", "reza", hostile)]
        )
        await records.flush()
        assert records.counters().rejected == 0
    story = await contact_story(database.reporting, "c")
    assert story is not None
    assert story.visits[0].disposition == "'; DROP TABLE visit; --\ufffd?"


async def test_memory_stays_bounded_by_going_to_the_disk(
    database: Database, tmp_path: Path, away: Away
) -> None:
    settings = RecordSettings(
        tmp_path / "spool",
        batch_every_s=0.01,
        retry_every_s=0.02,
        write_timeout_s=30.0,
        pending_most=200,
        patience_s=0.01,
    )
    patient = DatabaseSettings(database.writing.url.render_as_string(False), busy_timeout_s=0.5)
    async with opened(patient) as slow, RecordWriter(slow.writing, settings) as records:
        async with away():
            records.take(abandoned_call("first", DAY_US, 3))
            for n in range(100):
                records.take(abandoned_call(f"more-{n}", DAY_US, 3))
            await records.flush()
            assert records.counters().pending == 0
        await records.drained()
        assert records.counters().lost == 0
    assert await count(database) == 101


async def test_a_disk_that_fails_too_costs_nothing_while_there_is_memory(
    database: Database, tmp_path: Path, away: Away
) -> None:
    (tmp_path / "full").mkdir()
    settings = RecordSettings(tmp_path / "full" / "spool", batch_every_s=0.01, retry_every_s=0.02)
    async with RecordWriter(database.writing, settings) as records:
        settings.spool.mkdir()  # a folder cannot be appended to
        async with away():
            records.take(abandoned_call("a", DAY_US, 3))
            while records.counters().failures < 4:  # both the database and the disk, again and again
                assert records.counters().pending == 4  # in whosever hand they are
                await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(records.flush(), 0.01)
            assert records.counters().pending == 4
            assert records.counters().oldest_age_s > 0
        settings.spool.rmdir()
        await records.drained()
    assert await count(database) == 1


async def test_above_the_bound_of_memory_the_oldest_are_lost_and_counted(
    database: Database, tmp_path: Path, away: Away
) -> None:
    settings = RecordSettings(
        tmp_path / "spool", batch_every_s=0.01, retry_every_s=0.02, pending_most=20, memory_most=40
    )
    async with RecordWriter(database.writing, settings) as records:
        settings.spool.mkdir()
        async with away():
            for n in range(20):
                records.take(abandoned_call(f"c-{n}", DAY_US, 3))
                await asyncio.sleep(0)
            assert records.counters().lost == 40
        settings.spool.rmdir()
        await records.drained()
    newest = await list_contacts(database.reporting)
    assert {row.id for row in newest.contacts} == {f"c-{n}" for n in range(10, 20)}


async def test_flush_without_a_writer_says_so(database: Database, settings: RecordSettings) -> None:
    records = RecordWriter(database.writing, settings)
    records.take(flowed_out_call("c", DAY_US, 3))
    with pytest.raises(Exception, match="start the writer"):
        await records.flush()


async def test_closing_writes_what_was_taken(database: Database, tmp_path: Path) -> None:
    settings = RecordSettings(tmp_path / "spool", batch_every_s=60.0)
    async with RecordWriter(database.writing, settings) as records:
        records.take(_many(120))
    assert await count(database) == 120


async def test_a_writer_closed_as_soon_as_it_was_started_ends(
    database: Database, settings: RecordSettings
) -> None:
    async with asyncio.timeout(5), RecordWriter(database.writing, settings):
        pass


async def test_a_burst_that_a_healthy_database_can_take_does_not_go_to_the_disk(
    database: Database, tmp_path: Path
) -> None:
    settings = RecordSettings(tmp_path / "spool", batch_every_s=0.01, pending_most=100)
    async with RecordWriter(database.writing, settings) as records:
        records.take(_many(100))
        await records.flush()
        assert (records.counters().written, records.counters().spooled) == (400, 0)


async def test_a_recovery_of_more_than_memory_may_hold_loses_nothing(
    database: Database, tmp_path: Path
) -> None:
    settings = RecordSettings(tmp_path / "spool", batch_most=50, pending_most=60, memory_most=80)
    async with RecordWriter(database.writing, settings) as records:
        await records.take_many(_many(100))
        assert (records.counters().lost, records.counters().pending) == (0, 0)
    assert await count(database) == 100


def _many(calls: int) -> Sequence[Fact]:
    return [fact for n in range(calls) for fact in abandoned_call(f"c-{n}", DAY_US + n, 3)]
