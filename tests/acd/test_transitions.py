"""The tables of states: what they forbid does not happen, and they say nothing that is not meant."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from acd.errors import IllegalTransition
from acd.state import dump
from acd.transitions import ACTIVITY, OFFER, VISIT, diagram, move
from acd.types import Activity, OfferState, VisitState
from tests.acd.worlds import World

TABLES: tuple[tuple[type[StrEnum], object], ...] = (
    (VisitState, VISIT),
    (OfferState, OFFER),
    (Activity, ACTIVITY),
)


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_every_state_is_in_its_table(
    states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    assert set(table) == set(states)
    assert {state for following in table.values() for state in following} <= set(states)


@pytest.mark.parametrize(("states", "table"), TABLES)
def test_a_step_is_made_exactly_if_the_table_has_it(
    states: type[StrEnum], table: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    for old in states:
        for new in states:
            if new in table[old]:
                assert move(table, old, new, "it") is new
            else:
                with pytest.raises(IllegalTransition, match=f"it cannot go from {old} to {new}"):
                    move(table, old, new, "it")


def test_what_has_ended_stays_ended() -> None:
    ends = (VisitState.ANSWERED, VisitState.ABANDONED, VisitState.FLOWED_OUT, VisitState.CALLBACK)
    assert all(not VISIT[end] for end in ends)
    late = {state for state, following in OFFER.items() if following == {OfferState.ACCEPTED}}
    assert late == {OfferState.REJECTED, OfferState.TIMED_OUT}


def test_an_illegal_step_changes_nothing() -> None:
    world = World()
    world.call("c1")
    visit = world.visit("c1.1")
    before = dump(world.center.state)
    with pytest.raises(IllegalTransition):
        visit.state = move(VISIT, visit.state, VisitState.ANSWERED, "visit c1.1")
    assert dump(world.center.state) == before


def test_the_diagram_has_every_arrow() -> None:
    text = diagram("Offer", OFFER)
    assert text.count("-->") == sum(map(len, OFFER.values())) + 4  # and four that end there
    assert "    rejected --> accepted" in text
