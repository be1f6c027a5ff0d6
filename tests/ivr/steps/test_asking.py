"""Questions to services, and proofs of identity."""

from __future__ import annotations

import pytest

from acd.verbs import Answer, Ask, Collect, Digits, Done, Reply, Say, Verb, WaitInLine
from ivr.flow import Flow
from tests.ivr.worlds import small, walk, walker

NOTHING = Digits("", complete=False)
PERSON = WaitInLine("cards", "en")
BYE = Say(("en:Bye",))


def lookup(ways: str = "") -> Flow:
    return small(f"""
        first:
          kind: lookup
          service: policy.state
          prompt: {{en: One moment}}
          keep: {{left: {{field: days, kind: number}}, paid: {{field: paid, kind: flag}}}}
          when:
            - {{if: 'answer.state == "lapsed"', then: bye}}
            - {{if: 'int(answer.days) < 10', then: soon}}
          found: fine{ways}
        fine: {{kind: hangup, prompt: {{en: Fine}}}}
        soon: {{kind: hangup, prompt: {{en: 'Only {{left:number}} days'}}}}
    """)


@pytest.mark.parametrize(
    ("answer", "way"),
    [
        ({"result": "found", "state": "lapsed"}, BYE),
        ({"result": "found", "state": "ok", "days": "3"}, Say(("en:Only", "en:three", "en:days"))),
        ({"result": "found", "state": "ok", "days": "30"}, Say(("en:Fine",))),
        ({"result": "found"}, Say(("en:Fine",))),
        ({"result": "not_found"}, PERSON),
        ({"result": "failed"}, PERSON),
        ({}, PERSON),
        (None, PERSON),
    ],
)
def test_the_answer_chooses_the_way(answer: dict[str, str] | None, way: Verb) -> None:
    assert walk(walker(lookup())) == Say(("en:One moment",))
    assert walk(walker(lookup()), Done()) == Ask("lookup.policy.state", {}, 3)
    assert walk(walker(lookup()), Done(), Answer(answer)) == way


def test_what_is_not_found_and_what_fails_may_go_elsewhere() -> None:
    flow = lookup("\n          not_found: fine\n          failed: bye")
    assert walk(walker(flow), Done(), Answer({"result": "not_found"})) == Say(("en:Fine",))
    assert walk(walker(flow), Done(), Answer(None)) == BYE


AUTHENTICATE = """
    first:
      kind: authenticate
      ask: [national_id, pin]
      prompts: {pin: {en: The PIN}}
      attempts: 2
      keep: {who: customer}
      verified: bye
      failed: refused
    refused: {kind: hangup, prompt: {en: Refused}}
"""
ID, PIN = Digits("0499370899", True), Digits("1234", True)


def test_who_keys_what_is_right_is_verified() -> None:
    ask_id = walk(walker(small(AUTHENTICATE)))
    assert isinstance(ask_id, Collect)
    assert (ask_id.max_digits, ask_id.secret) == (10, True)
    assert walk(walker(small(AUTHENTICATE)), ID) == Collect(("en:The PIN",), 12, 10, 4, "#", secret=True)
    asked = walk(walker(small(AUTHENTICATE)), ID, PIN)
    assert asked == Ask("authenticate", {"national_id": "0499370899", "pin": "1234", "method": "pin"}, 5)
    assert walk(walker(small(AUTHENTICATE)), ID, PIN, Answer({"result": "verified"})) == BYE


def test_who_is_wrong_tries_again_and_then_goes_the_way_of_failures() -> None:
    wrong = Answer({"result": "failed", "left": "1"})
    again = walk(walker(small(AUTHENTICATE)), ID, PIN, wrong)
    assert isinstance(again, Collect)
    assert "not correct" in again.sounds[0]
    assert len(again.sounds) == 2
    script = walker(small(AUTHENTICATE))
    last = walk(script, ID, PIN, wrong, ID, PIN, wrong)
    assert isinstance(last, Say)
    assert "not correct" in last.sounds[0]
    assert script.next(Done()) == Say(("en:Refused",))


@pytest.mark.parametrize("answer", [None, {}, {"result": "odd"}, {"result": "unavailable"}])
def test_whoever_cannot_be_judged_goes_to_a_person(answer: dict[str, str] | None) -> None:
    assert walk(walker(small(AUTHENTICATE)), ID, PIN, Answer(answer)) == PERSON


def test_a_lock_out_is_said() -> None:
    script = walker(small(AUTHENTICATE))
    said = walk(script, ID, PIN, Answer({"result": "locked"}))
    assert isinstance(said, Say)
    assert "locked" in said.sounds[0]
    assert script.next(Done()) == PERSON


@pytest.mark.parametrize("keyed", [NOTHING, Digits("0499370898", True), Digits("049*", True), Done()])
def test_three_unusable_entries_lead_to_a_person_without_a_question(keyed: Reply) -> None:
    assert isinstance(walk(walker(small(AUTHENTICATE)), keyed, keyed), Collect)
    assert walk(walker(small(AUTHENTICATE)), keyed, keyed, keyed) == PERSON


CODE = """
    first: {kind: authenticate, ask: [national_id, code], verified: bye}
"""


def test_a_code_is_sent_before_it_is_asked_for() -> None:
    send = Ask("authenticate.code", {"national_id": "0499370899", "method": "code"}, 5)
    assert walk(walker(small(CODE)), ID) == send
    ask = walk(walker(small(CODE)), ID, Answer({"result": "sent"}))
    assert isinstance(ask, Collect)
    assert "one-time code" in ask.sounds[0]
    asked = walk(walker(small(CODE)), ID, Answer({"result": "sent"}), Digits("777111", True))
    assert asked == Ask("authenticate", {"national_id": "0499370899", "code": "777111", "method": "code"}, 5)
    assert walk(walker(small(CODE)), ID, Answer({"result": "failed"})) != ask
    assert walk(walker(small(CODE)), ID, Answer(None)) == PERSON


def test_no_secret_is_ever_among_the_values() -> None:
    script = walker(small(AUTHENTICATE))
    walk(script, ID, PIN, Answer({"result": "failed"}))
    assert "1234" not in repr(script.position)
    assert all("1234" not in repr((each.values, each.kinds)) for each in script._walks)
