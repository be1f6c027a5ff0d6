"""What is read must be filled, what is secret stays secret, and an expression names what exists."""

from __future__ import annotations

import pytest

from acd.common.document import load_document
from acd.errors import DocumentError, Problem
from ivr.check import check_flow
from ivr.flow import Flow
from tests.ivr import worlds


def problems(nodes: str, head: str = "") -> list[Problem]:
    return check_flow(load_document(worlds.small_text(nodes, head), "small.yaml", Flow), worlds.site())


PIN = "first: {kind: collect, max_digits: 4, secret: true, into: pin, prompt: {en: PIN}, next: then}\n"
CARD = "first: {kind: collect, type: card, into: card, prompt: {en: Card}, next: then}\n"
SUM = "first: {kind: collect, type: amount, into: sum, prompt: {en: Sum}, next: then}\n"


@pytest.mark.parametrize(
    ("nodes", "said", "fix"),
    [
        (PIN + "then: {kind: hangup, prompt: {en: 'It is {pin}'}}", "$pin would be said aloud", "leave them out"),
        (CARD + "then: {kind: hangup, prompt: {en: 'It is {card:card}'}}", "would be said aloud", "write card_last4"),
        (PIN + "then: {kind: set, name: PIN, value: $pin, next: people}", "put on the channel", "leave them out"),
        (PIN + "then: {kind: set, let: {a: 'values.pin'}, next: people}", "judged by an expression", "leave them out"),
        (PIN + "then: {kind: branch, when: [{if: values.pin > 1, then: people}], otherwise: people}", "judged", ""),
        (PIN + "then: {kind: sub, flow: other, args: {a: $pin}, next: people}", "handed to another flow", ""),
        (SUM + "then: {kind: hangup, prompt: {en: '{sun:money}'}}", 'names the variable "sun"', 'write "sum"'),
        (SUM + "then: {kind: set, let: {a: 'values.sun'}, next: people}", 'names the variable "sun"', 'write "sum"'),
        (SUM + "then: {kind: lookup, service: a, args: {s: $sun}, found: people}", 'variable "sun"', 'write "sum"'),
        (SUM + "then: {kind: set, let: {a: 'answer.sum'}, next: people}", "which only a lookup has", "keep its field"),
        (SUM + "then: {kind: set, let: {a: 'customer.sgment'}, next: people}", 'no "sgment"', 'write "segment"'),
        (SUM + "then: {kind: set, let: {a: 'now.minut'}, next: people}", 'no "minut"', 'write "minute"'),
        (SUM + "then: {kind: set, let: {a: 'caller.number'}, next: people}", 'no "number"', "use one of"),
        (SUM + "then: {kind: set, let: {a: 'queues.cards.length'}, next: people}", 'no "length"', "use one of"),
        (SUM + "then: {kind: set, let: {a: 'queues.cards'}, next: people}", "as a whole", "queues.cards.waiting"),
        (SUM + "then: {kind: set, let: {a: 'size(values)'}, next: people}", "as a whole", "values.amount"),
        ("first: {kind: say, prompt: {en: '{sum}'}, next: ask}\nask: {kind: collect, max_digits: 3, into: sum, "
         "prompt: {en: Sum}, next: people}", 'reads "sum" before anything has filled it', "lead callers through"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_read_so_is_refused(nodes: str, said: str, fix: str) -> None:
    found = [p for p in problems(nodes) if p.severity == "error"]
    assert [said in p.message and fix in p.fix for p in found] == [True], found


def test_a_secret_may_go_to_a_service() -> None:
    assert problems(PIN + "then: {kind: lookup, service: a, args: {pin: $pin}, found: people}") == []
    assert problems(CARD + "then: {kind: hangup, prompt: {en: 'Ending in {card_last4}'}}") == []


def test_the_problem_stands_where_the_text_stands() -> None:
    nodes = SUM + "then: {kind: hangup, prompt: due}"
    head = "prompts:\n  due:\n    en: 'Pay {sun:money}'"
    (problem,) = problems(nodes, head)
    assert (problem.line, problem.column) == (7, 9)
    assert "prompts.due.en names the variable" in problem.message


def test_a_value_that_some_callers_have_not_is_a_warning() -> None:
    nodes = """
        first: {kind: branch, when: [{if: now.holiday, then: told}], otherwise: ask}
        ask: {kind: collect, max_digits: 3, into: sum, prompt: {en: Sum}, next: told}
        told: {kind: hangup, prompt: {en: 'It is {sum}'}}
    """
    (problem,) = problems(nodes)
    assert problem.severity == "warning"
    assert 'some callers come to "told" without a value for "sum"' in problem.message


def test_who_fails_to_key_a_value_does_not_have_it() -> None:
    nodes = """
        first: {kind: collect, max_digits: 3, into: sum, prompt: {en: Sum}, next: told, after_tries: told}
        told: {kind: queue, queue: cards, welcome: {en: 'It is {sum}'}}
    """
    assert ["some callers" in p.message for p in problems(nodes)] == [True]


def test_languages_that_say_different_values_are_a_warning() -> None:
    text = worlds.FLOW_TEXT.replace("mark: {kind: set", "told: {kind: set", 1).replace("ok: mark", "ok: told")
    text = text.replace("{fa: سپاس, en: Thanks}", "{fa: 'سپاس {account}', en: Thanks}")
    found = check_flow(load_document(text, "bank.yaml", Flow), worlds.site())
    assert [p.severity for p in found if "does not say the same values in fa and en" in p.message] == [
        "warning"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'{sum:mony}'", 'write "money"'),
        ("'{sum:money'", "a brace that belongs to no slot"),
        ("'{1}'", "a brace that belongs to no slot"),
        ("'}'", "a brace that belongs to no slot"),
    ],
)
def test_a_slot_that_cannot_be_said_is_refused_in_its_text(text: str, said: str) -> None:
    with pytest.raises(DocumentError) as refused:
        problems(f"first: {{kind: hangup, prompt: {{en: {text}}}}}")
    assert said in str(refused.value)


def test_what_a_flow_returns_must_exist_and_be_no_secret() -> None:
    found = problems(PIN + "then: {kind: return}", "returns: [pin, sum]")
    assert sorted(p.message.split(" ")[0] for p in found if p.severity == "error") == ["returns.1", "the"]
    assert any("would be returned to another flow" in p.message for p in found)
