"""Check digits, against numbers whose digits were worked out by hand or published as examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.common.checks import is_card, is_sheba, luhn, national_id


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0084575948", "0084575948"),
        ("۰۰۸۴۵۷۵۹۴۸", "0084575948"),
        ("84575948", "0084575948"),
        ("008457594-8", "0084575948"),
        ("0084575949", None),
        ("1111111111", None),
        ("0000000000", None),
        ("1234567", None),
        ("12345678901", None),
        ("abcdefghij", None),
        ("", None),
    ],
)
def test_national_id(written: str, read: str | None) -> None:
    assert national_id(written) == read


@given(st.integers(min_value=10**8, max_value=10**9 - 1).filter(lambda n: len(set(str(n))) > 1))
def test_one_check_digit_in_ten_is_right(first_nine: int) -> None:
    assert sum(national_id(f"{first_nine}{d}") is not None for d in range(10)) == 1


def test_luhn() -> None:
    assert luhn("79927398713")
    assert [luhn(f"7992739871{d}") for d in range(10)].count(True) == 1


def test_card() -> None:
    assert is_card("6219-8610-1234-5673")
    assert is_card("۶۲۱۹ ۸۶۱۰ ۱۲۳۴ ۵۶۷۳")
    assert not is_card("6219-8610-1234-5670")
    assert not is_card("79927398713")


def test_sheba() -> None:
    assert is_sheba("IR06 2960 0000 0010 0324 2000 01")
    assert is_sheba("ir062960000000100324200001")
    assert not is_sheba("IR072960000000100324200001")
    assert not is_sheba("GB82WEST12345698765432")
