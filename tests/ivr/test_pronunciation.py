"""espeak-ng is given Persian as it must be written to be said right; everybody else sees the ordinary form."""

from __future__ import annotations

import subprocess

import pytest

from ivr.pronunciation import for_espeak


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("نه", "نُه"),
        ("بیست و", "بیستُ"),
        ("بیست و نهمِ", "بیستُ نهمِ"),
        ("نه و", "نُهُ"),
        ("سنت", "سِنت"),
        ("برای تسهیلات، عدد نه را فشار دهید.", "برای تسهیلات، عدد نُه را فشار دهید."),
        ("بیست و چهار ساعته", "بیستُ چهار ساعته"),
        ("سی و نه نفر", "سیُ نُه نفر"),
        ("تهران و شیراز", "تهران و شیراز"),
        ("نه، متشکرم", "نه، متشکرم"),
        ("قصد و", "قصد و"),
        ("", ""),
    ],
)
def test_persian_is_written_out_where_it_would_be_guessed(text: str, written: str) -> None:
    assert for_espeak(text, "fa") == written


def test_english_needs_no_help() -> None:
    assert for_espeak("twenty and nine", "en") == "twenty and nine"


@pytest.mark.needs("espeak")
@pytest.mark.parametrize(
    ("text", "sounds"),
    [("نه", "noh"), ("بیست و", "bisto"), ("سنت", "sent"), ("شصتم", "ʃastom"), ("دویستم", "devistom")],
)
def test_espeak_says_it(text: str, sounds: str) -> None:
    command = ["espeak-ng", "-v", "fa", "-q", "--ipa", for_espeak(text, "fa")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.translate(str.maketrans("", "", "ˈˌ\n ")) == sounds
