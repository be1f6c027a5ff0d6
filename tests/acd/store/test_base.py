"""Instants survive both databases; a database is opened with the bounds that were asked for."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, StatementError

from acd.store.base import Database, DatabaseSettings, instant, open_database, opened, sole_process, to_us
from acd.store.errors import DatabaseBusyError
from acd.store.tables import lease

TEHRAN = timezone(timedelta(hours=3, minutes=30))


@given(st.integers(0, 4_000_000_000_000_000))
def test_center_time_and_back(at_us: int) -> None:
    assert to_us(instant(at_us)) == at_us


async def test_an_instant_keeps_its_microseconds_and_comes_back_in_utc(database: Database) -> None:
    at = datetime(2026, 11, 22, 21, 43, 56, 123457, tzinfo=TEHRAN)
    async with database.writing.begin() as connection:
        await connection.execute(
            lease.insert().values(name="a", holder="h", address="x", token=2**40, until=at)
        )
    async with database.reporting.connect() as connection:
        row = (await connection.execute(select(lease).where(lease.c.until == at))).one()
    assert row.until == at
    assert row.until.tzinfo is UTC
    assert row.token == 2**40


async def test_an_instant_without_a_time_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 11, 22)
    async with database.writing.connect() as connection:
        with pytest.raises(StatementError, match="needs a time zone"):
            await connection.execute(select(lease).where(lease.c.until == naive))


async def test_reports_cannot_write_on_sqlite(tmp_path: Path) -> None:
    async with opened(DatabaseSettings(f"sqlite+aiosqlite:///{tmp_path}/deep/er/a.sqlite3")) as database:
        async with database.writing.begin() as connection:
            await connection.execute(text("CREATE TABLE t (n int)"))
            assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"
            assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar() == 1
        with pytest.raises(DBAPIError, match="readonly"):
            async with database.reporting.begin() as connection:
                await connection.execute(text("INSERT INTO t VALUES (1)"))


async def test_a_slow_statement_is_ended_on_postgresql(postgres_url: str) -> None:
    async with opened(DatabaseSettings(postgres_url, reporting_statement_s=0.1)) as database:
        with pytest.raises(DBAPIError, match="statement timeout"):
            async with database.reporting.connect() as connection:
                await connection.execute(text("SELECT pg_sleep(5)"))


async def test_a_slow_report_does_not_keep_a_record_waiting(postgres_url: str) -> None:
    settings = DatabaseSettings(postgres_url, reporting_pool=1)
    async with (
        opened(settings) as database,
        database.reporting.connect(),
        database.writing.connect() as connection,
    ):
        assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_opening_connects_to_nothing() -> None:
    database = open_database(DatabaseSettings("postgresql+asyncpg://nobody@127.0.0.1:1/nothing"))
    await database.close()


async def test_what_is_bound_to_a_statement_is_in_no_error(database: Database) -> None:
    with pytest.raises(DBAPIError) as error:
        async with database.writing.begin() as connection:
            await connection.execute(text("INSERT INTO no_such_table VALUES (:n)"), {"n": "+989125550001"})
    assert "9125550001" not in str(error.value)


async def test_a_second_process_on_the_same_file_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/a.sqlite3"
    program = (
        "import sys\nfrom acd.store.base import sole_process\n"
        f"with sole_process({url!r}): print('held', flush=True); sys.stdin.read()"
    )
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"held\n"
    with pytest.raises(DatabaseBusyError, match="stop it first"), sole_process(url):
        pass
    first.kill()
    await first.wait()
    with sole_process(url):
        pass
