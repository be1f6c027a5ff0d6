"""The steps of nodes that neither speak nor listen: hours, branch, set. (`sub` is `ivr.script`'s.)"""

from __future__ import annotations

from acd.common.expression import ExpressionError
from acd.common.text import clean_label
from acd.verbs import Set
from ivr.flow import BranchNode, HoursNode, SetNode, expression
from ivr.steps.walk import Steps, Walk, holds, known_facts

_LONGEST_VALUE = 200


def hours(walk: Walk, node: HoursNode) -> Steps:
    if walk.around.is_open(node.hours):
        return node.open
    if node.holiday is not None and walk.around.is_holiday():
        return node.holiday
    return node.closed
    yield  # a generator like its siblings, though it never asks


def branch(walk: Walk, node: BranchNode) -> Steps:
    known = yield from known_facts(walk, tuple(case.if_ for case in node.when))
    return next((case.then for case in node.when if holds(case.if_, known)), node.otherwise)


def set_values(walk: Walk, node: SetNode) -> Steps:
    known = yield from known_facts(walk, tuple(node.let.values()))
    for name, text in node.let.items():
        try:
            value = expression(text).value(known)
        except ExpressionError:
            continue
        walk.put(name, value, "digits" if isinstance(value, str) else "number")
        known["values"] = dict(walk.values)
    if node.name is not None and node.value is not None:
        yield Set(node.name, clean_label(walk.fill(node.value, secrets=False), _LONGEST_VALUE))
    return node.next
