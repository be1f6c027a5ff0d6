"""A center.yaml is simulated as it decides: what it says about lines holds, what a trace holds is taken from there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from acd.planning.errors import PlanningError
from acd.planning.simulate import World, simulate
from acd.planning.worlds import RosterAgent, TraceCall, world_of_center
from acd.site import Site
from acd.types import US_PER_S as S
from tests.acd.worlds import site_of


def call(
    at: int, arrival_s: float, queue: str = "main", handle_s: float = 60, patience_s: float = 300
) -> TraceCall:
    return TraceCall(
        at + 2, f"c{at}", queue, round(arrival_s * S), round(handle_s * S), round(patience_s * S), 0
    )


def ends(world: World) -> list[tuple[str, float, str]]:
    return [
        (end.outcome.value, end.wait_us / S, "" if end.shift is None else world.shifts[end.shift].name)
        for end in simulate(world).ends
    ]


def site(agents: dict[str, dict[str, int]], **queue: Any) -> Site:
    return site_of({"main": {"requires": {"loans": 5}} | queue, "other": {}}, agents)


def test_a_requirement_relaxes_at_its_second() -> None:
    relaxing = site(
        {"a1": {"loans": 9}, "a2": {"loans": 2}}, relax=[{"after_s": 20, "requires": {"loans": 2}}]
    )
    calls = [call(0, 0), call(1, 10), call(2, 15)]
    assert ends(world_of_center(relaxing, "c.yaml", calls)) == [
        ("answered", 0, "a1"),
        ("answered", 20, "a2"),
        ("answered", 45, "a1"),
    ]


def test_who_may_not_wait_longer_flows_out_and_who_is_too_many_is_refused() -> None:
    short = site({"a1": {"loans": 9}}, capacity=1, max_wait_s=30, overflow={"max_wait": "callback"})
    calls = [call(0, 0), call(1, 10), call(2, 15), call(3, 50)]
    assert ends(world_of_center(short, "c.yaml", calls)) == [
        ("answered", 0, "a1"),
        ("flowed_out", 30, ""),
        ("refused", 0, ""),
        ("answered", 10, "a1"),
    ]


def test_who_is_moved_to_another_queue_is_answered_there() -> None:
    moving = site({"a1": {}}, max_wait_s=30, overflow={"max_wait": {"queue": "other"}})
    assert ends(world_of_center(moving, "c.yaml", [call(0, 5)])) == [("answered", 30, "a1")]


def test_of_several_phones_the_first_answers_and_nobody_else_is_kept() -> None:
    many = site({"a1": {"loans": 9}, "a2": {"loans": 9}}, ring_at_once=2)
    assert ends(world_of_center(many, "c.yaml", [call(0, 0), call(1, 1), call(2, 2)])) == [
        ("answered", 0, "a1"),
        ("answered", 0, "a2"),
        ("answered", 58, "a1"),
    ]


def test_wrap_up_and_codes_are_in_the_handle_time_already() -> None:
    wrapping = site({"a1": {"loans": 9}}, wrap_up_s=600, disposition_required=True, dispositions=["done"])
    assert ends(world_of_center(wrapping, "c.yaml", [call(0, 0), call(1, 1)]))[1] == ("answered", 59, "a1")


def test_a_roster_names_who_is_there_and_center_yaml_knows_their_level() -> None:
    here = site({"a1": {"loans": 9}, "a2": {"loans": 2}})
    roster = [
        RosterAgent("a2", {"loans": 1}),
        RosterAgent("a1", None, 100 * S, 200 * S),
        RosterAgent("new", {"loans": 300}, 0, 150 * S),
    ]
    calls = [call(0, 0, handle_s=120), call(1, 1), call(2, 260, patience_s=20)]
    assert ends(world_of_center(here, "c.yaml", calls, roster)) == [
        ("answered", 0, "new"),
        ("answered", 99, "a1"),
        ("abandoned", 20, ""),
    ]
    with pytest.raises(PlanningError, match='"nobody" of the roster has no skills'):
        world_of_center(here, "c.yaml", calls, [RosterAgent("nobody", None)])


def test_opening_hours_count_on_a_day_only() -> None:
    """1405-09-10 is a Tuesday: from 08:00 on in Tehran."""
    hours = {"office": {"weekly": {"tue": ["08:00-17:00"]}, "closed_on_holidays": False}}
    open_late = site_of({"main": {"requires": {}, "hours": "office"}}, {"a1": {}}, hours=hours)
    calls = [call(0, 8 * 3600 - 1), call(1, 8 * 3600)]
    assert [end[0] for end in ends(world_of_center(open_late, "c.yaml", calls))] == ["answered", "answered"]
    on = world_of_center(open_late, "c.yaml", calls, None, date(2026, 12, 1))
    assert [end[0] for end in ends(on)] == ["refused", "answered"]


def test_a_type_must_be_a_queue() -> None:
    with pytest.raises(
        PlanningError, match=r'"fx" of call "c0" \(line 2 of the trace\) is no queue of c.yaml'
    ):
        world_of_center(site({"a1": {}}), "c.yaml", [call(0, 0, "fx")])
