"""The ways between nodes: dead ends, what nobody reaches, loops that never listen, callers whom nobody takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from acd.common.document import Path, Tree
from acd.errors import Problem
from ivr.check.sentences import unknown
from ivr.flow import (
    AskNode,
    BranchNode,
    Flow,
    HangupNode,
    HoursNode,
    LookupNode,
    QueueNode,
    ReturnNode,
    SetNode,
    Stray,
    SubNode,
    TransferNode,
)

_WORDLESS = (HoursNode, AskNode, SetNode, BranchNode, SubNode)
_PEOPLE = (QueueNode, TransferNode, ReturnNode)


def way_problems(flow: Flow, tree: Tree) -> list[Problem]:
    """What is wrong where every way leads to a node."""
    return [
        *_unreachable(flow, tree),
        *_dead_ends(flow, tree),
        *deaf_loops(flow, tree),
        *_strays(flow, tree),
    ]


def ways(flow: Flow, name: str) -> Iterator[tuple[str, bool]]:
    """Where a caller may go from a node, the ways that are not written included: (node, had time to act)."""
    node = flow.nodes[name]
    for edge in node.edges():
        yield edge.target, edge.waits
    if flow.person is not None:
        for stray in node.strays():
            yield flow.person, stray.waits


def closure(start: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    """Everything that can be reached, the beginnings included."""
    reached: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += onward(name)
    return reached


def unknown_nodes(flow: Flow, tree: Tree) -> Iterator[Problem]:
    references: list[tuple[Path, str]] = [(("start",), flow.start)]
    if flow.person is not None:
        references.append((("person",), flow.person))
    for name, node in flow.nodes.items():
        references += [(("nodes", name, *edge.path), edge.target) for edge in node.edges()]
    for path, target in references:
        if target not in flow.nodes:
            yield unknown(tree, path, "node", target, flow.nodes, "add it under nodes")


def _unreachable(flow: Flow, tree: Tree) -> Iterator[Problem]:
    roots = [flow.start] if flow.person is None else [flow.start, flow.person]
    reached = closure(roots, lambda name: (target for target, _ in ways(flow, name)))
    for name in flow.nodes:
        if name not in reached:
            message = f'no caller can reach the node "{name}"'
            yield tree.problem(("nodes", name), message, "lead to it or remove it", at_key=True)


def _dead_ends(flow: Flow, tree: Tree) -> Iterator[Problem]:
    """Nodes from which no end of the call, and no person, can be reached."""
    ends = [name for name, node in flow.nodes.items() if node.may_end or _leaves_to_caller(flow, name)]
    alive = _leading_to(flow, ends)
    for name in flow.nodes:
        if name not in alive:
            message = f'from the node "{name}" a caller never reaches a queue or the end of the call'
            yield tree.problem(("nodes", name), message, "lead it to a queue or a hangup", at_key=True)


def _leading_to(flow: Flow, ends: Iterable[str]) -> set[str]:
    """The nodes from which one of these can be reached, themselves included."""
    backward: dict[str, list[str]] = {name: [] for name in flow.nodes}
    for name in flow.nodes:
        for target, _ in ways(flow, name):
            backward[target].append(name)
    return closure(ends, lambda name: backward[name])


def _leaves_to_caller(flow: Flow, name: str) -> bool:
    """Whether some go from here to the person of the flow that called this one."""
    return flow.is_called and flow.person is None and any(True for _ in flow.nodes[name].strays())


def deaf_loops(flow: Flow, tree: Tree, deaf_flows: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Circles in which nobody ever waits for the caller. `deaf_flows`: called flows in which nobody may either;
    of others that is supposed to be different."""

    deaf = _deaf_ways(flow, deaf_flows)
    for name in _perhaps_in_circles(deaf):
        if name in closure(deaf[name], deaf.__getitem__):
            message = f'the node "{name}" is in a loop that never waits for the caller'
            fix = "put a menu or a queue into the loop, or lead out of it"
            yield tree.problem(("nodes", name), message, fix, at_key=True)


def is_deaf(flow: Flow, deaf_flows: frozenset[str]) -> bool:
    """Whether a caller may come through a called flow without anybody waiting for them."""

    deaf = _deaf_ways(flow, deaf_flows)
    return any(isinstance(flow.nodes[name], ReturnNode) for name in closure([flow.start], deaf.__getitem__))


def _deaf_ways(flow: Flow, deaf_flows: frozenset[str]) -> dict[str, list[str]]:
    """Where one may go from each node without anybody having waited."""

    def deaf(name: str) -> list[str]:
        node = flow.nodes[name]
        if isinstance(node, SubNode) and node.flow not in deaf_flows:
            return []
        return [target for target, waits in ways(flow, name) if not waits]

    return {name: deaf(name) for name in flow.nodes}


def _perhaps_in_circles(onward: dict[str, list[str]]) -> list[str]:
    """What is left when everything that leads nowhere is taken away, again and again; mostly nothing."""
    into: dict[str, list[str]] = {name: [] for name in onward}
    for name, targets in onward.items():
        for target in targets:
            into[target].append(name)
    left = {name: len(targets) for name, targets in onward.items()}
    todo = [name for name, count in left.items() if not count]
    gone: set[str] = set()
    while todo:
        name = todo.pop()
        gone.add(name)
        for before in into[name]:
            left[before] -= 1
            if not left[before]:
                todo.append(before)
    return [name for name in onward if name not in gone]


def _strays(flow: Flow, tree: Tree) -> Iterator[Problem]:
    """Who cannot help themselves reaches a person; when it is closed, at least hears a word before the call ends."""
    open_nodes = _in_opening_hours(flow)
    to_people = _leading_to(flow, [n for n, node in flow.nodes.items() if isinstance(node, _PEOPLE)])
    for name, node in flow.nodes.items():
        written = {edge.path[0]: edge.target for edge in node.edges()}
        for stray in node.failures():
            target = written.get(stray.way) or flow.person
            path: Path = ("nodes", name, stray.way)
            if target is None:
                if not flow.is_called:
                    yield _nowhere(tree, path, name, stray)
            elif _hangs_up_silently(flow, target):
                message = f'a caller who {stray.who} at "{name}" may be hung up on without a word'
                yield tree.problem(path, message, "lead them to a queue, or give the hangup a prompt")
            elif stray.way == "after_tries" and name in open_nodes and target not in to_people:
                message = f'a caller who {stray.who} at "{name}" reaches no queue'
                yield tree.problem(path, message, "lead them to a queue")


def _nowhere(tree: Tree, path: Path, name: str, stray: Stray) -> Problem:
    message = f'the node "{name}" does not say where a caller goes who {stray.who}'
    own = "" if stray.way == "person" else f"add `{stray.way}: …`, or "
    return tree.problem(path, message, own + ("add " if not own else "") + "`person: …` to the flow")


def _in_opening_hours(flow: Flow) -> set[str]:
    """What a caller may reach without being told that it is closed; nothing if the flow has no queue at all."""

    def onward(name: str) -> Iterable[str]:
        node = flow.nodes[name]
        return [node.open] if isinstance(node, HoursNode) else [target for target, _ in ways(flow, name)]

    if not any(isinstance(node, QueueNode) for node in flow.nodes.values()):
        return set()
    return closure([flow.start], onward)


def _hangs_up_silently(flow: Flow, start: str) -> bool:
    def unheard(name: str) -> Iterable[str]:
        node = flow.nodes[name]
        silent = isinstance(node, _WORDLESS) or (isinstance(node, LookupNode) and node.prompt is None)
        return [target for target, _ in ways(flow, name)] if silent else []

    for name in closure([start], unheard):
        node = flow.nodes[name]
        if isinstance(node, HangupNode) and node.prompt is None:
            return True
    return False
