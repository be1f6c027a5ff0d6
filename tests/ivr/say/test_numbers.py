"""Numbers are said as a speaker of the language says them, from a fixed stock of phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.say import LARGEST, number, ordinal, spell, vocabulary

STOCK = {language: vocabulary([language]) for language in ("fa", "en")}

PERSIAN = {
    0: "صفر",
    1: "یک",
    10: "ده",
    11: "یازده",
    19: "نوزده",
    20: "بیست",
    21: "بیست و یک",
    25: "بیست و پنج",
    60: "شصت",
    99: "نود و نه",
    100: "صد",
    101: "صد و یک",
    110: "صد و ده",
    125: "صد و بیست و پنج",
    200: "دویست",
    300: "سیصد",
    500: "پانصد",
    600: "ششصد",
    999: "نهصد و نود و نه",
    1_000: "هزار",
    1_001: "هزار و یک",
    1_405: "هزار و چهارصد و پنج",
    2_000: "دو هزار",
    25_000: "بیست و پنج هزار",
    110_250: "صد و ده هزار و دویست و پنجاه",
    1_000_000: "یک میلیون",
    1_000_001: "یک میلیون و یک",
    3_200_040: "سه میلیون و دویست هزار و چهل",
    1_000_000_000: "یک میلیارد",
    999_999_999: "نهصد و نود و نه میلیون و نهصد و نود و نه هزار و نهصد و نود و نه",
    1_500_000_000_000: "هزار و پانصد میلیارد",
    LARGEST: "یک میلیون میلیارد",
}

ENGLISH = {
    0: "zero",
    1: "one",
    12: "twelve",
    20: "twenty",
    25: "twenty five",
    100: "one hundred",
    101: "one hundred and one",
    125: "one hundred and twenty five",
    1_000: "one thousand",
    1_001: "one thousand and one",
    1_100: "one thousand one hundred",
    2_345: "two thousand three hundred and forty five",
    1_000_000: "one million",
    1_000_020: "one million and twenty",
    110_250: "one hundred and ten thousand two hundred and fifty",
}


@pytest.mark.parametrize(("value", "words"), PERSIAN.items())
def test_persian(value: int, words: str) -> None:
    assert spell(number(value, "fa")) == words


@pytest.mark.parametrize(("value", "words"), ENGLISH.items())
def test_english(value: int, words: str) -> None:
    assert spell(number(value, "en")) == words


def test_the_joining_word_belongs_to_the_part_before_it() -> None:
    assert [(p.key, p.text) for p in number(25, "fa")] == [("number-20-va", "بیست و"), ("number-5", "پنج")]
    assert [p.key for p in number(2_030, "fa")] == ["number-2", "number-1000-va", "number-30"]


@pytest.mark.parametrize("value", [-LARGEST - 1, LARGEST + 1])
def test_what_cannot_be_said_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=f"The number {value} cannot be said"):
        number(value, "fa")


def test_an_ordinal_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="ordinal of 0 cannot be said"):
        ordinal(0, "fa")


@given(st.integers(-LARGEST, LARGEST) | st.integers(0, 2_000), st.sampled_from(["fa", "en"]))
def test_every_number_is_said_from_the_stock(value: int, language: str) -> None:
    assert {*number(value, language), *ordinal(abs(value) or 1, language)} <= STOCK[language]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_no_two_numbers_sound_the_same(language: str) -> None:
    values = [*range(1_200), *range(1_200, 3_000_000, 9_973)]
    assert len({spell(number(value, language)) for value in values}) == len(values)
