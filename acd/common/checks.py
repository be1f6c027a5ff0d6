"""Check digits: is this sequence of digits a national ID, a bank card, a sheba? A right check digit proves
nothing about who holds it; these serve to mask such numbers, and to ask again when a digit was mistyped.
"""

from __future__ import annotations

import re

from acd.common.text import ascii_digits

_CARD = re.compile(r"[0-9]{16}\Z")
_SHEBA = re.compile(r"IR[0-9]{24}\Z")
_MARKS = re.compile(r"[\s\-]+")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: double every second digit from the right; the digit sum divides by ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(written: str) -> bool:
    """Whether this is a bank card's number: 16 digits with a right Luhn digit, spaces and dashes allowed."""
    digits = _MARKS.sub("", ascii_digits(written))
    return bool(_CARD.match(digits)) and luhn(digits)


def national_id(written: str) -> str | None:
    """An Iranian national ID (کد ملی) as ten digits, or None if it is not one.

    Eight or nine digits are padded with leading zeros. Check digit: c = Σ dᵢ·(10-i) mod 11 over the first
    nine; the tenth is c if c < 2, else 11-c. Ten equal digits fit the sum but are never given out.
    """
    digits = _MARKS.sub("", ascii_digits(written))
    if not re.match(r"[0-9]{8,10}\Z", digits):
        return None
    digits = digits.zfill(10)
    if len(set(digits)) == 1:
        return None
    remainder = sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
    expected = remainder if remainder < 2 else 11 - remainder
    return digits if int(digits[9]) == expected else None


def is_sheba(written: str) -> bool:
    """Whether this is an Iranian account number (شبا): IR and 24 digits, ISO 13616 (mod 97 is 1)."""
    text = _MARKS.sub("", ascii_digits(written)).upper()
    return bool(_SHEBA.match(text)) and int(text[4:] + "1827" + text[2:4]) % 97 == 1
