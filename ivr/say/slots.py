"""Values that a flow fills in while a call runs, as phrases: `{balance:money}` is `speak("money", value, …)`.

`speak` is used in a call and therefore never raises: what cannot be said as meant is said to be unknown, since
a caller who hears a wrong amount is worse off than one who hears none. `check_slot` is used when a flow is
loaded and raises InvalidSlot with a sentence, which never repeats the value: it may be a customer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from acd.common.text import ascii_digits
from ivr.phrase import Phrase
from ivr.say import amounts, clock, dates, digit_groups, numbers
from ivr.say.errors import InvalidSlot
from ivr.say.words import word

FIXED = {"unknown": {"fa": "نامشخص", "en": "unknown"}}
LONGEST_VALUE = 64


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a value is said, and how it must be written. `say` raises ValueError for one that is not."""

    say: Callable[[str, str], tuple[Phrase, ...]]
    written: str


def _number(value: str, language: str) -> tuple[Phrase, ...]:
    return numbers.decimal(_plain(value), language)


def _ordinal(value: str, language: str) -> tuple[Phrase, ...]:
    plain = _plain(value)
    if not plain.isdigit():
        raise ValueError("An ordinal is a whole number.")
    return numbers.ordinal(int(plain), language)


def _plain(value: str) -> str:
    """A written number in ASCII, without marks between its thousands."""
    text = ascii_digits(value.strip()).replace("٫", ".").replace("−", "-")
    return text.replace(",", "").replace("٬", "").replace("_", "")


_KINDS: Mapping[str, _Kind] = {
    "card": _Kind(digit_groups.card_ending, "a card number or its last four digits"),
    "date": _Kind(dates.written_date, "a day, as 2026-11-22 or 1405-09-01"),
    "digits": _Kind(digit_groups.digits, f"digits, at most {digit_groups.MOST_DIGITS}"),
    "duration": _Kind(clock.written_duration, "seconds, as 180"),
    "gregorian": _Kind(
        partial(dates.written_date, calendar="gregorian"), "a day, as 2026-11-22 or 1405-09-01"
    ),
    "jalali": _Kind(partial(dates.written_date, calendar="jalali"), "a day, as 2026-11-22 or 1405-09-01"),
    "money": _Kind(amounts.written_money, "rials, as 2500000, or an amount with its unit, as 250000 toman"),
    "number": _Kind(_number, f"a number up to {numbers.LARGEST}, as 25 or 2.5"),
    "ordinal": _Kind(_ordinal, "a whole number from 1 up"),
    "phone": _Kind(digit_groups.phone, "a telephone number, as 09123456789"),
    "time": _Kind(clock.written_time, "a time, as 10:20"),
    "toman": _Kind(
        partial(amounts.written_money, unit="toman"),
        "rials, as 2500000, or an amount with its unit, as 250000 toman",
    ),
}
KINDS = tuple(_KINDS)


def speak(kind: str, value: str, language: str) -> tuple[Phrase, ...]:
    """`value` as it is spoken in `language` (`fa`, else English), from the phrases of `vocabulary`.

    Never raises: a value that does not fit, or a kind that is none of KINDS, is said to be unknown.
    """
    try:
        return _said(kind, value, language)
    except InvalidSlot:
        return (word(FIXED, "unknown", language),)


def check_slot(kind: str, value: str | None = None) -> None:
    """Raises InvalidSlot if `kind` is none of KINDS, or if `value` is given and cannot be said as that
    kind."""
    _kind(kind)
    if value is not None:
        _said(kind, value, "fa")


def _said(kind: str, value: str, language: str) -> tuple[Phrase, ...]:
    found = _kind(kind)
    try:
        if len(value) > LONGEST_VALUE:
            raise ValueError("The value is too long.")
        return found.say(value, language)
    except ValueError:
        raise InvalidSlot(f'A value cannot be said as "{kind}"; it must be {found.written}.') from None


def _kind(name: str) -> _Kind:
    try:
        return _KINDS[name]
    except KeyError:
        raise InvalidSlot(f'"{name}" is no way to say a value; use one of {", ".join(KINDS)}.') from None
