"""Digits, telephone numbers and the endings of cards: read so that a listener can write them down.

A telephone number is grouped as people in Iran say it: a mobile as ۰۹۱۲ ۳۴۵ ۶۷ ۸۹, a landline as its area code
and then pairs, ۰۲۱ ۸۸ ۷۷ ۶۶ ۵۵. Persian says each group as a number, with the zeros in front of it one by one;
English says digit by digit. Of a card only the last four digits are ever said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from acd.common.text import ascii_digits
from ivr.phrase import Phrase
from ivr.say.numbers import digit, number
from ivr.say.words import KASRA, all_words, word

MOST_DIGITS = 32

FIXED = {
    "number-plus": {"fa": "مثبت", "en": "plus"},
    "card-ending": {"fa": f"کارت{KASRA} منتهی به", "en": "the card ending in"},
}
_BETWEEN = re.compile(r"[\s\-._/()]+")
_DIGITS = re.compile(r"[0-9]+\Z")
_PHONE = re.compile(r"\+?[0-9]{2,20}\Z")
_CARD = re.compile(r"[0-9*xX•]{0,15}([0-9]{4})\Z")
_HOME = re.compile(r"(?:\+98|0098)0?([1-9][0-9]{9})\Z")


def digits(written: str, language: str) -> tuple[Phrase, ...]:
    """Digit by digit; what stands between digits is left out. Raises ValueError for anything else, and for
    more than MOST_DIGITS."""
    bare = _bare(written)
    if len(bare) > MOST_DIGITS or not _DIGITS.match(bare):
        raise ValueError(f"These are not digits, 1 to {MOST_DIGITS} of them.")
    return tuple(digit(one, language) for one in bare)


def phone(written: str, language: str) -> tuple[Phrase, ...]:
    """A telephone number, as people say it. `+98…` is said as it is dialled in Iran. Raises ValueError for
    what is none."""
    bare = _HOME.sub(r"0\1", _bare(written))
    if not _PHONE.match(bare):
        raise ValueError("This is no telephone number.")
    plus = (word(FIXED, "number-plus", language),) if bare.startswith("+") else ()
    if language != "fa":
        return (*plus, *(digit(one, "en") for one in bare.lstrip("+")))
    return (*plus, *_persian_groups(_phone_groups(bare.lstrip("+"))))


def card_ending(written: str, language: str) -> tuple[Phrase, ...]:
    """The last four digits of a card, also of a masked one (`6219-86**-****-1234`). Raises ValueError if
    they are not there."""
    found = _CARD.match(_bare(written))
    if found is None:
        raise ValueError("This is no card number, nor the end of one.")
    last = found[1]
    said = _persian_groups((last[:2], last[2:])) if language == "fa" else digits(last, language)
    return (word(FIXED, "card-ending", language), *said)


def _bare(written: str) -> str:
    return _BETWEEN.sub("", ascii_digits(written))


def _phone_groups(number_: str) -> Iterator[str]:
    """The groups in which a number is said, so that none has more than four digits."""
    if len(number_) == 11 and number_.startswith("09"):
        yield from (number_[:4], number_[4:7], number_[7:9], number_[9:])
    elif len(number_) == 11 and number_.startswith("0"):
        yield number_[:3]
        yield from _pairs(number_[3:])
    elif len(number_) == 4 and number_.endswith("00"):
        yield number_
    else:
        yield from _pairs(number_)


def _pairs(number_: str) -> Iterator[str]:
    """Pairs, and three digits in front when they are odd in number: 110, 345 67 89."""
    first = len(number_) % 2 + 2 if len(number_) > 1 else 1
    yield number_[:first]
    yield from (number_[at : at + 2] for at in range(first, len(number_), 2))


def _persian_groups(groups: Iterable[str]) -> Iterator[Phrase]:
    for group in groups:
        rest = group.lstrip("0")
        yield from (digit("0", "fa") for _ in range(len(group) - len(rest)))
        if rest:
            yield from number(int(rest), "fa")


def every_part(language: str) -> frozenset[Phrase]:
    """Every phrase that this file needs beside digits and numbers."""
    return frozenset(all_words(FIXED, language))
