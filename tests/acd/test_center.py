"""What the center promises as a whole: who gets whom, a new site, and news that changes nothing."""

from __future__ import annotations

import pytest

from acd.center import Center
from acd.effects import (
    KeepPlace,
    LookUp,
    RingAgent,
    StartTimer,
)
from acd.events import (
    CallArrived,
    CallerLeft,
    CardShown,
    CustomerFound,
    Held,
    MenuEnded,
    OfferAnswered,
    OfferRang,
    PageClosed,
    PageOpened,
    SessionLost,
    SignIn,
    TimerFired,
    Unheld,
    VisitQueued,
)
from acd.facts import (
    AgentChanged,
    ContactBegan,
    ContactEnded,
    ContactKnown,
    OfferMade,
    SiteChanged,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
)
from acd.types import Activity, EndedBy, HandledBy, RingFailure, Status, VisitState
from tests.acd.worlds import S, World, site_of

# ---- from arrival to the end -------------------------------------------------------------------------------


def test_a_call_goes_from_arrival_to_wrap_up() -> None:
    world = World()
    world.ready("a1")
    world.do(CallArrived("c1", "2100", "token"))
    assert world.step.effects == (LookUp("c1"),)
    world.wait(3)
    entered_us = world.now_us
    step = world.do(VisitQueued("c1", "main", "fa"))
    assert [type(e) for e in step.effects] == [KeepPlace, StartTimer, RingAgent]
    assert step.effects[2] == RingAgent("c1", "c1.1", "c1.1.1", "a1", "p1", entered_us, 15)
    world.wait(4)
    world.do(OfferRang("c1.1.1"))
    world.do(OfferAnswered("c1.1.1"))
    assert world.told(VisitAnswered) == [
        VisitAnswered(entered_us + 4 * S, "c1.1", "c1", "main", entered_us, "a1", "c1.1.1", 4 * S)
    ]
    assert world.activity("a1") is Activity.ON_CALL
    world.wait(60)
    world.do(Held("c1.1.1"))
    assert world.activity("a1") is Activity.ON_HOLD
    world.wait(10)
    world.do(Unheld("c1.1.1"))
    world.wait(30)
    world.hang_up("c1.1")
    (talk,) = world.told(TalkOver)
    assert (talk.talk_us, talk.hold_us, talk.by) == (90 * S, 10 * S, EndedBy.AGENT)
    assert world.activity("a1") is Activity.WRAP_UP
    world.menu_end("c1")
    assert [fact.handled_by for fact in world.told(ContactEnded)] == [HandledBy.CENTER]
    assert not world.center.state.contacts
    assert not world.center.state.visits


def test_a_call_that_the_menu_ends_was_in_no_line() -> None:
    world = World()
    world.do(CallArrived("c1", "2100", None))
    world.menu_end("c1")
    assert [type(fact) for fact in world.facts] == [ContactBegan, ContactEnded]
    assert world.told(ContactEnded)[0].handled_by is HandledBy.MENU


def test_a_transfer_to_a_queue_is_a_new_visit_with_its_own_wait() -> None:
    world = World(site_of({"main": {}, "second": {}}))
    world.ready("a1", "a2")
    world.call("c1")
    world.wait(5)
    world.answer("c1.1")
    world.wait(60)
    world.do(VisitQueued("c1", "second", "fa"))
    assert [fact.visit for fact in world.told(TalkOver)] == ["c1.1"]
    assert [fact.visit for fact in world.told(VisitBegan)] == ["c1.1", "c1.2"]
    assert world.visit("c1.2").entered_us == world.now_us
    assert world.serving("c1.2") == "a2"


# ---- who gets whom -----------------------------------------------------------------------------------------


def test_priority_comes_before_age() -> None:
    world = World()
    for contact, priority in (("c1", 0), ("c2", 0), ("c3", 7)):
        world.call(contact, priority=priority)
        world.wait(10)
    world.ready("a1", "a2")
    assert world.rings() == [("c3.1", "a1"), ("c1.1", "a2")]


def test_a_queues_and_a_segments_priority_add_to_the_flows() -> None:
    world = World(site_of({"main": {"priority": 1}, "urgent": {"priority": 3}}))
    world.call("c1", "main", priority=1)
    world.call("c2", "urgent")
    world.call("c3", "main")
    assert world.visit("c3.1").priority == 1
    world.do(CustomerFound("c3", "k3", "gold"))
    assert world.told(ContactKnown)[0].segment == "gold"
    world.ready("a1", "a2")
    assert world.rings() == [("c3.1", "a1"), ("c2.1", "a2")]


def test_in_one_instant_the_first_come_is_the_first_served() -> None:
    world = World()
    for contact in ("c9", "c5", "c7"):
        world.call(contact)
    world.ready("a2")
    assert world.rings() == [("c9.1", "a2")]


def test_the_agent_who_is_idle_longest_gets_the_call() -> None:
    world = World(site_of(agents={"a1": {}, "a2": {}, "a3": {}}))
    world.ready("a2", "a3", "a1")
    world.call("c1")
    world.call("c2")
    assert world.rings() == [("c1.1", "a2"), ("c2.1", "a3")]


def test_a_tie_between_idle_agents_goes_to_the_roster() -> None:
    world = World()
    for agent in ("a2", "a1"):
        world.ask(SignIn(agent, "p" + agent[1:]))
        world.status(agent, Status.AVAILABLE)
    world.call("c1")
    assert world.rings() == [("c1.1", "a1")]


def test_idle_time_begins_at_the_end_of_work_and_outlives_a_ring_the_caller_left() -> None:
    world = World()
    world.ready("a1", "a2")
    world.call("c1")
    world.wait(1)
    world.leave("c1")
    world.wait(1)
    world.call("c2")
    assert world.rings()[-1] == ("c2.1", "a1")
    world.answer("c2.1")
    world.wait(100)
    world.leave("c2")
    world.end_wrap_up("a1")
    world.call("c3")
    assert world.rings()[-1] == ("c3.1", "a2")


@pytest.mark.parametrize(
    ("skills", "fits"),
    [({"loans": 3, "fa": 1}, True), ({"loans": 2, "fa": 9}, False), ({"loans": 9}, False), ({}, False)],
)
def test_an_agent_needs_every_skill_at_its_minimum(skills: dict[str, int], fits: bool) -> None:
    world = World(site_of({"loans": {"requires": {"loans": 3, "fa": 1}}}, {"a1": skills}))
    world.ready("a1")
    world.call("c1", "loans")
    assert (world.serving("c1.1") == "a1") is fits


def test_an_offer_given_back_asks_the_line_anew() -> None:
    """While the first ring was out, a caller of higher priority came: they are next, not the one who rang."""
    world = World()
    world.ready("a1")
    world.call("c1")
    world.call("c2", priority=9)
    world.miss("c1.1", RingFailure.WITHDRAWN)
    assert world.serving("c2.1") == "a1"
    assert world.state_of("c1.1") is VisitState.WAITING


def test_after_a_change_of_the_site_everybody_is_asked_in_the_right_order() -> None:
    skilled = {"main": {"requires": {"x": 5}}}
    world = World(site_of(skilled, {"a1": {"x": 1}, "a2": {"x": 1}}))
    world.ready("a2", "a1")
    for contact, priority in (("c1", 0), ("c2", 1), ("c3", 2)):
        world.call(contact, priority=priority)
    assert world.apply(site_of(skilled, {"a1": {"x": 5}, "a2": {"x": 5}})) is None
    assert sorted(world.rings()) == [("c2.1", "a1"), ("c3.1", "a2")]


# ---- the site ----------------------------------------------------------------------------------------------


def test_a_new_site_is_applied_in_one_step_and_the_line_keeps_its_order() -> None:
    world = World(site_of({"main": {"requires": {"x": 9}}}, {"a1": {"x": 1}}))
    world.ready("a1")
    for contact in ("c1", "c2"):
        world.call(contact)
        world.wait(5)
    new = site_of({"main": {"requires": {"x": 1}}}, {"a1": {"x": 1}, "a2": {"x": 1}})
    assert world.apply(new) is None
    assert len(world.told(SiteChanged)) == 1
    assert world.serving("c1.1") == "a1"
    world.ready("a2")
    assert world.serving("c2.1") == "a2"
    assert world.visit("c2.1").entered_us == world.told(VisitBegan)[1].at_us


def test_a_queue_in_use_is_not_taken_away() -> None:
    world = World(site_of({"main": {}, "old": {}}))
    world.call("c1", "old")
    before = world.center.state.version
    assert world.apply(site_of({"main": {}})) == "queue_in_use:old"
    assert world.center.state.version == before
    assert "old" in world.center.site.queues
    world.leave("c1")
    assert world.apply(site_of({"main": {}})) is None


def test_an_agent_taken_out_finishes_what_they_have() -> None:
    world = World(site_of({"main": {"wrap_up_s": 30}}))
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    assert world.apply(site_of({"main": {"wrap_up_s": 30}}, {"a2": {}}, phones=("p1", "p2"))) is None
    assert world.status("a1", Status.AVAILABLE) == "unknown_agent"
    world.wait(60)
    world.leave("c1")
    assert world.dispose("a1", "c1.1") is None
    world.wait(30)
    assert "a1" not in world.center.state.agents
    assert world.told(TalkOver)[0].agent == "a1"
    assert world.told(AgentChanged)[-1].status is Status.OFFLINE


def test_an_agent_taken_out_while_it_rings_goes_when_the_ring_ends() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.apply(site_of(agents={"a2": {}}, phones=("p1", "p2")))
    assert world.activity("a1") is Activity.RINGING
    world.miss("c1.1")
    assert "a1" not in world.center.state.agents
    world.leave("c1")
    assert len(world.told(VisitAbandoned)) == 1


def test_a_caller_may_leave_after_the_agent_they_were_offered_to_was_taken_out() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.miss("c1.1", RingFailure.BUSY)
    world.status("a1", Status.OFFLINE)
    world.apply(site_of(agents={"a2": {}}))
    assert "a1" not in world.center.state.agents
    world.leave("c1")
    assert len(world.told(VisitAbandoned)) == 1


def test_an_agent_whose_phone_is_taken_out_must_sign_in_again() -> None:
    world = World()
    world.ready("a1")
    world.apply(site_of(phones=("p2", "p3")))
    assert (world.agent("a1").status, world.agent("a1").phone) == (Status.OFFLINE, None)
    assert world.ask(SignIn("a1", "p3")) is None


# ---- strangers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        CustomerFound("x", "k"),
        CallerLeft("x"),
        MenuEnded("x"),
        SessionLost("x"),
        OfferRang("x.1.1"),
        OfferAnswered("x.1.1"),
        CardShown("x.1.1"),
        Held("x.1.1"),
        Unheld(""),
        PageOpened("nobody"),
        PageClosed("nobody"),
        TimerFired("offer:x.1.1"),
        TimerFired("no such timer"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_news_of_strangers_changes_nothing_and_is_counted(event: CallerLeft) -> None:
    world = World()
    before = Center(world.center.state).state
    step = world.do(event)
    assert step.ignored
    assert (step.effects, step.facts) == ((), ())
    assert world.center.state == before


def test_a_timer_that_comes_before_its_time_is_not_due() -> None:
    world = World(site_of(agents={"a1": {}}))
    world.ready("a1")
    world.call("c1")
    world.do(TimerFired("offer:c1.1.1"))
    assert world.step.ignored == "timer_early"
    assert world.activity("a1") is Activity.RINGING
    world.wait(17.1)
    assert world.activity("a1") is Activity.NOT_RESPONDING


def test_offers_are_told_with_all_that_a_record_needs() -> None:
    world = World()
    world.ready("a1", page=True)
    world.call("c1")
    assert world.told(OfferMade)[0] == OfferMade(
        world.now_us, "c1.1.1", "c1.1", "c1", "main", "a1", "p1", True, "longest-idle idle_s=1.0 free=1"
    )
