"""Open or closed at an instant, in the site's own time and calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from acd.common.hours import Holidays, Hours, is_holiday, is_open, jalali, next_change, parse_day

TEHRAN = "Asia/Tehran"
OFFICE = Hours(
    weekly={
        "sat": ("08:00-12:00", "13:00-17:00"),
        "sun": ("08:00-17:00",),
        "mon": ("08:00-17:00",),
        "tue": ("08:00-17:00",),
        "wed": ("08:00-17:00",),
        "thu": ("08:00-13:00",),
    }
)
NIGHT = Hours(weekly={"wed": ("22:00-02:00",)}, closed_on_holidays=False)
ALWAYS = Hours(
    weekly=dict.fromkeys(("sat", "sun", "mon", "tue", "wed", "thu", "fri"), ("00:00-24:00",)),
    closed_on_holidays=False,
)
NO_HOLIDAYS = Holidays(calendar=False)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at_utc", "expected"),
    [
        ("2026-11-28 04:29:59", False),  # Saturday, a second before eight in Tehran
        ("2026-11-28 04:30:00", True),
        ("2026-11-28 08:29:59", True),
        ("2026-11-28 08:30:00", False),  # noon pause
        ("2026-11-28 09:30:00", True),
        ("2026-11-28 13:30:00", False),
        ("2026-11-26 09:29:59", True),  # Thursday, half a day
        ("2026-11-26 09:30:00", False),
        ("2026-11-27 08:00:00", False),  # Friday
        ("2022-07-02 03:30:00", True),  # Saturday in the last summer with daylight saving: +04:30
        ("2023-07-01 03:30:00", False),  # none any more: +03:30
    ],
)
def test_a_week_in_tehran(at_utc: str, expected: bool) -> None:
    assert is_open(OFFICE, utc(at_utc), TEHRAN, NO_HOLIDAYS) is expected


def test_hours_that_run_past_midnight_belong_to_the_evening_before() -> None:
    assert is_open(NIGHT, utc("2026-11-25 18:30"), TEHRAN, NO_HOLIDAYS)  # Wednesday 22:00
    assert is_open(NIGHT, utc("2026-11-25 22:29"), TEHRAN, NO_HOLIDAYS)  # Thursday 01:59
    assert not is_open(NIGHT, utc("2026-11-25 22:30"), TEHRAN, NO_HOLIDAYS)


def test_holidays_close_and_an_operator_has_the_last_word() -> None:
    nowruz = utc("2026-03-21 08:00")  # a Saturday, 1 Farvardin 1405
    assert not is_open(OFFICE, nowruz, TEHRAN, Holidays())
    assert is_open(OFFICE, nowruz, TEHRAN, Holidays(remove=(date(2026, 3, 21),)))
    assert is_open(OFFICE, nowruz, TEHRAN, NO_HOLIDAYS)
    plain = utc("2026-11-28 05:00")
    assert not is_open(OFFICE, plain, TEHRAN, Holidays(add=(date(2026, 11, 28),)))
    assert is_open(ALWAYS, nowruz, TEHRAN, Holidays())


def test_a_special_day_has_its_own_hours() -> None:
    hours = Hours.model_validate(
        {"weekly": {"sat": ["08:00-17:00"]}, "special": {"1405-01-01": ["10:00-11:00"], "2026-11-28": []}}
    )
    assert is_open(hours, utc("2026-03-21 07:00"), TEHRAN, Holidays())  # 10:30 on a holiday
    assert not is_open(hours, utc("2026-11-28 07:00"), TEHRAN, Holidays())


def test_one_day_in_both_calendars_is_told() -> None:
    with pytest.raises(ValidationError, match="stands here twice"):
        Hours.model_validate({"weekly": {}, "special": {"1405-09-10": [], "2026-12-01": ["08:00-09:00"]}})


def test_persian_holidays_of_a_year() -> None:
    for day in ("1405-01-01", "1405-01-13", "1405-03-14", "1405-11-22", "1405-12-29"):
        assert is_holiday(parse_day(day), Holidays(), "IR"), day
    assert not is_holiday(parse_day("1405-09-10"), Holidays(), "IR")


@pytest.mark.parametrize(
    ("at_utc", "changes"),
    [
        ("2026-11-28 04:00", "2026-11-28 04:30"),  # opens at eight
        ("2026-11-28 04:30", "2026-11-28 08:30"),  # noon
        ("2026-11-28 08:30", "2026-11-28 09:30"),
        ("2026-11-26 09:30", "2026-11-28 04:30"),  # from Thursday noon to Saturday
    ],
)
def test_the_next_change(at_utc: str, changes: str) -> None:
    assert next_change(OFFICE, utc(at_utc), TEHRAN, NO_HOLIDAYS) == utc(changes)


def test_what_never_changes_has_no_next_change() -> None:
    assert next_change(ALWAYS, utc("2026-11-28 04:00"), TEHRAN, Holidays()) is None
    assert next_change(Hours(weekly={}), utc("2026-11-28 04:00"), TEHRAN, Holidays()) is None


@given(st.datetimes(min_value=datetime(2021, 1, 1), max_value=datetime(2027, 12, 1)))
def test_open_or_closed_stays_until_the_next_change_and_then_turns(at: datetime) -> None:
    at = at.replace(tzinfo=UTC)
    change = next_change(OFFICE, at, TEHRAN, Holidays())
    assert change is not None
    now_open = is_open(OFFICE, at, TEHRAN, Holidays())
    assert is_open(OFFICE, change - timedelta(microseconds=1), TEHRAN, Holidays()) == now_open
    assert is_open(OFFICE, at + (change - at) / 2, TEHRAN, Holidays()) == now_open
    assert is_open(OFFICE, change, TEHRAN, Holidays()) != now_open


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", TEHRAN])
def test_the_night_when_clocks_go_back_or_forward_keeps_the_rule(zone: str) -> None:
    at = utc("2026-03-01 00:00")
    seen = 0
    while (change := next_change(NIGHT, at, zone, NO_HOLIDAYS)) is not None and change < utc(
        "2026-12-01 00:00"
    ):
        assert is_open(NIGHT, change, zone, NO_HOLIDAYS) != is_open(NIGHT, at, zone, NO_HOLIDAYS)
        at, seen = change, seen + 1
    assert seen in (78, 79)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        is_open(OFFICE, datetime(2026, 11, 28), TEHRAN, Holidays())


@pytest.mark.parametrize("written", ["1405-09-10", "1405/9/10", "۱۴۰۵/۰۹/۱۰", "2026-12-01"])
def test_a_day_is_read_in_both_calendars(written: str) -> None:
    assert parse_day(written) == date(2026, 12, 1)
    assert jalali(date(2026, 12, 1)) == "1405-09-10"


@pytest.mark.parametrize("written", ["1405-13-01", "1405-12-31", "2026-02-30", "tomorrow", "0000-00-00", ""])
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_day(written)


@given(st.dates(min_value=date(1925, 3, 22), max_value=date(2089, 3, 19)))
def test_every_day_survives_the_other_calendar(day: date) -> None:
    assert parse_day(jalali(day)) == day


@pytest.mark.parametrize(
    "span", ["8 to 5", "08:00-08:00", "25:00-26:00", "08:60-09:00", "08:00-24:01", "", 8]
)
def test_what_is_no_span_is_refused(span: object) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate({"weekly": {"sat": [span]}})


@pytest.mark.parametrize("span", ["8:00 - 17:00", "08:00–17:00", "۰۸:۰۰-۱۷:۰۰"])
def test_a_span_is_read_in_all_its_writings(span: str) -> None:
    assert Hours.model_validate({"weekly": {"sat": [span]}}).weekly["sat"] == ("08:00-17:00",)
