"""The formulas give the exact values, and behave as they must where no value is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.planning.erlang import Demand, Figures, erlang_b, erlang_c, figures_a, figures_b, figures_c
from acd.planning.errors import PlanningError

_FEW = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("agents", "calls_per_h", "handle_s", "patience_s", "p_wait", "abandon", "asa_s", "wait_s", "in_target"),
    [
        (50, 2880, 60, 120, 0.46777, 0.03091, 3.6159, 3.7095, 0.94302),
        (12, 252, 120, 60, 0.12737, 0.02968, 1.4436, 1.7807, 0.94527),
        (20, 360, 240, 90, 0.66911, 0.20694, 17.5053, 18.6243, 0.51905),
    ],
)
def test_erlang_a_gives_the_known_values(
    agents: int,
    calls_per_h: float,
    handle_s: float,
    patience_s: float,
    p_wait: float,
    abandon: float,
    asa_s: float,
    wait_s: float,
    in_target: float,
) -> None:
    found = figures_a(Demand(calls_per_h, handle_s, patience_s), agents, 20)
    assert (round(found.p_wait, 5), round(found.abandon_rate, 5)) == (p_wait, abandon)
    assert (round(found.asa_s, 4), round(found.wait_all_s, 4)) == (asa_s, wait_s)
    assert round(found.in_target, 5) == in_target


def test_erlang_b_and_c_give_the_known_values() -> None:
    assert round(erlang_b(200, 180), 6) == 0.010325
    assert round(erlang_b(30, 25), 6) == 0.052603
    assert round(erlang_c(14, 10), 6) == 0.174132
    assert round(erlang_c(25, 20), 6) == 0.209103


@pytest.mark.parametrize(
    ("agents", "calls_per_h", "handle_s", "patience_s"),
    [(3, 60, 200, 90), (5, 40, 100, 15), (2, 300, 60, 30), (8, 100, 300, 600)],
)
def test_erlang_a_is_the_steady_state_of_its_chain(
    agents: int, calls_per_h: float, handle_s: float, patience_s: float
) -> None:
    """State by state and, for the wait, step by step in time: slow, and nothing clever in it."""
    rates = calls_per_h / 3600, 1 / handle_s, 1 / patience_s
    share = [1.0]
    for n in range(1, 400):
        out = min(n, agents) * rates[1] + max(0, n - agents) * rates[2]
        share.append(share[-1] * rates[0] / out)
    share = [each / sum(share) for each in share]
    line = sum(max(0, n - agents) * each for n, each in enumerate(share))
    found = figures_a(Demand(calls_per_h, handle_s, patience_s), agents, 20)
    assert found.p_wait == pytest.approx(sum(share[agents:]), rel=1e-12)
    assert found.abandon_rate == pytest.approx(line * rates[2] / rates[0], rel=1e-12)
    assert found.wait_all_s == pytest.approx(line / rates[0], rel=1e-12)
    busy = sum(min(n, agents) * each for n, each in enumerate(share))
    assert found.occupancy == pytest.approx(busy / agents, rel=1e-12)
    in_target, waited_s = _served_within(share[: agents + 60], agents, rates, 20)
    assert found.in_target == pytest.approx(in_target, abs=1e-3)
    assert found.asa_s == pytest.approx(waited_s / (1 - found.abandon_rate), rel=5e-3)


def _served_within(
    share: list[float], agents: int, rates: tuple[float, float, float], target_s: float
) -> tuple[float, float]:
    """Follow those who wait with small steps: answered within the target, and mean wait of the answered times their
    share, up to a wait of 40 patiences."""
    at_once = sum(share[:agents])
    ahead = share[agents:]
    step_s = 1 / (rates[1] * agents + len(ahead) * rates[2]) / 20
    within, waited_s, at_s = at_once, 0.0, 0.0
    work = agents * rates[1]
    while sum(ahead) > 1e-6:
        answered = ahead[0] * work * step_s
        if at_s + step_s / 2 <= target_s:
            within += answered
        waited_s += answered * (at_s + step_s / 2)
        moved = [each * (work + j * rates[2]) * step_s for j, each in enumerate(ahead)]
        stay = [each * (1 - rates[2] * step_s) - gone for each, gone in zip(ahead, moved, strict=True)]
        ahead = [each + come for each, come in zip(stay, [*moved[1:], 0.0], strict=True)]
        at_s += step_s
    return within, waited_s


@given(agents=st.integers(1, 300), load=st.floats(0.01, 400))
@_FEW
def test_more_agents_are_never_worse(agents: int, load: float) -> None:
    demand = Demand(load * 20, 180, 75)
    less, more = figures_a(demand, agents, 20), figures_a(demand, agents + 1, 20)
    slack = 1e-9
    assert more.p_wait <= less.p_wait + slack
    assert more.abandon_rate <= less.abandon_rate + slack
    assert more.wait_all_s <= less.wait_all_s + slack
    assert more.in_target >= less.in_target - slack
    assert more.occupancy <= less.occupancy + slack
    assert erlang_b(agents + 1, load) <= erlang_b(agents, load)
    assert erlang_c(agents + 1, load) <= erlang_c(agents, load)


@given(
    agents=st.integers(1, 300),
    load=st.floats(0.01, 400),
    patience_s=st.floats(1, 3600),
    target_s=st.floats(0, 300),
)
@_FEW
def test_every_figure_is_one(agents: int, load: float, patience_s: float, target_s: float) -> None:
    found = figures_a(Demand(load * 20, 180, patience_s), agents, target_s)
    for share in (found.p_wait, found.abandon_rate, found.in_target, found.occupancy):
        assert 0 <= share <= 1
    assert found.asa_s >= 0
    assert found.in_target <= 1 - found.abandon_rate + 1e-9
    assert found.in_target >= 1 - found.p_wait - 1e-9
    assert found.p_wait <= erlang_c(agents, load) + 1e-9
    assert found.p_wait >= erlang_b(agents, load) - 1e-9


@given(agents=st.integers(1, 200), share=st.floats(0.01, 0.98))
@_FEW
def test_who_loses_callers_makes_fewer_wait(agents: int, share: float) -> None:
    assert erlang_b(agents, agents * share) < erlang_c(agents, agents * share)


@given(agents=st.integers(1, 100), share=st.floats(0.2, 0.95))
@_FEW
def test_endless_patience_is_erlang_c(agents: int, share: float) -> None:
    demand = Demand(agents * share * 20, 180)
    patient = figures_a(Demand(demand.calls_per_h, 180, 1e10), agents, 20)
    endless = figures_c(demand, agents, 20)
    assert patient.p_wait == pytest.approx(endless.p_wait, rel=1e-4)
    assert patient.asa_s == pytest.approx(endless.asa_s, rel=1e-3)
    assert patient.in_target == pytest.approx(endless.in_target, abs=1e-5)
    assert figures_a(demand, agents, 20) == endless


def test_no_patience_at_all_is_erlang_b() -> None:
    found = figures_a(Demand(300, 180, 1e-6), 12, 20)
    assert found.abandon_rate == pytest.approx(erlang_b(12, 15), rel=1e-6)
    assert found.in_target == pytest.approx(figures_b(Demand(300, 180), 12).in_target, rel=1e-6)


@pytest.mark.parametrize("agents", [900, 1000, 1100, 20_000])
def test_a_very_large_center_has_figures_too(agents: int) -> None:
    found = figures_a(Demand(20_000, 180, 120), agents, 20)  # 1000 erlang
    assert all(math.isfinite(x) for x in (found.p_wait, found.abandon_rate, found.asa_s, found.in_target))
    if agents == 900:  # far too few: what the agents cannot do is given up
        assert found.abandon_rate == pytest.approx(0.1, abs=0.002)
    if agents == 20_000:
        assert (found.p_wait, found.abandon_rate, found.in_target) == (0, 0, 1)


def test_an_overloaded_line_without_patience_has_no_end() -> None:
    found = figures_c(Demand(3600, 10), 10, 20)
    assert found == Figures(10, 1, 0, math.inf, math.inf, 0, 1)


def test_what_cannot_be_planned_is_said() -> None:
    with pytest.raises(PlanningError, match="handle_s is 0"):
        Demand(10, 0)
    with pytest.raises(PlanningError, match="patience_s is -1"):
        Demand(10, 60, -1)
    with pytest.raises(PlanningError, match="calls_per_h is nan"):
        Demand(math.nan, 60)
    with pytest.raises(PlanningError, match="shorter patience or more agents"):
        figures_a(Demand(3600 * 100, 60, 1e9), 10, 20)
    with pytest.raises(PlanningError, match="-1 agents"):
        erlang_b(-1, 10)
    with pytest.raises(PlanningError, match="target"):
        figures_a(Demand(10, 60, 60), 10, -1)
