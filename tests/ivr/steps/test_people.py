"""Lines and their ways out, messages, callbacks, transfers, surveys."""

from __future__ import annotations

import pytest

from acd.verbs import (
    Answer,
    Ask,
    Collect,
    Digits,
    Done,
    Hangup,
    LineLeft,
    Recorded,
    RecordMessage,
    Reply,
    Say,
    Transfer,
    Transferred,
    WaitInLine,
)
from ivr.flow import QUEUE_WAYS
from tests.ivr.worlds import small, walk, walker

NOTHING = Digits("", complete=False)
ONE, TWO, STAR = Digits("1", True), Digits("2", True), Digits("*", False)
PERSON = WaitInLine("cards", "en")
BYE = Say(("en:Bye",))


@pytest.mark.parametrize("way", QUEUE_WAYS)
def test_each_reason_has_its_way_out_of_a_line(way: str) -> None:
    flow = small(f"first: {{kind: queue, queue: english, {way}: bye}}")
    assert walk(walker(flow), LineLeft(False, way)) == BYE
    assert walk(walker(flow), LineLeft(False, "max_wait", way)) == BYE


def test_a_reason_without_a_way_goes_unavailable_or_hears_an_apology() -> None:
    flow = small("first: {kind: queue, queue: english, full: people, unavailable: bye}")
    for why in ("closed", "empty", "unknown_queue", "", "answered", "nonsense"):
        assert walk(walker(flow), LineLeft(False, why)) == BYE
    assert walk(walker(flow), LineLeft(False, "full", "voicemail")) == PERSON
    script = walker(small("first: {kind: queue, queue: english}"))
    said = walk(script, LineLeft(False, "full"))
    assert isinstance(said, Say)
    assert "cannot connect" in said.sounds[0]
    assert script.next(Done()) == Hangup()


VOICEMAIL = "first: {kind: voicemail, queue: english, prompt: {en: Speak}, failed: people}"
SPOKE = Recorded("first-1", 12.34)


def test_a_message_is_confirmed_and_kept() -> None:
    flow = small(VOICEMAIL)
    assert walk(walker(flow)) == RecordMessage(("en:Speak",), "first-1", 120, 4)
    confirm = walk(walker(flow), SPOKE)
    assert isinstance(confirm, Collect)
    kept = Ask("voicemail", {"queue": "english", "language": "en", "name": "first-1", "seconds": "12.3"}, 5)
    for meant in (ONE, NOTHING, Done()):
        assert walk(walker(flow), SPOKE, meant) == kept
    script = walker(flow)
    thanks = walk(script, SPOKE, ONE, Answer({"result": "ok"}))
    assert isinstance(thanks, Say)
    assert "has been kept" in thanks.sounds[0]
    assert script.next(Done()) == Hangup()
    assert walk(walker(flow), SPOKE, ONE, Answer(None)) == PERSON


def test_a_message_may_be_recorded_again_under_another_name() -> None:
    flow = small(VOICEMAIL)
    assert walk(walker(flow), SPOKE, TWO) == RecordMessage(("en:Speak",), "first-2", 120, 4)
    kept = walk(walker(flow), SPOKE, TWO, Recorded("first-2", 3), ONE)
    assert isinstance(kept, Ask)
    assert kept.args["name"] == "first-2"


@pytest.mark.parametrize("quiet", [Recorded("first-1", 0), Done()])
def test_whoever_says_nothing_is_asked_once_more_and_then_let_go_with_a_word(quiet: Reply) -> None:
    flow = small(VOICEMAIL)
    again = walk(walker(flow), quiet)
    assert isinstance(again, RecordMessage)
    assert "did not hear" in again.sounds[0]
    script = walker(flow)
    last = walk(script, quiet, quiet)
    assert isinstance(last, Say)
    assert script.next(Done()) == Hangup()


CALLBACK = "first: {kind: callback, queue: english, declined: bye}"
LINE = Answer({"number": "09121234567", "withheld": "false"})
OK, INVALID = Answer({"result": "ok"}), Answer({"result": "invalid"})


def callback(number: str) -> Ask:
    return Ask("callback", {"queue": "english", "language": "en", "number": number}, 3)


def test_a_callback_goes_to_the_number_of_the_line_when_the_caller_says_so() -> None:
    flow = small(CALLBACK)
    assert walk(walker(flow)) == Ask("caller", {}, 1)
    offer = walk(walker(flow), LINE)
    assert isinstance(offer, Collect)
    assert offer.sounds[0] == "en:We can call you back on"
    assert walk(walker(flow), LINE, ONE) == callback("")
    script = walker(flow)
    noted = walk(script, LINE, ONE, OK)
    assert isinstance(noted, Say)
    assert script.next(Done()) == Hangup()
    assert walk(walker(flow), LINE, ONE, Answer(None)) == PERSON


def test_a_callback_may_go_to_another_number_which_is_read_back() -> None:
    flow = small(CALLBACK)
    other = Digits("02188776655", True)
    confirm = walk(walker(flow), LINE, TWO, other)
    assert isinstance(confirm, Collect)
    assert confirm.sounds[0] == "en:The number is"
    assert walk(walker(flow), LINE, TWO, other, ONE) == callback("02188776655")
    again = walk(walker(flow), LINE, TWO, other, TWO)
    assert isinstance(again, Collect)
    assert again.max_digits == 15
    after_invalid = walk(walker(flow), LINE, TWO, other, ONE, INVALID)
    assert isinstance(after_invalid, Collect)
    assert "cannot be called" in after_invalid.sounds[0]


@pytest.mark.parametrize("caller", [Answer(None), Answer({"number": "", "withheld": "true"})])
def test_a_caller_without_a_number_is_asked_for_one(caller: Answer) -> None:
    asked = walk(walker(small(CALLBACK)), caller)
    assert isinstance(asked, Collect)
    assert asked.max_digits == 15
    without = small("first: {kind: callback, queue: english, other_number: false}")
    assert walk(walker(without), caller) == PERSON


@pytest.mark.parametrize(
    "replies", [(LINE, STAR), (LINE, NOTHING, NOTHING, NOTHING), (LINE, TWO, STAR), (LINE, TWO, NOTHING)]
)
def test_whoever_wants_no_callback_goes_on(replies: tuple[Reply, ...]) -> None:
    assert walk(walker(small(CALLBACK)), *replies) == BYE


def test_a_transfer_dials_and_comes_back() -> None:
    flow = small("first: {kind: transfer, to: '+982112345', prompt: {en: Hold on}, after: bye}")
    assert walk(walker(flow), Done()) == Transfer("+982112345", 30)
    assert walk(walker(flow), Done(), Transferred(True)) == BYE
    assert walk(walker(flow), Done(), Transferred(False)) == PERSON
    assert walk(walker(small("first: {kind: transfer, to: '110'}")), Transferred(True)) == Hangup()


SURVEY = """
    first:
      kind: survey
      reason: {prompt: {en: Why}, keys: {1: slow, 2: rude}, at_most: 3}
      words: {prompt: {en: Tell us}, at_most: 3}
"""
THREE, FIVE, NINE = Digits("3", True), Digits("5", True), Digits("9", True)


def test_a_survey_asks_on_only_where_it_helps_and_keeps_what_was_said() -> None:
    flow = small(SURVEY)
    head = {"survey": "first", "language": "en"}
    assert walk(walker(flow), FIVE) == Ask("survey", {**head, "score": "5"})
    assert walk(walker(flow), NOTHING, FIVE) == Ask("survey", {**head, "score": "5"})
    script = walker(flow)
    given = {**head, "score": "3", "reason": "rude"}
    assert walk(script, THREE, TWO) == Ask("survey", given)  # before the caller speaks, and may hang up
    assert script.next(Answer({"result": "ok"})) == RecordMessage(("en:Tell us",), "survey.first-1", 60, 4)
    assert script.next(Recorded("survey.first-1", 7.0)) == Ask("survey", {**given, "name": "survey.first-1"})
    assert isinstance(script.next(Answer(None)), Say)
    assert script.next(Done()) == Hangup()
    assert walk(walker(flow), THREE, NOTHING, NINE) == Ask("survey", {**head, "score": "3"})
    assert isinstance(
        walk(walker(flow), THREE, NOTHING, NINE, Answer(None), Recorded("survey.first-1", 0)), Say
    )


def test_whoever_gives_no_score_is_not_pressed() -> None:
    script = walker(small(SURVEY))
    assert isinstance(walk(script, NOTHING, NINE), Say)
    assert script.next(Done()) == Hangup()


def test_silence_and_a_wrong_key_are_told_apart() -> None:
    silent, wrong = walk(walker(small(SURVEY)), NOTHING), walk(walker(small(SURVEY)), NINE)
    assert isinstance(silent, Collect)
    assert isinstance(wrong, Collect)
    assert "did not receive" in silent.sounds[0]
    assert "not valid" in wrong.sounds[0]
    assert silent.sounds[1:] == wrong.sounds[1:]
    offer = walk(walker(small(CALLBACK)), LINE, NINE)
    assert isinstance(offer, Collect)
    assert "not valid" in offer.sounds[0]
