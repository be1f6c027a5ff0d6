"""Variables and expressions: what is read is filled before, and what is secret goes to services alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from acd.common.document import Path, Tree, nearest
from acd.errors import Problem
from ivr.check.sentences import dotted, unknown
from ivr.flow import AnyNode, Flow, LookupNode, expression, variables_in
from ivr.steps.questions import FIELDS

_FILL = "fill it by a collect, a lookup or a set"


@dataclass(frozen=True, slots=True)
class _Use:
    """A variable is read: where it stands in the document, at which node, and for what."""

    path: Path
    node: str
    name: str
    for_: str


def value_problems(flow: Flow, tree: Tree) -> list[Problem]:
    found = [*_expressions(flow, tree), *_returned(flow, tree)]
    filled = {each.name for node in flow.nodes.values() for each in node.fills()} | set(flow.takes)
    secret = {each.name for node in flow.nodes.values() for each in node.fills() if each.secret}
    for use in _uses(flow):
        if use.name not in filled:
            found.append(unknown(tree, use.path, "variable", use.name, filled, _FILL))
        elif use.name in secret and use.for_ in _SECRET_NOWHERE:
            message = f"the secret digits ${use.name} {_SECRET_NOWHERE[use.for_]}"
            found.append(tree.problem(use.path, message, _instead(flow, use.name)))
    return found


_SECRET_NOWHERE: Mapping[str, str] = {
    "channel": "would be put on the channel, where others can read them",
    "argument": "would be handed to another flow, which may say them",
    "prompt": "would be said aloud",
    "condition": "would be judged by an expression, whose result tells of them",
}


def _instead(flow: Flow, name: str) -> str:
    known = {each.name for node in flow.nodes.values() for each in node.fills()}
    if f"{name}_last4" in known:
        return f"write {name}_last4, which is its last four digits"
    return "leave them out, or pass them to a lookup"


def _uses(flow: Flow) -> Iterator[_Use]:
    for name, node in flow.nodes.items():
        at: Path = ("nodes", name)
        for read in node.reads():
            for variable in variables_in(read.text):
                yield _Use((*at, *read.path), name, variable, read.for_)
        for path, text in node.conditions():
            for parts in expression(text).paths:
                if parts[0] == "values" and len(parts) > 1:
                    yield _Use((*at, *path), name, parts[1], "condition")
        yield from _said(flow, name, node)


def _said(flow: Flow, name: str, node: AnyNode) -> Iterator[_Use]:
    for path, prompt in node.prompts():
        said = flow.written(prompt)
        if said is None:
            continue
        place: Path = ("prompts", prompt.use) if prompt.use in flow.prompts else ("nodes", name, *path)
        own = node.local_slots.get(str(path[0]), frozenset())
        for language in flow.languages:
            for slot in said.slots(language):
                if slot.name not in own:
                    yield _Use((*place, language), name, slot.name, "prompt")


# Before it is filled ---------------------------------------------------------------------------------------


def too_early(flow: Flow, tree: Tree) -> Iterator[Problem]:
    """A variable that is never, or not always, filled when a caller comes to the node that reads it. Every way must
    lead to a node."""
    filled = {each.name for node in flow.nodes.values() for each in node.fills()} | set(flow.takes)
    maybe, surely = _filled_before(flow)
    for use in _uses(flow):
        if use.name not in filled or use.node not in surely:
            continue  # unknown, or nobody comes there: both are said elsewhere
        if use.name in flow.nodes[use.node].filled_before(use.path[2:]):
            continue
        if use.name not in maybe[use.node]:
            message = f'{dotted(use.path)} reads "{use.name}" before anything has filled it'
            yield tree.problem(use.path, message, "lead callers through the node that fills it first")
        elif use.name not in surely[use.node] and use.for_ in ("prompt", "question"):
            message = f'some callers come to "{use.node}" without a value for "{use.name}"'
            fix = "lead them through the node that fills it, or branch on has(values…)"
            yield tree.problem(use.path, message, fix, severity="warning")


def _filled_before(flow: Flow) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By node: what may be, and what must have been filled when a caller comes there."""
    maybe, surely = {flow.start: set(flow.takes)}, {flow.start: set(flow.takes)}
    todo = {flow.start: None}  # a set that keeps its order
    while todo:
        name = next(iter(todo))
        del todo[name]
        own = {each.name for each in flow.nodes[name].fills()}
        for target, fills in _leaving(flow, name):
            more = own if fills else set[str]()
            if target not in maybe:
                maybe[target], surely[target] = maybe[name] | own, surely[name] | more
                todo[target] = None
                continue
            may, must = maybe[name] | own, surely[target] & (surely[name] | more)
            if not may <= maybe[target] or must != surely[target]:
                maybe[target] |= may
                surely[target] = must
                todo[target] = None
    return maybe, surely


def _leaving(flow: Flow, name: str) -> Iterator[tuple[str, bool]]:
    """Where one goes from a node, and whether with what it fills."""
    node = flow.nodes[name]
    for edge in node.edges():
        yield edge.target, node.fills_on(edge)
    if flow.person is not None:
        yield from ((flow.person, False) for _ in node.strays())


# Expressions -----------------------------------------------------------------------------------------------


def _expressions(flow: Flow, tree: Tree) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        for path, text in node.conditions():
            place: Path = ("nodes", name, *path)
            for read in sorted(expression(text).paths):
                yield from _read(tree, place, read, isinstance(node, LookupNode))


def _read(tree: Tree, place: Path, read: tuple[str, ...], is_answer: bool) -> Iterator[Problem]:
    top, fields = read[0], read[1:]
    if top == "answer" and not is_answer:
        message = f"{dotted(place)} reads an answer, which only a lookup has"
        yield tree.problem(place, message, "keep its field at the lookup, and read values")
        return
    if top == "queues" and fields:
        top, fields = "queue", fields[1:]
    if not fields:
        fix = f"write out a field, such as {_EXAMPLES[top]}"
        yield tree.problem(place, f"{dotted(place)} reads {'.'.join(read)} as a whole", fix)
        return
    known = FIELDS.get(top)
    if known is not None and fields[0] not in known:
        meant = nearest(fields[0], known)
        fix = f'write "{meant}"' if meant else f"use one of {', '.join(sorted(known))}"
        message = f'{dotted(place)} reads {".".join(read)}, but there is no "{fields[0]}"'
        yield tree.problem(place, message, fix)


_EXAMPLES: Mapping[str, str] = {
    "answer": "answer.state",
    "caller": "caller.withheld",
    "customer": "customer.segment",
    "now": "now.hour",
    "queue": "queues.cards.waiting",
    "queues": "queues.cards.waiting",
    "values": "values.amount",
}


def _returned(flow: Flow, tree: Tree) -> Iterator[Problem]:
    fills = [each for node in flow.nodes.values() for each in node.fills()]
    filled = {each.name for each in fills} | set(flow.takes)
    for at, name in enumerate(flow.returns):
        if name not in filled:
            yield unknown(tree, ("returns", at), "variable", name, filled, _FILL)
        elif any(each.name == name and each.secret for each in fills):
            message = f"the secret digits ${name} would be returned to another flow"
            yield tree.problem(("returns", at), message, _instead(flow, name))
