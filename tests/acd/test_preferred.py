"""The agent a caller would rather have, and the place of one who was cut off."""

from __future__ import annotations

from typing import Any

from acd.events import CallArrived, CustomerFound, PhoneChanged, VisitQueued
from acd.types import EndedBy, PhoneState, Status
from tests.acd.worlds import World, site_of


def world_of(*ready: str, **queue: Any) -> World:
    base: dict[str, Any] = {"requires": {"x": 1}, "wrap_up_s": 0}
    world = World(site_of({"main": base | queue}, {"a1": {"x": 1}, "a2": {"x": 1}, "a3": {"x": 1}, "a4": {}}))
    world.ready(*(ready or ("a1", "a2", "a3")))
    return world


def call(world: World, contact: str, prefers: str | None = None, token: str | None = None) -> str:
    world.do(CallArrived(contact, "2100", token))
    if prefers is not None:
        world.do(CustomerFound(contact, "k1", preferred_agent=prefers))
    world.do(VisitQueued(contact, "main"))
    return f"{contact}.1"


def test_the_preferred_agent_is_taken_before_one_who_is_idle_longer() -> None:
    world = world_of()
    assert world.serving(call(world, "c1", "a3")) == "a3"


def test_one_who_talks_is_waited_for_as_long_as_the_queue_says_then_anybody() -> None:
    world = world_of(preferred_wait_s=20)
    world.answer(call(world, "c1", "a2"))
    visit = call(world, "c2", "a2")
    assert world.serving(visit) is None
    assert world.visit(visit).requirement == "a2"
    world.wait(19)
    assert world.serving(visit) is None
    world.wait(1)
    assert world.serving(visit) == "a1"


def test_who_is_free_in_time_gets_the_caller_who_waited_for_them() -> None:
    world = world_of(preferred_wait_s=20)
    first = call(world, "c1", "a2")
    world.answer(first)
    visit = call(world, "c2", "a2")
    world.wait(5)
    world.hang_up(first, EndedBy.CALLER)
    assert world.serving(visit) == "a2"


def test_nobody_is_waited_for_who_is_not_there_or_cannot_answer_this() -> None:
    world = world_of("a1", "a4", preferred_wait_s=60)
    for contact, prefers in (("c1", "a2"), ("c2", "a4"), ("c3", "nobody")):
        visit = call(world, contact, prefers)
        assert world.serving(visit) == "a1"
        world.leave(contact)


def test_who_leaves_meanwhile_is_waited_for_no_longer() -> None:
    for leave in ("not_ready", "phone"):
        world = world_of("a1", "a2", preferred_wait_s=60)
        world.answer(call(world, "c1", "a2"))
        visit = call(world, "c2", "a2")
        if leave == "phone":
            world.do(PhoneChanged("p2", PhoneState.UNREACHABLE))
        else:
            world.status("a2", Status.NOT_READY, "break")  # only for after the talk
            assert world.serving(visit) is None
            world.hang_up("c1.1", EndedBy.CALLER)
        assert world.serving(visit) == "a1"


def test_a_redial_comes_to_the_same_agent_for_a_while() -> None:
    world = world_of(same_agent_within_s=300)
    assert world.answer(call(world, "c1", token="t")) == "a1"
    world.hang_up("c1.1", EndedBy.CALLER)
    world.menu_end("c1")
    world.wait(299)
    assert world.serving(call(world, "c2", token="t")) == "a1"
    world.leave("c2")
    assert world.serving(call(world, "c3", token="other")) == "a2"
    world.leave("c3")
    world.wait(10)
    assert world.serving(call(world, "c4", token="t")) == "a2"


def test_a_caller_who_was_cut_off_has_the_old_place_for_a_while_and_once() -> None:
    world = world_of("a1", regain_place_within_s=120)
    world.answer(call(world, "c0"))
    call(world, "cut", token="t")
    world.wait(50)
    call(world, "other")
    world.leave("cut")
    world.wait(30)
    back = call(world, "back", token="t")
    twin = call(world, "twin", token="t")
    assert world.visit(back).entered_us == world.now_us
    assert world.visit(back).place_us == world.now_us - 80_000_000
    assert world.visit(twin).place_us == world.now_us
    world.hang_up("c0.1", EndedBy.CALLER)
    assert world.serving(back) == "a1"


def test_too_late_is_a_new_place_and_a_withheld_number_has_none() -> None:
    world = world_of("a1", regain_place_within_s=120)
    world.answer(call(world, "c0"))
    call(world, "cut", token="t")
    call(world, "hidden")
    world.leave("cut")
    world.leave("hidden")
    world.wait(121)
    for contact, token in (("c1", "t"), ("c2", None)):
        assert world.visit(call(world, contact, token=token)).place_us == world.now_us


def test_nothing_is_remembered_where_no_queue_makes_use_of_it() -> None:
    world = world_of("a1")
    world.answer(call(world, "c0", token="t"))
    world.leave("c0")
    assert world.center.state.callers == {}
