"""A value from anywhere is spoken from the stock, or said to be unknown; it never ends a call."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.phrase import Phrase
from ivr.say import KINDS, LARGEST, InvalidSlot, check_slot, speak, spell, vocabulary

STOCK = {language: vocabulary([language]) for language in ("fa", "en")}

BAD = [
    ("number", "twelve"),
    ("number", ""),
    ("number", str(LARGEST + 1)),
    ("number", "1e9"),
    ("number", "0x10"),
    ("number", "--5"),
    ("number", "²"),
    ("ordinal", "0"),
    ("ordinal", "-1"),
    ("ordinal", "2.5"),
    ("money", "12 pesos"),
    ("money", "12.5"),
    ("money", "1" * 30),
    ("money", "99999999999999999999 usd"),
    ("toman", "rial"),
    ("date", "1405/13/1"),
    ("date", "2026-02-30"),
    ("date", "0000-00-00"),
    ("date", "tomorrow"),
    ("time", "25:00"),
    ("time", "24:01"),
    ("time", "10:60"),
    ("time", "noon"),
    ("duration", "-5"),
    ("duration", "3 min"),
    ("digits", "12a"),
    ("digits", "1" * 33),
    ("phone", "anonymous"),
    ("phone", "1"),
    ("card", "123"),
    ("nothing", "5"),
    ("number", "5" * 100_000),
]


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_what_cannot_be_said_is_said_to_be_unknown(kind: str, value: str) -> None:
    assert spell(speak(kind, value, "fa")) == "نامشخص"
    assert spell(speak(kind, value, "en")) == "unknown"
    with pytest.raises(InvalidSlot):
        check_slot(kind, value)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sentence_never_repeats_the_value(kind: str) -> None:
    with pytest.raises(InvalidSlot) as caught:
        check_slot(kind, "98765x43")
    assert "98765" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_sentence_tells_what_would_do() -> None:
    with pytest.raises(InvalidSlot, match=r'"mony" is no way to say a value; use one of .*money'):
        check_slot("mony")
    with pytest.raises(InvalidSlot, match=r'cannot be said as "time"; it must be a time, as 10:20'):
        check_slot("time", "99")
    check_slot("time")
    check_slot("time", "10:20")


def test_a_language_nobody_wrote_is_answered_in_english() -> None:
    assert speak("money", "5", "de") == speak("money", "5", "en")


@given(st.sampled_from(KINDS), st.text(max_size=40), st.sampled_from(["fa", "en"]))
def test_whatever_comes_is_spoken_from_the_stock(kind: str, value: str, language: str) -> None:
    assert set(speak(kind, value, language)) <= STOCK[language]


WRITTEN = {
    "number": st.decimals(-LARGEST, LARGEST, places=2).map(lambda d: f"{d:f}"),
    "ordinal": st.integers(1, LARGEST).map(str),
    "money": st.integers(-LARGEST, LARGEST).map(str)
    | st.builds(
        "{}.{:02} {}".format,
        st.integers(0, 10**12),
        st.integers(0, 99),
        st.sampled_from(["usd", "eur", "gbp", "aed"]),
    ),
    "toman": st.integers(-LARGEST, LARGEST).map(str),
    "date": st.dates(min_value=date(1700, 1, 1)).map(str),
    "jalali": st.dates(min_value=date(1700, 1, 1)).map(str),
    "gregorian": st.dates(min_value=date(1700, 1, 1)).map(str),
    "time": st.times().map(str),
    "duration": st.integers(0, LARGEST).map(str),
    "digits": st.text("0123456789", min_size=1, max_size=32),
    "phone": st.text("0123456789", min_size=2, max_size=20),
    "card": st.text("0123456789", min_size=4, max_size=19),
}


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), WRITTEN[kind])))
def test_every_good_value_is_said_and_from_the_stock(case: tuple[str, str]) -> None:
    kind, value = case
    check_slot(kind, value)
    for language, stock in STOCK.items():
        said = speak(kind, value, language)
        assert said
        assert "unknown" not in {phrase.key for phrase in said}
        assert set(said) <= stock


@given(st.integers(0, LARGEST), st.integers(0, LARGEST), st.sampled_from(["fa", "en"]))
def test_two_amounts_never_sound_the_same(one: int, other: int, language: str) -> None:
    same = speak("money", str(one), language) == speak("money", str(other), language)
    assert same == (one == other)


def test_a_card_number_never_gives_more_than_its_end() -> None:
    said = speak("card", "6219861012345678", "en")
    assert said == (
        Phrase("en", "the card ending in", "card-ending"),
        *(Phrase("en", w, f"number-{d}") for w, d in [("five", 5), ("six", 6), ("seven", 7), ("eight", 8)]),
    )
