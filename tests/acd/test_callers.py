"""Callers leave, find a line full, come back after our death, or ended while nobody watched."""

from __future__ import annotations

import pytest

from acd.effects import (
    ClearScreen,
    KeepPlace,
    LookUp,
    PopScreen,
    RefuseLine,
)
from acd.events import (
    CallArrived,
    FoundEnded,
    Held,
    MenuEnded,
    OfferAnswered,
    PageOpened,
    Restarted,
    SessionLost,
    VisitQueued,
)
from acd.facts import (
    ContactBegan,
    ContactEnded,
    OfferEnded,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
    VisitFlowedOut,
    VisitRefused,
    WrapUpOver,
)
from acd.types import Activity, EndedBy, HandledBy, OfferState, VisitState
from tests.acd.worlds import MORNING_US, S, World, site_of

# ---- callers who leave -------------------------------------------------------------------------------------


def test_a_caller_may_leave_while_waiting() -> None:
    world = World()
    world.call("c1")
    world.wait(8)
    world.leave("c1")
    assert world.told(VisitAbandoned)[0].wait_us == 8 * S
    assert world.center.waiting("main") == 0


def test_a_caller_may_leave_while_the_card_is_awaited() -> None:
    world = World()
    world.ready("a1", page=True)
    world.call("c1")
    world.leave("c1")
    assert world.asked(ClearScreen) == [ClearScreen("a1", "c1.1.1", "cancelled")]
    world.wait(60)
    assert world.rings() == []
    assert world.activity("a1") is Activity.IDLE


def test_a_caller_may_leave_while_it_rings_and_the_agent_stays_available() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.leave("c1")
    assert world.told(OfferEnded)[0].state is OfferState.CANCELLED
    assert world.activity("a1") is Activity.IDLE
    world.call("c2")
    assert world.serving("c2.1") == "a1"


def test_a_caller_may_leave_during_the_talk_and_on_hold() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.wait(5)
    world.do(Held("c1.1.1"))
    world.wait(5)
    world.leave("c1")
    (talk,) = world.told(TalkOver)
    assert (talk.talk_us, talk.hold_us, talk.by) == (5 * S, 5 * S, EndedBy.CALLER)
    assert world.activity("a1") is Activity.WRAP_UP


def test_a_caller_may_leave_the_menu_and_leaves_once() -> None:
    world = World()
    world.do(CallArrived("c1", "2100", None))
    world.leave("c1")
    world.leave("c1")
    assert world.step.ignored == "end_of_no_contact"
    assert len(world.told(ContactEnded)) == 1


def test_a_line_that_the_flow_gives_up_flows_out() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.wait(2)
    world.menu_end("c1")
    assert world.told(VisitFlowedOut)[0].wait_us == 2 * S
    assert world.activity("a1") is Activity.IDLE


# ---- capacity ----------------------------------------------------------------------------------------------


def test_a_full_line_lets_nobody_in_but_keeps_those_who_come_back() -> None:
    world = World(site_of({"main": {"capacity": 2}}, {"a1": {}}))
    world.call("c1")
    world.call("c2")
    world.call("c3")
    assert world.step.effects == (RefuseLine("c3", "main", "full"),)
    assert [(fact.contact, fact.why) for fact in world.told(VisitRefused)] == [("c3", "full")]
    world.do(CallArrived("c4", "2100", None, attach=2))
    world.do(VisitQueued("c4", "main", "fa", 0, "c4.1", world.now_us - 60 * S))
    world.ready("a1")
    assert world.serving("c4.1") == "a1"
    world.answer("c4.1")
    world.do(VisitQueued("c3", "main", "fa"))
    assert world.step.effects == (RefuseLine("c3", "main", "full"),)  # who talks is no longer in line
    world.leave("c1")
    world.do(VisitQueued("c3", "main", "fa"))
    assert world.state_of("c3.1") is VisitState.WAITING


def test_a_queue_that_is_not_there_lets_nobody_in() -> None:
    world = World()
    world.call("c1", "no_such_queue")
    assert world.step.effects == (RefuseLine("c1", "no_such_queue", "unknown_queue"),)
    assert world.told(VisitBegan) == []


# ---- life and death ----------------------------------------------------------------------------------------


def test_after_a_restart_who_waits_is_offered_only_once_attached_again() -> None:
    world = World()
    world.call("c1")
    world.call("c2")
    world.do(Restarted())
    world.ready("a1")
    assert world.rings() == []
    world.wait(3)
    world.do(CallArrived("c2", "2100", None, attach=2))
    assert world.step.effects == (LookUp("c2"),)
    world.do(VisitQueued("c2", "main", "fa", 0, "c2.1", 17))
    assert world.rings() == [("c2.1", "a1")]
    assert world.visit("c2.1").entered_us == MORNING_US  # the journal knows better than the ticket
    assert len(world.told(VisitBegan)) == 2


def test_without_a_journal_the_ticket_keeps_the_place() -> None:
    world = World()
    entered_us = world.now_us - 300 * S
    world.call("c1")
    world.do(CallArrived("c2", "2100", "t", attach=2))
    world.do(VisitQueued("c2", "main", "fa", 0, "c2.3", entered_us))
    assert world.asked(KeepPlace)[-1] == KeepPlace("c2", "c2.3", "main", entered_us, 0)
    assert world.told(VisitBegan)[-1].at_us == entered_us
    world.ready("a1")
    assert world.rings() == [("c2.3", "a1")]
    world.answer("c2.3")
    assert world.told(VisitAnswered)[0].wait_us == 301 * S
    world.wait(1)
    world.do(VisitQueued("c2", "main"))
    assert world.told(VisitBegan)[-1].visit == "c2.4"


@pytest.mark.parametrize("visit", ["c2.²", "c2.-1", "c2.", "", "c9.5", "c2.99999999999999999999"])
def test_a_ticket_with_a_strange_visit_still_keeps_the_time(visit: str) -> None:
    world = World()
    world.do(CallArrived("c2", "2100", "t", attach=2))
    world.do(VisitQueued("c2", "main", "fa", 0, visit, world.now_us - 60 * S))
    (begun,) = world.told(VisitBegan)
    assert (begun.visit, begun.at_us) == ("c2.1", world.now_us - 60 * S)


def test_a_ticket_cannot_come_from_the_future() -> None:
    world = World()
    world.do(CallArrived("c2", "2100", "t", attach=2))
    world.do(VisitQueued("c2", "main", "fa", 0, "c2.1", world.now_us + 60 * S))
    assert world.told(VisitBegan)[0].at_us == world.now_us


def test_a_ring_that_was_out_when_we_died_was_missed_when_the_caller_comes_back() -> None:
    world = World(site_of(agents={"a1": {}, "a2": {}}))
    world.ready("a1", "a2")
    world.call("c1")
    world.do(Restarted())
    world.do(CallArrived("c1", "2100", None, attach=2))
    world.do(VisitQueued("c1", "main", "fa", 0, "c1.1", MORNING_US))
    assert world.activity("a1") is Activity.NOT_RESPONDING
    assert world.serving("c1.1") == "a2"


def test_a_ring_that_was_out_when_we_died_may_have_been_answered() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.do(Restarted())
    world.do(OfferAnswered("c1.1.1"))
    assert world.activity("a1") is Activity.ON_CALL


@pytest.mark.parametrize("event", [Restarted(), SessionLost("c1")])
def test_an_offer_that_was_not_rung_yet_ends_with_the_session_and_blames_nobody(
    event: Restarted | SessionLost,
) -> None:
    world = World()
    world.ready("a1", page=True)
    world.call("c1")
    world.do(event)
    world.wait(60)
    assert world.rings() == []
    assert world.activity("a1") is Activity.IDLE
    assert world.told(OfferEnded)[0].state is OfferState.RESCINDED


def test_a_talk_goes_on_without_us() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.do(SessionLost("c1"))
    world.do(Restarted())
    world.wait(60)
    assert world.activity("a1") is Activity.ON_CALL
    world.leave("c1")
    assert world.told(TalkOver)[0].talk_us == 60 * S


def test_pages_are_gone_after_a_restart() -> None:
    world = World()
    world.ready("a1", page=True)
    world.do(Restarted())
    world.call("c1")
    assert world.asked(PopScreen) == []
    world.do(PageOpened("a1"))
    assert world.step.ignored is None


def found(world: World, **changes: object) -> FoundEnded:
    values: dict[str, object] = {
        "contact": "c1",
        "dialled": "2100",
        "began_us": MORNING_US,
        "at_us": world.now_us,
        "talk_us": None,
    }
    return FoundEnded(**(values | changes))  # type: ignore[arg-type]


def test_found_ended_of_a_stranger_is_a_contact_of_the_fallback_or_of_none() -> None:
    world = World()
    world.wait(100)
    world.do(found(world))
    assert [type(fact) for fact in world.facts] == [ContactBegan, ContactEnded]
    world.do(found(world))
    assert world.step.ignored == "end_known"


def test_found_ended_after_a_wait_abandoned() -> None:
    world = World()
    world.call("c1")
    world.wait(100)
    world.do(found(world, at_us=world.now_us - 60 * S))
    assert world.told(VisitAbandoned)[0].wait_us == 40 * S
    assert world.told(ContactEnded)[0].at_us == world.now_us - 60 * S


def test_found_ended_after_a_talk_has_asterisks_end() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.do(Restarted())
    world.wait(100)
    world.do(found(world, at_us=world.now_us - 60 * S, talk_us=40 * S))
    (talk,) = world.told(TalkOver)
    assert (talk.talk_us, talk.by) == (40 * S, EndedBy.SYSTEM)
    world.wait(0)
    assert world.told(WrapUpOver)[0].acw_us == 30 * S  # it ran out while we were dead
    assert world.activity("a1") is Activity.IDLE


def test_found_ended_after_a_ring_that_became_a_talk_while_we_were_dead() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    entered_us = world.now_us
    world.do(Restarted())
    world.wait(10)
    world.do(found(world, at_us=entered_us + 9 * S, talk_us=5 * S))
    assert world.told(VisitAnswered)[0].wait_us == 4 * S
    assert world.told(TalkOver)[0].talk_us == 5 * S
    assert world.activity("a1") is Activity.WRAP_UP


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("answered_s", [None, 30])
def test_found_ended_in_asterisks_own_queue(known: bool, answered_s: int | None) -> None:
    world = World()
    if known:
        world.call("c1")
    began_us = MORNING_US
    world.wait(100)
    world.do(
        found(
            world,
            began_us=began_us,
            native=True,
            agent="a1" if answered_s else None,
            wait_s=20,
            talk_us=None if answered_s is None else answered_s * S,
        )
    )
    assert world.told(ContactEnded)[0].handled_by is HandledBy.FALLBACK
    assert [fact.queue for fact in world.told(VisitFlowedOut)] == (["main"] if known else [])
    begun = world.told(VisitBegan)[-1]
    assert begun.queue == "fallback"
    if answered_s:
        (answer,) = world.told(VisitAnswered)
        assert (answer.agent, answer.wait_us, world.told(TalkOver)[0].talk_us) == ("a1", 20 * S, 30 * S)
    else:
        assert world.told(VisitAbandoned)[0].wait_us == 20 * S


def test_found_ended_a_little_before_its_beginning_lasts_no_negative_time() -> None:
    """Asterisk writes whole seconds, and its clock is not ours."""
    world = World()
    world.wait(0.7)
    world.call("c1")
    world.wait(0.2)
    world.do(found(world, at_us=MORNING_US, native=True, wait_s=3))
    assert world.told(VisitFlowedOut)[0].wait_us == 0
    assert world.told(VisitAbandoned)[0].wait_us == 0
    assert world.told(ContactEnded)[0].at_us >= world.told(ContactBegan)[0].at_us


def test_a_caller_who_was_thought_gone_comes_back_and_ends_in_earnest() -> None:
    world = World()
    world.call("c1")
    world.leave("c1")
    world.do(CallArrived("c1", "2100", None, attach=2))
    world.do(found(world))
    assert "c1" not in world.center.state.contacts
    assert len(world.told(ContactEnded)) == 2


def test_ends_are_remembered_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acd.callers.ENDED_KEPT", 3)
    world = World()
    for number in range(5):
        world.do(CallArrived(f"c{number}", "2100", None))
        world.do(MenuEnded(f"c{number}"))
    assert list(world.center.state.ended) == ["c2", "c3", "c4"]


def test_a_caller_who_comes_back_uses_no_id_twice() -> None:
    world = World()
    world.call("c1")
    world.leave("c1")
    world.call("c1")
    assert [fact.visit for fact in world.told(VisitBegan)] == ["c1.1", "c1.2"]


def test_found_ended_in_asterisks_own_queue_after_a_talk_of_ours() -> None:
    world = World()
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.do(Restarted())
    world.wait(100)
    world.do(found(world, native=True, wait_s=20))
    assert world.told(TalkOver)[0].talk_us == 80 * S
    assert [fact.queue for fact in world.told(VisitAbandoned)] == ["fallback"]


def test_a_visit_of_a_contact_that_is_not_there_is_refused_so_that_nobody_waits_for_ever() -> None:
    world = World()
    world.do(VisitQueued("gone", "cards"))
    assert world.step.effects == (RefuseLine("gone", "cards", "unknown_contact"),)
    assert world.step.facts == ()
