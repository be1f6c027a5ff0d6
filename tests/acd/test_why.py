"""Every offer and every wait can be explained; what nobody can answer is an alarm."""

from __future__ import annotations

from typing import Any

from acd.events import PhoneChanged, SetStatus
from acd.facts import AlarmCleared, AlarmRaised, VisitAnswered, WaitCauseChanged, WaitEstimated
from acd.outlook import outlook, place
from acd.types import EndedBy, PhoneState, Status, WaitCause
from acd.why import WhyWaiting, why_waiting
from tests.acd.worlds import S, World, site_of

AGENTS = {"a1": {"x": 5}, "a2": {"x": 2}, "a3": {"y": 9}}


def world_of(queue: dict[str, Any], *ready: str) -> World:
    world = World(site_of({"main": {"wrap_up_s": 0} | queue}, AGENTS))
    world.ready(*ready)
    return world


def why(world: World, visit: str) -> WhyWaiting:
    found = why_waiting(world.center.turn(world.now_us), visit)
    assert found is not None
    return found


def test_each_agent_who_does_not_get_it_has_a_reason() -> None:
    world = world_of({"requires": {"x": 3}}, "a1", "a2", "a3")
    world.answer(world.call("c0"))
    world.call("c1")
    case = why(world, "c1.1")
    assert (case.cause, case.requirement, case.able, case.ahead) == (WaitCause.ALL_BUSY, "x>=3", 1, 0)
    reasons = {each.agent: each for each in case.agents}
    assert reasons["a1"].reason == "in_talk"
    assert (reasons["a2"].reason, reasons["a2"].skill, reasons["a2"].needed, reasons["a2"].has) == (
        "missing_skill", "x", 3, 2,
    )  # fmt: skip
    assert (reasons["a3"].reason, reasons["a3"].has) == ("missing_skill", 0)


def test_the_cause_of_a_wait_is_told_whenever_it_changes() -> None:
    world = world_of({"requires": {"x": 3}})
    world.call("c1")
    world.ready("a1")
    world.miss("c1.1")
    world.status("a1", Status.NOT_READY, "break")
    world.status("a1", Status.AVAILABLE)
    world.answer("c1.1")
    world.call("c2")
    assert [fact.cause for fact in world.told(WaitCauseChanged)] == [
        WaitCause.NOBODY_SIGNED_IN,
        WaitCause.NOBODY_AVAILABLE,
        None,
        WaitCause.NOBODY_REACHABLE,
        WaitCause.NOBODY_AVAILABLE,
        None,
        WaitCause.ALL_BUSY,
    ]


def test_somebody_nobody_can_answer_is_an_alarm_within_seconds_until_somebody_can() -> None:
    world = world_of({"requires": {"x": 9}}, "a1", "a2")
    world.call("c1")
    world.wait(5)
    (alarm,) = world.told(AlarmRaised)
    assert (alarm.kind, alarm.queues, alarm.missing) == ("unroutable", ("main",), ("x>=9",))
    assert why(world, "c1.1").cause is WaitCause.NOBODY_FITS
    world.apply(site_of({"main": {"requires": {"x": 9}}}, AGENTS | {"a1": {"x": 9}}))
    assert world.serving("c1.1") == "a1"
    assert [fact.alarm for fact in world.told(AlarmCleared)] == [alarm.alarm]
    assert world.center.state.alarms == {}


def test_a_caller_who_leaves_takes_the_alarm_along() -> None:
    world = world_of({"requires": {"x": 9}})
    world.call("c1")
    world.wait(6)
    world.leave("c1")
    assert len(world.told(AlarmCleared)) == 1
    assert not world.timers


def test_a_short_gap_is_no_alarm() -> None:
    world = world_of({"requires": {"x": 3}})
    world.call("c1")
    world.wait(4)
    world.ready("a1")
    assert world.told(AlarmRaised) == []


def test_what_is_asked_for_next_and_whom_one_waits_for_is_said() -> None:
    world = world_of({"requires": {"x": 3}, "relax": [{"after_s": 30, "requires": {"x": 1}}]})
    world.call("c1")
    case = why(world, "c1.1")
    assert case.next_step_us == world.now_us + 30 * S
    world.wait(31)
    assert why(world, "c1.1").requirement == "x>=1"
    assert why(world, "c1.1").step == 1


def test_states_of_agents_are_told_apart() -> None:
    world = world_of({"requires": {"x": 1}}, "a1", "a2")
    world.do(PhoneChanged("p1", PhoneState.UNREACHABLE))
    world.ask(SetStatus("a2", Status.NOT_READY, "lunch"))
    world.call("c1")
    assert {each.agent: each.reason for each in why(world, "c1.1").agents} == {
        "a1": "phone_unreachable",
        "a2": "not_ready",
        "a3": "missing_skill",
    }
    assert why(world, "c1.1").present == {"signed_in": 2, "available": 1, "reachable": 0, "idle": 0}


def test_no_estimate_is_made_up_and_a_free_agent_means_no_wait() -> None:
    world = world_of({"requires": {"x": 3}}, "a1")
    turn = world.center.turn(world.now_us)
    free = outlook(turn, "main")
    assert free is not None
    assert free.expected is not None
    assert free.expected.likely_s == 0
    world.answer(world.call("c0"))
    world.call("c1")
    busy = outlook(world.center.turn(world.now_us), "main")
    assert busy is not None
    assert (busy.expected, busy.waiting, busy.staffed, busy.free) == (None, 1, 1, 0)


def test_the_estimate_is_told_when_the_visit_begins_and_grows_with_those_ahead() -> None:
    world = world_of({"requires": {"x": 3}}, "a1")
    for number in range(5):
        visit = world.call(f"h{number}")
        world.answer(visit)
        world.wait(60)
        world.hang_up(visit, EndedBy.CALLER)
    world.answer(world.call("c0"))
    for number in range(1, 4):
        world.call(f"c{number}")
    told = {fact.visit: fact for fact in world.told(WaitEstimated)}
    assert [told[f"c{number}.1"].position for number in range(1, 4)] == [1, 2, 3]
    likely = [told[f"c{number}.1"].likely_us / S for number in range(1, 4)]
    assert likely == sorted(likely)
    assert 20 < likely[0] <= 61
    assert all(f.low_us <= f.likely_us <= f.high_us for f in told.values())
    here = place(world.center.turn(world.now_us), "c3")
    assert here is not None
    assert here.position == 3
    world.hang_up("c0.1", EndedBy.CALLER)
    world.answer("c1.1")
    assert world.told(VisitAnswered)[-1].wait_us == 0
    here = place(world.center.turn(world.now_us), "c3")
    assert here is not None
    assert here.position == 2
