"""The pure center: what an event costs, and that it costs the same however many agents and callers there are."""

from __future__ import annotations

import gc
import statistics

from tests.bench.load import Load
from tests.bench.measure import Figure, Report, missed, ratio

TURNS, ROUNDS = 1_500, 5
SMALL = (100, 50, 5_000)
LARGE = (10_000, 5_000, 500_000)


def test_an_event_costs_the_same_in_the_largest_center(report: Report) -> None:
    """100 agents in 50 queues with 5 000 callers waiting, beside 10 000 agents in 5 000 queues with 500 000: each
    agent has five skills, and a hundred callers wait in each queue."""
    small, large = Load(*SMALL), Load(*LARGE)
    gc.collect()
    gc.freeze()  # half a million visits that live on are no garbage to look through
    took: dict[str, list[float]] = {"small": [], "large": []}
    with report.steps("events", ROUNDS * 2) as done:
        for _ in range(ROUNDS):
            for name, load in (("small", small), ("large", large)):
                took[name].append(statistics.fmean(load.run(TURNS)) / 1_000)
                done()
    gc.unfreeze()
    figures = [
        Figure("center: event, 100 agents, 5 000 waiting", statistics.median(took["small"]), "µs"),
        Figure("center: event, 10 000 agents, 500 000 waiting", statistics.median(took["large"]), "µs"),
        Figure("center: events, 10 000 agents", 1e6 / statistics.median(took["large"]), "per s"),
        ratio("center: event, large beside small", took["large"], took["small"], at_most=2.0),
    ]
    report.add(*figures)
    assert not missed(figures)


def test_a_decision_is_made_within_a_millisecond(report: Report) -> None:
    """1 000 agents with ten of 20 skills each, 2 000 callers waiting: every event that chooses somebody is one."""
    load = Load(1_000, 20, 2_000, skills_each=10)
    load.run(500)
    took = sorted(load.run(5_000))
    p99_ms = took[int(len(took) * 0.99)] / 1e6
    figures = [
        Figure("center: event p50, 1 000 agents, 20 skills", took[len(took) // 2] / 1e6, "ms"),
        Figure("center: event p99, 1 000 agents, 20 skills", p99_ms, "ms", at_most=1.0),
    ]
    report.add(*figures)
    assert not missed(figures)
