"""Both databases, with all tables made by the history that the product uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from acd.store.base import Database, DatabaseSettings, opened
from pasokh.migrations import upgrade

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/pasokh.sqlite3"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def database_url(empty_url: str) -> str:
    await asyncio.to_thread(upgrade, empty_url)
    return empty_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """All tables, no rows; SQLite waits only 0.2 s for a lock."""
    async with opened(DatabaseSettings(url=database_url, busy_timeout_s=0.2)) as database:
        yield database
