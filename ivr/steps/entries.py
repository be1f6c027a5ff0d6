"""What a caller keyed, judged: is it a date, an amount, a national ID, a card? None for what it is not."""

from __future__ import annotations

from acd.common.checks import luhn, national_id
from acd.common.hours import parse_day
from ivr.flow import FACTOR_DIGITS, CollectNode, Factor

_JALALI_YEARS = range(1200, 1500)
_GREGORIAN_YEARS = range(1820, 2200)


def read_entry(node: CollectNode, digits: str) -> str | int | None:
    """The value of what was keyed at a collect node."""
    least, most = node.bounds
    if not (digits.isascii() and digits.isdigit() and least <= len(digits) <= most):
        return None
    match node.type:
        case "digits":
            return digits
        case "amount":
            return _amount(node, int(digits))
        case "date":
            return read_date(digits, node.calendar)
        case "national_id":
            return national_id(digits)
        case "card":
            return digits if luhn(digits) else None


def _amount(node: CollectNode, keyed: int) -> int | None:
    """In rial; the limits are in the unit that is keyed."""
    if node.at_least is not None and keyed < node.at_least:
        return None
    if node.at_most is not None and keyed > node.at_most:
        return None
    return keyed * 10 if node.unit == "toman" else keyed


def read_date(digits: str, calendar: str = "any") -> str | None:
    """Eight digits, year first, as 2026-11-22. The year tells the calendar."""
    year = int(digits[:4])
    if year in _JALALI_YEARS:
        named = "jalali"
    elif year in _GREGORIAN_YEARS:
        named = "gregorian"
    else:
        return None
    if calendar not in ("any", named):
        return None
    try:
        return parse_day(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}").isoformat()
    except ValueError:
        return None


def read_factor(factor: Factor, digits: str) -> str | None:
    """What was keyed as a proof of identity, if it can be one at all."""
    least, most = FACTOR_DIGITS[factor]
    if not (digits.isascii() and digits.isdigit() and least <= len(digits) <= most):
        return None
    match factor:
        case "national_id":
            return national_id(digits)
        case "card":
            return digits if luhn(digits) else None
        case "birth_year":
            return digits if int(digits) in _JALALI_YEARS or int(digits) in _GREGORIAN_YEARS else None
        case _:
            return digits
