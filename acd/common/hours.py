"""Opening hours and holidays: is a place open at an instant, and when does that change?

Pure: the instant is handed in, always aware; only the time zone's table and the calendar of holidays are
looked up. Days are written Gregorian (2026-12-01) or Jalali (1405-09-10); a year below 1700 is Jalali.
Lunar holidays are announced by sight and the calendar may be a day off, so an operator adds and removes days.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate
from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator

from acd.common.document import wrong
from acd.common.text import ascii_digits

Weekday = Literal["sat", "sun", "mon", "tue", "wed", "thu", "fri"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})\Z")
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})\Z")
_DAY_MINUTES = 24 * 60
_LOOK_AHEAD_DAYS = 400


def parse_day(written: str) -> date:
    """2026-12-01, 1405-09-10 or ۱۴۰۵/۰۹/۱۰ as a date. Raises ValueError for what is no day."""
    found = _DAY.match(ascii_digits(written.strip()))
    if found is None:
        raise ValueError(f"{written!r} is not a day")
    year, month, day = (int(part) for part in found.groups())
    if year >= 1700:
        return date(year, month, day)
    gregorian: date = JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]
    return gregorian


def jalali(day: date) -> str:
    """The day as 1405-09-10."""
    return str(JalaliDate(day).strftime("%Y-%m-%d", locale="en"))  # type: ignore[no-untyped-call]


def _read_day(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_day(value)
    except ValueError:
        raise wrong(f'"{value[:40]}" is not a day', "write it as 2026-12-01 or 1405-09-10") from None


def _read_span(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = re.sub(r"\s*[-–—]\s*", "-", ascii_digits(value.strip()))
    found = _SPAN.match(text)
    numbers = [int(part) for part in found.groups()] if found else []
    if not numbers or numbers[1] > 59 or numbers[3] > 59 or numbers[0] > 23:
        raise wrong(f'"{value[:40]}" is not a span of hours', "write it as 08:00-17:00")
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if end > _DAY_MINUTES or start == end:
        raise wrong(
            f'"{value[:40]}" is not a span of hours', "write it as 08:00-17:00, all day as 00:00-24:00"
        )
    return f"{numbers[0]:02}:{numbers[1]:02}-{numbers[2]:02}:{numbers[3]:02}"


Day = Annotated[date, BeforeValidator(_read_day)]
Span = Annotated[str, BeforeValidator(_read_span)]
"""`08:00-17:00`; one that ends before it begins (`22:00-02:00`) runs past midnight."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Holidays(_Model):
    """The days off of a site: its country's calendar, with days added and removed by the operator."""

    calendar: bool = True
    add: tuple[Day, ...] = ()
    remove: tuple[Day, ...] = ()


class Hours(_Model):
    """When a place is open. A day in `special` has those spans whatever else holds (none: closed)."""

    weekly: dict[Weekday, tuple[Span, ...]]
    closed_on_holidays: bool = True
    special: dict[Day, tuple[Span, ...]] = {}

    @field_validator("special", mode="before")
    @classmethod
    def _each_day_once(cls, value: object) -> object:
        """Two calendars can name one day twice, which a dict of dates would hide."""
        if isinstance(value, dict):
            days = [_read_day(key) for key in value]
            twice = next((day for day in days if days.count(day) > 1), None)
            if twice is not None:
                raise wrong(
                    f"the day {twice} stands here twice, once in each calendar", "keep one of the two"
                )
        return value


@lru_cache(maxsize=64)
def _calendar(country: str, year: int) -> frozenset[date]:
    import holidays as calendars  # here, since it takes 0.1 s and only holidays need it

    return frozenset(calendars.country_holidays(country, years=year).keys())


def knows_country(country: str) -> bool:
    """Whether there is a calendar of holidays for this country (ISO 3166, as "IR").

    Loads it (0.3 s the first time), so that a site that was read asks it without delay while callers wait.
    """
    import holidays as calendars

    if len(country) != 2 or country not in calendars.list_supported_countries():
        return False
    _calendar(country, 2026)
    return True


def is_holiday(day: date, rule: Holidays, country: str) -> bool:
    if day in rule.add:
        return True
    if day in rule.remove or not rule.calendar:
        return False
    return day in _calendar(country, day.year)


def is_open(hours: Hours, at: datetime, time_zone: str, holidays: Holidays, country: str = "IR") -> bool:
    """Whether `hours` are open at the aware instant `at`, in the time zone named by `time_zone`."""
    local = _aware(at).astimezone(ZoneInfo(time_zone)).replace(tzinfo=None)
    return any(start <= local < end for start, end in _spans_near(hours, local.date(), holidays, country))


def next_change(
    hours: Hours, at: datetime, time_zone: str, holidays: Holidays, country: str = "IR"
) -> datetime | None:
    """The first instant after `at` when open becomes closed or closed open; None if not within 400 days."""
    zone = ZoneInfo(time_zone)
    at = _aware(at).astimezone(zone)
    now_open = is_open(hours, at, time_zone, holidays, country)
    for ahead in range(_LOOK_AHEAD_DAYS):
        day = at.date() + timedelta(days=ahead)
        edges = {edge for span in _spans_near(hours, day, holidays, country) for edge in span}
        for edge in sorted(edges):
            instant = edge.replace(tzinfo=zone).astimezone(_utc())
            if instant > at and is_open(hours, instant, time_zone, holidays, country) != now_open:
                return instant
    return None


def _utc() -> ZoneInfo:
    return ZoneInfo("UTC")


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone; give an aware datetime")
    return at


def _spans_near(hours: Hours, day: date, rule: Holidays, country: str) -> list[tuple[datetime, datetime]]:
    """The local spans that begin on this day or the day before (they may run past midnight)."""
    found: list[tuple[datetime, datetime]] = []
    for begins in (day - timedelta(days=1), day):
        midnight = datetime(begins.year, begins.month, begins.day)
        for span in _spans_on(hours, begins, rule, country):
            start, end = _minutes(span)
            long_end = end if end > start else end + _DAY_MINUTES
            found.append((midnight + timedelta(minutes=start), midnight + timedelta(minutes=long_end)))
    return found


def _spans_on(hours: Hours, day: date, rule: Holidays, country: str) -> tuple[str, ...]:
    if day in hours.special:
        return hours.special[day]
    if hours.closed_on_holidays and is_holiday(day, rule, country):
        return ()
    return hours.weekly.get(_WEEKDAYS[day.weekday()], ())


@lru_cache(maxsize=512)
def _minutes(span: str) -> tuple[int, int]:
    start, end = span.split("-")
    return int(start[:2]) * 60 + int(start[3:]), int(end[:2]) * 60 + int(end[3:])
