"""What must hold in every world, whatever happens in it (hostile.md's invariants, and the rules of routing)."""

from __future__ import annotations

import os
from collections import Counter
from typing import get_args

import pytest

from acd.facts import Fact, OfferEnded
from acd.types import Presence
from tests.acd.random_world import EVENTS, OFTEN, SITES, Broken, RandomWorld

SEEDS = (
    [int(os.environ["PASOKH_SEED"])]
    if os.environ.get("PASOKH_SEED")
    else range(int(os.environ.get("PASOKH_WORLDS", "200")))
)


def run(seed: int, steps: int = 300) -> RandomWorld:
    world = RandomWorld(seed)
    world.go(steps)
    world.drain()
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_holds_in_a_random_world(seed: int) -> None:
    world = run(seed)
    assert world.center.state.contacts == {}
    assert world.center.state.visits == {}
    assert world.pending == {}
    assert sum(world.begun.values()) == sum(world.ended.values()) > 0


def test_the_random_worlds_are_the_same_each_time_and_not_all_alike() -> None:
    assert run(1).digest == run(1).digest != run(2).digest


def test_the_random_worlds_reach_every_event_and_every_end() -> None:
    """A world in which nothing happens would hold too."""
    assert set(OFTEN) == set(EVENTS)
    seen: Counter[str] = Counter()
    facts: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for seed in range(20):
        world = run(seed)
        seen += world.seen
        facts += Counter(type(fact).__name__ for fact in world.facts)
        ends += Counter(fact.state for fact in world.told(OfferEnded))
    assert {kind.__name__ for kind in EVENTS} <= seen.keys()
    assert {kind.__name__ for kind in get_args(Fact)} == set(facts)
    assert {"accepted", "rejected", "timed_out", "cancelled", "rescinded", "failed"} == set(ends)
    assert min(facts.values()) >= 4


def test_a_broken_center_is_noticed_and_says_how_to_repeat_it() -> None:
    world = RandomWorld(3)
    world.apply(SITES[0])
    world.ready("a4")
    world.center.lines.see(world.agent("a4"), Presence.NOBODY, frozenset())
    with pytest.raises(Broken, match="make sim SEED=3"):
        world.call("c1")
