"""The history of tables ends in the tables that the code declares, on both databases."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from acd.store.base import DatabaseSettings, opened
from acd.store.errors import DatabaseSettingError
from acd.store.schema import check_schema
from pasokh import migrations
from pasokh.migrations.models import all_tables


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "render_as_batch": True}
    )
    return list(compare_metadata(context, all_tables()))


async def _upgraded_equals_declared(url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, url)
    async with opened(DatabaseSettings(url=url)) as database, database.writing.connect() as connection:
        assert await connection.run_sync(_differences) == []
        assert (await check_schema(database.reporting, migrations.head(), migrations.revisions())).ok


async def test_sqlite_has_the_declared_tables(tmp_path: Path) -> None:
    await _upgraded_equals_declared(f"sqlite+aiosqlite:///{tmp_path}/a.sqlite3")


async def test_postgresql_has_the_declared_tables(postgres_url: str) -> None:
    await _upgraded_equals_declared(postgres_url)


async def test_a_missing_column_would_be_noticed(postgres_url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, postgres_url)
    async with opened(DatabaseSettings(url=postgres_url)) as database, database.writing.begin() as connection:
        await connection.execute(text("ALTER TABLE visit DROP COLUMN disposition"))
        assert await connection.run_sync(_differences)


async def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/a.sqlite3"
    await asyncio.to_thread(migrations.upgrade, url)
    await _upgraded_equals_declared(url)


async def test_two_processes_may_upgrade_at_once(postgres_url: str) -> None:
    program = f"from pasokh.migrations import upgrade; upgrade({postgres_url!r})"
    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", program) for _ in range(2)]
    assert [await process.wait() for process in processes] == [0, 0]
    await _upgraded_equals_declared(postgres_url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/a.sqlite3"
    url: str = request.getfixturevalue("postgres_url")
    return url


async def test_a_migration_that_fails_leaves_nothing_behind(any_url: str) -> None:
    async with opened(DatabaseSettings(url=any_url)) as database:
        async with database.writing.begin() as connection:
            await connection.execute(text("CREATE TABLE visit (in_the_way int)"))
        with pytest.raises(Exception, match="already exists"):
            await asyncio.to_thread(migrations.upgrade, any_url)
        async with database.writing.connect() as connection:
            names = await connection.run_sync(lambda c: inspect(c).get_table_names())
        assert names == ["visit"]


async def test_an_empty_an_older_and_a_newer_database_are_told_apart(any_url: str) -> None:
    async with opened(DatabaseSettings(url=any_url)) as database:
        known = migrations.revisions()
        empty = await check_schema(database.reporting, migrations.head(), known)
        assert (empty.state, empty.ok) == ("empty", False)
        await asyncio.to_thread(migrations.upgrade, any_url)
        older = await check_schema(database.reporting, "9999", (*known, "9999"))
        assert older.state == "older"
        assert "pasokh db upgrade" in older.sentence
        newer = await check_schema(database.reporting, "0000", ("0000",))
        assert newer.state == "newer"
        assert migrations.head() in newer.sentence


@pytest.mark.parametrize(
    "url", ["mysql://a:secret@b/c", "not an address", "sqlite+aiosqlite://", "sqlite:///a.db"]
)
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(DatabaseSettingError) as refused:
        migrations.upgrade(url)
    assert "secret" not in str(refused.value)
    assert "sqlite+aiosqlite:///PATH" in str(refused.value)
