"""Times of day and durations.

A time is said by twelve hours with the part of the day, «ساعت ده و بیست دقیقهٔ صبح», "ten twenty a.m."; the half
hour has its own word in Persian («ده و نیم»). Seconds are left out.

A duration is said roughly, since it is an estimate or need not be exact: by minutes up to an hour, by five
minutes up to a day, then by days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from acd.common.text import ascii_digits
from ivr.phrase import Phrase
from ivr.say.numbers import LARGEST, digit, number
from ivr.say.words import KASRA, Texts, all_words, spoken, word

_FA_HOURS = ("یک", "دو", "سه", "چهار", "پنج", "شش", "هفت", "هشت", "نه", "ده", "یازده", "دوازده")
_FA_LINKED = {"دو": "دوی", "سه": "سهٔ"}

FIXED: Mapping[str, Texts] = {
    "time-at": {"fa": f"ساعت{KASRA}"},
    **{f"hour-{n}": {"fa": _FA_LINKED.get(text, text + KASRA)} for n, text in enumerate(_FA_HOURS, 1)},
    **{f"hour-{n}-va": {"fa": f"{text} و"} for n, text in enumerate(_FA_HOURS, 1)},
    "time-half": {"fa": f"نیم{KASRA}"},
    "time-minutes": {"fa": "دقیقهٔ"},
    "time-midnight": {"fa": "نیمه\u200cشب", "en": "midnight"},
    "time-before-dawn": {"fa": "بامداد"},
    "time-morning": {"fa": "صبح"},
    "time-noon": {"fa": "ظهر", "en": "noon"},
    "time-afternoon": {"fa": "بعدازظهر"},
    "time-evening": {"fa": "عصر"},
    "time-night": {"fa": "شب"},
    "time-twelve": {"en": "twelve"},
    "time-oh": {"en": "oh"},
    "time-am": {"en": "a.m."},
    "time-pm": {"en": "p.m."},
    "duration-about": {"fa": f"حدود{KASRA}", "en": "about"},
    "duration-under-minute": {"fa": "کمتر از یک دقیقه", "en": "less than a minute"},
    "unit-minute": {"fa": "دقیقه", "en": "minute"},
    "unit-minutes": {"en": "minutes"},
    "unit-hour": {"fa": "ساعت", "en": "hour"},
    "unit-hour-va": {"fa": "ساعت و"},
    "unit-hours": {"en": "hours"},
    "duration-and": {"en": "and"},
    "unit-day": {"fa": "روز", "en": "day"},
    "unit-days": {"en": "days"},
}
_FA_PARTS = (  # from this hour on
    (20, "time-night"),
    (17, "time-evening"),
    (13, "time-afternoon"),
    (12, "time-noon"),
    (5, "time-morning"),
    (1, "time-before-dawn"),
    (0, "time-midnight"),
)
_TIME = re.compile(
    r"(?:.{8,10}[T ])?([0-9]{1,2}):([0-9]{2})(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(Z|[-+][0-9:]{4,6})?\Z"
)
_SECONDS = re.compile(r"([0-9]{1,16})(?:\.[0-9]{1,9})?\Z")


def time_of_day(hour: int, minute: int, language: str) -> tuple[Phrase, ...]:
    """A time by the 24-hour clock, 0:00 to 24:00, else ValueError."""
    if not 0 <= hour * 60 + minute <= 24 * 60 or not 0 <= minute < 60 or hour < 0:
        raise ValueError(f"{hour}:{minute} is no time of day.")
    if language == "fa":
        return _persian_time(hour % 24, minute)
    return _english_time(hour % 24, minute)


def duration(length_s: int, language: str) -> tuple[Phrase, ...]:
    """About how long: «حدودِ سه دقیقه». From 0 s up, else ValueError."""
    if not 0 <= length_s <= LARGEST:
        raise ValueError("A duration is from 0 seconds up.")
    if length_s < 60:
        return (word(FIXED, "duration-under-minute", language),)
    return (word(FIXED, "duration-about", language), *_rounded(length_s, language))


def written_time(written: str, language: str) -> tuple[Phrase, ...]:
    """A time as a flow holds it: `10:20`, `10:20:05`, or an ISO instant, of which the time counts as it
    stands. Raises ValueError for what is no time."""
    found = _TIME.match(ascii_digits(written.strip()))
    if found is None:
        raise ValueError("This is no time of day; write it as 10:20.")
    return time_of_day(int(found[1]), int(found[2]), language)


def written_duration(written: str, language: str) -> tuple[Phrase, ...]:
    """A duration in seconds, as a flow holds it. Raises ValueError for what is none."""
    found = _SECONDS.match(ascii_digits(written.strip()))
    if found is None:
        raise ValueError("This is no duration; write it in seconds.")
    return duration(int(found[1]), language)


def _persian_time(hour: int, minute: int) -> tuple[Phrase, ...]:
    part = _fa(next(key for first, key in _FA_PARTS if hour >= first))
    at, twelfth = _fa("time-at"), (hour - 1) % 12 + 1
    if not minute:
        return (at, _fa(f"hour-{twelfth}"), part)
    if minute == 30:
        return (at, _fa(f"hour-{twelfth}-va"), _fa("time-half"), part)
    return (at, _fa(f"hour-{twelfth}-va"), *number(minute, "fa"), _fa("time-minutes"), part)


def _english_time(hour: int, minute: int) -> tuple[Phrase, ...]:
    if not minute and hour in (0, 12):
        key = "time-noon" if hour else "time-midnight"
        return (word(FIXED, "time-twelve", "en"), word(FIXED, key, "en"))
    half = word(FIXED, "time-pm" if hour >= 12 else "time-am", "en")
    said = number((hour - 1) % 12 + 1, "en")
    if 0 < minute < 10:
        return (*said, word(FIXED, "time-oh", "en"), digit(str(minute), "en"), half)
    return (*said, *(number(minute, "en") if minute else ()), half)


def _rounded(length_s: int, language: str) -> tuple[Phrase, ...]:
    minutes = (length_s + 30) // 60
    if minutes < 60:
        return _count(minutes, "minute", language)
    minutes = (minutes + 2) // 5 * 5
    if minutes >= 24 * 60:
        return _count((minutes + 12 * 60) // (24 * 60), "day", language)
    hours, minutes = divmod(minutes, 60)
    said = _count(hours, "hour", language)
    if not minutes:
        return said
    rest = _count(minutes, "minute", language)
    if language == "fa":
        return (*said[:-1], _fa("unit-hour-va"), *rest)
    return (*said, word(FIXED, "duration-and", "en"), *rest)


def _count(count: int, unit: str, language: str) -> tuple[Phrase, ...]:
    many = spoken(language) == "en" and count != 1
    return (*number(count, language), word(FIXED, f"unit-{unit}s" if many else f"unit-{unit}", language))


def _fa(key: str) -> Phrase:
    return word(FIXED, key, "fa")


def every_part(language: str) -> frozenset[Phrase]:
    """Every phrase that times and durations need beside their numbers."""
    return frozenset(all_words(FIXED, language))
