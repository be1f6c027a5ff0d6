"""A caller's way through a flow: what each reply leads to, and that no reply ever leads to nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.verbs import (
    Answer,
    Ask,
    Begun,
    Collect,
    Digits,
    Done,
    Hangup,
    Key,
    LineLeft,
    Reply,
    Say,
    Script,
    Set,
    Verb,
    WaitInLine,
)
from ivr.check import load_flow
from ivr.flow import Flow
from ivr.library import shipped_flows
from ivr.script import ALL_KEYS, MOST_STEPS, STEPS_TO_PERSON, FlowScript
from tests.ivr import worlds
from tests.ivr.worlds import CLOSED, script, walk

NOTHING = Digits("", complete=False)
ONE, TWO, NINE = Digits("1", True), Digits("2", True), Digits("9", True)
ASK_LANGUAGE = Collect(("fa:فارسی یک", "en:English two"), 1, first_key_s=4, end_key="")
ASK_MENU = Collect(("en:Menu",), 1, first_key_s=5, end_key="")
TO_MAIN = (Done(), TWO)


def test_the_greeting_comes_first_and_a_key_may_cut_it() -> None:
    assert walk(script()) == Say(("fa:سلام",), ALL_KEYS)


def test_the_language_is_asked_in_each_language_and_then_spoken() -> None:
    assert walk(script(), Done()) == ASK_LANGUAGE
    assert walk(script(), Done(), TWO) == ASK_MENU


def test_a_key_pressed_during_the_greeting_counts_for_the_choice_behind_it() -> None:
    assert walk(script(), Key("2")) == ASK_MENU
    assert walk(script(), Key("7")) == ASK_LANGUAGE


def test_who_chooses_no_language_goes_on_in_the_one_they_have() -> None:
    assert walk(script(), Done(), NOTHING) == ASK_LANGUAGE
    verb = walk(script(), Done(), NOTHING, NINE)
    assert isinstance(verb, Collect)
    assert verb.sounds == ("fa:منو",)


def test_nobody_is_asked_for_a_language_that_is_known() -> None:
    assert walk(script(language="en", language_known=True), Done()) == ASK_MENU


def test_closed_hours_lead_elsewhere_and_end_with_a_word() -> None:
    a_script = script(at=CLOSED)
    assert walk(a_script, *TO_MAIN) == Say(("en:Closed",))
    assert a_script.position.node == "closed"
    assert a_script.next(Done()) == Hangup()


def test_hours_that_nobody_knows_count_as_open() -> None:
    text = worlds.FLOW_TEXT.replace("kind: hours, ", "kind: hours, hours: gone, ")
    a_flow = load_flow(text, "bank.yaml").flow
    assert walk(script(a_flow, at=CLOSED), *TO_MAIN) == ASK_MENU


def test_a_key_leads_to_the_queue_of_the_language() -> None:
    english = WaitInLine("english", "en", 3, ("en:Connecting",), ("en:Patience",), 30)
    assert walk(script(), *TO_MAIN, ONE) == english
    persian = walk(script(), Done(), ONE, ONE)
    assert isinstance(persian, WaitInLine)
    assert (persian.queue, persian.language, persian.welcome) == ("cards", "fa", ("fa:وصل می‌شود",))


def test_the_position_is_where_a_ticket_must_go_on() -> None:
    a_script = script()
    walk(a_script, *TO_MAIN)
    position = a_script.position
    assert (position.flow, position.node, position.language) == ("bank", "main", "en")
    resumed = script(language=position.language, node=position.node)
    assert walk(resumed) == ASK_MENU


def test_who_waited_already_is_not_welcomed_again() -> None:
    verb = walk(script(node="cards"))
    assert isinstance(verb, WaitInLine)
    assert (verb.queue, verb.welcome, verb.comfort) == ("cards", (), ("fa:صبر",))


def test_a_wrong_key_and_silence_are_told_apart() -> None:
    wrong = walk(script(), *TO_MAIN, NINE)
    silent = walk(script(), *TO_MAIN, NOTHING)
    assert isinstance(wrong, Collect)
    assert isinstance(silent, Collect)
    assert wrong.sounds == ("en:Wrong", "en:Menu")
    assert silent.sounds == ("en:Silence", "en:Menu")


@pytest.mark.parametrize(
    "failure", [NOTHING, NINE, Digits("#", True), Digits("A", True), Done(), Answer(None)]
)
def test_three_strikes_lead_to_a_person(failure: Reply) -> None:
    assert isinstance(walk(script(), *TO_MAIN, failure, failure), Collect)
    assert walk(script(), *TO_MAIN, failure, failure, failure) == WaitInLine("cards", "en")


def test_strikes_are_counted_anew_at_each_menu() -> None:
    again = Digits("*", True)
    assert isinstance(walk(script(), *TO_MAIN, NINE, NINE, again, NINE, NINE), Collect)


def test_the_talk_over_the_caller_hears_what_comes_after() -> None:
    assert walk(script(), *TO_MAIN, ONE, LineLeft(answered=True)) == Say(("en:Thanks",))
    assert walk(script(node="people"), LineLeft(answered=True)) == Hangup()


def test_a_line_that_cannot_be_entered_leads_elsewhere_or_to_an_apology() -> None:
    assert walk(script(node="people"), LineLeft(answered=False)) == Say(("fa:سپاس",))
    a_script = script(language="en", node="cards")
    apology = walk(a_script, LineLeft(answered=False))
    assert isinstance(apology, Say)
    assert "cannot connect" in apology.sounds[0]
    assert a_script.next(Done()) == Hangup()


def test_digits_are_taken_within_their_bounds_and_stay_secret() -> None:
    ask_pin = Collect(("en:Your PIN",), 6, 5, 3, "#", secret=True)
    assert walk(script(), *TO_MAIN, TWO) == ask_pin
    short = walk(script(), *TO_MAIN, TWO, Digits("12", True))
    assert isinstance(short, Collect)
    assert short.sounds == ("en:Wrong", "en:Your PIN")
    answer = walk(script(), *TO_MAIN, TWO, Digits("1234", True))
    assert answer == Ask("bank.balance", {"pin": "1234", "kind": "main"})
    for hostile in ("1234567", "12*4", "۱۲۳۴", "9" * 200):
        assert walk(script(), *TO_MAIN, TWO, Digits(hostile, True)) == short


def test_an_answer_chooses_the_way_and_what_it_holds_may_be_kept() -> None:
    asked = (*TO_MAIN, TWO, Digits("1234", True))
    assert walk(script(), *asked, Answer({"result": "ok", "account": "77"})) == Set("ACCOUNT", "A-77")
    assert walk(script(), *asked, Answer({"result": "blocked"})) == WaitInLine("cards", "en")
    assert walk(script(), *asked, Answer({})) == WaitInLine("cards", "en")
    assert walk(script(), *asked, Answer(None)) == WaitInLine("cards", "en")


def test_a_kept_value_cannot_break_the_line_it_is_written_on() -> None:
    kept = walk(
        script(),
        *TO_MAIN,
        TWO,
        Digits("1234", True),
        Answer({"result": "ok", "account": "1\r\nEXEC Dial" + "x" * 999}),
    )
    assert isinstance(kept, Set)
    assert "\r" not in kept.value
    assert "\n" not in kept.value
    assert len(kept.value) <= 200


def test_after_a_re_attach_the_node_begins_again() -> None:
    a_script = script()
    walk(a_script, *TO_MAIN)
    assert a_script.next(Begun()) == ASK_MENU


def test_a_caller_lost_in_the_menus_is_taken_to_a_person() -> None:
    a_script = script(language_known=True)
    verb = walk(a_script, Done())
    steps = 0
    while isinstance(verb, Collect):
        verb = a_script.next(Digits("*", True))
        steps += 1
        assert steps <= MOST_STEPS
    assert verb == WaitInLine("cards", "fa")


def test_a_ticket_with_a_node_that_is_gone_leads_to_the_person() -> None:
    assert walk(script(node="gone")) == WaitInLine("cards", "fa")


def test_without_a_person_the_last_word_is_an_apology() -> None:
    a_flow = worlds.flow().model_copy(update={"person": None})
    a_script = script(a_flow, node="gone")
    assert isinstance(walk(a_script), Say)
    assert a_script.next(Done()) == Hangup()


def test_a_flow_script_is_a_script() -> None:
    a_script: Script = script()
    assert a_script.position.flow == "bank"


KEYS = st.text(alphabet=ALL_KEYS + "ABCD۱x\n", max_size=8)
REPLIES = st.one_of(
    st.just(Begun()),
    st.just(Done()),
    st.builds(Key, KEYS),
    st.builds(Digits, KEYS, st.booleans()),
    st.sampled_from([Digits(key, True) for key in "0123*"]),
    st.builds(
        Answer, st.none() | st.dictionaries(st.sampled_from(["result", "account"]), st.text(max_size=20))
    ),
    st.builds(LineLeft, st.booleans()),
)
FLOWS = [worlds.flow(), *(load_flow(text, name).flow for name, text in shipped_flows().items())]


@settings(max_examples=120, deadline=None)
@given(
    a_flow=st.sampled_from(FLOWS),
    node=st.none() | st.text(max_size=3) | st.sampled_from(sorted({n for f in FLOWS for n in f.nodes})),
    closed=st.booleans(),
    replies=st.lists(REPLIES, min_size=1, max_size=12),
)
def test_whatever_a_caller_does_the_call_comes_to_a_line_or_an_end(
    a_flow: Flow, node: str | None, closed: bool, replies: list[Reply]
) -> None:
    """The replies are repeated for ever; a line that is left at once does not count as arriving."""
    a_script = script(a_flow, at=CLOSED if closed else worlds.OPEN, node=node)
    heard: list[Verb] = [a_script.next(Begun())]
    for step in range(MOST_STEPS + STEPS_TO_PERSON + 3):
        if isinstance(heard[-1], Hangup):
            break
        heard.append(a_script.next(replies[step % len(replies)]))
    assert isinstance(heard[-1], Hangup)
    _not_silent(heard, a_script)


def _not_silent(heard: list[Verb], a_script: FlowScript) -> None:
    """Before the end there was a line or a word, and no question was without sound; only the next digits of a code
    that was begun are waited for in silence, as long as between two keys."""
    assert any(isinstance(verb, WaitInLine | Say | Collect) for verb in heard), a_script.position
    for before, verb in pairwise(heard):
        further = (
            isinstance(before, Collect) and isinstance(verb, Collect) and verb.first_key_s == verb.next_key_s
        )
        assert not isinstance(verb, Say | Collect) or verb.sounds or further, verb
