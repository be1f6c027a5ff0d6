"""Services against a real HTTP service that knows how to be ill, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from crm_lookup.services.example import ExampleAnswers, people
from crm_lookup.services.service import Services
from crm_lookup.types import Proof
from tests.crm_lookup.services.worlds import MEHDI, in_a_house
from tests.lob import Ill, LineOfBusiness

WHY = {
    Ill.LATE: "late",
    Ill.ERROR: "error_status",
    Ill.HUGE: "too_large",
    Ill.HTML: "not_json",
    Ill.WRONG_TYPES: "wrong_type",
    Ill.SOMEBODY_ELSE: "somebody_else",
    Ill.HALF: "broken_off",
    Ill.REDIRECT: "redirected",
    Ill.NOT_HTTP: "broken_off",
    Ill.ZIPPED: "not_json",
    Ill.SILENT: "broken_off",
}


def test_every_illness_is_one_clear_word_in_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    took: dict[Ill, float] = {}

    async def all_of_them(lob: LineOfBusiness, services: Services) -> None:
        for ill in Ill:
            lob.ill = ill
            began = asyncio.get_running_loop().time()
            assert await services.ask("balance", {}, MEHDI) == {"result": "failed"}
            took[ill] = asyncio.get_running_loop().time() - began
        lob.ill = None
        assert (await services.ask("balance", {}, MEHDI))["result"] == "found"
        assert services.counters.failed == {
            f"balance:{why}": list(WHY.values()).count(why) for why in WHY.values()
        }
        assert services.counters.asked == {"balance": len(Ill) + 1}

    in_a_house(tmp_path, all_of_them, breaker_after=1000)
    assert WHY.keys() == set(Ill)
    assert max(took.values()) == pytest.approx(2, abs=0.01)  # the one that is late
    assert all(seconds < 0.2 for ill, seconds in took.items() if ill is not Ill.LATE)
    for secret in ("c-1001", "sesame", "1788470000"):
        assert secret not in caplog.text


def test_what_ships_as_example_says_the_same_as_the_service(tmp_path: Path) -> None:
    """Every question, for everybody: the flows must not notice which of the two they ask."""
    asked = 0

    async def compare(_: LineOfBusiness, services: Services) -> None:
        nonlocal asked
        of_house = {"balance": "bank", "transactions": "bank", "block_card": "bank"}
        for name in ("balance", "transactions", "block_card", "policy", "premium", "claim"):
            example = ExampleAnswers(f"{of_house.get(name, 'insurer')}.{name}")
            for person in people():
                said = await services.ask(name, {}, Proof(person.customer, "pin", 0))
                shown = await example.ask({"customer": person.customer})
                expected = {"result": "not_found"} if shown is None else {"result": "found", **shown}
                assert said == expected
                asked += 1

    in_a_house(tmp_path, compare)
    assert asked == 6 * 30


def test_a_service_for_verified_callers_is_asked_about_nobody_else(tmp_path: Path) -> None:
    async def ask(lob: LineOfBusiness, services: Services) -> None:
        assert await services.ask("balance", {"customer": "c-1002"}) == {"result": "failed"}
        assert lob.asked == []
        await services.ask("balance", {"customer": "c-1002"}, MEHDI)
        assert [each.path for each in lob.asked] == ["/accounts/c-1001/balance"]
        # A birth year is enough to hear a balance, but not to block a card.
        weakly = Proof("c-1001", "birth_year", 0)
        assert (await services.ask("balance", {}, weakly))["result"] == "found"
        assert (await services.ask("block_card", {}, weakly))["result"] == "failed"
        assert (await services.ask("block_card", {}, MEHDI))["result"] == "found"
        assert (await services.ask("block_card", {}, Proof("c-1001", "birth_year+pin", 0)))[
            "result"
        ] == "found"
        assert lob.blocked == {"c-1001"}

    in_a_house(tmp_path, ask)


def test_it_is_left_alone_while_it_is_ill_and_tried_by_one_question(tmp_path: Path) -> None:
    async def break_it(lob: LineOfBusiness, services: Services) -> None:
        lob.ill = Ill.ERROR
        for _ in range(5):
            await services.ask("policy", {}, MEHDI)
        assert (len(lob.asked), services.is_open("policy")) == (10, True)  # each of the five was tried twice
        assert await services.ask("policy", {}, MEHDI) == {"result": "failed"}
        assert len(lob.asked) == 10
        assert (await services.ask("premium", {}, MEHDI))["result"] == "failed"  # its breaker is its own
        assert len(lob.asked) == 12

        await asyncio.sleep(30.01)
        lob.ill = Ill.LATE
        several = [asyncio.ensure_future(services.ask("policy", {}, MEHDI)) for _ in range(20)]
        assert {(await each)["result"] for each in several} == {"failed"}
        assert len(lob.asked) == 13  # the test question, and nobody beside it
        assert services.counters.opened == {"policy": 1}

        await asyncio.sleep(30.01)
        lob.ill = None
        assert (await services.ask("policy", {}, MEHDI))["result"] == "found"
        assert not services.is_open("policy")

    in_a_house(tmp_path, break_it)


def test_only_what_may_be_asked_twice_is(tmp_path: Path) -> None:
    async def once_ill(lob: LineOfBusiness, services: Services) -> None:
        lob.ill, lob.ill_times = Ill.SILENT, 1
        assert (await services.ask("balance", {}, MEHDI))["result"] == "found"
        lob.ill_times = 1
        assert (await services.ask("block_card", {}, MEHDI))["result"] == "failed"
        assert [each.method for each in lob.asked] == ["GET", "GET", "POST"]
        assert services.counters.retried == {"balance": 1}

    in_a_house(tmp_path, once_ill)


def test_a_caller_who_hangs_up_does_not_hide_that_it_is_ill(tmp_path: Path) -> None:
    async def impatient(lob: LineOfBusiness, services: Services) -> None:
        lob.ill = Ill.LATE
        for _ in range(5):
            asking = asyncio.ensure_future(services.ask("claim", {}, MEHDI))
            await asyncio.sleep(0.5)
            asking.cancel()
        await asyncio.sleep(3)
        assert services.is_open("claim")

    in_a_house(tmp_path, impatient)


def test_what_callers_key_cannot_open_the_breaker_or_reach_another_path(tmp_path: Path) -> None:
    async def hostile(lob: LineOfBusiness, services: Services) -> None:
        for customer in ("..", ".", "", "a" * 201, "c-1001\r\nX: 1", "\u202ec-1001"):
            assert await services.ask("balance", {}, Proof(customer, "pin", 0)) == {"result": "failed"}
        assert lob.asked == []
        for customer in ("c-1001/../c-1002", "c-1001?x=1", "%2e%2e", "c-1001#", "۱۲۳"):
            assert await services.ask("balance", {}, Proof(customer, "pin", 0)) == {"result": "not_found"}
        assert {each.path.count("/") for each in lob.asked} == {3}
        assert not services.is_open("balance")
        assert services.counters.opened == {}

    in_a_house(tmp_path, hostile, breaker_after=1)


def test_a_wrong_secret_is_the_house_s_fault_and_no_such_service_too(tmp_path: Path) -> None:
    async def ask(lob: LineOfBusiness, services: Services) -> None:
        assert await services.ask("balance", {}, MEHDI) == {"result": "failed"}
        assert await services.ask("horoscope", {"sign": "leo"}, MEHDI) == {"result": "failed"}
        assert services.counters.failed == {"balance:not_let_in": 1, "unknown:unknown_service": 1}

    in_a_house(tmp_path, ask, headers={})


def test_connections_are_used_again(tmp_path: Path) -> None:
    async def many(lob: LineOfBusiness, services: Services) -> None:
        for _ in range(10):
            assert (await services.ask("balance", {}, MEHDI))["result"] == "found"
        assert lob.connections == 1
        several = [services.ask("balance", {}, MEHDI) for _ in range(40)]
        assert {each["result"] for each in await asyncio.gather(*several)} == {"found"}
        assert lob.connections <= 16

    in_a_house(tmp_path, many)


def test_nobody_there(tmp_path: Path) -> None:
    async def ask(lob: LineOfBusiness, services: Services) -> None:
        assert await services.ask("balance", {}, MEHDI) == {"result": "failed"}
        assert services.counters.failed == {"balance:unreachable": 1}

    in_a_house(tmp_path, ask, url="http://127.0.0.1:1/accounts/{customer}/balance", same={})
