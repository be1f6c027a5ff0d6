"""Contacts that are no calls: tasks and callbacks, each with its own capacity."""

from __future__ import annotations

from typing import Any

from acd.effects import ClearScreen, KeepPlace, PopScreen, RefuseLine, RingAgent
from acd.events import AcceptOffer, FinishWork, PageClosed, TaskArrived, TaskWithdrawn
from acd.facts import ContactBegan, ContactEnded, TalkOver, VisitAnswered, VisitBegan, VisitFlowedOut
from acd.site import Capacity, Site
from acd.types import Activity, EndedBy, Kind, Status, VisitState
from tests.acd.worlds import S, World, site_of


def site(queue: dict[str, Any] | None = None, capacity: dict[str, int] | None = None, **more: Any) -> Site:
    plain = site_of({"main": {"wrap_up_s": 0} | (queue or {}), "other": {}}, {"a1": {}, "a2": {}}, **more)
    agents = {
        name: agent.model_copy(update={"capacity": Capacity(**(capacity or {}))})
        for name, agent in plain.agents.items()
    }
    return plain.model_copy(update={"agents": agents})


def world_of(*ready: str, page: bool = True, **more: Any) -> World:
    world = World(site(**more))
    world.ready(*ready, page=page)
    return world


def task(world: World, contact: str, kind: Kind = Kind.TASK, **more: Any) -> str:
    world.do(TaskArrived(contact, kind, "main", **more))
    return f"{contact}.1"


def accept(world: World, visit: str) -> str | None:
    offer = world.visit(visit).offer
    assert offer is not None
    return world.ask(AcceptOffer(offer.agent, offer.offer))


def test_a_task_is_offered_accepted_and_finished() -> None:
    world = world_of("a1")
    visit = task(world, "t1", customer="k1", segment="gold")
    assert world.asked(PopScreen)[-1].offer == "t1.1.1"
    assert world.asked(RingAgent) == []
    assert world.asked(KeepPlace) == []
    assert accept(world, visit) is None
    assert accept(world, visit) is None  # said again
    assert world.activity("a1") is Activity.ON_TASK
    world.wait(60)
    assert world.ask(FinishWork("a1", visit)) is None
    assert world.activity("a1") is Activity.IDLE
    assert world.told(ContactBegan)[0].kind is Kind.TASK
    assert world.told(VisitBegan)[0].kind is Kind.TASK
    assert world.told(TalkOver)[0].talk_us == 60 * S
    assert [fact.contact for fact in world.told(ContactEnded)] == ["t1"]
    assert world.ask(FinishWork("a1", visit)) == "visit_over"


def test_so_many_tasks_as_the_capacity_says_and_a_call_still_comes() -> None:
    world = world_of("a1", capacity={"task": 2})
    visits = [task(world, f"t{number}") for number in range(3)]
    for visit in visits[:2]:
        assert accept(world, visit) is None
    assert world.state_of(visits[2]) is VisitState.WAITING
    call = world.call("c1")
    world.show(call)
    assert world.answer(call) == "a1"
    assert world.activity("a1") is Activity.ON_CALL
    assert world.ask(FinishWork("a1", visits[0])) is None
    assert world.state_of(visits[2]) is VisitState.WAITING  # not during the call
    world.hang_up(call, EndedBy.CALLER)
    assert world.state_of(visits[2]) is VisitState.OFFERED


def test_tasks_come_during_calls_only_where_the_site_wants_it() -> None:
    world = world_of("a1", tasks_during_calls=True)
    call = world.call("c1")
    world.show(call)
    world.answer(call)
    assert world.serving(task(world, "t1")) == "a1"


def test_a_task_needs_a_page_and_goes_with_it_to_nobody() -> None:
    world = world_of("a1", page=False)
    visit = task(world, "t1")
    assert world.state_of(visit) is VisitState.WAITING
    world.ready("a2", page=True)
    assert world.serving(visit) == "a2"
    world.do(PageClosed("a2"))
    world.wait(30)
    assert world.activity("a2") is Activity.NOT_RESPONDING
    assert world.state_of(visit) is VisitState.WAITING


def test_a_task_may_be_declined_and_comes_to_the_next() -> None:
    world = world_of("a1", "a2")
    visit = task(world, "t1")
    assert world.reject(visit) is None
    assert world.serving(visit) == "a2"
    assert [clear.why for clear in world.asked(ClearScreen)] == ["rejected"]


def test_a_callback_takes_the_telephone_and_stands_in_line_with_its_age() -> None:
    world = world_of("a1")
    first = world.call("c0")
    world.show(first)
    world.answer(first)
    world.wait(30)
    call = world.call("c1")
    back = task(world, "b1", Kind.CALLBACK, entered_us=world.now_us - 10 * S)
    world.hang_up(first, EndedBy.CALLER)
    assert world.serving(back) == "a1"
    assert world.state_of(call) is VisitState.WAITING
    assert accept(world, back) is None
    assert world.activity("a1") is Activity.ON_CALL
    assert world.ask(FinishWork("a1", back)) is None
    assert world.serving(call) == "a1"


def test_who_has_no_capacity_for_a_kind_gets_none_of_it() -> None:
    world = world_of("a1", capacity={"call": 0, "callback": 1, "task": 0})
    assert world.state_of(world.call("c1")) is VisitState.WAITING
    assert world.state_of(task(world, "t1")) is VisitState.WAITING
    assert world.serving(task(world, "b1", Kind.CALLBACK)) == "a1"


def test_doubled_and_unknown_tasks_change_nothing() -> None:
    world = world_of("a1")
    visit = task(world, "t1")
    task(world, "t1")
    assert world.step.ignored == "task_known"
    accept(world, visit)
    world.ask(FinishWork("a1", visit))
    task(world, "t1")
    assert world.step.ignored == "task_known"
    assert world.do(TaskArrived("t2", Kind.TASK, "nowhere")).ignored == "task_for_no_queue"
    assert world.do(TaskArrived("t3", Kind.CALL, "main")).ignored == "task_for_no_queue"


def test_a_task_withdrawn_flows_out_and_one_that_is_held_does_not() -> None:
    world = world_of("a1")
    visit = task(world, "t1")
    world.do(TaskWithdrawn("t1"))
    assert world.state_of(visit) is None
    assert [fact.why for fact in world.told(VisitFlowedOut)] == ["withdrawn"]
    assert world.activity("a1") is Activity.IDLE
    visit = task(world, "t2")
    accept(world, visit)
    assert world.do(TaskWithdrawn("t2")).ignored == "task_held"


def test_a_required_disposition_is_asked_for_before_a_task_is_done() -> None:
    world = world_of("a1", queue={"dispositions": ["done"], "disposition_required": True})
    visit = task(world, "t1")
    accept(world, visit)
    assert world.ask(FinishWork("a1", visit)) == "disposition_needed"
    assert world.dispose("a1", visit) is None
    assert world.ask(FinishWork("a1", visit)) is None


def test_a_task_waits_for_doors_to_open_and_is_refused_by_nobody() -> None:
    world = world_of(queue={"capacity": 1, "join_needs": "idle"})
    for number in range(3):
        task(world, f"t{number}")
    assert world.center.waiting("main") == 3
    assert world.asked(RefuseLine) == []


def test_a_call_is_answered_by_the_phone_alone() -> None:
    world = world_of("a1")
    world.call("c1")
    assert world.ask(AcceptOffer("a1", "c1.1.1")) == "answer_the_phone"
    assert world.told(VisitAnswered) == []


def test_a_status_chosen_with_tasks_in_hand_holds_at_once() -> None:
    world = world_of("a1")
    visit = task(world, "t1")
    accept(world, visit)
    assert world.status("a1", Status.NOT_READY, "break") is None
    assert world.agent("a1").status is Status.NOT_READY
    assert world.ask(FinishWork("a1", visit)) is None
