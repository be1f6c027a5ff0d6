"""Flows that call each other: they exist, fit together, and never go in circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acd.common.document import Loaded, Path
from acd.errors import Problem
from ivr.check.sentences import unknown
from ivr.check.ways import closure, deaf_loops, is_deaf
from ivr.flow import Flow, ReturnNode, SubNode
from ivr.steps.walk import DEEPEST

LONGEST_PLACE = 100
"""The most characters of the way to a node (`verify/ask_pin`): it must fit into a ticket."""


def check_calls(flows: Mapping[str, Loaded[Flow]]) -> list[Problem]:
    """Everything wrong between these flows, by file and line. Each by itself has been checked before."""
    found: list[Problem] = []
    for loaded in flows.values():
        for name, node in loaded.model.nodes.items():
            if isinstance(node, SubNode):
                found += _call(flows, loaded, name, node)
    if not found:
        found += [*_circles(flows), *_deaf(flows)]
    return sorted(set(found), key=lambda p: (p.file, p.line, p.column, p.message))


def _calls(flow: Flow) -> Iterator[tuple[str, SubNode]]:
    return ((name, node) for name, node in flow.nodes.items() if isinstance(node, SubNode))


def _call(
    flows: Mapping[str, Loaded[Flow]], caller: Loaded[Flow], name: str, node: SubNode
) -> Iterator[Problem]:
    tree, at = caller.tree, ("nodes", name)
    if node.flow not in flows:
        yield unknown(tree, (*at, "flow"), "flow", node.flow, flows, "add a file of that name")
        return
    called = flows[node.flow].model
    yield from _words(caller, (*at, "args"), node.args, called.takes, "does not take", called.flow)
    for taken in called.takes:
        if taken not in node.args:
            message = f'the flow "{called.flow}" takes "{taken}", which the node "{name}" does not give'
            yield tree.problem((*at, "args"), message, f"add `{taken}: …` under args")
    for mine, theirs in node.keep.items():
        if theirs not in called.returns:
            kept: Path = (*at, "keep", mine)
            yield from _words(caller, kept, (theirs,), called.returns, "does not return", called.flow)
    outcomes = {each.outcome for each in called.nodes.values() if isinstance(each, ReturnNode)}
    named = [outcome for outcome in outcomes if outcome is not None]
    yield from _words(caller, (*at, "ways"), node.ways, named, "never returns", called.flow)
    if not outcomes:
        message = f'the flow "{called.flow}" has no return, so nobody ever goes on behind "{name}"'
        yield tree.problem((*at, "flow"), message, "add a node `kind: return` there")
    for language in caller.model.languages:
        if language not in called.languages:
            message = f'the flow "{called.flow}" does not speak {language}, which callers of this flow may'
            yield tree.problem((*at, "flow"), message, f"add {language} to its languages")
    if called.person is None and caller.model.person is None and not caller.model.is_called:
        message = f'neither this flow nor "{called.flow}" says where a caller goes who cannot help themselves'
        yield tree.problem((*at, "flow"), message, "add `person: …` to this flow")


def _words(
    caller: Loaded[Flow], at: Path, given: object, known: object, verb: str, called: str
) -> Iterator[Problem]:
    words = list(given) if isinstance(given, dict | tuple) else []
    allowed = list(known) if isinstance(known, list | tuple) else []
    for word in words:
        if word not in allowed:
            path = (*at, word) if isinstance(given, dict) else at
            message = f'the flow "{called}" {verb} "{word}"'
            fix = f"use one of {', '.join(allowed)}" if allowed else "remove it"
            yield caller.tree.problem(path, message, fix)


def _circles(flows: Mapping[str, Loaded[Flow]]) -> Iterator[Problem]:
    """Flows that come back to themselves, go too deep, or whose places become too long for a ticket."""
    for name, loaded in flows.items():
        for at, node in _calls(loaded.model):
            path: Path = ("nodes", at, "flow")
            inner = closure([node.flow], lambda each: (call.flow for _, call in _calls(flows[each].model)))
            if name in inner:
                message = f'the flow "{node.flow}" calls the flow "{name}" again, so a call would never end'
                yield loaded.tree.problem(path, message, "lead back by a return instead")
            elif not any(n in _inner(flows, n) for n in inner):
                deep, place = _depth(flows, name), _longest_place(flows, name)
                if deep > DEEPEST:
                    message = f"{deep} flows are called within each other here, more than {DEEPEST}"
                    yield loaded.tree.problem(path, message, "put two of them together")
                elif place > LONGEST_PLACE:
                    message = (
                        f"a place in the flows called here is {place} characters long, over {LONGEST_PLACE}"
                    )
                    yield loaded.tree.problem(path, message, "give nodes shorter names")


def _inner(flows: Mapping[str, Loaded[Flow]], name: str) -> set[str]:
    calls = [node.flow for _, node in _calls(flows[name].model)]
    return closure(calls, lambda each: (call.flow for _, call in _calls(flows[each].model)))


def _depth(flows: Mapping[str, Loaded[Flow]], name: str) -> int:
    return 1 + max((_depth(flows, node.flow) for _, node in _calls(flows[name].model)), default=0)


def _longest_place(flows: Mapping[str, Loaded[Flow]], name: str) -> int:
    flow = flows[name].model
    own = max(len(node) for node in flow.nodes)
    return max([own, *(len(at) + 1 + _longest_place(flows, node.flow) for at, node in _calls(flow))])


def _deaf(flows: Mapping[str, Loaded[Flow]]) -> Iterator[Problem]:
    """Loops through flows in which nobody listens either."""
    deaf: frozenset[str] = frozenset()
    while True:
        more = frozenset(name for name, loaded in flows.items() if is_deaf(loaded.model, deaf))
        if more == deaf:
            break
        deaf = more
    for loaded in flows.values():
        if any(node.flow in deaf for _, node in _calls(loaded.model)):
            yield from deaf_loops(loaded.model, loaded.tree, deaf)
