"""Who may try how often to prove who they are: over calls, numbers, and restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from acd.common.number import Number, parse_number
from acd.store.base import Database, DatabaseSettings, metadata, opened
from crm_lookup.customers import add
from crm_lookup.services.authentication import Authentication, Claim, login_token
from crm_lookup.services.opening import open_services
from crm_lookup.services.pins import ChildPinCheck, PinSettings, hash_pin, is_right, keyed
from crm_lookup.services.proofs import ProofStore
from crm_lookup.services.settings import AuthenticationSettings
from crm_lookup.store.tables import customer, phone, pin, tries, verification
from crm_lookup.types import Customer, Proof
from tests.crm_lookup.services.worlds import told
from tests.lob import Ill, LineOfBusiness

SECRET = b"a secret of thirty-two bytes ..."
CHEAP = PinSettings(memory_kib=1024, time_cost=1, at_once=2)
HOME = parse_number("02188776655", "IR", "21")
NOBODY = Number("withheld", "", "")
WRONG = {"customer_number": "1001", "pin": "0000"}
RIGHT = {"customer_number": "1001", "pin": "2681"}


@dataclass(slots=True)
class HereAndNow:
    """Checks in this process, which is quicker for hashes that cost nothing."""

    checked: int = 0

    async def right(self, hashed: str, keyed: str) -> bool:
        self.checked += 1
        await asyncio.sleep(0)
        return is_right(hashed, keyed)

    async def aclose(self) -> None:
        pass


@dataclass(slots=True)
class House:
    authentication: Authentication
    store: ProofStore
    lob: LineOfBusiness
    check: HereAndNow
    now_us: int = 0
    proofs: dict[str, Proof] = field(default_factory=dict)
    calls: int = 0

    async def tries(
        self, args: dict[str, str], number: Number = HOME, customer: str | None = None
    ) -> str | None:
        """How one try ends, each in a call of its own."""
        self.calls += 1
        said = await self.authentication.answer(f"c{self.calls}", args, Claim(number, customer))
        return None if said is None else said["result"]


@asynccontextmanager
async def a_house(
    database: Database, folder: Path, at_us: int = 1_800_000_000_000_000, **limits: object
) -> AsyncIterator[House]:
    async with LineOfBusiness().listening() as lob:
        services, methods = told(lob.url, folder, retries=0)
        settings = AuthenticationSettings.model_validate(
            {"methods": methods.methods, "pin_memory_kib": 1024, "pin_time_cost": 1, **limits}
        )
        asked = open_services(services, database)
        store, check = ProofStore(database), HereAndNow()
        house: House
        authentication = Authentication(
            settings,
            asked,
            store,
            check,
            SECRET,
            lambda: house.now_us,
            lambda contact, proof: house.proofs.update({contact: proof}),
        )
        house = House(authentication, store, lob, check, at_us)
        await authentication.start()
        try:
            yield house
        finally:
            await asked.aclose()
            await authentication.aclose()


OWN = {"methods": {"pin": {}}}


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[Database]:
    """SQLite with the tables as declared: what is asked here does not differ between databases."""
    url = f"sqlite+aiosqlite:///{tmp_path}/quick.sqlite3"
    async with opened(DatabaseSettings(url=url)) as database:
        async with database.writing.begin() as connection:
            await connection.run_sync(metadata.create_all, tables=[pin, tries, verification, customer, phone])
        yield database


async def with_pin(house: House, database: Database, digits: str = "2681") -> None:
    at = datetime.now(UTC)
    await add(database.writing, Customer("c-1001", name_en="Mehdi", phones=("+982188776655",)), at)
    login = login_token("1001", SECRET)
    await house.store.set_pin("c-1001", hash_pin(digits, SECRET, CHEAP), login, at)


async def test_a_pin_of_the_service(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path) as house:
        assert await house.tries(WRONG) == "failed"
        assert await house.tries(RIGHT) == "verified"
        assert house.proofs == {"c2": Proof("c-1001", "pin", house.now_us)}
        assert await house.tries({"national_id": "0001000373", "birth_year": "1333"}) == "verified"
        assert await house.tries({"national_id": "0001000373", "birth_year": "1334"}) == "failed"
        assert await house.tries({"national_id": "0000000000", "birth_year": "1333"}) == "failed"
        assert await house.tries({"customer_number": "1001", "shoe_size": "42"}) is None  # proves nothing


async def test_a_pin_of_our_own_store(database: Database, tmp_path: Path) -> None:
    async with a_house(database, tmp_path, **OWN) as house:
        await with_pin(house, database)
        assert await house.tries(RIGHT) == "verified"
        assert await house.tries(WRONG) == "failed"
        assert await house.tries({"pin": "2681"}, customer="c-1001") == "verified"
        # The number says whom the PIN is held against, and proves nothing.
        assert await house.tries({"pin": "2681"}, customer=None) == "failed"
        assert await house.tries({"customer_number": "1001"}, customer="c-1001") is None
        assert await house.tries({"customer_number": "1001", "pin": ""}) is None
        # Somebody who is no customer costs the same work.
        before = house.check.checked
        assert await house.tries({"customer_number": "4711", "pin": "2681"}) == "failed"
        assert house.check.checked == before + 1


async def test_three_wrong_pins_lock_the_customer_for_everybody(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path) as house:
        assert [await house.tries(WRONG) for _ in range(4)] == ["failed", "failed", "locked", "locked"]
        assert await house.tries(RIGHT) == "locked"  # not even told that it is right
        asked = len(house.lob.asked)
        assert await house.tries(RIGHT, parse_number("09121234567", "IR")) == "locked"
        assert len(house.lob.asked) == asked
        house.now_us += 1_800_000_000 - 1
        assert await house.tries(RIGHT) == "locked"
        house.now_us += 2
        assert await house.tries(RIGHT) == "verified"
        assert await house.tries(WRONG) == "failed"


async def test_one_number_cannot_try_everybody(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path, number_tries=4) as house:
        guesses = [{"customer_number": str(1001 + n), "pin": "0000"} for n in range(6)]
        said = [await house.tries(each) for each in guesses]
        assert said == ["failed", "failed", "failed", "locked", "locked", "locked"]
        assert await house.tries(RIGHT) == "locked"
        assert await house.tries(RIGHT, parse_number("09121234567", "IR")) == "verified"


async def test_an_account_of_their_own_gives_a_thief_no_more_tries(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path, number_tries=4) as house:
        own = {"customer_number": "1002", "pin": "9809"}
        said = []
        for n in range(5):
            said.append(await house.tries({"customer_number": str(1010 + n), "pin": "0000"}))
            await house.tries(own)
        assert said == ["failed", "failed", "failed", "locked", "locked"]


async def test_those_without_a_number_do_not_lock_each_other_out_at_once(
    quick: Database, tmp_path: Path
) -> None:
    async with a_house(quick, tmp_path, number_tries=2) as house:
        for n in range(15):
            assert await house.tries({"customer_number": str(2000 + n), "pin": "0000"}, NOBODY) == "failed"
        assert await house.tries(RIGHT, NOBODY) == "verified"


async def test_many_calls_at_once_have_no_more_tries_than_one(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path) as house:
        guesses = [{"customer_number": "1001", "pin": f"{n:04}"} for n in range(2675, 2695)]
        said = await asyncio.gather(*(house.tries(each) for each in guesses))
        assert "verified" not in said
        assert len(house.lob.asked) == 3


async def test_hanging_up_and_a_restart_give_no_tries_back(database: Database, tmp_path: Path) -> None:
    async with a_house(database, tmp_path) as house:
        house.lob.ill = Ill.LATE
        trying = asyncio.ensure_future(house.tries(WRONG))
        await house.lob.was_asked.wait()
        trying.cancel()
        house.lob.ill = None
        assert await house.tries(WRONG) == "failed"
        at_us = house.now_us
    async with a_house(database, tmp_path, at_us + 60_000_000) as house:
        assert await house.tries(WRONG) == "locked"
        at_us = house.now_us
    async with a_house(database, tmp_path, at_us + 1_000_000) as house:
        assert await house.tries(RIGHT) == "locked"
        at_us = house.now_us + 3_600_000_000
    async with a_house(database, tmp_path, at_us) as house:
        assert await house.tries(RIGHT) == "verified"


async def test_what_cannot_be_judged_costs_no_try(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path) as house:
        house.lob.ill = Ill.ERROR
        assert [await house.tries(RIGHT) for _ in range(4)] == [None] * 4
        house.lob.ill = None
        assert await house.tries(RIGHT) == "verified"
        assert house.authentication.counters.unavailable == 4


async def test_what_was_proved_is_known_after_a_restart(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path) as house:
        await house.tries(RIGHT)
        proof = house.proofs["c1"]
    store = ProofStore(quick)
    assert (await store.remember(proof.at_us + 1)).proofs == {"c1": proof}
    assert (await store.remember(proof.at_us + 2 * 86_400_000_000)).proofs == {}


async def test_a_code_is_sent_and_checked_and_not_sent_without_end(quick: Database, tmp_path: Path) -> None:
    async with a_house(quick, tmp_path) as house:
        args = {"national_id": "0001000373", "birth_year": "1333", "method": "birth_year+code"}
        claim = Claim(HOME, None)
        assert await house.authentication.send_code(args, claim) == {"result": "sent"}
        code = house.lob.codes["c-1001"]
        assert await house.tries({**args, "code": "000000"}) == "failed"
        assert await house.tries({**args, "code": code}) == "verified"
        # Nobody learns who is a customer; and nobody's telephone is flooded.
        nobody = {**args, "national_id": "0000000019"}
        assert await house.authentication.send_code(nobody, claim) == {"result": "sent"}
        said = [await house.authentication.send_code(args, claim) for _ in range(6)]
        assert [each and each["result"] for each in said] == ["sent"] * 4 + ["locked"] * 2


async def test_nothing_that_was_keyed_is_stored_or_logged(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_house(database, tmp_path, **OWN) as house:
        await with_pin(house, database)
        await house.tries({"card": "9999990000010013", "pin": "7139"})
        await house.tries(RIGHT)
        await house.store.flush()
        async with database.reporting.connect() as connection:
            rows = [
                tuple(row)
                for table in (pin, tries, verification)
                for row in await connection.execute(select(table))
            ]
        assert len(rows) >= 4
    for secret in ("9999990000010013", "7139", "2681", "2188776655"):
        assert secret not in repr(rows)
        assert secret not in caplog.text


async def test_pins_are_checked_in_children_that_may_die() -> None:
    settings = PinSettings(memory_kib=1024, time_cost=1, at_once=1, deadline_s=20)
    check = ChildPinCheck(settings)
    hashed = hash_pin("2681", SECRET, settings)
    try:
        assert await check.right(hashed, keyed("2681", SECRET))
        assert not await check.right(hashed, keyed("2682", SECRET))
        assert not await check.right("no hash at all", keyed("2681", SECRET))
        asking = asyncio.ensure_future(check.right(hashed, keyed("2681", SECRET)))
        await asyncio.sleep(0)
        asking.cancel()
        assert await check.right(hashed, keyed("2681", SECRET))
    finally:
        await check.aclose()
