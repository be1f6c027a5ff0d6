"""What is learned late: it counts from when it happened, not from when we heard of it."""

from __future__ import annotations

from acd.effects import SetFallbackMember
from acd.events import CallArrived, FoundEnded, OfferAnswered, Restarted
from acd.facts import AgentChanged, ContactBegan
from acd.types import Activity, Status
from tests.acd.worlds import MORNING_US, S, World


def test_a_caller_who_came_while_we_were_away_began_when_they_came() -> None:
    world = World()
    world.wait(30)
    world.do(CallArrived("c1", "2100", None, attach=7, began_us=MORNING_US + 4 * S))
    assert world.told(ContactBegan)[0].at_us == MORNING_US + 4 * S
    world.do(CallArrived("c2", "2100", None, attach=2, began_us=world.now_us + S))
    assert world.told(ContactBegan)[1].at_us == world.now_us


def test_a_talk_and_its_wrap_up_that_we_missed_show_their_true_beginning() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    answered_us = world.now_us + S
    world.do(Restarted())
    world.wait(20)
    world.do(OfferAnswered("c1.1.1", answered_us))
    assert world.told(AgentChanged)[-1].activity is Activity.ON_CALL
    assert world.told(AgentChanged)[-1].since_us == answered_us
    world.wait(10)
    ended_us = world.now_us - 3 * S
    world.do(FoundEnded("c1", "2100", MORNING_US, ended_us, talk_us=20_000_000))
    assert world.told(AgentChanged)[-1].activity is Activity.WRAP_UP
    assert world.told(AgentChanged)[-1].since_us == ended_us


def test_the_status_for_after_the_talk_counts_in_asterisks_own_queue_already() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.status("a1", Status.NOT_READY, "break")
    assert world.asked(SetFallbackMember)[-1] == SetFallbackMember("a1", "p1", True)
    world.status("a1", Status.AVAILABLE)
    assert world.asked(SetFallbackMember)[-1] == SetFallbackMember("a1", "p1", False)
