"""What a waiting caller hears of the line."""

from __future__ import annotations

import pytest

from ivr.say import ahead_in_line, cannot_connect, estimated_wait, spell, vocabulary


@pytest.mark.parametrize(
    ("ahead", "persian", "english"),
    [
        (-1, "شما نفر بعدی هستید.", "You are next in line."),
        (0, "شما نفر بعدی هستید.", "You are next in line."),
        (1, "یک نفر پیش از شما در صف است.", "There is one caller ahead of you."),
        (3, "پیش از شما سه نفر در صف هستند.", "There are three callers ahead of you."),
        (25, "پیش از شما بیست و پنج نفر در صف هستند.", "There are twenty five callers ahead of you."),
        (10**16, "", ""),
    ],
)
def test_the_callers_ahead(ahead: int, persian: str, english: str) -> None:
    assert spell(ahead_in_line(ahead, "fa")) == persian
    assert spell(ahead_in_line(ahead, "en")) == english


@pytest.mark.parametrize(
    ("wait_s", "persian", "english"),
    [
        (-5, "زمان انتظار شما کمتر از یک دقیقه است.", "Your wait is less than a minute"),
        (180, "زمان انتظار شما حدود سه دقیقه است.", "Your wait is about three minutes"),
    ],
)
def test_the_estimated_wait(wait_s: int, persian: str, english: str) -> None:
    assert spell(estimated_wait(wait_s, "fa")) == persian
    assert spell(estimated_wait(wait_s, "en")) == english


def test_a_language_nobody_wrote_is_answered_in_english() -> None:
    assert spell(ahead_in_line(2, "de")) == "There are two callers ahead of you."
    assert cannot_connect("de") == cannot_connect("en")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_all_of_it_is_in_the_stock(language: str) -> None:
    said = {phrase for ahead in range(200) for phrase in ahead_in_line(ahead, language)}
    said |= {phrase for wait_s in range(0, 100_000, 37) for phrase in estimated_wait(wait_s, language)}
    assert said | {cannot_connect(language)} <= vocabulary([language])
