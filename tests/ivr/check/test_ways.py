"""Ways that a caller would suffer from, in the newer kinds of nodes; menus and hours are in test_check.py."""

from __future__ import annotations

import pytest

from acd.common.document import load_document
from acd.errors import Problem
from ivr.check import check_flow
from ivr.flow import Flow
from tests.ivr import worlds


def problems(nodes: str, *, person: bool = True, services: set[str] | None = None) -> list[Problem]:
    text = worlds.small_text(nodes)
    if not person:
        text = text.replace("person: people\n", "").replace("  people: {kind: queue, queue: cards}\n", "")
    return check_flow(load_document(text, "small.yaml", Flow), worlds.site(), services)


LONELY = [
    ("{kind: lookup, service: a, found: bye}", "is not found", "add `not_found: …`"),
    ("{kind: lookup, service: a, found: bye}", "gets no answer from the service", "add `failed: …`"),
    ("{kind: authenticate, ask: [national_id, pin], verified: bye}", "is locked out", "add `locked: …`"),
    (
        "{kind: authenticate, ask: [national_id, pin], verified: bye}",
        "keys nothing usable 3 times",
        "add `person: …` to the flow",
    ),
    ("{kind: callback, queue: cards, next: bye}", "wants no callback", "add `declined: …`"),
    (
        "{kind: transfer, to: '110', after: bye}",
        "reaches nobody at that number",
        "add `unanswered: …`",
    ),
]


@pytest.mark.parametrize(("node", "who", "fix"), LONELY)
def test_whom_nobody_takes_is_told_by_node_and_reason(node: str, who: str, fix: str) -> None:
    found = problems(f"first: {node}", person=False)
    lonely = [p for p in found if f'"first" does not say where a caller goes who {who}' in p.message]
    assert [fix in p.fix for p in lonely] == [True]
    assert (lonely[0].line, lonely[0].column) == (6, 10)
    assert problems(f"first: {node}") == []


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ("first: {kind: lookup, service: a, found: bye, failed: gone}", 'names the node "gone"'),
        ("first: {kind: branch, when: [{if: now.holiday, then: by}], otherwise: bye}", 'then names the node "by"'),
        ("first: {kind: branch, when: [{if: now.holiday, then: first}], otherwise: bye}", "never waits for the caller"),
        ("first: {kind: lookup, service: a, found: first, not_found: bye}", "never waits for the caller"),
        ("first: {kind: set, let: {a: '1'}, next: first}", "never reaches a queue or the end"),
        ("first: {kind: voicemail, queue: card}", 'names the queue "card"'),
        ("first: {kind: callback, queue: {fa: cards}}", "no queue for callers in en"),
        ("first: {kind: branch, when: [{if: queues.card.open, then: people}], otherwise: people}", 'the queue "card"'),
    ],
)  # fmt: skip
def test_what_is_wrong_between_nodes_is_refused(nodes: str, said: str) -> None:
    found = problems(nodes)
    assert any(said in p.message and p.severity == "error" for p in found), found


def test_a_service_that_nobody_defined_is_refused_with_the_nearest() -> None:
    nodes = "first: {kind: lookup, service: bank.balanse, found: bye}"
    (problem,) = problems(nodes, services={"bank.balance", "bank.block"})
    assert 'names the service "bank.balanse"' in problem.message
    assert 'write "bank.balance", or define it in pasokh.toml' in problem.fix
    assert problems(nodes, services={"bank.balanse"}) == []


@pytest.mark.parametrize(
    ("node", "who"),
    [
        ("lookup, service: a, found: bye, failed: quiet", "gets no answer from the service"),
        ("lookup, service: a, found: bye, not_found: quiet", "is not found"),
        ("callback, queue: cards, declined: quiet, next: bye", "wants no callback"),
        ("collect, type: date, into: d, prompt: {en: Day}, next: bye, after_tries: quiet", "fails 3 times"),
    ],
)
def test_a_failure_never_ends_in_silence(node: str, who: str) -> None:
    (problem,) = problems(f"first: {{kind: {node}}}\nquiet: {{kind: hangup}}")
    assert f'a caller who {who} at "first" may be hung up on without a word' in problem.message


def test_a_flow_that_returns_answers_no_number() -> None:
    text = worlds.small_text("first: {kind: return}", name="bank")
    found = check_flow(load_document(text, "bank.yaml", Flow), worlds.site())
    assert ["returns, but the flow answers a number" in p.message for p in found] == [True]
