"""A service that is one statement, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from acd.store.base import Database
from crm_lookup.customers import add
from crm_lookup.services.opening import open_services
from crm_lookup.services.service import Services
from crm_lookup.types import Customer, Proof
from tests.crm_lookup.services.worlds import MAP, nothing_stored

SARA = Proof("c-1", "pin", 0)
NAME = "SELECT name_en AS name, value, 12.50 AS rate FROM customer WHERE id = :customer"
PHONES = "SELECT key AS phone FROM phone WHERE customer = :customer ORDER BY key"
FOREVER = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT count(*) AS x FROM n WHERE x > CAST(:customer AS integer)"
)


def services(database: Database, statement: str, **rest: object) -> Services:
    return open_services(
        MAP.validate_python({"ask": {"kind": "sql", "statement": statement, "deadline_s": 1, **rest}}),
        database,
    )


async def test_a_row_many_rows_and_none(database: Database) -> None:
    await add(
        database.writing,
        Customer("c-1", name_en="Sara", value=5_000_000, phones=("+989120000001", "+989120000002")),
        datetime.now(UTC),
    )
    one = services(database, NAME)
    assert await one.ask("ask", {}, SARA) == {
        "result": "found",
        "name": "Sara",
        "value": "5000000",
        "rate": "12.5",
    }
    assert await one.ask("ask", {}, Proof("c-2", "pin", 0)) == {"result": "not_found"}
    assert await one.ask("ask", {}, Proof("c-1' OR '1'='1", "pin", 0)) == {"result": "not_found"}
    many = services(database, PHONES, rows={"most": 3, "fields": {"phone": "phone"}})
    assert await many.ask("ask", {}, SARA) == {
        "result": "found",
        "rows": "2",
        "phone_1": "+989120000001",
        "phone_2": "+989120000002",
    }


async def test_a_statement_that_never_ends_is_given_up_and_stopped(database: Database) -> None:
    endless = services(database, FOREVER, deadline_s=0.2)
    for _ in range(4):  # more than there are connections: each is free again
        assert await endless.ask("ask", {}, Proof("-1", "pin", 0)) == {"result": "failed"}
    assert endless.counters.failed == {"ask:late": 4}
    assert (await services(database, NAME).ask("ask", {}, SARA))["result"] == "not_found"


async def test_what_is_wrong_with_a_value_is_no_illness_of_the_database(database: Database) -> None:
    strict = services(database, "SELECT 1 AS x WHERE CAST(:customer AS integer) = 1", breaker_after=1)
    # SQLite takes any text for a number.
    expected = "not_found" if database.is_sqlite else "failed"
    assert await strict.ask("ask", {}, SARA) == {"result": expected}
    assert strict.counters.failed == ({} if database.is_sqlite else {"ask:refused": 1})
    assert (await strict.ask("ask", {}, Proof("1", "pin", 0)))["result"] == "found"


async def test_a_database_of_its_own_that_is_away(tmp_path: Path) -> None:
    own = services(nothing_stored(tmp_path), NAME, url=f"sqlite+aiosqlite:///{tmp_path}/theirs.sqlite3")
    try:
        assert await own.ask("ask", {}, SARA) == {"result": "failed"}
        assert own.counters.failed == {"ask:database": 1}
    finally:
        await own.aclose()
