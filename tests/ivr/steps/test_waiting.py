"""What a waiting caller hears: numbers that only go down, messages in turn, a way out by key."""

from __future__ import annotations

import pytest

from acd.types import LeftFor
from acd.verbs import (
    Answer,
    Ask,
    Begun,
    Done,
    Key,
    LeaveLine,
    Pause,
    Say,
    Script,
    Verb,
    WaitInLine,
)
from tests.ivr.worlds import small, walk, walker

WAITING = """
    first:
      kind: queue
      queue: english
      callback: bye
      waiting:
        position: true
        estimated_wait: true
        messages: [{en: Patience}, {en: Soon}]
        keys: {1: callback}
        offer: {en: Press one}
        first_after_s: 10
        every_s: 20
"""
PLACE = Ask("place", {}, 1)


def waiting(nodes: str = WAITING) -> Script:
    verb = walk(walker(small(nodes)))
    assert isinstance(verb, WaitInLine)
    assert verb.waiting is not None
    return verb.waiting


def told(script: Script, ahead: str, wait_s: str) -> tuple[str, ...]:
    """What is said next to a caller in this place."""
    verb = script.next(Done())
    while not isinstance(verb, Say):
        verb = script.next(Answer({"ahead": ahead, "estimated_wait_s": wait_s}) if verb == PLACE else Done())
    return verb.sounds


def test_the_first_word_comes_after_a_while_and_then_at_a_slower_pace() -> None:
    script = waiting()
    assert script.next(Begun()) == Pause(10, "1")
    assert script.next(Done()) == PLACE
    said = script.next(Answer({"ahead": "1", "estimated_wait_s": "200"}))
    assert isinstance(said, Say)
    assert said == Say(
        (
            "en:There is one caller ahead of you.",
            "en:Your estimated wait is",
            "en:four",
            "en:minutes.",
            "en:Patience",
            "en:Press one",
        ),
        "1",
    )
    assert script.next(Done()) == Pause(20, "1")


def test_a_number_that_went_up_or_stayed_is_not_said() -> None:
    script = waiting()
    script.next(Begun())
    assert told(script, "4", "500")[-2:] == ("en:Patience", "en:Press one")
    assert told(script, "5", "900") == ("en:Soon", "en:Press one")
    assert told(script, "4", "500") == ("en:Patience", "en:Press one")
    assert told(script, "3", "700")[:3] == ("en:There are", "en:three", "en:callers ahead of you.")
    assert told(script, "3", "30")[0] == "en:Your estimated wait is less than two minutes."


@pytest.mark.parametrize("unknown", ["", "many", "-1", "9" * 30])
def test_a_number_that_nobody_knows_is_not_said(unknown: str) -> None:
    script = waiting()
    script.next(Begun())
    assert told(script, unknown, unknown) == ("en:Patience", "en:Press one")


def test_a_wait_too_long_to_help_is_not_said() -> None:
    script = waiting()
    script.next(Begun())
    assert told(script, "", "1801") == ("en:Patience", "en:Press one")


@pytest.mark.parametrize("at", ["music", "words"])
def test_a_key_leaves_the_line(at: str) -> None:
    script = waiting()
    verb = script.next(Begun())
    if at == "words":
        told(script, "1", "")
    else:
        assert isinstance(verb, Pause)
    assert script.next(Key("1")) == LeaveLine(LeftFor.CALLBACK)


def test_another_key_changes_nothing() -> None:
    script = waiting()
    script.next(Begun())
    for _ in range(3):
        verb: Verb = script.next(Key("7"))
        assert isinstance(verb, Pause)


def test_with_nothing_to_say_there_is_only_music() -> None:
    script = waiting("""
        first: {kind: queue, queue: english, waiting: {position: true, first_after_s: 10}}
    """)
    assert script.next(Begun()) == Pause(10, "")
    assert script.next(Done()) == PLACE
    assert script.next(Answer(None)) == Pause(45, "")
