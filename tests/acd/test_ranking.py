"""Whom an agent takes first, over all queues; and that nobody is passed over for ever."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.events import CallArrived, CustomerFound, VisitQueued
from acd.facts import OfferMade
from acd.site import Site
from acd.types import EndedBy
from tests.acd.worlds import S, World, site_of

TWO = {"fast": {"target_s": 10}, "slow": {"target_s": 100}}


def world_of(by: str, queues: dict[str, dict[str, Any]] | None = None, **ranking: Any) -> World:
    """One agent in a talk, so that everybody else waits."""
    queues = {name: {"wrap_up_s": 0} | queue for name, queue in (queues or TWO).items()}
    world = World(site_of(queues, {"a1": {}}, ranking={"by": by} | ranking))
    world.ready("a1")
    world.answer(world.call("c0", next(iter(queues))))
    return world


def served(world: World) -> list[str]:
    """The contacts in the order in which the agent takes them, each talk without any time."""
    world.hang_up("c0.1")
    out = []
    while (offer := world.agent("a1").offer) is not None:
        visit = offer.rpartition(".")[0]
        out.append(visit.rpartition(".")[0])
        world.answer(visit)
        world.hang_up(visit, EndedBy.AGENT)
    return out


def test_the_highest_priority_then_the_earliest_arrival() -> None:
    world = world_of("priority", {"one": {}, "two": {"priority": 5}})
    for contact, queue, priority in (("a", "one", 0), ("b", "one", 5), ("c", "two", 0), ("d", "two", 1)):
        world.call(contact, queue, priority)
        world.wait(1)
    assert served(world) == ["d", "b", "c", "a"]


def test_a_customer_found_while_waiting_moves_up_by_the_points_of_the_segment() -> None:
    world = world_of("priority")
    for contact in "ab":
        world.do(CallArrived(contact, "2100", None))
        world.do(VisitQueued(contact, "fast"))
    world.do(CustomerFound("b", "k1", "gold"))
    assert served(world) == ["b", "a"]


def test_ageing_gives_points_for_each_minute_of_waiting() -> None:
    world = world_of("ageing", ageing_per_min=2)
    world.call("old", "slow", priority=0)
    world.wait(90)  # three points
    world.call("same", "slow", priority=3)
    world.call("young", "slow", priority=4)
    world.call("low", "fast", priority=2)
    assert served(world) == ["young", "old", "same", "low"]


def test_the_wait_counts_relative_to_the_target_of_the_queue() -> None:
    world = world_of("relative")
    world.call("slow", "slow")
    world.wait(20)  # 20 % of its target
    world.call("fast", "fast")
    world.wait(3)  # 30 % of its target, 23 % of that of the other
    world.call("points", "slow", priority=29)
    assert served(world) == ["fast", "points", "slow"]


def test_orders_of_different_targets_change_with_time_by_themselves() -> None:
    world = world_of("relative")
    world.call("slow", "slow", priority=15)
    world.call("fast", "fast")
    world.wait(1)
    assert world.center.lines.next_for("a1", world.now_us) is None  # in a talk
    world.wait(1)
    assert served(world) == ["fast", "slow"]
    world = world_of("relative")
    world.call("slow", "slow", priority=15)
    world.call("fast", "fast")
    world.wait(1.5)
    assert served(world) == ["slow", "fast"]


def test_beyond_the_limit_nobody_is_passed_over_whatever_their_points() -> None:
    world = world_of("priority", {"one": {}, "two": {"priority": 90}}, pass_limit_s=60)
    world.call("poor", "one", priority=-50)
    world.wait(30)
    world.call("second", "one", priority=-20)
    world.wait(30)
    world.call("rich", "two", priority=9)
    assert served(world) == ["poor", "rich", "second"]


@pytest.mark.parametrize("by", ["priority", "ageing", "relative"])
@settings(max_examples=25)
@given(st.integers(0, 10**9))
def test_nobody_starves(by: str, seed: int) -> None:
    """Whoever has waited beyond the limit is taken before everybody who has not, by every agent who can answer them,
    and among those beyond it the one who is there longer."""
    rng = Random(seed)
    queues = {
        f"q{n}": {"requires": {f"s{n % 2}": 1}, "target_s": 5 * n + 5, "wrap_up_s": 0} for n in range(4)
    }
    agents = {"a1": {"s0": 5}, "a2": {"s1": 5}, "a3": {"s0": 5, "s1": 5}}
    limit_s = 40
    site = site_of(queues, agents, ranking={"by": by, "pass_limit_s": limit_s, "ageing_per_min": 30})
    world = World(site)
    world.ready(*agents)
    for number in range(60):
        world.call(f"c{number}", f"q{rng.randrange(4)}", rng.choice((0, 0, 90, -90, 30)))
        world.wait(rng.choice((0.0, 1.0, 5.0)))
        for agent in agents:
            offer = world.agent(agent).offer
            if offer is not None:
                world.answer(offer.rpartition(".")[0])
        talking = [agent.visit for agent in map(world.agent, agents) if agent.visit]
        if talking and rng.random() < 0.5:
            world.hang_up(rng.choice(talking))
            _fair(world, site, limit_s)


def _fair(world: World, site: Site, limit_s: float) -> None:
    for fact in world.step.facts:
        if isinstance(fact, OfferMade) and (taken := world.center.state.visits.get(fact.visit)):
            waited = (world.now_us - taken.place_us) / S
            for other in world.center.state.visits.values():
                able = set(site.queues[other.queue].requires) <= set(site.agents[fact.agent].skills)
                longer = (world.now_us - other.place_us) / S
                if other.state == "waiting" and able and longer >= limit_s:
                    assert waited >= longer, f"{fact.visit} was taken before {other.visit}"


def test_customers_of_value_have_points_by_steps() -> None:
    steps = [{"at_least": 100, "points": 2}, {"at_least": 1_000, "points": 7}]
    world = world_of("priority", value_points=steps)
    for contact, value in (("none", None), ("little", 99), ("some", 100), ("much", 5_000)):
        world.do(CallArrived(contact, "2100", None))
        world.do(CustomerFound(contact, f"k-{contact}", value=value))
        world.do(VisitQueued(contact, "fast"))
    assert [world.visit(f"{contact}.1").priority for contact in ("none", "little", "some", "much")] == [
        0,
        0,
        2,
        7,
    ]
    assert served(world) == ["much", "some", "none", "little"]
