"""Flows that call each other must fit, and must not go in circles."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from acd.common.document import Loaded, load_document
from ivr.check import check_calls, check_flow
from ivr.flow import Flow

GOOD = (
    "check: {kind: sub, flow: inner, args: {amount: '5'}, keep: {fee: cost}, ways: {refused: bye}, next: bye}"
)
INNER_HEAD = "languages: [en]\ntakes: [amount]\nreturns: [cost]"
INNER = """
    cost: {kind: set, let: {cost: values.amount}, next: ask}
    ask: {kind: menu, prompt: {en: Agree}, keys: {1: done, 2: refused}}
    done: {kind: return}
    refused: {kind: return, outcome: refused}
"""


def load(name: str, nodes: str, head: str = "languages: [en]", person: str = "") -> Loaded[Flow]:
    start = dedent(nodes).strip().split(":")[0]
    text = (
        f"flow: {name}\n{head}\nstart: {start}\n{person}nodes:\n" + indent(dedent(nodes).strip(), "  ") + "\n"
    )
    return load_document(text, f"{name}.yaml", Flow)


def outer(node: str = GOOD, head: str = "languages: [en]", person: str = "person: people\n") -> Loaded[Flow]:
    more = "\nbye: {kind: hangup, prompt: {en: Bye}}" + (
        "\npeople: {kind: queue, queue: cards}" if person else ""
    )
    return load("outer", node + more, head, person)


def said(*flows: Loaded[Flow]) -> list[str]:
    found = check_calls({loaded.model.flow: loaded for loaded in flows})
    assert all(p.line > 1 and p.column > 1 and p.fix for p in found)
    return [f"{p.message}; {p.fix}" for p in found]


def inner(nodes: str = INNER, head: str = INNER_HEAD) -> Loaded[Flow]:
    return load("inner", nodes, head)


def test_flows_that_fit_are_whole() -> None:
    assert said(outer(), inner()) == []
    assert check_flow(inner()) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("flow: inner", "flow: iner", 'names the flow "iner", which does not exist; write "inner"'),
        ("amount: '5'", "amount: '5', unit: rial", 'does not take "unit"; use one of amount'),
        ("amount: '5'", "", 'takes "amount", which the node "check" does not give'),
        ("fee: cost", "fee: price", 'does not return "price"; use one of cost'),
        ("refused: bye", "agreed: bye", 'never returns "agreed"; use one of refused'),
    ],
)
def test_a_call_that_does_not_fit_is_refused(old: str, new: str, message: str) -> None:
    assert old in GOOD
    found = said(outer(GOOD.replace(old, new)), inner())
    assert len(found) == 1
    assert message in found[0]


def test_the_called_flow_must_return_speak_the_languages_and_have_a_person() -> None:
    nodes = "cost: {kind: set, let: {cost: values.amount}, next: end}\nend: {kind: hangup, prompt: {en: End}}"
    assert any(
        "has no return" in each for each in said(outer(GOOD.replace("refused: bye", "")), inner(nodes))
    )
    spoken = said(outer(head="languages: [en, fa]"), inner())
    assert ["does not speak fa" in each for each in spoken] == [True]
    alone = said(outer(person=""), inner())
    assert ["says where a caller goes who cannot help themselves" in each for each in alone] == [True]


def test_circles_are_refused_at_each_of_their_calls() -> None:
    one = load("one", "a: {kind: sub, flow: two, next: b}\nb: {kind: return}")
    two = load("two", "a: {kind: sub, flow: one, next: b}\nb: {kind: return}")
    assert [("calls the flow" in each and "again" in each) for each in said(one, two)] == [True, True]
    itself = load("self", "a: {kind: sub, flow: self, next: b}\nb: {kind: return}")
    assert len(said(itself)) == 1


def test_too_many_flows_within_each_other_and_too_long_places_are_refused() -> None:
    last = load("f5", "a: {kind: return}")
    chain = [
        load(f"f{n}", f"a: {{kind: sub, flow: f{n + 1}, next: b}}\nb: {{kind: return}}") for n in range(1, 5)
    ]
    assert any("5 flows are called within each other" in each for each in said(*chain, last))
    long = "n" * 32
    named = [
        load(f"f{n}", f"{long}: {{kind: sub, flow: f{n + 1}, next: b}}\nb: {{kind: return}}")
        for n in range(2, 5)
    ]
    end = load("f5", f"{long}: {{kind: return}}")
    assert any("131 characters long" in each for each in said(*named, end))


def test_a_loop_through_a_flow_that_never_listens_is_refused() -> None:
    silent = load("silent", "a: {kind: set, let: {x: '1'}, next: b}\nb: {kind: return}")
    nodes = """
        a: {kind: sub, flow: silent, next: b}
        b: {kind: branch, when: [{if: now.holiday, then: a}], otherwise: c}
        c: {kind: hangup, prompt: {en: Bye}}
    """
    loop = load("loop", nodes, person="person: c\n")
    assert check_flow(loop) == []
    assert all("never waits for the caller" in each for each in said(loop, silent))
    assert len(said(loop, silent)) == 2
    listening = load("silent", "a: {kind: menu, prompt: {en: Press}, keys: {1: b}}\nb: {kind: return}")
    assert said(loop, listening) == []
