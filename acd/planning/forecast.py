"""How many calls will come: the average of the same weekday, interval by interval. Pure.

The method, all of it: of the last weeks before the day, take every day of the same weekday that was a usual one (some
call came, and nobody said to leave it out), and average the calls of each interval at the same local time. Lowest and
highest of those days stand beside, so that it is seen how much the days differ. No trend, no season, no correction for
holidays or for callers who were lost and called again: what is special about a day, people must say.

A staffing of each interval then takes it for a steady state of its own: a line left over from the interval before is
not seen, so a sharp rise is planned a little too low.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from acd.planning.erlang import Demand, Figures
from acd.planning.errors import PlanningError
from acd.planning.staffing import Goal, fewest

DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Past:
    """Calls that came to a queue in a moment or interval that began at `at` (aware). `handle_s`: sum over those
    `handled` of them whose handle time is known."""

    at: datetime
    queue: str
    calls: int
    handled: int = 0
    handle_s: float = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """Calls of one interval that begins `minute` minutes after midnight: average, lowest and highest of the days."""

    minute: int
    calls: float
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """`days`: those that were averaged. `handle_s`: their mean handle time; None if it is not known."""

    queue: str
    day: date
    days: tuple[date, ...]
    interval_min: int
    intervals: tuple[Expected, ...]
    handle_s: float | None

    @property
    def calls(self) -> float:
        return sum(each.calls for each in self.intervals)


@dataclass(frozen=True, slots=True)
class Staffed:
    """An interval and who is needed for it; None where no call is expected."""

    expected: Expected
    figures: Figures | None
    scheduled: int


def forecast(
    past: Iterable[Past],
    day: date,
    time_zone: str,
    *,
    interval_min: int = 15,
    weeks: int = 8,
    leave_out: Collection[date] = (),
) -> list[Forecast]:
    """One forecast for each queue that was called, in order of its name.

    Raises PlanningError for an interval that does not divide the day's hours, or when no day can be averaged.
    """
    if interval_min not in (15, 30, 60):
        raise PlanningError(f"Intervals of {interval_min} min are not made; choose 15, 30 or 60.")
    if weeks < 1:
        raise PlanningError(f"{weeks} weeks cannot be averaged; look back 1 or more.")
    zone = ZoneInfo(time_zone)
    wanted = {day - timedelta(weeks=back) for back in range(1, weeks + 1)} - set(leave_out)
    counts: dict[str, dict[date, dict[int, int]]] = {}
    handled: dict[str, tuple[int, float]] = {}
    days: set[date] = set()
    for each in past:
        local = each.at.astimezone(zone)
        if local.date() not in wanted or each.calls == 0:
            continue
        days.add(local.date())
        minute = (local.hour * 60 + local.minute) // interval_min * interval_min
        of_day = counts.setdefault(each.queue, {}).setdefault(local.date(), {})
        of_day[minute] = of_day.get(minute, 0) + each.calls
        number, time_s = handled.get(each.queue, (0, 0.0))
        handled[each.queue] = number + each.handled, time_s + each.handle_s
    if not days:
        raise PlanningError(
            f"There is no call on any {day:%A} in the {weeks} weeks before {day}; give more weeks, or another day."
        )
    averaged = tuple(sorted(days))
    return [
        Forecast(
            queue,
            day,
            averaged,
            interval_min,
            tuple(_expected(minute, counts[queue], averaged) for minute in range(0, DAY_MIN, interval_min)),
            handled[queue][1] / handled[queue][0] if handled[queue][0] else None,
        )
        for queue in sorted(counts)
    ]


def _expected(minute: int, counts: dict[date, dict[int, int]], days: Sequence[date]) -> Expected:
    values = [counts.get(day, {}).get(minute, 0) for day in days]
    return Expected(minute, sum(values) / len(values), min(values), max(values))


def staff_day(found: Forecast, goal: Goal, handle_s: float | None, patience_s: float | None) -> list[Staffed]:
    """The fewest agents for each interval. `handle_s` None: as the past was."""
    used_s = found.handle_s if handle_s is None else handle_s
    if used_s is None:
        raise PlanningError(
            f'The handle time of "{found.queue}" is not in the past calls; give it with --handle-s.'
        )
    plan = []
    for each in found.intervals:
        if each.calls == 0:
            plan.append(Staffed(each, None, 0))
            continue
        figures = fewest(Demand(each.calls * 60 / found.interval_min, used_s, patience_s), goal)
        plan.append(Staffed(each, figures, goal.scheduled(figures.agents)))
    return plan
