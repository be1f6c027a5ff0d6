"""Nodes that speak and listen, beyond what tests/ivr/test_script.py says of menus and languages."""

from __future__ import annotations

import pytest

from acd.verbs import Answer, Ask, Begun, Collect, Digits, Done, Key, Say, Set, WaitInLine
from tests.ivr.worlds import small, walk, walker

NOTHING = Digits("", complete=False)
ONE, TWO = Digits("1", True), Digits("2", True)
WORDS = "no_input: {en: Silent}, no_match: {en: Wrong}"


def test_an_entry_is_read_back_and_kept_when_the_caller_says_so() -> None:
    flow = small(f"""
        first: {{kind: collect, type: amount, into: sum, prompt: {{en: How much}}, confirm: true, next: told, {WORDS}}}
        told: {{kind: say, prompt: {{en: 'Paid {{sum}}'}}, next: bye}}
    """)
    keyed = Digits("5", True)
    back = walk(walker(flow), keyed)
    assert back == Collect(
        (
            "en:You entered",
            "en:five",
            "en:rials",
            "en:If this is right, press one. To enter it again, press two.",
        ),
        1,
        first_key_s=5,
        end_key="",
    )
    assert walk(walker(flow), keyed, ONE) == Say(("en:Paid", "en:five", "en:rials"), "0123456789*#")
    again = walk(walker(flow), keyed, TWO)
    assert isinstance(again, Collect)
    assert again.sounds == ("en:How much",)
    assert walk(walker(flow), keyed, NOTHING) == back
    assert walk(walker(flow), keyed, NOTHING, NOTHING) == again


CODES = f"""
    first: {{kind: codes, prompt: {{en: Code}}, codes: {{1: bye, 2: bye, 21: people, 345: people}}, {WORDS}}}
"""


def more(digits: int, wait_s: float = 3) -> Collect:
    return Collect((), digits, first_key_s=wait_s)


def test_a_code_counts_as_soon_as_it_can_be_no_longer_one() -> None:
    flow = small(CODES)
    person, bye = WaitInLine("cards", "en"), Say(("en:Bye",))
    assert walk(walker(flow)) == Collect(("en:Code",), 1)
    assert walk(walker(flow), ONE) == bye
    assert walk(walker(flow), TWO) == more(1)
    assert walk(walker(flow), TWO, ONE) == person
    assert walk(walker(flow), TWO, NOTHING) == bye
    assert walk(walker(flow), TWO, Digits("", True)) == bye, "the end key says that it is all"
    assert walk(walker(flow), Digits("3", True)) == more(2)
    assert walk(walker(flow), Digits("3", True), Digits("45", True)) == person


def test_a_wrong_code_is_heard_to_its_end_and_three_lead_to_a_person() -> None:
    flow, nine = small(CODES), Digits("9", True)
    assert walk(walker(flow), nine) == more(2)
    asked = walk(walker(flow), nine, Digits("87", True))
    assert asked == Collect(("en:Wrong", "en:Code"), 1)
    assert walk(walker(flow), Digits("3", True), Digits("4", False)) == asked
    assert walk(walker(flow), NOTHING) == Collect(("en:Silent", "en:Code"), 1)
    assert walk(walker(flow), NOTHING, nine, NOTHING, NOTHING) == WaitInLine("cards", "en")


def test_a_key_pressed_during_an_announcement_begins_the_code() -> None:
    flow = small("\n    first: {kind: say, prompt: {en: Hello}, next: code}" + CODES.replace("first:", "code:"))
    assert walk(walker(flow), Key("2")) == more(1)
    assert walk(walker(flow), Key("2"), ONE) == WaitInLine("cards", "en")
    assert walk(walker(flow), Key("1")) == Say(("en:Bye",))


def test_codes_may_be_keyed_only_after_the_prompt() -> None:
    script = walker(small(CODES.replace("codes, prompt", "codes, barge_in: false, prompt")))
    assert walk(script) == Say(("en:Code",))
    assert script.next(Done()) == more(1, 5)


def test_of_a_card_only_the_last_four_digits_are_ever_said() -> None:
    flow = small("""
        first: {kind: collect, type: card, into: card, prompt: {en: Card}, confirm: true, next: told}
        told: {kind: say, prompt: {en: 'Card {card_last4:digits} it is'}, next: note}
        note: {kind: set, name: CARD, value: "$card_last4", next: block}
        block: {kind: lookup, service: bank.block, args: {card: $card}, found: bye}
    """)
    keyed = Digits("6037991234567893", True)
    ask = walk(walker(flow))
    assert isinstance(ask, Collect)
    assert (ask.secret, ask.max_digits) == (True, 16)
    heard = [
        walk(walker(flow), keyed),
        walk(walker(flow), keyed, ONE),
        walk(walker(flow), keyed, ONE, Done()),
    ]
    assert "6037" not in str(heard)
    assert "en:three" in str(heard[0])
    assert heard[2] == Set("CARD", "7893")
    assert walk(walker(flow), keyed, ONE, Done(), Done()) == Ask(
        "lookup.bank.block", {"card": "6037991234567893"}, 3
    )


def test_three_wrong_entries_lead_to_a_person() -> None:
    flow = small(f"first: {{kind: collect, type: date, into: day, prompt: {{en: Day}}, next: bye, {WORDS}}}")
    wrong = walk(walker(flow), Digits("14051340", True))
    assert isinstance(wrong, Collect)
    assert wrong.sounds == ("en:Wrong", "en:Day")
    assert walk(walker(flow), Digits("14051340", True), NOTHING, Digits("1", True)) == WaitInLine(
        "cards", "en"
    )


def test_a_prompt_may_be_protected_from_keys() -> None:
    flow = small("first: {kind: menu, prompt: {en: Law}, barge_in: false, keys: {1: bye}}")
    script = walker(flow)
    assert script.next(Begun()) == Say(("en:Law",))
    assert script.next(Done()) == Collect((), 1, first_key_s=5, end_key="")
    assert script.next(ONE) == Say(("en:Bye",))


def test_a_value_is_said_by_its_slot_and_the_pieces_are_recorded_one_by_one() -> None:
    flow = small(
        """
        first: {kind: lookup, service: due, keep: {n: {field: n, kind: number}, d: day}, found: told}
        told: {kind: say, prompt: due, next: bye}
        """,
        'prompts: {due: {en: "You have {n} bills, the first on {d:date}."}}',
    )
    assert {(p.text, p.key) for p in flow.phrases() if p.key and p.key.startswith("due")} == {
        ("You have", "due-1"),
        ("bills, the first on", "due-2"),
    }
    said = walk(walker(flow), Answer({"result": "found", "n": "3", "day": "2026-11-22"}))
    assert isinstance(said, Say)
    assert said.sounds[:3] == ("en:You have", "en:three", "en:bills, the first on")
    assert "en:November" in " ".join(said.sounds)


def test_a_value_that_is_not_there_is_said_to_be_unknown() -> None:
    flow = small("""
        first: {kind: lookup, service: due, keep: {n: {field: n, kind: number}}, found: told}
        told: {kind: say, prompt: {en: "You have {n} bills."}, next: bye}
    """)
    for n in ("many", "", "1e9", "9" * 40):
        said = walk(walker(flow), Answer({"result": "found", "n": n}))
        assert said == Say(("en:You have", "en:unknown", "en:bills."), "0123456789*#")


@pytest.mark.parametrize("between", ["say", "menu", "collect"])
def test_an_end_key_that_an_entry_did_not_need_counts_for_nothing_behind_it(between: str) -> None:
    behind = {
        "say": "{kind: say, prompt: {en: Heard}, next: bye}",
        "menu": "{kind: menu, prompt: {en: Heard}, keys: {1: bye}, tries: 1}",
        "collect": "{kind: collect, max_digits: 3, into: more, prompt: {en: Heard}, tries: 1, next: bye}",
    }[between]
    flow = small(f"""
        first: {{kind: collect, max_digits: 4, into: pin, prompt: {{en: PIN}}, next: then}}
        then: {behind}
    """)
    late = {"say": Key("#"), "menu": Digits("#", True), "collect": Digits("", True)}[between]
    full, ended = Digits("1234", True), Digits("123", True)
    heard = walk(walker(flow), full)
    assert isinstance(heard, Say | Collect)
    assert heard.sounds == ("en:Heard",)
    assert walk(walker(flow), full, late) == heard
    assert walk(walker(flow), full, late, late) != heard
    assert walk(walker(flow), ended, late) != heard
