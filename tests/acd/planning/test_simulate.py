"""The simulation is the real center under a virtual clock: right for every single call, and right on average."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from acd.planning.erlang import Demand, figures_a
from acd.planning.errors import PlanningError
from acd.planning.files import calls_csv, read_roster, read_trace
from acd.planning.simulate import Outcome, simulate
from acd.planning.tally import Day, tally
from acd.planning.worlds import STRATEGIES, RosterAgent, TraceCall, world_of_roster
from acd.types import US_PER_S as S
from tests.acd.planning.rules import by_the_rules

SAMPLE = Path(__file__).parent / "sample"


def call(
    at: int,
    arrival_s: float,
    kind: str = "loans",
    handle_s: float = 60,
    patience_s: float | None = None,
    priority: int = 0,
) -> TraceCall:
    patience_us = None if patience_s is None else round(patience_s * S)
    return TraceCall(at + 2, f"c{at}", kind, round(arrival_s * S), round(handle_s * S), patience_us, priority)


def agent(
    name: str, *kinds: str, login_s: float | None = None, logout_s: float | None = None, **ranks: int
) -> RosterAgent:
    times = [None if each is None else round(each * S) for each in (login_s, logout_s)]
    return RosterAgent(name, dict.fromkeys(kinds, 1) | ranks, *times)


def ends(
    calls: Sequence[TraceCall], roster: Sequence[RosterAgent], strategy: str = "longest-idle"
) -> list[tuple[str, float, str]]:
    assert strategy in STRATEGIES
    world = world_of_roster(calls, roster, strategy)
    run = simulate(world)
    return [
        (end.outcome.value, end.wait_us / S, "" if end.shift is None else world.shifts[end.shift].name)
        for end in run.ends
    ]


def test_the_sample_is_right_for_every_call() -> None:
    world = world_of_roster(
        read_trace(SAMPLE / "trace.csv"), read_roster(SAMPLE / "roster.json"), "longest-idle"
    )
    found = list(csv.reader(calls_csv(world, simulate(world))))
    with (SAMPLE / "calls.csv").open(newline="") as file:
        expected = list(csv.reader(file))
    assert len(found) == len(expected) == 401
    for ours, theirs in zip(found[1:], expected[1:], strict=True):
        assert (ours[0], ours[1], ours[3]) == (theirs[0], theirs[1], theirs[3])
        assert float(ours[2]) == float(theirs[2])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(40))
def test_every_call_goes_by_the_rules(strategy: str, seed: int) -> None:
    """Whole seconds, so that almost everything is a tie."""
    chance = random.Random(seed)
    kinds = ["loans", "cards", "وام", "x, y"][: chance.randint(1, 4)]
    calls = [
        call(
            at,
            chance.randint(-3, 90),
            chance.choice(kinds),
            chance.choice([0, 1, 3, 10, 20]),
            chance.choice([None, 0, 1, 5, 20, 60]),
            chance.choice([-1, 0, 0, 0, 5, 100_000]),
        )
        for at in range(chance.randint(0, 70))
    ]
    roster = [
        agent(
            f"a{at}",
            login_s=chance.choice([None, None, 0, chance.randint(0, 60)]),
            logout_s=chance.choice([None, 60, chance.randint(60, 100)]),
            **{kind: chance.randint(1, 3) for kind in chance.sample(kinds, chance.randint(0, len(kinds)))},
        )
        for at in range(chance.randint(0, 6))
    ]
    assert strategy in STRATEGIES
    world = world_of_roster(calls, roster, strategy)
    run = simulate(world)
    found = [
        (
            end.outcome.value,
            0 if end.outcome is Outcome.WAITING else end.wait_us,
            "" if end.shift is None else world.shifts[end.shift].name,
        )
        for end in run.ends
    ]
    assert found == by_the_rules(calls, roster, strategy)


def test_who_is_answered_at_once_never_abandons() -> None:
    calls = [call(0, 1, patience_s=0), call(1, 1, patience_s=0)]
    assert ends(calls, [agent("a", "loans")]) == [("answered", 0, "a"), ("abandoned", 0, "")]


def test_an_end_of_work_comes_before_the_caller_gives_up() -> None:
    calls = [call(0, 0, handle_s=30), call(1, 10, patience_s=20)]
    assert ends(calls, [agent("a", "loans")])[1] == ("answered", 20, "a")


def test_ranks_are_only_compared() -> None:
    """Whatever numbers the roster uses, the lowest comes first; and there is a limit to how many."""
    far = [agent("second", loans=900), agent("first", loans=7)]
    assert ends([call(0, 1)], far, "primary-first")[0][2] == "first"
    assert ends([call(0, 1)], far)[0][2] == "second"
    with pytest.raises(PlanningError, match="101 different ranks"):
        ends([call(0, 1)], [agent(f"a{rank}", loans=rank) for rank in range(101)])


def test_who_logs_out_finishes_and_takes_nothing_new() -> None:
    calls = [call(0, 0, handle_s=100), call(1, 50, patience_s=80)]
    assert ends(calls, [agent("a", "loans", logout_s=60)]) == [("answered", 0, "a"), ("abandoned", 80, "")]


def test_work_that_ends_with_the_shift_still_makes_room() -> None:
    calls = [call(0, 0, handle_s=60), call(1, 50)]
    assert ends(calls, [agent("a", "loans", logout_s=60)])[1] == ("answered", 10, "a")


def test_who_never_gives_up_and_is_never_answered_waits_at_the_end() -> None:
    world = world_of_roster(
        [call(0, 5, "cards"), call(1, 65, patience_s=10)], [agent("a", "fx")], "longest-idle"
    )
    day = tally(world, simulate(world), 20 * S)
    assert (day.kinds["cards"].waiting, day.kinds["cards"].wait_all_us) == (1, 70 * S)
    assert day.total.figures()["offered"] == 2


def test_nothing_at_all_is_a_day_too() -> None:
    for roster in ([], [agent("a", "loans")]):
        world = world_of_roster([], roster, "longest-idle")
        figures = tally(world, simulate(world), 20 * S).figures()
        assert (figures["offered"], figures["service_level"], figures["by_type"]) == (0, None, {})


def test_the_same_trace_gives_the_same_day_and_progress_is_told() -> None:
    calls, roster = read_trace(SAMPLE / "trace.csv"), read_roster(SAMPLE / "roster.json")
    told: list[int] = []
    first = simulate(world_of_roster(calls, roster, "longest-idle"), told.append)
    assert told == [200, 400]
    assert first == simulate(world_of_roster(calls, roster, "longest-idle"))


def test_the_figures_of_a_day_by_hand() -> None:
    calls = [
        call(0, 0, "loans", handle_s=100),
        call(1, 10, "loans", handle_s=50, patience_s=200),  # waits 90 s
        call(2, 20, "cards", handle_s=30),
        call(3, 30, "loans", patience_s=15),  # gives up within the target
        call(4, 40, "loans", patience_s=45),  # gives up beyond it
    ]
    world = world_of_roster(
        calls, [agent("a", "loans", logout_s=200), agent("b", "cards", login_s=10)], "longest-idle"
    )
    day = tally(world, simulate(world), 20 * S)
    assert day.figures() == {
        "target_s": 20,
        "offered": 5,
        "answered": 3,
        "abandoned": 2,
        "flowed_out": 0,
        "refused": 0,
        "waiting": 0,
        "asa_s": 30,
        "wait_all_s": 30,
        "wait_p50_s": 0,
        "wait_p90_s": 90,
        "longest_wait_s": 90,
        "service_level": 2 / 4,
        "service_level_offered": 2 / 5,
        "abandon_rate": 2 / 5,
        "occupancy": 180 / (200 + 140),
        "by_type": day.figures()["by_type"],
    }
    assert day.kinds["loans"].figures()["occupancy"] == 150 / 200
    assert day.kinds["cards"].figures()["occupancy"] == 30 / 140


# ---- averages that theory knows exactly ----------------------------------------------------------------------


def _batches(values: Sequence[float], number: int = 20) -> tuple[float, float]:
    """Mean, and its half-width at 99.9 % by batch means (Student's t, 19 degrees)."""
    size = len(values) // number
    means = [math.fsum(values[at * size : (at + 1) * size]) / size for at in range(number)]
    mean = math.fsum(means) / number
    spread = math.sqrt(math.fsum((each - mean) ** 2 for each in means) / (number - 1) / number)
    return mean, 3.883 * spread


def _poisson(chance: random.Random, rates: dict[str, float], number: int) -> list[tuple[float, str]]:
    """Arrivals of all kinds together, rates per second."""
    at_s, found = 0.0, []
    for _ in range(number):
        at_s += chance.expovariate(sum(rates.values()))
        found.append((at_s, chance.choices(list(rates), list(rates.values()))[0]))
    return found


@pytest.mark.parametrize(
    ("number", "narrow"), [(14_000, 0.5), pytest.param(400_000, 0.12, marks=pytest.mark.long)]
)
def test_the_n_system_has_its_product_form(number: int, narrow: float) -> None:
    """First come first served to the agent idle longest: type a has two agents, of whom one also serves b."""
    chance = random.Random(20)
    unit_s = 100
    arrivals = _poisson(chance, {"a": 1 / unit_s, "b": 0.5 / unit_s}, number)
    calls = [call(at, at_s, kind, chance.expovariate(1 / unit_s)) for at, (at_s, kind) in enumerate(arrivals)]
    world = world_of_roster(calls, [agent("one", "a"), agent("both", "a", "b")], "longest-idle")
    run = simulate(world)
    for kind, p_wait, wait in (("a", 0.61364, 1.22727), ("b", 0.81818, 2.45455)):
        of_kind = [end for end, each in zip(run.ends, calls, strict=True) if each.kind == kind][200:]
        for expected, values in (
            (p_wait, [float(end.wait_us > 0) for end in of_kind]),
            (wait, [end.wait_us / S / unit_s for end in of_kind]),
        ):
            mean, half = _batches(values)
            assert abs(mean - expected) < half
            assert half < narrow * expected, "so wide an interval would prove nothing"


def test_equal_agents_agree_with_erlang_a() -> None:
    chance = random.Random(7)
    demand, agents = Demand(252, 120, 60), 12
    arrivals = _poisson(chance, {"loans": demand.calls_per_h / 3600}, 10_000)
    assert demand.patience_s is not None
    calls = [
        call(
            at, at_s, kind, chance.expovariate(1 / demand.handle_s), chance.expovariate(1 / demand.patience_s)
        )
        for at, (at_s, kind) in enumerate(arrivals)
    ]
    world = world_of_roster(calls, [agent(f"a{at}", "loans") for at in range(agents)], "longest-idle")
    run = simulate(world)
    theory = figures_a(demand, agents, 20)
    answered = [end.outcome is Outcome.ANSWERED for end in run.ends]
    for expected, values in (
        (theory.p_wait, [float(end.wait_us > 0) for end in run.ends]),
        (theory.abandon_rate, [float(not each) for each in answered]),
        (theory.wait_all_s, [end.wait_us / S for end in run.ends]),
        (theory.asa_s, [end.wait_us / S for end, each in zip(run.ends, answered, strict=True) if each]),
        (
            theory.in_target,
            [float(each and end.wait_us <= 20 * S) for end, each in zip(run.ends, answered, strict=True)],
        ),
    ):
        mean, half = _batches(values)
        assert abs(mean - expected) < half
    day: Day = tally(world, run, 20 * S)
    occupancy = day.total.figures()["occupancy"]
    assert isinstance(occupancy, float)
    assert occupancy == pytest.approx(theory.occupancy, rel=0.03)
