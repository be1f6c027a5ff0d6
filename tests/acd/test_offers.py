"""Holding a call out to an agent: card, ring, no ring, rejection, and answers that come late."""

from __future__ import annotations

import pytest

from acd.effects import (
    ClearScreen,
    KeepPlace,
    PopScreen,
    StartTimer,
    StopRing,
)
from acd.events import (
    OfferAnswered,
    OfferRang,
    PageClosed,
    RejectOffer,
    TimerFired,
)
from acd.facts import (
    CardWasShown,
    OfferEnded,
    TalkOver,
    VisitAnswered,
    VisitBegan,
)
from acd.turn import Rules
from acd.types import Activity, OfferState, RingFailure, Status, VisitState
from tests.acd.worlds import S, World, site_of

# ---- card before ring --------------------------------------------------------------------------------------


def test_the_card_is_shown_before_the_phone_rings() -> None:
    world = World()
    world.ready("a1", page=True)
    world.call("c1")
    assert [type(e) for e in world.step.effects] == [KeepPlace, PopScreen, StartTimer, StartTimer]
    world.wait(0.05)
    world.show("c1.1")
    assert world.rings() == [("c1.1", "a1")]
    world.do(OfferRang("c1.1.1"))
    assert world.told(CardWasShown)[0].before_ring
    world.answer("c1.1")
    assert (world.measures.rung_with_page, world.measures.cards_before_ring) == (1, 1)
    assert world.asked(ClearScreen) == [ClearScreen("a1", "c1.1.1", "accepted")]


def test_a_late_card_does_not_hold_the_phone_up() -> None:
    world = World(rules=Rules(card_wait_us=S))
    world.ready("a1", page=True)
    world.call("c1")
    world.wait(0.999)
    assert world.rings() == []
    world.wait(0.001)
    assert world.rings() == [("c1.1", "a1")]
    world.do(OfferRang("c1.1.1"))
    world.show("c1.1")
    assert not world.told(CardWasShown)[0].before_ring
    assert world.rings() == [("c1.1", "a1")]
    world.answer("c1.1")
    assert (world.measures.rung_with_page, world.measures.cards_before_ring) == (1, 0)


def test_without_a_page_the_phone_rings_at_once_and_counts_for_no_card() -> None:
    world = World()
    world.ready("a1", page=True)
    world.do(PageClosed("a1"))
    world.call("c1")
    assert world.asked(PopScreen) == []
    assert world.rings() == [("c1.1", "a1")]
    world.answer("c1.1")
    assert world.measures.rung_with_page == 0


def test_the_card_says_how_long_the_caller_has_waited_so_far() -> None:
    world = World()
    world.call("c1")
    world.wait(42)
    world.ready("a1", page=True)
    (pop,) = world.asked(PopScreen)
    assert (pop.agent, pop.contact, pop.queue, pop.wait_us) == ("a1", "c1", "main", 42 * S)


# ---- rings that nobody answers -----------------------------------------------------------------------------


def test_rings_missed_in_a_row_make_an_agent_not_responding_until_they_say_so() -> None:
    world = World(site_of({"main": {"rona_misses": 2}}))
    world.ready("a1")
    world.call("c1")
    world.wait(15)
    world.miss("c1.1")
    assert world.serving("c1.1") == "a1"  # one miss is forgiven, and nobody else is there
    world.wait(15)
    world.miss("c1.1")
    assert world.activity("a1") is Activity.NOT_RESPONDING
    assert world.told(OfferEnded)[-1].state is OfferState.TIMED_OUT
    world.wait(600)
    assert len(world.rings()) == 2
    assert world.visit("c1.1").entered_us == world.told(VisitBegan)[0].at_us
    assert world.status("a1", Status.AVAILABLE) is None
    assert len(world.rings()) == 3


def test_an_answer_forgets_the_misses() -> None:
    world = World(site_of({"main": {"rona_misses": 2, "wrap_up_s": 0}}))
    world.ready("a1")
    for contact in ("c1", "c2"):
        world.call(contact)
        world.miss(f"{contact}.1")
        world.answer(f"{contact}.1")
        world.leave(contact)
    assert world.activity("a1") is Activity.IDLE


@pytest.mark.parametrize(
    ("why", "back_off_s", "state"),
    [
        (RingFailure.BUSY, 7, OfferState.FAILED),
        (RingFailure.REJECTED, 7, OfferState.REJECTED),
        (RingFailure.UNREACHABLE, 40, OfferState.FAILED),
        (RingFailure.WITHDRAWN, 0, OfferState.FAILED),
    ],
)
def test_a_phone_that_cannot_be_rung_is_passed_over_for_a_while(
    why: RingFailure, back_off_s: float, state: OfferState
) -> None:
    world = World(site_of({"main": {"busy_backoff_s": 7, "unreachable_backoff_s": 40}}, {"a1": {}}))
    world.ready("a1")
    world.call("c1")
    world.miss("c1.1", why)
    (ended,) = world.told(OfferEnded)
    assert (ended.state, ended.why) == (state, why)
    assert world.activity("a1") is not Activity.NOT_RESPONDING
    if back_off_s:
        world.wait(back_off_s - 0.001)
        assert len(world.rings()) == 1
        world.wait(0.001)
    assert len(world.rings()) == 2


def test_the_next_agent_is_rung_when_one_cannot_be() -> None:
    world = World()
    world.ready("a1", "a2")
    world.call("c1")
    world.miss("c1.1", RingFailure.BUSY)
    assert world.serving("c1.1") == "a2"
    assert world.visit("c1.1").offer is not None
    assert world.visit("c1.1").entered_us == world.told(VisitBegan)[0].at_us


def test_a_ring_without_word_from_asterisk_is_taken_back() -> None:
    world = World(site_of({"main": {"ring_timeout_s": 15}}, {"a1": {}}))
    world.ready("a1")
    world.call("c1")
    world.wait(17.099)
    assert world.activity("a1") is Activity.RINGING
    world.wait(0.001)
    assert world.asked(StopRing) == [StopRing("c1", "c1.1.1")]
    assert world.activity("a1") is Activity.NOT_RESPONDING
    assert world.state_of("c1.1") is VisitState.WAITING


def test_no_second_phone_rings_before_asterisk_has_said_how_the_first_ended() -> None:
    world = World()
    world.ready("a1", "a2")
    world.call("c1")
    world.reject("c1.1")
    assert len(world.rings()) == 1
    world.miss("c1.1", RingFailure.WITHDRAWN)
    assert world.rings() == [("c1.1", "a1"), ("c1.1", "a2")]


# ---- reject, accept, and both at once ----------------------------------------------------------------------


def test_a_rejection_stops_the_ring_and_keeps_the_place_in_line() -> None:
    world = World(site_of({"main": {"busy_backoff_s": 5}}, {"a1": {}}))
    world.ready("a1", page=True)
    world.call("c1")
    world.show("c1.1")
    assert world.reject("c1.1") is None
    assert world.asked(StopRing) == [StopRing("c1", "c1.1.1")]
    assert world.asked(ClearScreen) == [ClearScreen("a1", "c1.1.1", "rejected")]
    assert world.ask(RejectOffer("a1", "c1.1.1")) is None  # saying it twice is no error
    assert len(world.asked(StopRing)) == 1
    world.miss("c1.1", RingFailure.WITHDRAWN)
    world.wait(5)
    assert len(world.rings()) == 1  # the page is open: the card comes first
    world.show("c1.1")
    assert len(world.rings()) == 2


def test_an_offer_rejected_before_its_ring_needs_no_stop() -> None:
    world = World()
    world.ready("a1", page=True)
    world.ready("a2")
    world.call("c1")
    assert world.reject("c1.1") is None
    assert world.asked(StopRing) == []
    assert world.rings() == [("c1.1", "a2")]


@pytest.mark.parametrize("leave_status", [False, True])
def test_an_answer_in_the_instant_of_the_rejection_is_true(leave_status: bool) -> None:
    world = World()
    world.ready("a1", "a2")
    world.call("c1")
    world.reject("c1.1")
    if leave_status:
        world.status("a1", Status.NOT_READY, "break")
    world.do(OfferAnswered("c1.1.1"))
    assert world.state_of("c1.1") is VisitState.TALKING
    assert world.activity("a1") is Activity.ON_CALL
    assert [fact.state for fact in world.told(OfferEnded)] == [OfferState.REJECTED, OfferState.ACCEPTED]
    assert len(world.rings()) == 1


def test_an_answer_after_the_time_is_up_is_true_as_well() -> None:
    world = World(site_of(agents={"a1": {}}))
    world.ready("a1")
    world.call("c1")
    world.wait(17.1)
    assert world.activity("a1") is Activity.NOT_RESPONDING
    world.do(OfferAnswered("c1.1.1"))
    assert world.state_of("c1.1") is VisitState.TALKING
    world.wait(30)
    world.leave("c1")
    world.end_wrap_up("a1")
    assert world.activity("a1") is Activity.IDLE  # they did respond


def test_an_offer_has_one_outcome() -> None:
    world = World()
    world.ready("a1", "a2")
    world.call("c1")
    world.answer("c1.1")
    for late in (OfferAnswered("c1.1.1"), TimerFired("offer:c1.1.1"), OfferRang("c1.1.1")):
        world.do(late)
        assert world.step.ignored
        assert world.step.facts == ()
    assert world.ask(RejectOffer("a1", "c1.1.1")) == "offer_over"
    assert world.ask(RejectOffer("a2", "c1.1.1")) == "offer_over"
    world.leave("c1")
    world.do(OfferAnswered("c1.1.1"))
    assert world.step.ignored
    assert [fact.state for fact in world.told(OfferEnded)] == [OfferState.ACCEPTED]


def test_nobody_rejects_for_another() -> None:
    world = World()
    world.ready("a1", "a2")
    world.call("c1")
    assert world.ask(RejectOffer("a2", "c1.1.1")) == "offer_over"
    assert world.activity("a1") is Activity.RINGING


def test_an_answer_learned_late_counts_from_when_it_was() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    entered_us = world.now_us
    world.wait(10)
    world.do(OfferAnswered("c1.1.1", entered_us + 3 * S))
    assert world.told(VisitAnswered)[0].wait_us == 3 * S
    world.leave("c1")
    assert world.told(TalkOver)[0].talk_us == 7 * S
