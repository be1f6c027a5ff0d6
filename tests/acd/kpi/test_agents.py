"""An agent's own day, folded from facts."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from acd.facts import Fact, OfferEnded, TalkOver, VisitAnswered, WrapUpOver
from acd.kpi.agents import DAYS_KEPT, AgentCounts, AgentDays
from acd.types import US_PER_S, EndedBy, OfferState, RingFailure

TEHRAN = ZoneInfo("Asia/Tehran")
LATE_US = int(datetime(2026, 11, 22, 23, 59, 50, tzinfo=TEHRAN).timestamp()) * US_PER_S
MIDNIGHT_US = LATE_US + 10 * US_PER_S


def answered(at_us: int, agent: str | None = "sara") -> Fact:
    return VisitAnswered(at_us, "c.1", "c", "sales", at_us, agent, "c.1.1", 0)


def talked(at_us: int, talk_s: int, hold_s: int = 0, agent: str | None = "sara") -> Fact:
    return TalkOver(
        at_us, "c.1", "c", "sales", at_us, agent, talk_s * US_PER_S, hold_s * US_PER_S, EndedBy.CALLER
    )


def wrote_up(at_us: int, acw_s: int) -> Fact:
    return WrapUpOver(at_us, "c.1", "c", "sales", at_us, "sara", acw_s * US_PER_S)


def ended(at_us: int, state: OfferState, why: RingFailure | None = None) -> Fact:
    return OfferEnded(at_us, "c.1.1", "c.1", "c", "sales", "sara", at_us, state, why)


def days(*some: Fact) -> AgentDays:
    made = AgentDays(TEHRAN, 0)
    made.fold(some)
    return made


def test_means_are_of_the_calls_that_have_ended() -> None:
    at_us = MIDNIGHT_US
    sara = days(
        answered(at_us),
        answered(at_us + 1),
        answered(at_us + 2),
        talked(at_us + 3, 60, hold_s=20),
        wrote_up(at_us + 4, 30),
        talked(at_us + 5, 30),
    ).of("sara", at_us)
    assert (sara.answered, sara.handled) == (3, 2)
    assert (sara.talk_s, sara.acw_s, sara.aht_s) == (45.0, 15.0, 70.0)


def test_a_day_without_calls_has_no_means() -> None:
    nothing = days().of("sara", MIDNIGHT_US)
    assert nothing == AgentCounts()
    assert (nothing.talk_s, nothing.acw_s, nothing.aht_s) == (None, None, None)


def test_a_ring_counts_against_the_agent_only_if_they_let_it_pass() -> None:
    at_us = MIDNIGHT_US
    sara = days(
        ended(at_us, OfferState.TIMED_OUT, RingFailure.NO_ANSWER),
        ended(at_us, OfferState.REJECTED, RingFailure.REJECTED),
        ended(at_us, OfferState.CANCELLED),
        ended(at_us, OfferState.RESCINDED),
        ended(at_us, OfferState.FAILED, RingFailure.UNREACHABLE),
        ended(at_us, OfferState.ACCEPTED),
    ).of("sara", at_us)
    assert (sara.missed, sara.rejected, sara.answered) == (1, 1, 0)


def test_a_day_is_the_sites_day() -> None:
    made = days(answered(LATE_US), talked(MIDNIGHT_US, 12))
    assert (made.of("sara", LATE_US).answered, made.of("sara", LATE_US).handled) == (1, 0)
    assert (made.of("sara", MIDNIGHT_US).answered, made.of("sara", MIDNIGHT_US).handled) == (0, 1)


def test_nobodys_call_is_nobodys() -> None:
    made = days(answered(LATE_US, None), talked(LATE_US, 5, agent=None))
    assert made.days == {}


def test_old_days_are_dropped_and_a_late_fact_of_yesterday_still_counts() -> None:
    day_us = 24 * 3600 * US_PER_S
    made = days(*(answered(MIDNIGHT_US + number * day_us) for number in range(5)))
    assert len(made.days["sara"]) == DAYS_KEPT
    made.fold([answered(MIDNIGHT_US + 3 * day_us), answered(MIDNIGHT_US)])
    assert made.of("sara", MIDNIGHT_US + 3 * day_us).answered == 2
    assert len(made.days["sara"]) == DAYS_KEPT
