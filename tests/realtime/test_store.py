"""The same statements on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.store.base import DatabaseSettings, metadata, open_database
from realtime.store import queries
from realtime.store.queries import AuditRow, UserRow


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/pasokh.sqlite3"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    database = open_database(DatabaseSettings(url=database_url))
    async with database.writing.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield database.writing
    await database.close()


async def test_users_and_tokens(engine: AsyncEngine) -> None:
    row = UserRow("سارا", "agent", "sara", "$argon2id$…", True, 2**51)
    assert await queries.add_user(engine, row)
    assert not await queries.add_user(engine, row)
    assert await queries.user(engine, "سارا") == row
    assert await queries.user(engine, "x") is None
    await queries.add_token(engine, "h1", "سارا", "page", 0, 100)
    await queries.add_token(engine, "h2", "سارا", "page", 0, 100)
    found = await queries.tokens(engine, ["h1", "h2", "h3"], 99)
    assert set(found) == {"h1", "h2"}
    assert (found["h1"].user, found["h1"].agent) == ("سارا", "sara")
    assert await queries.tokens(engine, ["h1"], 100) == {}
    await queries.revoke_token(engine, "h1", 50)
    assert set(await queries.tokens(engine, ["h1", "h2"], 99)) == {"h2"}
    assert await queries.change_user(engine, "سارا", active=False)
    assert await queries.tokens(engine, ["h2"], 99) == {}
    assert not await queries.change_user(engine, "x", active=False)


async def test_the_audit_trail_reads_newest_first(engine: AsyncEngine) -> None:
    await queries.write_audit(
        engine, [AuditRow(number, "boss", f"a{number}", "", "ok", "-") for number in range(5)]
    )
    assert [row.at_us for row in await queries.read_audit(engine, limit=3)] == [4, 3, 2]
    assert [row.at_us for row in await queries.read_audit(engine, limit=3, before_us=2)] == [1, 0]
    assert await queries.read_audit(engine, limit=3, who="nobody") == []


async def test_of_many_at_once_one_gets_the_key(engine: AsyncEngine) -> None:
    got = await asyncio.gather(*(queries.claim(engine, "u", "k", "d", 1000, 100, 10_000) for _ in range(8)))
    assert sum(each is None for each in got) == 1
    await queries.finish(engine, "u", "k", 200, "{}")
    kept = await queries.claim(engine, "u", "k", "other", 2000, 100, 10_000)
    assert kept == queries.Kept("d", 1000, 200, "{}")
    assert await queries.claim(engine, "u", "k", "d", 12_000, 100, 10_000) is None, "its life is over"


async def test_a_key_whose_request_died_is_free_again(engine: AsyncEngine) -> None:
    assert await queries.claim(engine, "u", "k", "d", 1000, 100, 10_000) is None
    assert await queries.claim(engine, "u", "k", "d", 1050, 100, 10_000) is not None
    assert await queries.claim(engine, "u", "k", "d", 1200, 100, 10_000) is None
    await queries.give_back(engine, "u", "k")
    assert await queries.claim(engine, "u", "k", "d", 1201, 100, 10_000) is None
