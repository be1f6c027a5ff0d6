"""An amount always says its unit, and a toman is ten rials."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.common.money import Money, Unit, parse_money, show_money


@pytest.mark.parametrize(
    ("money", "unit", "fa", "en"),
    [
        (Money(1_500_000), "toman", "۱۵۰٬۰۰۰ تومان", "150,000 tomans"),
        (Money(1_500_000), "rial", "۱٬۵۰۰٬۰۰۰ ریال", "1,500,000 rials"),
        (Money(15), "toman", "۱۵ ریال", "15 rials"),
        (Money(10), "toman", "۱ تومان", "1 toman"),
        (Money(-20), "toman", "منفی ۲ تومان", "-2 tomans"),
        (Money(0), "toman", "۰ تومان", "0 tomans"),
    ],
)
def test_money_is_shown_with_its_unit(money: Money, unit: Unit, fa: str, en: str) -> None:
    assert (show_money(money, "fa", unit), show_money(money, "en", unit)) == (fa, en)


@pytest.mark.parametrize(
    "written", ["150000 toman", "۱۵۰٬۰۰۰ تومان", "1,500,000 ریال", "1500000 IRR", "150000تومان"]
)
def test_the_same_amount_is_read_from_all_its_writings(written: str) -> None:
    assert parse_money(written) == Money(1_500_000)


@pytest.mark.parametrize("written", ["1500", "ریال", "1.5 toman", "12 dollars", "", "۱۵۰ هزار تومان"])
def test_what_is_not_certain_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="amount of money"):
        parse_money(written)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_tomans_and_rials_add_up(rial: int) -> None:
    whole, rest = Money(rial).tomans
    assert Money.of(whole, "toman") + Money(rest) == Money(rial)
    assert Money(rial) - Money(rial) == Money(0) == Money(rial) + -Money(rial)


@given(st.integers(min_value=0, max_value=10**15), st.sampled_from(["fa", "en"]))
def test_what_is_shown_can_be_read(rial: int, language: str) -> None:
    assert parse_money(show_money(Money(rial), language)) == Money(rial)
