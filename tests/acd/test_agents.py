"""Wrap-up, statuses, signing in, phones: what agents may do and what becomes of it."""

from __future__ import annotations

import pytest

from acd.effects import (
    SetFallbackMember,
)
from acd.events import (
    ApplySite,
    EndWrapUp,
    PhoneChanged,
    SetStatus,
    SignIn,
    TimerFired,
)
from acd.facts import (
    Disposed,
    WrapUpOver,
)
from acd.types import Activity, PhoneState, RingFailure, Status, VisitState
from tests.acd.worlds import S, World, site_of

# ---- wrap-up -----------------------------------------------------------------------------------------------


def talked(site_settings: dict[str, object]) -> World:
    world = World(site_of({"main": site_settings}))
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.wait(60)
    return world


def test_wrap_up_ends_by_its_timer() -> None:
    world = talked({"wrap_up_s": 30})
    world.leave("c1")
    world.call("c2")
    world.wait(29.999)
    assert world.activity("a1") is Activity.WRAP_UP
    world.wait(0.001)
    assert world.told(WrapUpOver)[0].acw_us == 30 * S
    assert world.serving("c2.1") == "a1"


def test_wrap_up_ends_when_the_agent_is_done() -> None:
    world = talked({"wrap_up_s": 30})
    world.leave("c1")
    world.wait(12)
    assert world.end_wrap_up("a1") is None
    assert world.told(WrapUpOver)[0].acw_us == 12 * S
    assert world.end_wrap_up("a1") == "no_wrap_up"
    world.wait(60)
    assert len(world.told(WrapUpOver)) == 1


def test_without_wrap_up_the_agent_is_idle_at_once() -> None:
    world = talked({"wrap_up_s": 0})
    world.leave("c1")
    assert world.told(WrapUpOver)[0].acw_us == 0
    assert world.activity("a1") is Activity.IDLE
    assert world.agent("a1").idle_since_us == world.now_us


def test_a_wrap_up_whose_timer_fires_late_lasted_as_long_as_it_was_allowed() -> None:
    """We were dead while it ran: its time is the queue's, not ours."""
    world = talked({"wrap_up_s": 30})
    world.leave("c1")
    world.now_us += 7200 * S
    world.do(TimerFired("wrap:a1"))
    assert world.told(WrapUpOver)[0].acw_us == 30 * S


def test_a_required_disposition_holds_the_wrap_up_until_it_is_given() -> None:
    world = talked({"wrap_up_s": 30, "dispositions": ["done"], "disposition_required": True})
    world.leave("c1")
    assert world.end_wrap_up("a1") == "disposition_needed"
    world.wait(300)
    assert world.activity("a1") is Activity.WRAP_UP
    assert world.dispose("a1", "c1.1", "again") == "unknown_disposition"
    assert world.dispose("a1", "c1.1") is None
    assert world.told(Disposed)[0].code == "done"
    assert world.activity("a1") is Activity.IDLE
    assert world.told(WrapUpOver)[0].acw_us == 300 * S


def test_a_disposition_given_during_the_talk_counts() -> None:
    world = talked({"wrap_up_s": 0, "dispositions": ["done"], "disposition_required": True})
    assert world.dispose("a1", "c1.1") is None
    world.leave("c1")
    assert world.activity("a1") is Activity.IDLE


def test_a_disposition_may_be_corrected_until_the_wrap_up_is_over() -> None:
    world = talked({"wrap_up_s": 30})
    world.leave("c1")
    assert world.dispose("a1", "c1.1", "done") is None
    assert world.dispose("a1", "c1.1", "again") is None
    assert world.activity("a1") is Activity.WRAP_UP
    world.end_wrap_up("a1")
    assert world.dispose("a1", "c1.1", "done") == "visit_over"
    assert [fact.code for fact in world.told(Disposed)] == ["done", "again"]


def test_nobody_disposes_of_anothers_visit() -> None:
    world = talked({})
    world.ready("a2")
    assert world.dispose("a2", "c1.1") == "visit_over"


@pytest.mark.parametrize("way", ["timer", "done"])
def test_a_status_chosen_during_the_call_comes_true_when_the_work_is_done(way: str) -> None:
    world = talked({"wrap_up_s": 30})
    assert world.status("a1", Status.NOT_READY, "break") is None
    assert world.status("a1", Status.NOT_READY, "lunch") is None
    assert (world.agent("a1").status, world.agent("a1").next_reason) == (Status.AVAILABLE, "lunch")
    world.leave("c1")
    world.call("c2")
    if way == "done":
        world.end_wrap_up("a1")
    world.wait(30)
    assert (world.agent("a1").status, world.agent("a1").reason) == (Status.NOT_READY, "lunch")
    assert world.state_of("c2.1") is VisitState.WAITING
    assert world.agent("a1").next_status is None


def test_a_next_status_is_taken_back_by_choosing_the_present_one() -> None:
    world = talked({"wrap_up_s": 0})
    world.status("a1", Status.OFFLINE)
    world.status("a1", Status.AVAILABLE)
    world.leave("c1")
    assert world.agent("a1").status is Status.AVAILABLE


@pytest.mark.parametrize("end", ["caller", "no_answer", "rejected", "busy", "page", "timer"])
def test_a_status_chosen_while_it_rings_comes_true_however_the_ring_ends(end: str) -> None:
    world = World(site_of(agents={"a1": {}}))
    world.ready("a1")
    world.call("c1")
    world.status("a1", Status.NOT_READY, "break")
    assert world.activity("a1") is Activity.RINGING
    if end == "caller":
        world.leave("c1")
    elif end == "page":
        world.reject("c1.1")
    elif end == "timer":
        world.wait(17.1)
    else:
        world.miss("c1.1", RingFailure(end))
    assert (world.agent("a1").status, world.agent("a1").reason) == (Status.NOT_READY, "break")
    world.wait(600)
    assert len(world.rings()) == 1


# ---- signing in, statuses ----------------------------------------------------------------------------------


def test_signing_in_takes_a_place_and_asks_for_nothing_yet() -> None:
    world = World()
    assert world.ask(SignIn("a1", "p1")) is None
    assert (world.agent("a1").status, world.agent("a1").phone) == (Status.NOT_READY, "p1")
    world.call("c1")
    assert world.rings() == []


def test_who_may_sign_in_where() -> None:
    world = World()
    world.ready("a1")
    assert world.ask(SignIn("nobody", "p1")) == "unknown_agent"
    assert world.ask(SignIn("a2", "p9")) == "unknown_phone"
    assert world.ask(SignIn("a2", "p1")) == "phone_taken"
    assert world.ask(SignIn("a1", "p1")) is None  # again, and nothing changes
    assert world.agent("a1").status is Status.AVAILABLE
    world.call("c1")
    assert world.ask(SignIn("a1", "p2")) == "busy"
    world.leave("c1")
    assert world.ask(SignIn("a1", "p2")) is None
    assert world.ask(SignIn("a2", "p1")) is None


def test_going_offline_leaves_the_phone_to_others() -> None:
    world = World()
    world.ready("a1")
    assert world.status("a1", Status.OFFLINE) is None
    assert world.agent("a1").phone is None
    assert world.ask(SignIn("a2", "p1")) is None


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (SetStatus("nobody", Status.AVAILABLE), "unknown_agent"),
        (SetStatus("a2", Status.AVAILABLE), "no_phone"),
        (SetStatus("a1", Status.NOT_READY), "reason_needed"),
        (SetStatus("a1", Status.NOT_READY, "gone fishing"), "unknown_reason"),
        (EndWrapUp("a1"), "no_wrap_up"),
        (EndWrapUp("nobody"), "unknown_agent"),
        (ApplySite("v", "{}"), "site_unreadable"),
        (ApplySite("v", "not even JSON"), "site_unreadable"),
    ],
)
def test_what_is_asked_in_vain_is_refused_with_its_reason(command: SetStatus, reason: str) -> None:
    world = World()
    world.ready("a1")
    before = world.center.state.version
    assert world.ask(command) == reason
    assert world.step.facts == ()
    assert world.center.state.version == before


def test_the_fallback_queue_follows_who_could_answer() -> None:
    world = World()
    world.ready("a1")
    world.status("a1", Status.NOT_READY, "break")
    world.ask(SignIn("a1", "p2"))
    world.status("a1", Status.OFFLINE)
    assert [(m.phone, m.paused) for m in world.asked(SetFallbackMember)] == [
        ("p1", True),
        ("p1", False),
        ("p1", True),
        ("p1", None),
        ("p2", True),
        ("p2", None),
    ]
    assert world.center.state.members == {}


# ---- phones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "activity"),
    [
        (PhoneState.UNREACHABLE, Activity.UNREACHABLE),
        (PhoneState.UNKNOWN, Activity.UNREACHABLE),
        (PhoneState.BUSY, Activity.IDLE),
    ],
)
def test_a_phone_that_cannot_ring_gets_no_offers_until_it_can(state: PhoneState, activity: Activity) -> None:
    world = World()
    world.ready("a1")
    world.do(PhoneChanged("p1", state))
    assert world.activity("a1") is activity
    world.call("c1")
    assert world.rings() == []
    world.do(PhoneChanged("p1", PhoneState.FREE))
    assert world.rings() == [("c1.1", "a1")]


def test_a_phone_that_goes_while_idle_does_not_cost_the_agent_their_turn() -> None:
    world = World()
    world.ready("a1", "a2")
    world.do(PhoneChanged("p1", PhoneState.UNREACHABLE))
    world.wait(5)
    world.do(PhoneChanged("p1", PhoneState.FREE))
    world.call("c1")
    assert world.serving("c1.1") == "a1"


def test_wrap_up_without_a_time_lasts_until_the_agent_is_done() -> None:
    world = World(site_of({"main": {"wrap_up_s": None}}))
    world.ready("a1")
    visit = world.call("c1")
    world.answer(visit)
    world.hang_up(visit)
    world.wait(80_000)
    assert world.activity("a1") is Activity.WRAP_UP
    assert world.end_wrap_up("a1") is None
    assert world.activity("a1") is Activity.IDLE
