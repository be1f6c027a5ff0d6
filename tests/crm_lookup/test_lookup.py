"""The lookup answers in time whatever its source does, and asks for a number once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from acd.common.number import Number, parse_number
from acd.events import CustomerFound
from crm_lookup.errors import SourceError
from crm_lookup.lookup import CallerLookup, History, LookupSettings
from crm_lookup.types import Customer, Proof, Recent

CALLER = parse_number("09125550001")
SARA = Customer("c-1", name_fa="سارا احمدی", segment="gold", language="fa", phones=("+989125550001",))
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
QUICK = LookupSettings(deadline_s=0.02, history_deadline_s=0.05)


@dataclass
class Shelf:
    """A source that answers when it is let, or at once."""

    known: dict[str, tuple[Customer, ...]] = field(default_factory=lambda: {CALLER.key: (SARA,)})
    error: Exception | None = None
    slow: bool = False
    asked: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self, number: Number) -> Sequence[Customer]:
        self.asked += 1
        if self.slow:
            await self.open.wait()
        if self.error is not None:
            raise self.error
        return self.known.get(number.key, ())

    async def one(self, customer: str) -> Customer | None:
        if self.error is not None:
            raise self.error
        return next((one for each in self.known.values() for one in each if one.id == customer), None)


class Desk:
    """Takes what the lookup posts and tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.posted: list[CustomerFound] = []
        self.cards: list[str] = []
        self._news = asyncio.Event()

    def post(self, event: CustomerFound) -> None:
        self.posted.append(event)

    def on_card(self, contact: str) -> None:
        self.cards.append(contact)
        self._news.set()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def looking(
    shelf: Shelf, settings: LookupSettings = QUICK, history: History | None = None
) -> AsyncIterator[tuple[CallerLookup, Desk]]:
    desk = Desk()
    lookup = CallerLookup(shelf, desk.post, history=history, on_card=desk.on_card, settings=settings)
    try:
        yield lookup, desk
    finally:
        await lookup.aclose()


async def test_a_known_caller_is_told_to_the_center_and_stands_on_the_card() -> None:
    async with looking(Shelf()) as (lookup, desk):
        lookup.begin("a", CALLER)
        asked = lookup.card("a")
        assert asked is not None
        assert (asked["known"], "why_unknown" in asked) == (False, False)
        await desk.until(lambda: bool(desk.posted))
        assert desk.posted == [CustomerFound("a", "c-1", "gold", "fa")]
        card = lookup.card("a")
        assert card is not None
        assert card["known"] is True
        assert card["verified"] is False
        assert card["customer"] == {
            "id": "c-1",
            "kind": "person",
            "name": {"fa": "سارا احمدی"},
            "segment": "gold",
            "language": "fa",
            "phones": ["0912 555 0001"],
        }


@pytest.mark.parametrize(
    ("written", "why"),
    [("anonymous", "withheld"), ("unknown", "withheld"), ("", "withheld"), (None, "withheld"), ("1500", "short"),
     ("ext 12", "short")],
)  # fmt: skip
async def test_without_a_number_of_the_network_nobody_is_asked(written: str | None, why: str) -> None:
    shelf = Shelf()
    async with looking(shelf) as (lookup, desk):
        lookup.begin("a", parse_number(written))
        assert desk.posted == [CustomerFound("a", None)]
        card = lookup.card("a")
        assert card is not None
        assert card["why_unknown"] == why
        assert shelf.asked == 0


async def test_two_who_withhold_their_numbers_are_not_taken_for_one() -> None:
    async with looking(Shelf(known={"": (SARA,), "unknown": (SARA,)})) as (lookup, desk):
        lookup.begin("a", parse_number("anonymous"))
        lookup.begin("b", parse_number("unknown"))
        assert [event.customer for event in desk.posted] == [None, None]


@pytest.mark.parametrize(("written", "why"), [("09125550009", "not_found"), ("sip:alice@example.org", "raw")])
async def test_a_number_that_nobody_has(written: str, why: str) -> None:
    shelf = Shelf()
    async with looking(shelf) as (lookup, desk):
        lookup.begin("a", parse_number(written))
        await desk.until(lambda: bool(desk.posted))
        assert desk.posted == [CustomerFound("a", None)]
        card = lookup.card("a")
        assert card is not None
        assert card["why_unknown"] == why
        lookup.begin("b", parse_number(written))
        assert len(desk.posted) == 2, "that nobody has it is remembered for a while"
        assert shelf.asked == 1


async def test_a_late_answer_is_not_waited_for_and_fills_the_card() -> None:
    shelf = Shelf(slow=True)
    async with looking(shelf) as (lookup, desk):
        begun = asyncio.get_running_loop().time()
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        assert asyncio.get_running_loop().time() - begun < 1.0
        assert desk.posted == [CustomerFound("a", None)]
        card = lookup.card("a")
        assert card is not None
        assert card["why_unknown"] == "slow"
        shelf.open.set()
        await desk.until(lambda: len(desk.cards) == 2)
        late = lookup.card("a")
        assert late is not None
        assert late["known"] is True
        assert desk.posted[1] == CustomerFound("a", "c-1", "gold", "fa")
        assert lookup.counters.slow == 1


async def test_an_answer_that_never_comes_ends_by_itself() -> None:
    settings = LookupSettings(deadline_s=0.01, late_s=0.03)
    shelf = Shelf(slow=True)
    async with looking(shelf, settings) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        async with asyncio.timeout(5):
            while lookup.counters.errors == 0:  # noqa: ASYNC110 - nothing else tells of it
                await asyncio.sleep(0)
        card = lookup.card("a")
        assert card is not None
        assert card["why_unknown"] == "slow"
        lookup.begin("b", CALLER)
        await desk.until(lambda: len(desk.posted) == 2)
        assert shelf.asked == 2, "what is not known is not remembered"


@pytest.mark.parametrize("error", [SourceError("The source is away."), ValueError("<html>"), TimeoutError()])
async def test_a_source_that_fails_is_said_on_the_card_and_numbers_are_not_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with looking(Shelf(error=error)) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        assert desk.posted == [CustomerFound("a", None)]
        card = lookup.card("a")
        assert card is not None
        assert card["why_unknown"] == "error"
        assert "failed" in caplog.text
        assert "5550001" not in caplog.text
        assert "سارا" not in caplog.text


async def test_many_callers_of_one_number_ask_once() -> None:
    shelf = Shelf(slow=True)
    async with looking(shelf, LookupSettings(deadline_s=5)) as (lookup, desk):
        for n in range(50):
            lookup.begin(f"c{n}", CALLER)
        shelf.open.set()
        await desk.until(lambda: len(desk.posted) == 50)
        assert {event.customer for event in desk.posted} == {"c-1"}
        lookup.begin("later", CALLER)
        assert desk.posted[-1] == CustomerFound("later", "c-1", "gold", "fa"), "the answer is remembered"
        assert shelf.asked == 1
        lookup.forget_answers()
        lookup.begin("after a change", CALLER)
        await desk.until(lambda: len(desk.posted) == 52)
        assert shelf.asked == 2


async def test_a_caller_who_left_gets_no_card_and_the_answer_is_kept_for_the_next() -> None:
    shelf = Shelf(slow=True)
    async with looking(shelf, LookupSettings(deadline_s=5)) as (lookup, desk):
        lookup.begin("a", CALLER)
        lookup.begin("b", CALLER)
        lookup.forget("a")
        shelf.open.set()
        await desk.until(lambda: bool(desk.posted))
        assert desk.posted == [CustomerFound("b", "c-1", "gold", "fa")]
        assert lookup.card("a") is None
        assert shelf.asked == 1


async def test_begun_again_after_a_re_attach_the_answer_is_told_again() -> None:
    shelf = Shelf()
    async with looking(shelf) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        lookup.begin("a", CALLER)
        assert desk.posted[0] == desk.posted[1]
        assert shelf.asked == 1


async def test_of_several_with_one_number_who_was_in_touch_last_comes_first() -> None:
    never = Customer("c-0", name_en="Never")
    recently = Customer("c-2", name_en="Recent", last_contact_at=EARLIER)
    async with looking(Shelf(known={CALLER.key: (never, SARA, recently)})) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        card = lookup.card("a")
        assert card is not None
        assert card["matches"] == 3
        assert desk.posted[0].customer == "c-2"
        assert card["others"] == [
            {"id": "c-0", "name": {"en": "Never"}},
            {"id": "c-1", "name": {"fa": "سارا احمدی"}},
        ]


async def test_earlier_contacts_come_onto_the_card_and_a_slow_history_does_not_matter() -> None:
    recent = Recent(EARLIER, "loans", "reza", "answered", None)

    async def history(customer: str, contact: str) -> Sequence[Recent]:
        assert customer == "c-1"
        if contact == "slow":
            await asyncio.Event().wait()
        if contact == "broken":
            raise SourceError("away")
        return [recent]

    async with looking(Shelf(), history=history) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: len(desk.cards) == 2)
        card = lookup.card("a")
        assert card is not None
        assert card["recent"] == [
            {"at": "2026-11-01T00:00:00Z", "queue": "loans", "agent": "reza", "outcome": "answered"}
        ]
        for contact in ("slow", "broken"):
            lookup.begin(contact, CALLER)
            other = lookup.card(contact)
            assert other is not None
            assert (other["known"], other["recent"]) == (True, [])


async def test_closing_leaves_nothing_running() -> None:
    async with looking(Shelf(slow=True)) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        lookup.begin("b", CALLER)


async def test_the_memory_of_answers_is_bounded() -> None:
    shelf = Shelf(known={})
    async with looking(shelf, LookupSettings(cache_most=3)) as (lookup, desk):
        for n in range(6):
            lookup.begin(f"c{n}", parse_number(f"0912555{n:04}"))
            await desk.until(lambda n=n: len(desk.posted) == n + 1)  # type: ignore[misc]
        lookup.begin("again", parse_number("09125550000"))
        await desk.until(lambda: len(desk.posted) == 7)
        assert shelf.asked == 7


# ---- who the caller proved to be ----------------------------------------------------------------------------

MINA = Customer("c-2", name_fa="مینا رضایی", segment="silver", language="fa", phones=("+982188776655",))


async def test_a_proof_before_the_offer_is_on_the_card() -> None:
    async with looking(Shelf()) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        lookup.prove("a", Proof("c-1", "pin", 0))
        card = lookup.card("a")
        assert card is not None
        assert (card["verified"], card["verified_by"], card["verified_level"]) == (True, "pin", "verified")
        assert len(desk.posted) == 1  # who it is, the center knew


async def test_who_calls_from_another_s_number_is_who_they_proved_to_be() -> None:
    shelf = Shelf(known={CALLER.key: (SARA,), "+982188776655": (MINA,)})
    async with looking(shelf) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        assert lookup.caller("a") == (CALLER, "c-1")
        lookup.prove("a", Proof("c-2", "birth_year", 0))
        await desk.until(lambda: desk.posted[-1].segment == "silver")
        card = lookup.card("a")
        assert card is not None
        assert isinstance(card["customer"], dict)
        assert (card["verified"], card["customer"]["name"]) == (True, {"fa": "مینا رضایی"})
        assert card["others"] == [{"id": "c-1", "name": {"fa": "سارا احمدی"}}]
        assert desk.posted[-1] == CustomerFound("a", "c-2", "silver", "fa")


async def test_a_customer_whom_only_the_service_knows_is_shown_by_their_id() -> None:
    async with looking(Shelf()) as (lookup, desk):
        lookup.begin("a", parse_number("anonymous"))
        lookup.prove("a", Proof("k-77", "pin", 0))
        card = lookup.card("a")
        assert card is not None
        assert (card["known"], card["verified"]) == (True, True)
        assert desk.posted[-1] == CustomerFound("a", "k-77")


async def test_a_proof_waits_for_no_lookup_and_is_not_lost_to_a_late_one() -> None:
    shelf = Shelf(slow=True)
    async with looking(shelf) as (lookup, desk):
        lookup.begin("a", CALLER)
        await asyncio.sleep(0)
        lookup.prove("a", Proof("c-1", "pin", 0))
        shelf.open.set()
        await desk.until(lambda: desk.posted[-1].segment == "gold")
        card = lookup.card("a")
        assert card is not None
        assert card["verified"] is True


async def test_a_source_that_fails_leaves_the_proof() -> None:
    shelf = Shelf()
    async with looking(shelf) as (lookup, desk):
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        shelf.error = SourceError("away")
        lookup.prove("a", Proof("c-2", "pin", 0))
        await desk.until(lambda: lookup.counters.errors == 1 or desk.posted[-1].customer == "c-2")
        assert desk.posted[-1].customer == "c-2"


async def test_a_proof_from_before_a_restart_holds_and_one_of_a_caller_who_left_does_not() -> None:
    async with looking(Shelf()) as (lookup, desk):
        lookup.remember({"a": Proof("c-1", "pin", 0)})
        lookup.begin("a", CALLER)
        await desk.until(lambda: bool(desk.posted))
        card = lookup.card("a")
        assert card is not None
        assert card["verified"] is True
        lookup.forget("a")
        lookup.prove("a", Proof("c-1", "pin", 0))
        assert (lookup.card("a"), lookup.proof("a")) == (None, None)
