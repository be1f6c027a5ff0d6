"""Text that people typed differently matches; text that could break a screen is cleaned."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.common.text import ZWNJ, ascii_digits, clean_label, graphemes, matching_key, persian_digits


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("علي", "علی"),
        ("كريم", "کریم"),
        ("خانۀ سبز", "خانه سبز"),
        ("خانهٔ سبز", "خانه سبز"),
        ("می" + ZWNJ + "رود", "می رود"),
        ("آرش", "ارش"),
        ("مُحَمَّد", "محمد"),
        ("فاطمة", "فاطمه"),
        ("شعبه ۱۲", "شعبه 12"),
        ("شعبه ١٢", "شعبه ۱۲"),
        ("ســـلام", "سلام"),
        ("  Sara   AHMADI ", "sara ahmadi"),
        ("José", "jose"),
    ],
)
def test_different_writings_of_one_name_match(written: str, other: str) -> None:
    assert matching_key(written) == matching_key(other) != ""


def test_different_names_do_not_match() -> None:
    keys = {matching_key(name) for name in ("علی", "عالی", "علوی", "کریم", "گریم", "پارسا", "بارسا")}
    assert len(keys) == 7


@given(st.text(max_size=60))
def test_a_matching_key_is_its_own_key(text: str) -> None:
    assert matching_key(matching_key(text)) == matching_key(text)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("Ali\x00\x1b[31mRed", "Ali[31mRed"),
        ("abc\u202etxt.exe\u2066x\u2069", "abctxt.exex"),
        ("a\u200bb\ufeffc\u00add", "abcd"),
        ("نیم" + ZWNJ + "فاصله", "نیم" + ZWNJ + "فاصله"),
        ("one\r\nVariable: two", "one Variable: two"),
        ("  spaces \t here  ", "spaces here"),
        ("\u0085\u009bC1", "C1"),
        ("\ud800lone", "lone"),
        ("", ""),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    ],
)
def test_a_hostile_label_is_harmless(hostile: str, shown: str) -> None:
    assert clean_label(hostile) == shown


def test_a_label_of_four_kilobytes_is_cut_between_graphemes() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    assert clean_label(family * 500, limit=20) == family * 2
    assert clean_label("e\u0301" * 2000, limit=5) == "e\u0301" * 2
    assert clean_label("🇮🇷" * 100, limit=5) == "🇮🇷🇮🇷"
    assert clean_label("x" * 4096) == "x" * 80
    assert len(clean_label("a" + "\u0301" * 4096)) <= 80


@given(st.text(max_size=200), st.integers(min_value=1, max_value=90))
def test_a_clean_label_is_short_harmless_and_stays_as_it_is(text: str, limit: int) -> None:
    cleaned = clean_label(text, limit)
    assert len(cleaned) <= limit
    assert all(unicodedata.category(c) not in ("Cc", "Cs") for c in cleaned)
    assert not any(
        c in cleaned for c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f"
    )
    assert clean_label(cleaned, limit) == cleaned


@given(st.text(max_size=80))
def test_graphemes_lose_nothing(text: str) -> None:
    assert "".join(graphemes(text)) == text


@given(st.text(alphabet="0123456789 -+abcسلام", max_size=30))
def test_digits_go_to_persian_and_back(text: str) -> None:
    assert ascii_digits(persian_digits(text)) == text
    assert not any(c in persian_digits(text) for c in "0123456789")
