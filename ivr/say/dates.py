"""Days by name: Jalali in Persian and Gregorian in English, and each calendar in the other language.

«اولِ آذرِ هزار و چهارصد و پنج»; "the twenty second of November twenty twenty six". The day of a month is one
phrase with its ordinal and its link, since there are only thirty-one. English reads a year by pairs, as people
do.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from persiantools.jdatetime import JalaliDate

from acd.common.hours import parse_day
from acd.common.text import ascii_digits
from ivr.phrase import Phrase
from ivr.say.numbers import digit, number, ordinal
from ivr.say.words import KASRA, all_words, spell, spoken, word

FIXED = {"year-oh": {"en": "oh"}, "number-100": {"en": "hundred"}}
_MONTHS = {
    ("jalali", "fa"): "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند",
    ("jalali", "en"): "Farvardin Ordibehesht Khordad Tir Mordad Shahrivar Mehr Aban Azar Dey Bahman Esfand",
    ("gregorian", "fa"): "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر",
    ("gregorian", "en"): (
        "January February March April May June July August September October November December"
    ),
}
_ISO_TIME = re.compile(r"[T ].*\Z", re.DOTALL)


def jalali_date(day: date, language: str) -> tuple[Phrase, ...]:
    """The day in the Iranian calendar. Raises ValueError for a day outside of it."""
    there = JalaliDate(day)  # type: ignore[no-untyped-call]
    return _date("jalali", there.year, there.month, there.day, language)


def gregorian_date(day: date, language: str) -> tuple[Phrase, ...]:
    """The day in the Gregorian calendar."""
    return _date("gregorian", day.year, day.month, day.day, language)


def written_date(
    written: str, language: str, calendar: Literal["jalali", "gregorian", ""] = ""
) -> tuple[Phrase, ...]:
    """A day as a flow holds it (`2026-11-22`, `1405/09/01`, or an ISO instant, of which the day counts), by
    default in the calendar of the language. Raises ValueError for what is no day."""
    day = parse_day(_ISO_TIME.sub("", ascii_digits(written.strip())))
    in_jalali = (calendar or ("jalali" if language == "fa" else "gregorian")) == "jalali"
    return jalali_date(day, language) if in_jalali else gregorian_date(day, language)


def _date(calendar: str, year: int, month: int, day: int, language: str) -> tuple[Phrase, ...]:
    said = number(year, language) if language == "fa" else _english_year(year)
    return (_day(day, language), _month(calendar, month, language), *said)


def _day(day: int, language: str) -> Phrase:
    text = spell(ordinal(day, language))
    linked = f"{text}{KASRA}" if language == "fa" else f"the {text} of"
    return Phrase(spoken(language), linked, f"day-{day}")


def _month(calendar: str, month: int, language: str) -> Phrase:
    language = spoken(language)
    name = _MONTHS[calendar, language].split()[month - 1]
    if language == "fa":
        name += "\u0654" if name.endswith("ه") and name != "مه" else KASRA
    return Phrase(language, name, f"month-{calendar}-{month}")


def _english_year(year: int) -> tuple[Phrase, ...]:
    century, rest = divmod(year, 100)
    if year < 1000 or year % 1000 < 10:
        return number(year, "en")
    if not rest:
        return (*number(century, "en"), word(FIXED, "number-100", "en"))
    if rest < 10:
        return (*number(century, "en"), word(FIXED, "year-oh", "en"), digit(str(rest), "en"))
    return (*number(century, "en"), *number(rest, "en"))


def every_part(language: str) -> frozenset[Phrase]:
    """Every phrase that days need beside the numbers of their years."""
    days = [_day(day, language) for day in range(1, 32)]
    months = [_month(calendar, m, language) for calendar in ("jalali", "gregorian") for m in range(1, 13)]
    return frozenset([*days, *months, *all_words(FIXED, language)])
