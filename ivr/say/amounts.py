"""Amounts of money with the unit named: heard without one, an amount in Iran may be meant in rials or tomans.

Bare digits are rials. A tenth of them is said in tomans only when that leaves no rial over. Amounts in four
foreign currencies are read with their hundredths; a currency that is missing here is one line in a table.
"""

from __future__ import annotations

import re

from acd.common.money import Money, Unit, parse_money
from acd.common.text import ascii_digits
from ivr.phrase import Phrase
from ivr.say.numbers import LARGEST, number
from ivr.say.words import all_words, word

FIXED = {
    "unit-rial": {"fa": "ریال", "en": "rial"},
    "unit-rials": {"en": "rials"},
    "unit-toman": {"fa": "تومان", "en": "toman"},
    "unit-tomans": {"en": "tomans"},
    "money-and": {"en": "and"},
    "unit-dollar": {"fa": "دلار", "en": "dollar"},
    "unit-dollar-va": {"fa": "دلار و"},
    "unit-dollars": {"en": "dollars"},
    "unit-euro": {"fa": "یورو", "en": "euro"},
    "unit-euro-va": {"fa": "یورو و"},
    "unit-euros": {"en": "euros"},
    "unit-pound": {"fa": "پوند", "en": "pound"},
    "unit-pound-va": {"fa": "پوند و"},
    "unit-pounds": {"en": "pounds"},
    "unit-dirham": {"fa": "درهم", "en": "dirham"},
    "unit-dirham-va": {"fa": "درهم و"},
    "unit-dirhams": {"en": "dirhams"},
    "unit-cent": {"fa": "سنت", "en": "cent"},
    "unit-cents": {"en": "cents"},
    "unit-penny": {"fa": "پنی", "en": "penny"},
    "unit-pence": {"en": "pence"},
    "unit-fils": {"fa": "فلس", "en": "fils"},
}

# code: (whole, many wholes, hundredth, many hundredths), as keys above without "unit-"
_FOREIGN = {
    "usd": ("dollar", "dollars", "cent", "cents"),
    "eur": ("euro", "euros", "cent", "cents"),
    "gbp": ("pound", "pounds", "penny", "pence"),
    "aed": ("dirham", "dirhams", "fils", "fils"),
}
_BARE = re.compile(r"([-+]?)([0-9][0-9,٬'_]{0,30})(?:[.٫]0{1,4})?\Z")
_CODED = re.compile(r"([-+]?)([0-9][0-9,٬'_]{0,30})(?:[.٫]([0-9]{1,2}))?\s*([a-z]{3})\Z")
_GROUPS = re.compile(r"[,٬'_]")


def money(amount: Money, language: str, unit: Unit = "rial") -> tuple[Phrase, ...]:
    """`amount` in `unit`; rials that make no whole toman are said as rials. Raises ValueError for more than
    LARGEST."""
    if unit == "toman" and amount.rial % 10:
        unit = "rial"
    return _counted(amount.tomans[0] if unit == "toman" else amount.rial, unit, f"{unit}s", language)


def foreign_money(hundredths: int, code: str, language: str) -> tuple[Phrase, ...]:
    """An amount in `usd`, `eur`, `gbp` or `aed`. Raises KeyError for another code, ValueError for too
    much."""
    one, many, cent, cents = _FOREIGN[code]
    sign = -1 if hundredths < 0 else 1
    whole, rest = divmod(abs(hundredths), 100)
    if not rest:
        return _counted(sign * whole, one, many, language)
    if not whole:
        return _counted(sign * rest, cent, cents, language)
    small = _counted(rest, cent, cents, language)
    big = _counted(sign * whole, one, many, language)
    if language == "fa":
        return (*big[:-1], word(FIXED, f"unit-{one}-va", language), *small)
    return (*big, word(FIXED, "money-and", language), *small)


def written_money(written: str, language: str, unit: Unit = "rial") -> tuple[Phrase, ...]:
    """An amount as a flow holds it: `2500000` (rials), `250,000 toman`, `۱۲٫۵۰ usd`. Said in `unit`.

    Raises ValueError for what is no amount or too large.
    """
    text = ascii_digits(written.strip()).lower()
    coded = _CODED.match(text)
    if coded is not None and coded[4] in _FOREIGN:
        hundredths = int(_GROUPS.sub("", coded[2])) * 100 + int((coded[3] or "0").ljust(2, "0"))
        return foreign_money(-hundredths if coded[1] == "-" else hundredths, coded[4], language)
    bare = _BARE.match(text)
    if bare is None:
        return money(parse_money(text), language, unit)
    rials = int(_GROUPS.sub("", bare[2]))
    return money(Money(-rials if bare[1] == "-" else rials), language, unit)


def _counted(amount: int, one: str, many: str, language: str) -> tuple[Phrase, ...]:
    if abs(amount) > LARGEST:
        raise ValueError(f"An amount of more than {LARGEST} cannot be said.")
    named = one if language == "fa" or abs(amount) == 1 else many
    return (*number(amount, language), word(FIXED, f"unit-{named}", language))


def every_part(language: str) -> frozenset[Phrase]:
    """Every phrase that amounts need beside their numbers."""
    return frozenset(all_words(FIXED, language))
