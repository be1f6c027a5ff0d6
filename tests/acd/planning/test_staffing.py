"""The fewest agents are really the fewest, and what cannot be reached is said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.planning.erlang import Demand, figures_a
from acd.planning.errors import PlanningError
from acd.planning.staffing import Goal, fewest, staff


@given(
    load=st.floats(0.01, 300),
    patience_s=st.one_of(st.none(), st.floats(5, 1000)),
    level=st.floats(0.05, 0.99),
    target_s=st.floats(0, 120),
)
@settings(max_examples=40, deadline=None)
def test_one_agent_less_does_not_reach_the_goal(
    load: float, patience_s: float | None, level: float, target_s: float
) -> None:
    demand, goal = Demand(load * 20, 180, patience_s), Goal(level, target_s)
    found = fewest(demand, goal)
    assert found.in_target >= level
    assert found.agents == 1 or figures_a(demand, found.agents - 1, target_s).in_target < level


def test_a_staffing_shows_what_stands_around_it() -> None:
    found = staff(Demand(252, 120, 60), Goal(0.9, 20, 0.3))
    assert (found.method, found.figures.agents, found.scheduled) == ("erlang-a", 11, 16)
    assert [each.agents for each in found.around] == [9, 10, 11, 12, 13, 14]
    assert round(found.around[3].in_target, 5) == 0.94527
    assert found.load_erl == pytest.approx(8.4)


def test_without_patience_it_is_erlang_c_and_a_small_center_has_no_agent_below_one() -> None:
    found = staff(Demand(10, 60), Goal(0.5))
    assert found.method == "erlang-c"
    assert [each.agents for each in found.around] == [1, 2, 3, 4]
    assert staff(Demand(252, 120), Goal(0.8)).figures.agents == 12


def test_shrinkage_is_added_without_a_grain_too_much() -> None:
    assert Goal(0.8, 20, 0.3).scheduled(7) == 10
    assert Goal(0.8, 20, 0.3).scheduled(8) == 12
    assert Goal(0.8).scheduled(8) == 8


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1])
def test_a_service_level_that_cannot_be_planned_for_is_refused(level: float) -> None:
    with pytest.raises(PlanningError, match="service level"):
        Goal(level)


def test_what_needs_too_many_is_refused() -> None:
    with pytest.raises(PlanningError, match="shrinkage"):
        Goal(0.8, 20, 1)
    with pytest.raises(PlanningError, match="100000 agents do not reach the goal"):
        fewest(Demand(3600 * 3000, 60), Goal(0.8))
