"""Which of the free agents gets a contact, strategy by strategy; and several phones at once."""

from __future__ import annotations

from typing import Any

import pytest

from acd.effects import RingAgent, StopRing
from acd.events import OfferAnswered, OfferFailed, OfferRang
from acd.facts import OfferEnded, OfferMade
from acd.site import Site
from acd.types import Activity, EndedBy, OfferState, RingFailure, VisitState
from tests.acd.worlds import World, site_of


def world_of(choice: str, *ready: str, agents: dict[str, Any] | None = None, **queue: Any) -> World:
    agents = agents or {"a1": {"x": 3}, "a2": {"x": 9}, "a3": {"x": 6}}
    base = {"requires": {"x": 1}, "agent_choice": choice, "wrap_up_s": 0}
    world = World(site_of({"main": base | queue}, agents))
    world.ready(*(ready or tuple(agents)))
    return world


def talk(world: World, contact: str, seconds: float, ring_s: float = 0) -> str:
    """One whole call: who answered it."""
    visit = world.call(contact)
    world.wait(ring_s)
    agent = world.answer(visit)
    world.wait(seconds)
    world.hang_up(visit, EndedBy.CALLER)
    world.menu_end(contact)
    return agent


def order_of(world: World, calls: int = 3) -> list[str]:
    """Who is rung for so many callers who all wait."""
    return [world.serving(world.call(f"w{number}")) or "" for number in range(calls)]


def test_longest_idle_goes_by_the_end_of_the_last_work() -> None:
    world = world_of("longest-idle")
    assert talk(world, "c1", 5) == "a1"
    assert order_of(world) == ["a2", "a3", "a1"]


def test_best_skill_goes_by_level_then_by_idle_time() -> None:
    world = world_of(
        "best-skill",
        "a3",
        "a1",
        "a2",
        "a4",
        agents={f"a{n}": {"x": level} for n, level in ((1, 3), (2, 9), (3, 6), (4, 6))},
    )
    assert order_of(world, 4) == ["a2", "a3", "a4", "a1"]


def test_primary_first_goes_by_rank_and_of_several_skills_the_largest_counts() -> None:
    site = site_of(
        {"main": {"requires": {"x": 1, "y": 1}, "agent_choice": "primary-first"}},
        {"a1": {}, "a2": {}, "a3": {}},
    )
    ranks = {"a1": (1, 3), "a2": (2, 2), "a3": (1, 1)}
    data = site.model_dump(mode="json", by_alias=True)
    for agent, (x, y) in ranks.items():
        data["agents"][agent]["skills"] = {"x": {"level": 5, "rank": x}, "y": {"level": 5, "rank": y}}
    world = World(Site.model_validate(data))
    world.ready("a1", "a2", "a3")
    assert order_of(world) == ["a3", "a2", "a1"]


def test_least_occupied_goes_by_the_share_of_time_at_work() -> None:
    world = world_of("least-occupied")
    assert talk(world, "c1", 100) == "a1"
    assert talk(world, "c2", 10) == "a2"
    assert talk(world, "c3", 50) == "a3"
    assert order_of(world) == ["a2", "a3", "a1"]


def test_fewest_contacts_goes_by_their_number_since_signing_in() -> None:
    world = world_of("fewest-contacts", "a1", "a2")
    for number, expected in enumerate(("a1", "a2", "a1", "a2")):
        assert talk(world, f"c{number}", 5) == expected
    world.ready("a3")
    assert [talk(world, f"d{number}", 5) for number in range(3)] == ["a3", "a3", "a1"]


def test_round_robin_takes_turns_whoever_has_been_idle_longest() -> None:
    world = world_of("round-robin")
    assert [talk(world, f"c{number}", 5) for number in range(7)] == ["a1", "a2", "a3", "a1", "a2", "a3", "a1"]


def test_ordered_takes_the_first_of_the_roster_who_is_free() -> None:
    world = world_of("ordered", "a3", "a2", "a1")
    assert [talk(world, f"c{number}", 5) for number in range(2)] == ["a1", "a1"]
    assert order_of(world) == ["a1", "a2", "a3"]


@pytest.mark.parametrize(
    "choice",
    [
        "longest-idle",
        "best-skill",
        "primary-first",
        "least-occupied",
        "fewest-contacts",
        "round-robin",
        "ordered",
    ],
)
def test_every_offer_says_the_rule_it_was_made_by(choice: str) -> None:
    world = world_of(choice)
    world.call("c1")
    (made,) = world.told(OfferMade)
    assert made.why.startswith(f"{choice} idle_s=")
    assert "free=3" in made.why


def test_what_is_remembered_of_turns_survives_a_snapshot() -> None:
    world = world_of("round-robin")
    talk(world, "c1", 5)
    assert world.center.state.queues["main"].turn == 0


# Several phones at once ------------------------------------------------------------------------------------


def test_several_phones_ring_together_and_the_first_answer_has_the_caller() -> None:
    world = world_of("longest-idle", ring_at_once=2)
    world.call("c1")
    assert world.rings() == [("c1.1", "a1"), ("c1.1", "a2")]
    assert world.activity("a3") is Activity.IDLE
    world.do(OfferRang("c1.1.2"))
    world.do(OfferAnswered("c1.1.2"))
    assert world.state_of("c1.1") is VisitState.TALKING
    assert [(e.agent, e.state) for e in world.told(OfferEnded)] == [
        ("a2", OfferState.ACCEPTED),
        ("a1", OfferState.RESCINDED),
    ]
    assert world.activity("a2") is Activity.ON_CALL
    assert world.activity("a1") is Activity.IDLE
    assert world.do(OfferAnswered("c1.1.1")).ignored is not None


def test_one_busy_phone_does_not_end_the_round() -> None:
    world = world_of("longest-idle", ring_at_once=3)
    world.call("c1")
    world.do(OfferFailed("c1.1.1", RingFailure.BUSY))
    assert world.state_of("c1.1") is VisitState.OFFERED
    assert len(world.asked(RingAgent)) == 3
    assert world.reject("c1.1") is None
    assert [ring.offer for ring in world.asked(StopRing)] == ["c1.1.2"]
    world.do(OfferAnswered("c1.1.3"))
    assert world.serving("c1.1") == "a3"


def test_who_let_it_ring_out_is_not_responding_and_the_caller_keeps_the_place() -> None:
    world = world_of("longest-idle", ring_at_once=2, ring_timeout_s=10)
    visit = world.call("c1")
    entered_us = world.visit(visit).entered_us
    for offer in ("c1.1.1", "c1.1.2"):
        world.do(OfferFailed(offer, RingFailure.NO_ANSWER))
    assert [world.activity(agent) for agent in ("a1", "a2")] == [Activity.NOT_RESPONDING] * 2
    assert world.serving(visit) == "a3"
    assert world.visit(visit).entered_us == entered_us


def test_the_caller_who_leaves_frees_all_of_them() -> None:
    world = world_of("longest-idle", ring_at_once=3)
    world.call("c1")
    world.leave("c1")
    assert [world.activity(agent) for agent in ("a1", "a2", "a3")] == [Activity.IDLE] * 3
    assert {e.state for e in world.told(OfferEnded)} == {OfferState.CANCELLED}


def test_phones_ring_when_every_page_has_shown_the_card_or_its_time_is_over() -> None:
    world = World(site_of({"main": {"ring_at_once": 2}}, {"a1": {}, "a2": {}}))
    world.ready("a1", "a2", page=True)
    world.call("c1")
    world.show("c1.1")
    assert world.rings() == []
    world.wait(0.1)
    assert len(world.rings()) == 2


def test_thirty_phones_one_answer_and_twenty_nine_are_free_in_the_same_step() -> None:
    agents: dict[str, dict[str, int]] = {f"a{n}": {} for n in range(20)}
    world = World(site_of({"main": {"ring_at_once": 20}}, agents))
    world.ready(*agents)
    world.call("c1")
    world.do(OfferAnswered("c1.1.7"))
    for number in range(1, 21):
        world.do(OfferAnswered(f"c1.1.{number}"))
    assert sum(world.activity(agent) is Activity.ON_CALL for agent in agents) == 1
    assert sum(world.activity(agent) is Activity.IDLE for agent in agents) == 19
