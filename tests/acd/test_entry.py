"""Into a line and out of it by rule: capacity, presence, hours, longest wait, overflow, reserve."""

from __future__ import annotations

from typing import Any

import pytest

from acd.effects import KeepPlace, LeaveLine, RefuseLine
from acd.events import CallArrived, OfferAnswered, PhoneChanged, TaskArrived, VisitQueued
from acd.facts import ReserveChanged, VisitBegan, VisitFlowedOut, VisitRefused
from acd.types import EndedBy, Kind, PhoneState, RingFailure, Status, VisitState
from tests.acd.worlds import S, World, site_of

DAY = {"weekly": {day: ["08:00-17:00"] for day in ("sat", "sun", "mon", "tue", "wed", "thu", "fri")}}
DAY |= {"closed_on_holidays": False}
NINE_US = 1_795_325_400 * S  # 2026-11-22 09:00 in Tehran


def world_of(queues: dict[str, dict[str, Any]], *ready: str, **more: Any) -> World:
    site = site_of(queues, {"a1": {"x": 1}, "a2": {"x": 1}, "a3": {"y": 1}}, **more)
    world = World(site, now_us=NINE_US)
    world.ready(*ready)
    return world


def refused(world: World) -> tuple[str, str]:
    effect = world.asked(RefuseLine)[-1]
    return effect.why, effect.to


def test_a_full_queue_sends_on_to_the_next_one_in_the_same_step() -> None:
    world = world_of({"main": {"capacity": 1, "overflow": {"full": {"queue": "next"}}}, "next": {}})
    world.call("c1")
    world.call("c2")
    assert [fact.queue for fact in world.told(VisitBegan)] == ["main", "next"]
    assert [fact.why for fact in world.told(VisitRefused)] == ["full"]
    assert world.asked(RefuseLine) == []
    assert world.asked(KeepPlace)[-1].queue == "next"


def test_where_nothing_has_room_the_script_is_told_the_way() -> None:
    world = world_of(
        {
            "main": {"capacity": 1, "overflow": {"full": {"queue": "next"}}},
            "next": {"capacity": 1, "overflow": {"full": "callback"}},
        }
    )
    for number in range(3):
        world.call(f"c{number}")
    assert refused(world) == ("full", "callback")


def test_an_offer_that_is_out_still_takes_room() -> None:
    world = world_of({"main": {"capacity": 1}}, "a1")
    world.call("c1")
    world.call("c2")
    assert refused(world) == ("full", "")
    world.answer("c1.1")
    world.call("c3")
    assert world.state_of("c3.1") is VisitState.WAITING


@pytest.mark.parametrize(
    ("needs", "let_in"),
    [
        ("nobody", ("offline", "not_ready", "unreachable", "busy", "idle")),
        ("signed_in", ("not_ready", "unreachable", "busy", "idle")),
        ("available", ("unreachable", "busy", "idle")),
        ("reachable", ("busy", "idle")),
        ("idle", ("idle",)),
    ],
)
def test_who_must_be_there_for_a_caller_to_be_let_in(needs: str, let_in: tuple[str, ...]) -> None:
    for state in ("offline", "not_ready", "unreachable", "busy", "idle"):
        world = world_of({"main": {"join_needs": needs, "requires": {"y": 1}}, "any": {}}, "a1", "a2")
        if state != "offline":
            world.ready("a3")
        if state == "not_ready":
            world.status("a3", Status.NOT_READY, "break")
        if state == "unreachable":
            world.do(PhoneChanged("p3", PhoneState.UNREACHABLE))
        if state == "busy":
            world.do(PhoneChanged("p3", PhoneState.BUSY))
        world.call("c1", "main")
        assert (world.asked(RefuseLine) == []) is (state in let_in), state
        if state not in let_in:
            assert refused(world) == ("empty", "")


def test_those_in_line_leave_when_nobody_is_there_for_a_while() -> None:
    world = world_of(
        {"main": {"stay_needs": "available", "empty_after_s": 10, "overflow": {"empty": "voicemail"}}}, "a1"
    )
    world.answer(world.call("c0"))
    world.call("c1")
    world.status("a1", Status.NOT_READY, "break")  # after the talk
    world.wait(60)
    assert world.state_of("c1.1") is VisitState.WAITING
    world.hang_up("c0.1", EndedBy.CALLER)
    world.end_wrap_up("a1")
    world.wait(9)
    assert world.state_of("c1.1") is VisitState.WAITING
    world.wait(1)
    assert world.state_of("c1.1") is None
    (left,) = world.asked(LeaveLine)
    assert (left.visit, left.why, left.to) == ("c1.1", "empty", "voicemail")
    assert world.told(VisitFlowedOut)[-1].why == "empty"


def test_who_comes_back_in_time_keeps_them() -> None:
    world = world_of({"main": {"stay_needs": "available", "empty_after_s": 10}})
    world.call("c1")
    world.wait(9)
    world.ready("a1")
    assert world.serving("c1.1") == "a1"
    world.miss("c1.1")  # not responding is still available, but not reachable
    world.wait(30)
    assert world.state_of("c1.1") is VisitState.WAITING
    assert not [timer for timer in world.timers if timer.startswith("empty")]


def test_a_timer_of_those_who_are_gone_throws_nobody_out() -> None:
    world = world_of({"main": {"stay_needs": "available", "empty_after_s": 10}})
    world.call("c1")
    world.wait(5)
    world.leave("c1")
    world.call("c2")
    world.wait(9)
    assert world.state_of("c2.1") is VisitState.WAITING


def test_the_longest_wait_moves_to_another_queue_with_the_same_age() -> None:
    world = world_of(
        {
            "main": {"requires": {"y": 1}, "max_wait_s": 30, "overflow": {"max_wait": {"queue": "next"}}},
            "next": {},
        }
    )
    world.call("c1", priority=3)
    began_us = world.now_us
    world.wait(31)
    (first, second) = world.told(VisitBegan)
    assert (first.queue, second.queue, second.visit) == ("main", "next", "c1.2")
    visit = world.visit("c1.2")
    assert (visit.entered_us, visit.place_us, visit.asked_priority) == (began_us + 30 * S, began_us, 3)
    assert world.asked(LeaveLine) == []
    assert world.asked(KeepPlace)[-1].visit == "c1.2"


def test_a_ring_that_is_out_at_the_end_of_the_longest_wait_may_be_answered() -> None:
    world = world_of(
        {"main": {"max_wait_s": 30, "ring_timeout_s": 20, "overflow": {"max_wait": "announcement"}}}
    )
    for contact in ("c1", "c2"):
        world.call(contact)
    world.wait(25)
    world.ready("a1", "a2")
    world.wait(10)
    world.answer("c1.1")
    assert world.state_of("c1.1") is VisitState.TALKING
    world.miss("c2.1", RingFailure.BUSY)
    assert [(e.visit, e.why, e.to) for e in world.asked(LeaveLine)] == [("c2.1", "max_wait", "announcement")]


def test_who_may_not_be_moved_to_the_next_queue_leaves_the_line_as_that_one_says() -> None:
    world = world_of(
        {
            "main": {"max_wait_s": 30, "overflow": {"max_wait": {"queue": "next"}}},
            "next": {"capacity": 1, "overflow": {"full": "voicemail"}},
        }
    )
    world.call("c1", "next")
    world.call("c2")
    world.wait(31)
    (left,) = world.asked(LeaveLine)
    assert left == LeaveLine("c2", "c2.1", "main", "full", "voicemail")
    assert world.asked(RefuseLine) == [], "their session stands in a line, and would not listen"
    assert world.state_of("c2.1") is None


def test_nobody_is_moved_while_a_phone_that_was_called_back_may_still_be_answered() -> None:
    world = world_of(
        {"main": {"max_wait_s": 30, "ring_timeout_s": 29, "overflow": {"max_wait": "voicemail"}}}, "a1"
    )
    world.call("c1")
    world.reject("c1.1")
    world.wait(31)
    assert world.state_of("c1.1") is VisitState.WAITING
    world.do(OfferAnswered("c1.1.1"))
    assert world.state_of("c1.1") is VisitState.TALKING
    world.call("c2")
    world.ready("a2")
    world.reject("c2.1")
    world.wait(31)
    world.miss("c2.1", RingFailure.WITHDRAWN)
    assert [each.visit for each in world.asked(LeaveLine)] == ["c2.1"]


def test_callbacks_and_tasks_have_no_way_out_but_another_queue() -> None:
    rules = {"max_wait_s": 30, "stay_needs": "available", "empty_after_s": 10}
    world = world_of({"main": {**rules, "overflow": {"max_wait": "voicemail"}}})
    for contact, kind in (("k1", Kind.CALLBACK), ("t1", Kind.TASK)):
        world.do(TaskArrived(contact, kind, "main"))
    world.wait(61)
    assert [world.state_of(visit) for visit in ("k1.1", "t1.1")] == [VisitState.WAITING] * 2
    assert world.told(VisitFlowedOut) == []
    moving = world_of({"main": {**rules, "overflow": {"max_wait": {"queue": "next"}}}, "next": {}})
    moving.do(TaskArrived("k1", Kind.CALLBACK, "main"))
    moving.wait(31)
    assert moving.visit("k1.2").queue == "next"


def test_a_closed_queue_lets_nobody_in_and_serves_those_in_line() -> None:
    world = world_of({"main": {"hours": "day", "overflow": {"closed": "voicemail"}}}, hours={"day": DAY})
    world.call("c1")
    world.wait(8 * 3600 + 1)
    world.call("c2")
    assert refused(world) == ("closed", "voicemail")
    assert world.state_of("c1.1") is VisitState.WAITING


def test_a_queue_may_send_those_in_line_away_at_closing_time() -> None:
    queue = {
        "hours": "day",
        "at_closing": "overflow",
        "overflow": {"closed": {"queue": "night"}},
        "requires": {"y": 1},
    }
    world = world_of({"main": queue, "night": {"requires": {"y": 1}}}, "a1", hours={"day": DAY})
    for contact in ("c1", "c2"):
        world.call(contact)
    world.wait(8 * 3600 - 1 - 1)
    assert world.state_of("c1.1") is VisitState.WAITING
    world.wait(2)
    assert [fact.why for fact in world.told(VisitFlowedOut)] == ["closed", "closed"]
    assert {visit.queue for visit in world.center.state.visits.values()} == {"night"}


def test_a_ticket_comes_back_into_its_place_whatever_the_queue_says_of_newcomers() -> None:
    world = world_of({"main": {"capacity": 1, "join_needs": "idle"}}, "a1")
    world.call("c0")
    world.do(CallArrived("c1", "2100", None, attach=2))
    world.do(VisitQueued("c1", "main", visit="c1.3", entered_us=world.now_us - 50 * S))
    assert world.state_of("c1.3") is VisitState.WAITING
    assert world.visit("c1.3").place_us == world.now_us - 50 * S


def test_a_reserve_is_opened_when_the_level_slips_and_given_back() -> None:
    reserve = {"people": {"requires": {"y": 1}}, "open_below": 0.6, "close_above": 0.8}
    world = world_of(
        {"main": {"requires": {"x": 1}, "target_s": 10, "wrap_up_s": 0, "reserve": reserve}}, "a3"
    )
    world.call("c1")
    world.call("c2")
    assert [fact.open for fact in world.told(ReserveChanged)] == [True]  # nobody of its own is there
    assert world.serving("c1.1") == "a3"
    world.ready("a1", "a2")
    world.answer("c1.1")
    world.answer("c2.1")
    for visit in ("c1.1", "c2.1"):
        world.hang_up(visit, EndedBy.CALLER)
    for number in range(3, 12):
        world.answer(world.call(f"c{number}"))
        world.hang_up(f"c{number}.1", EndedBy.CALLER)
    assert [fact.open for fact in world.told(ReserveChanged)] == [True, False]
    world.status("a1", Status.NOT_READY, "break")
    world.status("a2", Status.NOT_READY, "break")
    world.call("last")
    assert world.serving("last.1") != "a3" or world.center.state.queues["main"].reserve_open


def test_one_who_passes_the_target_counts_as_missed_at_that_instant() -> None:
    reserve = {"people": {"requires": {"y": 1}}, "open_below": 0.6, "close_above": 0.8}
    world = world_of(
        {"main": {"requires": {"x": 1}, "target_s": 10, "wrap_up_s": 0, "reserve": reserve}}, "a1", "a3"
    )
    world.answer(world.call("c0"))
    world.call("c1")
    assert world.told(ReserveChanged) == []
    world.wait(9.9)
    assert world.told(ReserveChanged) == []
    world.wait(0.2)
    assert [fact.open for fact in world.told(ReserveChanged)] == [True]
    assert world.serving("c1.1") == "a3"
