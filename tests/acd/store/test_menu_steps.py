"""A contact's way through the menus, read back from the records."""

from __future__ import annotations

from pathlib import Path

from acd.store.base import Database, to_us
from acd.store.menu_steps import menu_path
from acd.store.records import RecordSettings, RecordWriter
from tests.acd.store.world import DAY_US, S, menu_call


async def test_the_way_is_in_order_and_said_once(database: Database, tmp_path: Path) -> None:
    call = menu_call("c1", DAY_US)
    async with RecordWriter(database.writing, RecordSettings(tmp_path / "spool")) as records:
        records.take([*call, *menu_call("c2", DAY_US), *call])
    path = await menu_path(database.reporting, "c1")
    assert [(step.flow, step.node) for step in path] == [("bank", "greeting"), ("bank", "main")]
    assert [to_us(step.at) for step in path] == [DAY_US, DAY_US + 2 * S]
    assert await menu_path(database.reporting, "nobody") == ()
