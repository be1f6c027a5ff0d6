"""Live counting equals counting anew from all facts, by every division there is, also through a restart."""

from __future__ import annotations

from random import Random
from statistics import quantiles
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.facts import (
    AgentChanged,
    Fact,
    OfferEnded,
    OfferMade,
    VisitAbandoned,
    VisitBegan,
    VisitCalledBack,
    WrapUpOver,
)
from acd.kpi.counts import Counts, bucket_of, total, wait_s
from acd.kpi.formulas import MEASURES
from acd.kpi.measures import OPEN_MOST, By, Limits, Measures, cut, day_start_us, dump, load
from acd.types import US_PER_S, Activity, Kind, OfferState, Status
from tests.acd.kpi.days import AGENTS, INTERVAL_US, QUEUES, SHORT_S, TARGET_S, TEAMS, counted, day, plain_site

S = US_PER_S
DAY_US = 1_790_000_100 * S // INTERVAL_US * INTERVAL_US + 60 * S
END_US = DAY_US + 8 * 3600 * S
KEYS = {
    By.QUEUE: QUEUES,
    By.AGENT: AGENTS,
    By.SKILL: ("loans", "fa"),
    By.SEGMENT: ("", "gold", "silver"),
}


def fresh() -> Measures:
    return Measures(limits={q: Limits(TARGET_S[q] * S, SHORT_S[q] * S) for q in TARGET_S})


@pytest.mark.parametrize("seed", range(4))
def test_every_interval_by_every_division_is_what_the_facts_say(seed: int) -> None:
    facts = day(seed, DAY_US)
    live = fresh()
    live.fold(facts)
    seen = 0
    for by, keys in KEYS.items():
        kind = None if by is By.AGENT else Kind.CALL
        for key in keys:
            for start_us in range(DAY_US // INTERVAL_US * INTERVAL_US, END_US, INTERVAL_US):
                stop_us = start_us + INTERVAL_US
                expected = counted(facts, by.value, key, start_us, stop_us, kind=kind, now_us=END_US)
                assert live.between(by, key, start_us, stop_us, END_US) == expected
                seen += expected != Counts()
    assert seen > 50
    assert live.untrue() == []


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_is_counted_apart(kind: Kind) -> None:
    facts = day(9, DAY_US)
    live = fresh()
    live.fold(facts)
    for queue in QUEUES:
        expected = counted(facts, "queue", queue, DAY_US - S, END_US, kind=kind)
        if kind is not Kind.CALL:
            expected.refused = 0  # who is not let in is a caller
        expected.waits = {}
        assert live.since(queue, 0, kind) == expected
        assert expected.offered > 0
    alltogether = total(live.since(queue, 0) for queue in QUEUES)
    assert alltogether.offered == sum(isinstance(fact, VisitBegan) for fact in facts)


def test_sums_over_agents_are_those_over_queues_and_teams_are_sums_of_agents() -> None:
    live = fresh()
    live.fold(day(3, DAY_US))
    agents = total(live.between(By.AGENT, agent, 0, END_US) for agent in AGENTS)
    queues = total(live.since(queue, 0) for queue in ("loans", "cards"))
    native = live.since("fallback", 0)
    for name in (
        "talk_us",
        "hold_us",
        "acw_us",
        "handled",
        "offers",
        "offers_timed_out",
        "cards_before_ring",
    ):
        nobodys = getattr(native, name)
        assert getattr(queues, name) <= getattr(agents, name) <= getattr(queues, name) + nobodys
    north = live.team([agent for agent, team in TEAMS.items() if team == "north"], 0, END_US)
    assert north == total(live.between(By.AGENT, agent, 0, END_US) for agent in ("a1", "a2"))


def test_a_day_is_the_sum_of_its_intervals_in_every_time_zone() -> None:
    live = fresh()
    facts = day(5, DAY_US, visits=150, hours=24)
    live.flows.zone = "Asia/Tehran"
    live.fold(facts[:200])
    live.use(plain_site("Pacific/Chatham"))
    live.fold(facts[200:])
    zone = ZoneInfo("Pacific/Chatham")
    for now_us in (DAY_US, DAY_US + 24 * 3600 * S):
        begin_us = day_start_us(now_us, zone)
        end_us = day_start_us(begin_us + 26 * 3600 * S, zone)
        for queue in QUEUES:
            assert live.today(queue, now_us) == live.between(By.QUEUE, queue, begin_us, end_us)
    assert sum(len(days) for days in live.days.values()) == 6


@given(st.integers(0, 10**6), st.integers(0, 400))
def test_a_restart_in_between_changes_no_figure(seed: int, at: int) -> None:
    facts = day(seed, DAY_US, visits=20)
    live = fresh()
    live.fold(facts)
    first = fresh()
    first.fold(facts[:at])
    second = load(dump(first))
    assert second == first
    second.fold(facts[at:])
    assert dump(second) == dump(live)
    assert second.untrue() == []


@given(st.integers(0, 10**6))
def test_who_waits_is_who_was_not_counted_otherwise_at_any_moment(seed: int) -> None:
    live = fresh()
    for fact in day(seed, DAY_US, visits=12):
        live.fold([fact])
        assert live.untrue() == []
        assert all(c.open >= 0 for intervals in live.queues.values() for c in intervals.values())


def test_a_wrong_count_would_be_noticed() -> None:
    live = fresh()
    live.fold(day(1, DAY_US))
    next(iter(live.queues["loans"].values())).answered += 1
    assert len(live.untrue()) == 1


def test_visits_that_are_over_are_forgotten() -> None:
    facts = day(2, DAY_US, visits=80)
    live = fresh()
    live.fold(facts)
    ended = {f.visit for f in facts if isinstance(f, VisitAbandoned | WrapUpOver | VisitCalledBack)}
    assert not ended & live.open.keys()
    assert len(live.open) < 40
    live.fold(VisitBegan(DAY_US, f"x{n}.1", f"x{n}", "loans", 0) for n in range(OPEN_MOST + 5))
    assert len(live.open) == OPEN_MOST


def test_an_offer_that_is_answered_after_all_was_not_lost() -> None:
    live = fresh()
    names = ("c.1", "c", "loans")
    offer = "c.1.1"
    made: list[Fact] = [VisitBegan(DAY_US, *names, 0), OfferMade(DAY_US, offer, *names, "a1", "p", False)]
    lost = OfferEnded(DAY_US + S, offer, *names, "a1", DAY_US, OfferState.TIMED_OUT, None)
    live.fold([*made, lost])
    assert MEASURES["rona_rate"].of is not None
    assert MEASURES["rona_rate"].of(live.since("loans", 0)) == 1.0
    live.fold([OfferEnded(DAY_US + S, offer, *names, "a1", DAY_US, OfferState.ACCEPTED, None)])
    assert MEASURES["rona_rate"].of(live.since("loans", 0)) == 0.0


# ---- agents' times -------------------------------------------------------------------------------------------


def changed(
    at_us: int, status: Status, activity: Activity = Activity.IDLE, reason: str | None = None
) -> AgentChanged:
    return AgentChanged(at_us, "a1", "p", status, reason, activity, at_us, None, None, None)


def test_an_agents_time_is_cut_at_the_edges_of_intervals_and_runs_on_until_now() -> None:
    start_us = DAY_US // INTERVAL_US * INTERVAL_US
    live = fresh()
    live.fold(
        [
            changed(start_us + 800 * S, Status.AVAILABLE),
            changed(start_us + 1000 * S, Status.AVAILABLE, Activity.ON_CALL),
            changed(start_us + 1900 * S, Status.NOT_READY, reason="lunch"),
        ]
    )
    first, second, third = (
        live.between(By.AGENT, "a1", at_us, at_us + INTERVAL_US, start_us + 2000 * S)
        for at_us in range(start_us, start_us + 3 * INTERVAL_US, INTERVAL_US)
    )
    assert (first.idle_us, first.on_call_us) == (100 * S, 0)
    assert (second.idle_us, second.on_call_us) == (100 * S, 800 * S)
    assert (third.on_call_us, third.not_ready_us, third.reasons) == (100 * S, 100 * S, {"lunch": 100 * S})
    whole = live.between(By.AGENT, "a1", start_us, start_us + 3 * INTERVAL_US, start_us + 2000 * S)
    assert whole.logged_in_us == 1200 * S
    assert MEASURES["occupancy"].of is not None
    assert MEASURES["occupancy"].of(whole) == pytest.approx(900 / 1100)


def test_who_is_offline_is_not_here_but_a_talk_is_a_talk() -> None:
    live = fresh()
    live.fold(
        [
            changed(DAY_US, Status.OFFLINE, Activity.ON_CALL),
            changed(DAY_US + 60 * S, Status.OFFLINE),
            changed(DAY_US + 9999 * S, Status.NOT_READY),
        ]
    )
    counts = live.between(By.AGENT, "a1", 0, END_US)
    assert counts.logged_in_us == counts.on_call_us == 60 * S


@given(st.integers(0, 10**12), st.integers(0, 10**10))
def test_the_parts_of_a_time_are_the_whole(begin_us: int, length_us: int) -> None:
    parts = list(cut(begin_us, begin_us + length_us))
    assert sum(stop - begin for _, begin, stop in parts) == length_us
    assert all(start <= begin < stop <= start + INTERVAL_US for start, begin, stop in parts)


# ---- waits by bucket -----------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 3 * 3600 * S), min_size=1, max_size=200), st.sampled_from([1, 50, 90, 99, 100])
)
def test_a_quantile_is_right_to_one_percent(waits_us: list[int], percent: int) -> None:
    counts = Counts(answered=len(waits_us), wait_most_us=max(waits_us))
    for wait_us in waits_us:
        counts.waits[bucket_of(wait_us)] = counts.waits.get(bucket_of(wait_us), 0) + 1
    exact_s = sorted(waits_us)[max(0, -(-percent * len(waits_us) // 100) - 1)] / S
    assert wait_s(counts, percent) == pytest.approx(exact_s, rel=0.01, abs=0.001)


def test_waits_of_a_whole_day_need_few_buckets() -> None:
    chance = Random(1)
    waits_us = [int(chance.expovariate(1 / 40) * S) for _ in range(20_000)]
    buckets = {bucket_of(wait_us) for wait_us in waits_us}
    assert len(buckets) < 800
    counts = Counts(wait_most_us=max(waits_us))
    for wait_us in waits_us:
        counts.waits[bucket_of(wait_us)] = counts.waits.get(bucket_of(wait_us), 0) + 1
    assert wait_s(counts, 90) == pytest.approx(quantiles(waits_us, n=10)[-1] / S, rel=0.01)


def test_folding_costs_next_to_nothing() -> None:
    """The budget is 5 µs a fact; the test only notices if it is far beyond."""
    facts = [fact for seed in range(8) for fact in day(seed, DAY_US, visits=200)]
    live = fresh()
    began = process_time()
    live.fold(facts)
    assert (process_time() - began) / len(facts) < 100e-6
