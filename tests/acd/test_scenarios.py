"""Situations that queues of telephone systems are known by, told anew in the center's own events: the cases that the
tests of Asterisk's app_queue go through, and mistakes that other call centers made.
"""

from __future__ import annotations

import pytest

from acd.effects import KeepPlace
from acd.events import CallArrived, OfferAnswered, OfferFailed, PhoneChanged, TalkEnded, VisitQueued
from acd.facts import OfferEnded, OfferMade, TalkOver, VisitAnswered, VisitFlowedOut, VisitRefused
from acd.outlook import place
from acd.types import Activity, EndedBy, OfferState, PhoneState, RingFailure, Status, VisitState
from tests.acd.worlds import World, site_of


def world_of(*ready: str, agents: int = 2, **queue: object) -> World:
    world = World(
        site_of(
            {"main": {"wrap_up_s": 0} | queue, "other": {"wrap_up_s": 20}},
            {f"a{n}": {} for n in range(1, agents + 1)},
        )
    )
    world.ready(*ready)
    return world


def test_baseline_one_caller_one_agent_one_talk() -> None:
    world = world_of("a1")
    visit = world.call("c1")
    assert world.answer(visit) == "a1"
    world.wait(30)
    world.hang_up(visit, EndedBy.CALLER)
    world.menu_end("c1")
    assert len(world.told(VisitAnswered)) == len(world.told(TalkOver)) == 1
    assert world.activity("a1") is Activity.IDLE
    assert not world.timers


def test_all_paused_nobody_is_rung_and_the_first_to_come_back_gets_the_first_caller() -> None:
    world = world_of("a1", "a2")
    for agent in ("a1", "a2"):
        world.status(agent, Status.NOT_READY, "break")
    for contact in ("c1", "c2"):
        world.call(contact)
    world.wait(60)
    assert world.rings() == []
    world.status("a2", Status.AVAILABLE)
    assert world.rings() == [("c1.1", "a2")]


def test_one_paused_the_other_gets_every_call() -> None:
    world = world_of("a1", "a2")
    world.status("a1", Status.NOT_READY, "lunch")
    for number in range(3):
        visit = world.call(f"c{number}")
        assert world.answer(visit) == "a2"
        world.hang_up(visit, EndedBy.CALLER)
        world.menu_end(f"c{number}")


def test_a_phone_in_use_is_not_rung_and_one_who_does_not_answer_is_paused() -> None:
    """ringinuse=no with autopause=yes: a private call on the phone, then a ring that nobody hears."""
    world = world_of("a1")
    world.do(PhoneChanged("p1", PhoneState.BUSY))
    world.call("c1")
    assert world.rings() == []
    world.do(PhoneChanged("p1", PhoneState.FREE))
    assert world.rings() == [("c1.1", "a1")]
    world.miss("c1.1")
    assert world.activity("a1") is Activity.NOT_RESPONDING
    world.wait(300)
    assert len(world.rings()) == 1
    world.status("a1", Status.AVAILABLE)
    assert len(world.rings()) == 2


def test_wrap_up_of_one_queue_holds_for_every_other() -> None:
    world = world_of("a1")
    world.answer(world.call("c1", "other"))
    world.call("c2", "main")
    world.hang_up("c1.1", EndedBy.CALLER)
    assert world.activity("a1") is Activity.WRAP_UP
    world.wait(19)
    assert world.serving("c2.1") is None
    world.wait(1)
    assert world.serving("c2.1") == "a1"


def test_position_priority_and_most_callers() -> None:
    world = world_of("a1", capacity=3)
    world.answer(world.call("c0"))
    for contact, priority in (("low", 0), ("high", 5), ("mid", 2)):
        world.call(contact, priority=priority)
    world.call("late")
    positions = {}
    for contact in ("low", "mid", "high"):
        here = place(world.center.turn(world.now_us), contact)
        assert here is not None
        positions[contact] = here.position
    assert positions == {"high": 1, "mid": 2, "low": 3}
    assert [fact.why for fact in world.told(VisitRefused)] == ["full"]


def test_a_blind_transfer_to_another_queue_frees_the_agent_at_once_and_counts_each_talk_once() -> None:
    world = world_of("a1", "a2")
    world.answer(world.call("c1"))
    world.wait(40)
    world.do(TalkEnded("c1.1.1", EndedBy.AGENT))
    world.do(VisitQueued("c1", "other"))
    assert world.serving("c1.2") == "a2"
    world.answer("c1.2")
    world.wait(20)
    world.leave("c1")
    assert [(fact.visit, fact.agent, fact.talk_us // 10**6) for fact in world.told(TalkOver)] == [
        ("c1.1", "a1", 40),
        ("c1.2", "a2", 20),
    ]


def test_an_attended_transfer_ends_the_first_talk_when_the_caller_is_queued_anew() -> None:
    """The first agent is still in the talk when the caller is handed over."""
    world = world_of("a1", "a2")
    world.answer(world.call("c1"))
    world.wait(10)
    world.do(VisitQueued("c1", "other"))
    assert world.activity("a1") is Activity.IDLE
    assert world.serving("c1.2") == "a2"
    assert world.do(TalkEnded("c1.1.1", EndedBy.AGENT)).ignored is not None
    assert len(world.told(TalkOver)) == 1


def test_redirected_from_one_line_into_another_while_waiting_keeps_the_age() -> None:
    world = world_of("a1")
    world.answer(world.call("c0"))
    world.call("c1")
    world.wait(30)
    since_us = world.visit("c1.1").place_us
    world.do(VisitQueued("c1", "other"))
    assert [fact.why for fact in world.told(VisitFlowedOut)] == ["moved"]
    assert world.visit("c1.2").place_us == since_us
    assert world.asked(KeepPlace)[-1].queue == "other"


# Mistakes of others ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ms", range(0, 500, 50))
def test_a_caller_who_hangs_up_while_the_phone_is_rung_leaves_a_free_agent(ms: int) -> None:
    world = world_of("a1")
    world.call("c1")
    world.wait(ms / 1000)
    world.leave("c1")
    assert world.activity("a1") is Activity.IDLE
    assert world.do(OfferAnswered("c1.1.1")).ignored is not None
    assert world.do(OfferFailed("c1.1.1", RingFailure.NO_ANSWER)).ignored is not None
    assert not world.timers
    assert world.serving(world.call("c2")) == "a1"


def test_an_answer_around_the_ring_timeout_has_exactly_one_outcome() -> None:
    for late_s in (16.9, 17.0, 17.1, 17.2):
        world = world_of("a1", ring_timeout_s=15)
        world.call("c1")
        world.wait(late_s)
        world.do(OfferAnswered("c1.1.1"))
        states = [fact.state for fact in world.told(OfferEnded)]
        assert states in ([OfferState.ACCEPTED], [OfferState.TIMED_OUT, OfferState.ACCEPTED])
        assert world.state_of("c1.1") is VisitState.TALKING
        assert len(world.told(VisitAnswered)) == 1


def test_an_agent_who_flips_between_choice_and_ring_halts_nobody_else() -> None:
    world = world_of("a1", "a2")
    world.call("c1")
    world.status("a1", Status.NOT_READY, "break")
    world.miss("c1.1", RingFailure.UNREACHABLE)
    assert world.agent("a1").status is Status.NOT_READY
    assert world.serving("c1.1") == "a2"


def test_a_doubled_arrival_does_not_revive_a_finished_call() -> None:
    world = world_of("a1")
    world.call("c1")
    world.leave("c1")
    facts = len(world.told(OfferMade))
    world.do(VisitQueued("c1", "main"))
    assert len(world.told(OfferMade)) == facts
    assert "c1" not in world.center.state.contacts


def test_an_agent_in_two_queues_is_one_agent() -> None:
    world = world_of("a1")
    world.call("c1", "main")
    world.call("c2", "other")
    assert world.rings() == [("c1.1", "a1")]
    world.do(CallArrived("c3", "2100", None))
    assert len([agent for agent in world.center.state.agents.values() if agent.offer]) == 1
