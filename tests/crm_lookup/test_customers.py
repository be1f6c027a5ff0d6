"""Customers are stored, found by any writing of name and number, and taken in from a file line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

import crm_lookup
from acd.common.number import parse_number
from acd.store.base import Database, DatabaseSettings, opened
from acd.store.records import RecordSettings, RecordWriter
from crm_lookup import customers
from crm_lookup.customers import Progress
from crm_lookup.errors import CustomerError, SourceError
from crm_lookup.sources import OwnStore
from crm_lookup.store.tables import customer, phone
from crm_lookup.types import Customer
from tests.acd.store.world import DAY_US, answered_call

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EXAMPLE = Path(crm_lookup.__file__).parent / "example" / "customers.csv"
SARA = Customer(
    "c-1", "person", "سارا نیک‌پور", "Sara Nikpour", "gold", "fa", 5, "وام", ("+989125550001", "+989125550002")
)


async def load(database: Database, lines: Iterable[str]) -> list[Progress]:
    return [one async for one in customers.import_csv(database.writing, lines, AT, "IR", "21")]


async def test_a_customer_is_stored_changed_and_read_back(database: Database) -> None:
    assert await customers.add(database.writing, SARA, AT) == SARA
    assert await customers.get(database.reporting, "c-1") == SARA
    changed = replace(SARA, segment="vip", phones=("+989125550003",))
    await customers.add(database.writing, changed, AT)
    assert await customers.get(database.reporting, "c-1") == changed
    assert await customers.get(database.reporting, "c-2") is None


async def test_nobody_cannot_be_stored(database: Database) -> None:
    with pytest.raises(CustomerError, match="neither a name nor a number"):
        await customers.add(database.writing, Customer("", name_fa=" \u202e "), AT)


@pytest.mark.parametrize(
    "text",
    [
        "نيك پور",
        "نیک‌پور",
        "NIKPOUR",
        "sara",
        "۰۹۱۲۵۵۵۰۰۰۱",
        "٠٩١٢٥٥٥٠٠٠١",
        "+98 912 555 0001",
        "9125550001",
        "0001",
        "989125550002",
    ],
)
async def test_found_by_any_writing_of_name_and_number(database: Database, text: str) -> None:
    await customers.add(database.writing, SARA, AT)
    await customers.add(database.writing, Customer("c-2", name_en="Other", phones=("+982155550077",)), AT)
    assert [one.id for one in await customers.search(database.reporting, text)] == ["c-1"]


@pytest.mark.parametrize("text", ["%", "_", "' OR 1=1--", '"; DROP TABLE customer', "nobody", "5550099"])
async def test_what_is_searched_is_only_ever_text(database: Database, text: str) -> None:
    await customers.add(database.writing, SARA, AT)
    assert await customers.search(database.reporting, text) == []


@pytest.mark.parametrize(
    "written", ["9125550001", "09125550001", "989125550001", "00989125550001", "+989125550001", "۰۹۱۲۵۵۵۰۰۰۱"]
)
async def test_every_writing_of_a_number_finds_the_same_customer(database: Database, written: str) -> None:
    store = OwnStore(database)
    try:
        await customers.add(database.writing, SARA, AT)
        assert await store.find(parse_number(written)) == [SARA]
        assert await store.find(parse_number("09125550009")) == []
        assert await store.find(parse_number("anonymous")) == ()
    finally:
        await store.close()


async def test_who_was_in_touch_last_comes_first(database: Database, tmp_path: Path) -> None:
    shared = ("+989125550001",)
    for name in ("c-0", "c-1", "c-2"):
        await customers.add(database.writing, Customer(name, name_en=name, phones=shared), AT)
    async with RecordWriter(database.writing, RecordSettings(tmp_path / "spool")) as records:
        records.take(answered_call("pbx-1.1", DAY_US))  # of customer c-1
    store = OwnStore(database)
    try:
        found = await store.find(parse_number("09125550001"))
    finally:
        await store.close()
    assert [one.id for one in found] == ["c-1", "c-0", "c-2"]
    assert found[0].last_contact_at is not None
    assert found[1].last_contact_at is None


async def test_a_store_that_is_away_says_so(tmp_path: Path) -> None:
    for url in (
        "postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        f"sqlite+aiosqlite:///{tmp_path}/empty.sqlite3",
    ):
        async with opened(DatabaseSettings(url)) as database:
            store = OwnStore(database)
            with pytest.raises(SourceError, match="see to the database"):
                await store.find(parse_number("09125550001"))
            await store.close()


async def test_the_example_is_taken_in_whole_and_twice_makes_nobody_twice(database: Database) -> None:
    for _ in range(2):
        with EXAMPLE.open(encoding="utf-8") as lines:
            (end,) = await load(database, lines)
        assert (end.rows, end.stored, end.problems) == (200, 200, ())
    async with database.reporting.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(customer)) == 200
        kinds = await connection.execute(select(phone.c.kind, func.count()).group_by(phone.c.kind))
        assert {kind for kind, _ in kinds} == {"e164"}
    store = OwnStore(database)
    try:
        assert len(await store.find(parse_number("09125559999"))) == 2, "a family shares a telephone"
    finally:
        await store.close()


async def test_lines_that_are_no_customers_are_told_and_left_out(database: Database) -> None:
    lines = [
        "\ufeffname_fa,phones,kind,language,value\n",
        "سارا,09125550001,,,\n",
        "too,few\n",
        "رضا,09125550002,robot,,\n",
        "رضا,09125550002,,de,\n",
        "رضا,09125550002,,,much\n",
        "رضا,call me,,,\n",
        ",,,,\n",
        "\n",
        ",,person,,\n",
        '"مریم",۰۹۱۲۵۵۵۰۰۰۳;021 5555 0001,organisation,en,۱۲\n',
    ]
    (end,) = await load(database, lines)
    assert (end.rows, end.stored) == (8, 2)
    assert [problem.line for problem in end.problems] == [3, 4, 5, 6, 7, 10]
    assert all("0912" not in str(problem) and str(problem).startswith("line ") for problem in end.problems)
    (found,) = await customers.search(database.reporting, "مريم")
    assert found.phones == ("+982155550001", "+989125550003")
    assert (found.kind, found.language, found.value) == ("organisation", "en", 12)


async def test_a_file_without_names_of_columns_is_refused(database: Database) -> None:
    for lines in (["a,b\n"], ["name_fa\n"], []):
        with pytest.raises(CustomerError, match="must name the columns"):
            await load(database, lines)


async def test_a_large_file_goes_in_by_batches(database: Database) -> None:
    lines = ["name_en,phones\n", *(f"Customer {n},+98912555{n:04}\n" for n in range(1200))]
    progress = await load(database, lines)
    assert [one.stored for one in progress] == [500, 1000, 1200]
