"""Flows within flows: what they take and give back, where a caller stands, who takes those who are lost."""

from __future__ import annotations

from textwrap import dedent

from acd.verbs import Answer, Begun, Collect, Digits, Done, Say, Set, WaitInLine
from ivr.check import load_flow
from ivr.flow import Flow
from tests.ivr.worlds import small, walk, walker

NINE = Digits("9", True)
OUTER = """
    first: {kind: collect, type: amount, into: sum, prompt: {en: Sum}, next: check}
    check:
      kind: sub
      flow: inner
      args: {amount: $sum, note: "of $sum"}
      keep: {fee: cost}
      ways: {refused: bye}
      next: mark
    mark: {kind: set, name: FEE, value: "$fee", next: told}
    told: {kind: say, prompt: {en: 'It costs {fee:money}'}, next: bye}
"""
INNER = dedent("""
    flow: inner
    languages: [en]
    takes: [amount, note]
    returns: [cost]
    start: cost
    nodes:
      cost: {kind: set, let: {cost: "values.amount / 10"}, name: NOTE, value: $note, next: agree}
      agree: {kind: menu, prompt: {en: 'That costs {cost:money}. Agree?'}, keys: {1: done, 2: refused, 3: deep}}
      deep: {kind: say, prompt: {en: Deep}, next: agree}
      done: {kind: return}
      refused: {kind: return, outcome: refused}
""")


def inner() -> Flow:
    return load_flow(INNER, "inner.yaml").flow


def test_a_flow_takes_arguments_and_gives_values_back() -> None:
    flow, other = small(OUTER), inner()
    keyed = Digits("500", True)
    assert walk(walker(flow, other), keyed) == Set("NOTE", "of 500")
    asked = walk(walker(flow, other), keyed, Done())
    assert isinstance(asked, Collect)
    assert asked.sounds[:3] == ("en:That costs", "en:fifty", "en:rials")
    assert walk(walker(flow, other), keyed, Done(), Digits("1", True)) == Set("FEE", "50")
    assert walk(walker(flow, other), keyed, Done(), Digits("2", True)) == Say(("en:Bye",))


def test_the_position_tells_the_node_within_the_node() -> None:
    script = walker(small(OUTER), inner())
    walk(script, Digits("500", True), Done())
    assert (script.position.flow, script.position.node) == ("small", "check/agree")
    asked = script.next(Digits("3", True))
    assert (asked, script.position.node) == (Say(("en:Deep",), "0123456789*#"), "check/deep")
    assert script.next(Begun()) == asked  # the same process: nothing is lost
    menu = script.next(Done())
    assert isinstance(menu, Collect)
    assert "en:fifty" in menu.sounds


def test_a_re_attached_caller_goes_on_within_unless_values_are_needed_that_were_lost() -> None:
    flow, other = small(OUTER), inner()
    assert walk(walker(flow, other, node="check/deep")) == Say(("en:Deep",), "0123456789*#")
    anew = walker(flow, other, node="check/agree")
    assert isinstance(walk(anew), Collect)
    assert anew.position.node == "first"
    assert walk(anew, Digits("500", True)) == Set("NOTE", "of 500")


def test_a_place_that_is_gone_leads_to_the_person() -> None:
    flow, other = small(OUTER), inner()
    for gone in ("check/gone", "gone/agree", "gone", "check/agree/deeper/and/deeper", "/", ""):
        verb = walk(walker(flow, other, node=gone))
        assert isinstance(verb, WaitInLine | Collect), gone
    assert walk(walker(flow, node="check/agree")) == WaitInLine("cards", "en")


def test_three_strikes_within_lead_to_the_person_of_the_flow_outside() -> None:
    script = walker(small(OUTER), inner())
    walk(script, Digits("500", True), Done())
    script.next(NINE)
    script.next(NINE)
    assert script.next(NINE) == WaitInLine("cards", "en")
    assert script.position.node == "people"


def test_a_flow_that_calls_itself_ends_with_a_person() -> None:
    text = INNER.replace("next: agree}", "next: again}", 1) + (
        "  again: {kind: sub, flow: inner, args: {amount: $cost, note: $note}, next: agree}\n"
    )
    script = walker(small(OUTER), load_flow(text, "inner.yaml").flow)
    verb = walk(script, Digits("500", True))
    while isinstance(verb, Set):
        verb = script.next(Done())
    assert verb == WaitInLine("cards", "en")


def test_secrets_do_not_come_along() -> None:
    flow = small("""
        first: {kind: collect, max_digits: 4, secret: true, into: sum, prompt: {en: Sum}, next: check}
        check: {kind: sub, flow: inner, next: bye}
    """)
    script = walker(flow, inner())
    walk(script, Digits("1234", True), Done(), Answer(None))
    assert all("1234" not in repr(each.values) for each in script._walks)
