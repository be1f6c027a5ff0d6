"""The fixtures that other tests stand on do what they say."""

from __future__ import annotations

import asyncpg
import redis.asyncio


async def test_each_test_gets_an_empty_database_of_its_own(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        await connection.execute("CREATE TABLE left_behind (n int)")
    finally:
        await connection.close()


async def test_and_nothing_of_the_one_before_is_in_it(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert (await connection.fetchval("SHOW server_version")).split(".")[0] >= "15"
    finally:
        await connection.close()


async def test_redis_is_empty_and_keeps_what_it_is_given(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        await client.set("a", "b")
        assert await client.get("a") == b"b"
