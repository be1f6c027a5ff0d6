"""The steps of nodes that ask others: ask, lookup, authenticate."""

from __future__ import annotations

from collections.abc import Generator

from acd.verbs import Answer, Ask, Collect, Reply, Say, Verb
from ivr.flow import FACTOR_DIGITS, AskNode, AuthenticateNode, Factor, LookupNode, Prompt
from ivr.steps import questions
from ivr.steps.entries import read_factor
from ivr.steps.talking import heard
from ivr.steps.walk import PersonWanted, Steps, Walk, holds, known_facts


def ask(walk: Walk, node: AskNode) -> Steps:
    args = {name: walk.fill(value, secrets=True) for name, value in node.args.items()}
    reply = yield Ask(node.what, args, node.deadline_s)
    if not isinstance(reply, Answer) or reply.values is None:
        return node.otherwise
    walk.keep(node.keep, reply.values)
    return node.answers.get(reply.values.get(node.field, ""), node.otherwise)


def lookup(walk: Walk, node: LookupNode) -> Steps:
    if node.prompt is not None:
        yield Say(walk.sounds(node.prompt))
    args = {name: walk.fill(value, secrets=True) for name, value in node.args.items()}
    reply = yield Ask(questions.LOOKUP + node.service, args, node.deadline_s)
    match questions.result_of(reply):
        case "found":
            fields = questions.answered(reply)
            walk.keep(node.keep, fields)
            known = yield from known_facts(walk, tuple(case.if_ for case in node.when), fields)
            return next((case.then for case in node.when if holds(case.if_, known)), node.found)
        case "not_found":
            return walk.person_unless(node.not_found)
        case _:
            return walk.person_unless(node.failed)


def authenticate(walk: Walk, node: AuthenticateNode) -> Steps:
    first: Prompt | None = None
    for _ in range(node.attempts):
        keyed = yield from _keyed(walk, node, first)
        result = keyed.pop("result", "")
        if not result:
            reply = yield Ask(questions.AUTHENTICATE, {**keyed, "method": node.method}, node.deadline_s)
            result = questions.result_of(reply)
            if result == "verified":
                walk.keep(node.keep, questions.answered(reply))
                return node.verified
        if result == "locked":
            yield Say(walk.sounds(node.locked_prompt))
            return walk.person_unless(node.locked)
        if result != "failed":
            return walk.person_unless(node.unavailable)
        first = node.wrong
    yield Say(walk.sounds(node.wrong))
    return walk.person_unless(node.failed)


def _keyed(
    walk: Walk, node: AuthenticateNode, first: Prompt | None
) -> Generator[Verb, Reply, dict[str, str]]:
    """What the caller keys for each factor; with `result` if no code could be sent."""
    keyed: dict[str, str] = {}
    for factor in node.ask:
        if factor == "code":
            reply = yield Ask(questions.SEND_CODE, {**keyed, "method": node.method}, node.deadline_s)
            if (result := questions.result_of(reply)) != "sent":
                return {"result": result or "unavailable"}
        keyed[factor] = yield from _factor(walk, node, factor, first)
        first = None
    return keyed


def _factor(
    walk: Walk, node: AuthenticateNode, factor: Factor, first: Prompt | None
) -> Generator[Verb, Reply, str]:
    most = FACTOR_DIGITS[factor][1]
    for _ in range(node.tries):
        ask_it = Collect(
            (*walk.sounds(first), *walk.sounds(node.question(factor))),
            max_digits=most,
            first_key_s=node.first_key_s,
            next_key_s=node.next_key_s,
            end_key=node.end_key,
            secret=True,
        )
        digits = yield from heard(walk, ask_it)
        value = read_factor(factor, digits)
        if value is not None:
            return value
        first = node.no_match if digits else node.no_input
    raise PersonWanted
