"""Money in Iran: kept in whole rials, spoken of in tomans (ten rials). The unit is always named.

A written amount without a unit is refused: reading rials for tomans is wrong by a factor of ten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from acd.common.text import ascii_digits, matching_key, persian_digits

Unit = Literal["rial", "toman"]

RIALS_IN_A_TOMAN = 10
_UNIT_WORDS: dict[str, Unit] = {
    "rial": "rial",
    "rials": "rial",
    "irr": "rial",
    "ریال": "rial",
    "toman": "toman",
    "tomans": "toman",
    "tuman": "toman",
    "تومان": "toman",
    "تومن": "toman",
}
_AMOUNT = re.compile(r"([-+]?)([0-9][0-9,٬'_]{0,30})\s*([^\W\d]+)\Z")
_GROUPS = re.compile(r"[,٬'_]")


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in whole rials; may be negative."""

    rial: int

    @classmethod
    def of(cls, amount: int, unit: Unit) -> Money:
        return cls(amount * RIALS_IN_A_TOMAN if unit == "toman" else amount)

    @property
    def tomans(self) -> tuple[int, int]:
        """Whole tomans and the rials that remain; both carry the sign of the amount."""
        whole, rest = divmod(abs(self.rial), RIALS_IN_A_TOMAN)
        sign = -1 if self.rial < 0 else 1
        return sign * whole, sign * rest

    def __add__(self, other: Money) -> Money:
        return Money(self.rial + other.rial)

    def __sub__(self, other: Money) -> Money:
        return Money(self.rial - other.rial)

    def __neg__(self) -> Money:
        return Money(-self.rial)


def parse_money(written: str) -> Money:
    """`1,500,000 ریال` or `۱۵۰ هزار`? Only digits with a unit: rial or toman. Raises ValueError otherwise."""
    found = _AMOUNT.match(ascii_digits(written.strip()))
    unit = _UNIT_WORDS.get(matching_key(found[3])) if found else None
    if found is None or unit is None:
        raise ValueError("This is not an amount of money; write digits and a unit, as 150000 toman.")
    amount = int(_GROUPS.sub("", found[2]))
    return Money.of(-amount if found[1] == "-" else amount, unit)


def show_money(money: Money, language: str, unit: Unit = "toman") -> str:
    """`۱۵۰٬۰۰۰ تومان` or `150,000 tomans`. Rials that make no whole toman are shown as rials."""
    if unit == "toman" and money.rial % RIALS_IN_A_TOMAN:
        unit = "rial"
    amount = money.tomans[0] if unit == "toman" else money.rial
    if language == "fa":
        grouped = persian_digits(f"{abs(amount):,}".replace(",", "٬"))
        sign = "منفی " if amount < 0 else ""
        return f"{sign}{grouped} {'تومان' if unit == 'toman' else 'ریال'}"
    return f"{amount:,} {unit}{'' if abs(amount) == 1 else 's'}"
