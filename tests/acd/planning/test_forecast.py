"""A forecast is the plain average it says it is, and says of which days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from acd.planning.erlang import Demand
from acd.planning.errors import InputError, PlanningError
from acd.planning.files import parse_past
from acd.planning.forecast import Past, forecast, staff_day
from acd.planning.staffing import Goal, fewest

TEHRAN = ZoneInfo("Asia/Tehran")
DAY = date(2026, 11, 28)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=TEHRAN)


def week(back: int) -> date:
    return DAY - timedelta(weeks=back)


def test_calls_are_averaged_over_the_days_of_the_same_weekday() -> None:
    past = [
        Past(at(week(1), 9, 10), "loans", 4, 4, 800),
        Past(at(week(1), 9, 20), "loans", 2, 1, 100),
        Past(at(week(2), 9, 29), "loans", 12),
        Past(at(week(2), 9, 30), "loans", 1),
        Past(at(week(1) + timedelta(days=1), 9), "loans", 100),  # another weekday
        Past(at(week(9), 9), "loans", 100),  # too long ago
        Past(at(DAY, 9), "loans", 100),  # the day itself
        Past(at(week(3), 9), "loans", 0),  # a day without any call is no usual one
        Past(at(week(4), 9), "loans", 100),  # left out by hand
        Past(at(week(2), 10), "cards", 3),
    ]
    cards, loans = forecast(past, DAY, "Asia/Tehran", interval_min=30, leave_out=[week(4)])
    assert (cards.queue, loans.queue) == ("cards", "loans")
    assert loans.days == cards.days == (week(2), week(1))
    found = {each.minute: (each.calls, each.least, each.most) for each in loans.intervals if each.calls}
    assert found == {9 * 60: (9, 6, 12), 9 * 60 + 30: (0.5, 0, 1)}
    assert [each.calls for each in cards.intervals if each.calls] == [1.5]
    assert (loans.handle_s, cards.handle_s) == (180, None)
    assert (len(loans.intervals), loans.calls) == (48, 9.5)


def test_the_local_clock_counts_not_utc() -> None:
    """23:45 UTC on Friday is Saturday morning in Tehran."""
    friday = datetime.combine(week(1) - timedelta(days=1), datetime.min.time(), UTC) + timedelta(
        hours=23, minutes=45
    )
    (found,) = forecast([Past(friday, "q", 5)], DAY, "Asia/Tehran", interval_min=15)
    assert [(each.minute, each.calls) for each in found.intervals if each.calls] == [(3 * 60 + 15, 5)]


def test_each_interval_is_staffed_by_itself() -> None:
    (found,) = forecast([Past(at(week(1), 9), "q", 126, 126, 126 * 120)], DAY, "Asia/Tehran", interval_min=30)
    plan = staff_day(found, Goal(0.9, 20, 0.3), None, 60)
    (busy,) = [each for each in plan if each.figures is not None]
    assert busy.figures is not None
    assert (busy.expected.minute, busy.figures.agents, busy.scheduled) == (9 * 60, 11, 16)
    assert sum(each.scheduled for each in plan) == 16
    slower = [each.figures for each in staff_day(found, Goal(0.9), 240, 60) if each.figures]
    assert slower == [fewest(Demand(252, 240, 60), Goal(0.9))]


def test_what_cannot_be_forecast_is_said() -> None:
    past = [Past(at(week(1), 9), "q", 1)]
    with pytest.raises(PlanningError, match="no call on any Sunday in the 8 weeks before 2026-11-29"):
        forecast(past, DAY + timedelta(days=1), "Asia/Tehran")
    with pytest.raises(PlanningError, match="Intervals of 20 min"):
        forecast(past, DAY, "Asia/Tehran", interval_min=20)
    with pytest.raises(PlanningError, match="0 weeks"):
        forecast(past, DAY, "Asia/Tehran", weeks=0)
    (found,) = forecast(past, DAY, "Asia/Tehran")
    with pytest.raises(PlanningError, match='handle time of "q"'):
        staff_day(found, Goal(0.8), None, None)


def test_past_calls_are_read_one_by_one_or_counted() -> None:
    text = "began_at,queue,calls,handle_s\n2026-11-21T09:00,وام,3,120\n2026-11-21T06:00:00Z,,,\n"
    assert parse_past(text, "p.csv", "Asia/Tehran") == [
        Past(at(date(2026, 11, 21), 9), "وام", 3, 3, 360),
        Past(datetime(2026, 11, 21, 6, tzinfo=UTC), "all", 1),
    ]
    assert parse_past("began_at\n2026-11-21 09:00\n", "p.csv", "UTC")[0].calls == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("day\n", "p.csv:1: the header has no column began_at"),
        ("began_at,calls\nyesterday,1\n", 'p.csv:2: began_at is "yesterday", which is no time'),
        ("began_at,calls\n2026-11-21,1.5\n", "p.csv:2: calls is 1.5, which is not a whole number"),
        ("began_at,calls\n2026-11-21,-1\n", "less than 0"),
        ("calls,began_at\n1\n", "only 1 fields"),
    ],
)
def test_past_calls_that_cannot_be_used_are_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        parse_past(text, "p.csv", "Asia/Tehran")
    with pytest.raises(PlanningError, match='"Tehran" is not a time zone'):
        parse_past(text, "p.csv", "Tehran")
