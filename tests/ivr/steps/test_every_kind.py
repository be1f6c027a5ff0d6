"""One flow with every kind of node, and callers who do anything at all."""

from __future__ import annotations

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
    Recorded,
    RecordMessage,
    Reply,
    Say,
    Transferred,
    Verb,
    WaitInLine,
)
from ivr.check import load_flow
from ivr.flow import KINDS
from ivr.script import ALL_KEYS, MOST_STEPS, STEPS_TO_PERSON
from tests.ivr.worlds import small, walker

INNER = load_flow(
    """
flow: inner
languages: [en]
takes: [amount]
returns: [cost]
start: cost
nodes:
  cost: {kind: set, let: {cost: "values.amount / 10"}, next: agree}
  agree: {kind: menu, prompt: {en: "That costs {cost:money}"}, keys: {1: done, 2: self}}
  self: {kind: sub, flow: inner, args: {amount: $cost}, next: done}
  done: {kind: return, outcome: fine}
""",
    "inner.yaml",
).flow
EVERY = small("""
    first: {kind: say, prompt: {en: Hello}, next: tongue}
    tongue: {kind: language, prompt: {en: English one}, keys: {1: en, 2: en}, always: true, next: opening}
    opening: {kind: hours, open: main, closed: main, holiday: leave}
    main:
      kind: menu
      prompt: {en: Menu}
      keys: {1: who, 2: sum, 3: card, 4: judge, 5: leave, 6: again, 7: away, 8: rate, 9: line, 0: question, '#': code}
    who:
      kind: authenticate
      ask: [national_id, pin, code]
      keep: {id: customer}
      verified: balance
    balance: {kind: lookup, service: balance, args: {id: $id}, keep: {due: {field: due, kind: number}}, found: told}
    told: {kind: say, prompt: {en: 'You owe {due:money}'}, next: main}
    sum: {kind: collect, type: amount, into: sum, prompt: {en: Sum}, confirm: true, next: inside}
    inside: {kind: sub, flow: inner, args: {amount: $sum}, keep: {cost: cost}, ways: {fine: main}, next: bye}
    card: {kind: collect, type: card, into: card, prompt: {en: Card}, confirm: true, next: block}
    block: {kind: lookup, service: block, args: {card: $card}, found: mark}
    mark: {kind: set, name: CARD, value: $card_last4, let: {n: 'values.card_last4 + "x"'}, next: main}
    judge:
      kind: branch
      when:
        - {if: 'queues.cards.waiting > 2 && customer.known', then: line}
        - {if: 'caller.withheld || now.hour > 3', then: main}
      otherwise: main
    code: {kind: codes, prompt: {en: Your code}, codes: {2: main, 21: line, 110: leave, '*': main}}
    leave: {kind: voicemail, queue: cards, next: main}
    again: {kind: callback, queue: cards, next: main}
    away: {kind: transfer, to: '110', after: main}
    rate: {kind: survey, reason: {prompt: {en: Why}, keys: {1: slow}}, words: {}, next: main}
    question: {kind: ask, what: anything, keep: {got: got}, answers: {ok: main}, otherwise: main}
    line:
      kind: queue
      queue: cards
      after: rate
      callback: again
      voicemail: leave
      menu: main
      waiting: {position: true, estimated_wait: true, keys: {1: callback, 2: menu}, offer: {en: Press one}}
""")

KEYS = st.text(alphabet=ALL_KEYS + "A۱\n", max_size=17)
SECRETS = ["0499370899", "6037991234567893", "8080"]
FIELDS = st.dictionaries(
    st.sampled_from(["result", "number", "due", "customer", "waiting", "known", "withheld", "got"]),
    st.sampled_from(
        ["found", "verified", "failed", "locked", "sent", "ok", "invalid", "true", "3", "", "x" * 300]
    ),
)
REPLIES: st.SearchStrategy[Reply] = st.one_of(
    st.sampled_from([Digits(key, True) for key in [*"0123456789*", *SECRETS]]),
    st.builds(Answer, st.none() | FIELDS),
    st.sampled_from([Answer({"result": r}) for r in ("found", "verified", "sent", "ok", "failed", "locked")]),
    st.builds(Digits, KEYS, st.booleans()),
    st.builds(Key, KEYS),
    st.builds(LineLeft, st.booleans(), st.sampled_from(["", "full", "callback", "menu", "x"])),
    st.builds(Recorded, st.text(max_size=5), st.sampled_from([0.0, 3.0])),
    st.sampled_from([Begun(), Done(), Transferred(True), Transferred(False)]),
)


def test_it_has_every_kind() -> None:
    kinds = {node.kind for each in (EVERY, INNER) for node in each.nodes.values()}
    assert kinds == set(KINDS)


@settings(max_examples=50, deadline=None)
@given(
    node=st.none()
    | st.sampled_from([*EVERY.nodes, *(f"inside/{n}" for n in INNER.nodes), "inside/self/x", "//"]),
    replies=st.lists(REPLIES, min_size=1, max_size=15),
)
def test_whatever_a_caller_does_the_call_ends_with_a_word_and_keeps_its_secrets(
    node: str | None, replies: list[Reply]
) -> None:
    script = walker(EVERY, INNER, node=node)
    heard: list[Verb] = [script.next(Begun())]
    while not isinstance(heard[-1], Hangup):
        assert len(heard) < MOST_STEPS + STEPS_TO_PERSON + 5
        assert len(script.position.node) < 100
        _is_well(heard[-1], further=script.position.node == "code")
        heard.append(script.next(replies[len(heard) % len(replies)]))
    assert any(isinstance(verb, WaitInLine | Say | Collect | RecordMessage) for verb in heard)


def _is_well(verb: Verb, further: bool) -> None:
    """`further`: where the next digits of a code that was begun may be waited for in silence."""
    if isinstance(verb, Say | Collect | RecordMessage):
        assert verb.sounds or (further and isinstance(verb, Collect) and verb.first_key_s <= 3)
    to_service = isinstance(verb, Ask) and verb.what.startswith(("lookup.", "authenticate"))
    if not to_service and not (isinstance(verb, Ask) and verb.what == "callback"):
        assert not any(secret in repr(verb) for secret in SECRETS), verb
