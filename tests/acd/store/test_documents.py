"""Documents keep every version; the newest is in force."""

from __future__ import annotations

import asyncio

from acd.store import documents
from acd.store.base import Database, instant

AT = instant(1_790_000_000_000_000)


async def test_each_new_text_is_a_new_version_and_history_shows_them_all(database: Database) -> None:
    first = await documents.save(database.writing, "center", "main", "a: ۱", AT, "sara")
    same = await documents.save(database.writing, "center", "main", "a: ۱", AT, "reza")
    second = await documents.save(database.writing, "center", "main", "a: ۲", AT, "reza")
    back = await documents.save(database.writing, "center", "main", "a: ۱", AT, "sara")
    assert same == first
    assert (first.number, second.number, back.number) == (1, 2, 3)
    assert back.version == first.version != second.version
    assert await documents.current(database.reporting, "center", "main") == back
    assert await documents.history(database.reporting, "center", "main") == [back, second, first]
    assert await documents.numbered(database.reporting, "center", "main", 2) == second
    assert first.at == AT


async def test_what_was_never_saved_is_not_there(database: Database) -> None:
    assert await documents.current(database.reporting, "flow", "main") is None
    assert await documents.numbered(database.reporting, "flow", "main", 1) is None
    assert await documents.names(database.reporting, "flow") == []


async def test_two_who_save_at_once_both_get_a_version(database: Database) -> None:
    saves = [documents.save(database.writing, "flow", "bank", f"text {n}", AT, "x") for n in range(4)]
    saved = await asyncio.gather(*saves)
    assert sorted(one.number for one in saved) == [1, 2, 3, 4]
    assert await documents.names(database.reporting, "flow") == ["bank"]
