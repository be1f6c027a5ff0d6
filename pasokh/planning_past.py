"""Past calls for a forecast: from a CSV, or counted in the center's own records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from acd.planning.errors import PlanningError
from acd.planning.files import read_past
from acd.planning.forecast import Past
from acd.types import US_PER_S

if TYPE_CHECKING:
    from acd.site import Site
    from pasokh.settings import Settings


@dataclass(frozen=True, slots=True)
class Records:
    """`names`: what queues are called, by language."""

    past: Sequence[Past]
    day: date
    time_zone: str
    is_holiday: Callable[[date], bool]
    names: Callable[[str], Mapping[str, str]]


def days_before(day: date, weeks: int) -> list[date]:
    """The same weekday of so many weeks before."""
    return [day - timedelta(weeks=back) for back in range(1, weeks + 1)]


def past_of_csv(path: Path, time_zone: str, day: date | None) -> Records:
    past = read_past(path, time_zone)
    if not any(each.calls for each in past):
        raise PlanningError(f"{path}: there is no call in the file; give it past calls, one a line.")
    zone = ZoneInfo(time_zone)
    days = {each.at.astimezone(zone).date() for each in past if each.calls}
    return Records(past, day or _next_open(days), time_zone, lambda _: False, lambda _: {})


def _next_open(days: Collection[date]) -> date:
    """The first day after all of them that has the weekday of one of them."""
    weekdays = {day.weekday() for day in days}
    later = (max(days) + timedelta(days=on) for on in range(1, 8))
    return next(day for day in later if day.weekday() in weekdays)


def past_of_records(config: Path, day: date | None, weeks: int) -> Records:
    """The interval counts of the database, with the holidays of center.yaml. Without a day it is tomorrow."""
    from acd.common.hours import is_holiday
    from acd.site import load_site
    from pasokh.documents import read_document
    from pasokh.settings import load_settings

    settings = load_settings(config)
    site = load_site(read_document(settings.site), str(settings.site))
    zone = ZoneInfo(site.time_zone)
    wanted = day or datetime.now(zone).date() + timedelta(days=1)
    past = asyncio.run(_counts(settings, zone, days_before(wanted, weeks)))
    return Records(
        past,
        wanted,
        site.time_zone,
        lambda each: is_holiday(each, site.holidays, site.country),
        lambda language: _names(site, language),
    )


def _names(site: Site, language: str) -> dict[str, str]:
    return {name: queue.label.text(language) for name, queue in site.queues.items()}


async def _counts(settings: Settings, zone: ZoneInfo, days: Sequence[date]) -> list[Past]:
    from acd.store.counting import interval_report
    from pasokh.tables import opened_checked

    past = []
    async with opened_checked(settings) as database:
        for day in days:
            begin = datetime.combine(day, time(), zone)
            end = datetime.combine(day + timedelta(days=1), time(), zone)
            for each in await interval_report(database.reporting, begin, end, {}):
                counts = each.counts
                handle_us = counts.talk_us + counts.hold_us + counts.acw_us
                past.append(
                    Past(each.began_at, each.queue, counts.offered, counts.handled, handle_us / US_PER_S)
                )
    return past
