"""Measures: folding equals counting the facts anew by the formulas of the dictionary, live and after a replay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.errors import JournalError
from acd.events import TaskArrived
from acd.facts import (
    Fact,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
    VisitFlowedOut,
    VisitRefused,
    WrapUpOver,
)
from acd.kpi import measures
from acd.kpi.counts import SUMS, Counts, total
from acd.kpi.formulas import MEASURES, service_level
from acd.kpi.measures import INTERVAL_US, By, Measures, day_start_us
from acd.types import EndedBy, Kind
from acd.view import view_of
from tests.acd.kpi.days import counted
from tests.acd.random_world import RandomWorld
from tests.acd.worlds import MORNING_US, S, World, site_of

TEHRAN = ZoneInfo("Asia/Tehran")
SITE = site_of(
    {"main": {"target_s": 20, "short_abandon_s": 5}, "tight": {"target_s": 3, "short_abandon_s": 1}}
)
QUEUES = ("main", "tight", "fallback")
TARGET = {"main": 20, "tight": 3, "fallback": 20}
SHORT = {"main": 5, "tight": 1, "fallback": 5}


def naive(facts: Sequence[Any], queue: str, start_us: int) -> dict[str, int]:
    """The counts of one queue and interval, by the words of the dictionary and nothing else."""

    others = {f.visit for f in facts if type(f) is VisitBegan and f.kind is not Kind.CALL}

    def mine(kind: type, by: str = "began_us") -> list[Any]:
        return [
            f
            for f in facts
            if type(f) is kind and f.queue == queue and start_us <= getattr(f, by) < start_us + INTERVAL_US
            if getattr(f, "visit", None) not in others
        ]

    x_us, s_us = TARGET.get(queue, 20) * S, SHORT.get(queue, 5) * S
    answered, abandoned, over = mine(VisitAnswered), mine(VisitAbandoned), mine(TalkOver)
    return {
        "offered": len(mine(VisitBegan, "at_us")),
        "answered": len(answered),
        "answered_in": len([f for f in answered if f.wait_us <= x_us]),
        "abandoned": len(abandoned),
        "abandoned_in": len([f for f in abandoned if f.wait_us <= x_us]),
        "abandoned_short": len([f for f in abandoned if f.wait_us < s_us]),
        "flowed_out": len(mine(VisitFlowedOut)),
        "callbacks": 0,
        "refused": len(mine(VisitRefused, "at_us")),
        "handled": len(over),
        "wait_answered_us": sum(f.wait_us for f in answered),
        "talk_us": sum(f.talk_us for f in over),
        "hold_us": sum(f.hold_us for f in over),
        "acw_us": sum(f.acw_us for f in mine(WrapUpOver)),
    }


@st.composite
def visits(draw: st.DrawFn) -> list[Fact]:
    """The facts of one visit, however it ended, or of a refusal; waits often lie at a limit."""
    number = draw(st.integers(0, 10**6))
    names = (f"c{number}.1", f"c{number}", draw(st.sampled_from(QUEUES)))
    began_us = MORNING_US + draw(st.integers(0, 8 * 3600)) * S
    seconds = st.sampled_from([0, 1, 3, 5, 20]) | st.integers(0, 4000)
    wait_us = draw(seconds) * S + draw(st.sampled_from([0, 0, -1, 1]))
    wait_us = max(0, wait_us)
    at_us = began_us + wait_us
    began = VisitBegan(began_us, *names, 0)
    match draw(st.sampled_from(["waits", "answered", "handled", "abandoned", "flowed_out", "refused"])):
        case "waits":
            return [began]
        case "abandoned":
            return [began, VisitAbandoned(at_us, *names, began_us, wait_us)]
        case "flowed_out":
            return [began, VisitFlowedOut(at_us, *names, began_us, wait_us)]
        case "refused":
            return [VisitRefused(began_us, names[1], names[2], "full")]
        case "answered":
            return [began, VisitAnswered(at_us, *names, began_us, "a1", None, wait_us)]
    talk_us, hold_us, acw_us = (draw(seconds) * S for _ in range(3))
    return [
        began,
        VisitAnswered(at_us, *names, began_us, "a1", None, wait_us),
        TalkOver(at_us + talk_us, *names, began_us, "a1", talk_us, hold_us, EndedBy.AGENT),
        WrapUpOver(at_us + talk_us + acw_us, *names, began_us, "a1", acw_us),
    ]


def folded(facts: list[Fact]) -> Measures:
    out = Measures()
    out.use(SITE)
    out.fold(facts)
    return out


@given(st.lists(visits(), max_size=30))
def test_the_fold_is_the_count(some: list[list[Fact]]) -> None:
    facts = [fact for visit in some for fact in visit]
    got = folded(facts)
    for queue in QUEUES:
        for start_us in range(
            MORNING_US // INTERVAL_US * INTERVAL_US, MORNING_US + 9 * 3600 * S, INTERVAL_US
        ):
            counts = got.queues.get(queue, {}).get(start_us, Counts())
            plain = naive(facts, queue, start_us)
            assert {name: getattr(counts, name) for name in plain} == plain
    assert measures.load(measures.dump(got)) == got


@pytest.mark.parametrize("seed", range(6))
def test_live_figures_equal_those_counted_anew_from_all_facts(seed: int) -> None:
    """In a world where everything happens, also twice, late and for nobody; limits change there with the site."""
    world = RandomWorld(seed)
    world.go(250)
    live = world.measures
    for by, table in ((By.QUEUE, live.queues), (By.AGENT, live.agents), (By.SEGMENT, live.segments)):
        kind = None if by is By.AGENT else Kind.CALL
        for key, intervals in table.items():
            for start_us in intervals:
                stop_us = start_us + INTERVAL_US
                plain = counted(world.facts, by.value, key, start_us, stop_us, kind=kind, now_us=world.now_us)
                got = live.between(by, key, start_us, stop_us, world.now_us)
                for name in ("answered_in", "abandoned_in", "abandoned_short"):
                    setattr(plain, name, getattr(got, name))
                assert got == plain, (by, key)
    assert live.untrue() == []
    assert total(c for t in live.segments.values() for c in t.values()).answered == (
        total(c for t in live.queues.values() for c in t.values()).answered
    )


# ---- formulas ----------------------------------------------------------------------------------------------

FIGURES = {
    "service_level": 60 / (80 + 15 - 5 + 2),
    "service_level_answered": 60 / 80,
    "service_level_offered": 60 / (80 + 15),
    "service_level_lenient": (60 + 5) / (80 + 15),
    "service_level_flow": 60 / (80 + 15 + 4 - 3),
    "abandon_rate": (15 - 3) / (110 - 3),
    "abandon_rate_gross": 15 / 110,
    "asa_s": 800 / 80,
    "talk_s": 7000 / 70,
    "hold_s": 700 / 70,
    "acw_s": 1400 / 70,
    "aht_s": 9100 / 70,
    "wait_p50_s": 4.016,
    "wait_p90_s": 16.064,
    "wait_p99_s": 89.6,
    "wait_max_s": 90.0,
    "occupancy": 9100 / (9100 + 2900),
    "occupancy_logged_in": 9100 / 13_500,
    "rona_rate": 6 / 100,
    "card_before_ring": 49 / 50,
    "arrivals": 110,
    "callbacks": 1,
    "refused": 9,
    "wait_estimate_error_s": 480 / 40,
    "wait_estimate_close": 36 / 40,
}


def test_every_figure_by_its_formula_on_one_days_counts() -> None:
    counts = Counts(
        offered=110,
        answered=80,
        answered_in=60,
        abandoned=15,
        abandoned_in=5,
        abandoned_short=3,
        flowed_out=4,
        callbacks=1,
        refused=9,
        handled=70,
        wait_answered_us=800 * S,
        talk_us=7000 * S,
        hold_us=700 * S,
        acw_us=1400 * S,
        offers=100,
        offers_timed_out=6,
        rung_with_page=50,
        cards_before_ring=49,
        estimated=40,
        estimate_error_us=480 * S,
        estimate_close=36,
        idle_us=2900 * S,
        ringing_us=300 * S,
        on_call_us=7000 * S,
        on_hold_us=700 * S,
        wrap_up_us=1400 * S,
        not_ready_us=1200 * S,
        wait_most_us=90 * S,
        waits={4_000: 40, 16_000: 32, 61_440: 7, 89_088: 1},
    )
    assert counts.open == 10
    got = {name: measure.of(counts) for name, measure in MEASURES.items() if measure.of is not None}
    got["service_level"] = service_level(counts, 2)
    assert got == pytest.approx(FIGURES)


@pytest.mark.parametrize("name", MEASURES)
def test_of_nothing_there_is_no_figure(name: str) -> None:
    measure = MEASURES[name]
    assert measure.of is None or measure.of(Counts()) is None
    assert (measure.id, measure.version >= 1) == (name, True)
    assert all((measure.formula, measure.fa, measure.en))
    assert measure.unit in ("ratio", "s", "count")


def test_counts_add_up_field_by_field() -> None:
    one = Counts(wait_most_us=7, reasons={"lunch": 5}, waits={4: 1})
    two = Counts(wait_most_us=7, reasons={"lunch": 10}, waits={4: 2})
    for name in SUMS:
        setattr(one, name, 1)
        setattr(two, name, 2)
    assert total([one, one]) == two
    one.add(one)
    assert one == two
    assert total([]) == Counts()


# ---- live --------------------------------------------------------------------------------------------------


def test_an_empty_day_shows_no_rate() -> None:
    world = World()
    view = view_of(world.center, world.measures, world.now_us)
    for figures in (view.queues["main"], view.total):
        rates = (figures.service_level, figures.abandon_rate, figures.asa_s, figures.aht_s)
        assert rates == (None, None, None, None)
    assert view.card_before_ring is None


def test_who_waits_beyond_the_target_counts_as_missed_at_that_moment() -> None:
    world = World(site_of({"main": {"target_s": 20}}, {"a1": {}}))
    world.ready("a1")
    world.call("c1")
    world.answer("c1.1")
    world.call("c2")

    def level() -> float | None:
        return view_of(world.center, world.measures, world.now_us).queues["main"].service_level

    world.wait(20)
    assert level() == 1
    world.now_us += 1
    assert level() == 1 / 2
    world.leave("c2")
    assert level() == 1 / 2  # the same as it was a moment ago, not better by leaving
    world.call("c3")
    world.wait(20)
    world.leave("c3")
    assert level() == 1 / 2  # early abandons are left out


def test_the_total_is_the_sum_and_not_the_mean() -> None:
    world = World(site_of({"main": {}, "second": {}}, {"a1": {}}))
    world.ready("a1")
    for number in range(4):
        world.call(f"c{number}", "main" if number else "second")
    world.answer("c0.1")
    for number in range(1, 4):
        world.wait(30)
        world.leave(f"c{number}")
    view = view_of(world.center, world.measures, world.now_us)
    assert (view.queues["second"].service_level, view.queues["main"].service_level) == (1, 0)
    assert view.total.service_level == 1 / 4
    assert (view.total.offered, view.total.abandoned, view.total.talking) == (4, 3, 1)


def test_the_longest_wait_is_of_those_who_wait_now() -> None:
    world = World(site_of(agents={"a1": {}}))
    world.call("c1")
    first_us = world.now_us
    world.wait(5)
    world.call("c2")
    assert view_of(world.center, world.measures, world.now_us).total.longest_wait_since_us == first_us
    world.leave("c1")
    assert view_of(world.center, world.measures, world.now_us).total.longest_wait_since_us == first_us + 5 * S
    world.leave("c2")
    assert view_of(world.center, world.measures, world.now_us).total.longest_wait_since_us is None


def test_callbacks_and_tasks_are_counted_apart_from_calls() -> None:
    world = World(site_of(agents={"a1": {}}))
    world.call("c1")
    world.do(TaskArrived("k1", Kind.CALLBACK, "main"))
    world.do(TaskArrived("t1", Kind.TASK, "main"))
    world.wait(30)
    figures = view_of(world.center, world.measures, world.now_us).total
    assert (figures.offered, figures.waiting, figures.others_waiting) == (1, 1, 2)
    assert figures.service_level == 0.0  # the call alone waits beyond the target
    assert world.measures.since("main", 0, Kind.CALLBACK).offered == 1
    assert world.measures.since("main", 0, Kind.TASK).offered == 1
    assert world.measures.since("main", 0).offered == 3
    assert world.measures.untrue() == []


# ---- intervals and days ------------------------------------------------------------------------------------


def test_a_visit_belongs_to_the_quarter_of_an_hour_it_began_in() -> None:
    start_us = MORNING_US // INTERVAL_US * INTERVAL_US
    world = World(site_of(agents={"a1": {}}), now_us=start_us + INTERVAL_US - 1 * S)
    world.call("c1")
    world.wait(1)
    world.call("c2")
    world.wait(600)
    world.leave("c1")
    world.leave("c2")
    counts = world.measures.queues["main"]
    assert {at_us: (c.offered, c.abandoned) for at_us, c in counts.items()} == {
        start_us: (1, 1),
        start_us + INTERVAL_US: (1, 1),
    }


def test_a_visit_over_midnight_belongs_to_the_day_it_began() -> None:
    midnight_us = day_start_us(MORNING_US, TEHRAN) + 86_400 * S
    world = World(site_of(agents={"a1": {}}), now_us=midnight_us - 60 * S)
    world.ready("a1")
    world.call("c1")
    world.wait(120)
    assert view_of(world.center, world.measures, world.now_us).total.offered == 0
    world.status("a1", world.agent("a1").status)  # the ring ran out meanwhile; say Available again
    world.answer("c1.1")
    world.call("c2")
    world.wait(60)
    world.leave("c1")
    world.leave("c2")
    today = view_of(world.center, world.measures, world.now_us).total
    yesterday = world.measures.since("main", 0)
    assert (today.offered, today.answered, today.abandoned) == (1, 0, 1)
    assert (yesterday.offered, yesterday.answered, yesterday.abandoned) == (2, 1, 1)
    assert today.waiting == 0


@pytest.mark.parametrize(
    ("instant", "midnight"),
    [
        ("2026-07-01T20:29:59+00:00", "2026-06-30T20:30:00+00:00"),  # no summer time in Tehran since 2022
        ("2026-07-01T20:30:00+00:00", "2026-07-01T20:30:00+00:00"),
        ("2026-12-31T23:59:59+03:30", "2026-12-30T20:30:00+00:00"),
    ],
)
def test_the_day_is_the_sites(instant: str, midnight: str) -> None:
    at_us = int(datetime.fromisoformat(instant).timestamp()) * S
    assert datetime.fromtimestamp(day_start_us(at_us, TEHRAN) / S, UTC).isoformat() == midnight


def test_old_intervals_are_left_to_the_records() -> None:
    world = World()
    for hour in range(0, 60, 6):
        world.call(f"c{hour}")
        world.leave(f"c{hour}")
        world.wait(6 * 3600)
    counts = world.measures.queues["main"]
    assert max(counts) - min(counts) <= measures.KEPT_US
    assert len(counts) == 9


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"queues":{"main":{"x":{}}}}', b"\xff"])
def test_a_snapshot_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(JournalError):
        measures.load(data)
