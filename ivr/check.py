"""Is a flow playable? What is wrong between its nodes, each with its place and its remedy.

Errors are what a caller would suffer from: a way to nowhere, a text missing in their language, a loop that
never listens, a hang-up without a word. A flow with an error is not used. Warnings are what was probably
not meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from acd.common.document import Loaded, Path, Tree, load_document, nearest
from acd.errors import DocumentError, Problem
from acd.site import Site
from ivr.flow import (
    BUILT_IN,
    AskNode,
    CollectNode,
    Flow,
    HangupNode,
    HoursNode,
    LanguageNode,
    MenuNode,
    Prompt,
    QueueNode,
    SetNode,
    variables_in,
)


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """A flow that can be used, and what its author may still want to know."""

    flow: Flow
    warnings: tuple[Problem, ...]


def load_flow(text: str | bytes, file: str, site: Site | None = None) -> ReadFlow:
    """The flow in a document. With `site`, its queues and hours must exist there.

    Raises DocumentError with every problem if any is an error.
    """
    loaded = load_document(text, file, Flow)
    problems = check_flow(loaded, site)
    if any(problem.severity == "error" for problem in problems):
        raise DocumentError(problems)
    return ReadFlow(loaded.model, tuple(problems))


def check_flow(loaded: Loaded[Flow], site: Site | None = None) -> list[Problem]:
    """Everything wrong or doubtful in a flow whose nodes are each well-formed, in the order of lines."""
    flow, tree = loaded.model, loaded.tree
    found = [*_unknown_nodes(flow, tree)]
    if not found:  # the walks below need every way to lead somewhere
        found += [*_unreachable(flow, tree), *_dead_ends(flow, tree), *_deaf_loops(flow, tree)]
        found += [*_nobody_after_tries(flow, tree)]
    found += [*_prompts(flow, tree), *_languages(flow, tree), *_variables(flow, tree)]
    if site is not None:
        found += [*_site_words(flow, tree, site)]
    return sorted(set(found), key=lambda p: (p.line, p.column, p.message))


def ways(flow: Flow, name: str) -> Iterator[tuple[str, bool]]:
    """Where a caller may go from a node, the ways that are not written included: (node, had time to act)."""
    node = flow.nodes[name]
    for edge in node.edges():
        yield edge.target, edge.waits
    if isinstance(node, MenuNode | CollectNode) and node.after_tries is None and flow.person is not None:
        yield flow.person, True


# Between nodes ---------------------------------------------------------------------------------------------


def _unknown_nodes(flow: Flow, tree: Tree) -> Iterator[Problem]:
    references: list[tuple[Path, str]] = [(("start",), flow.start)]
    if flow.person is not None:
        references.append((("person",), flow.person))
    for name, node in flow.nodes.items():
        references += [(("nodes", name, *edge.path), edge.target) for edge in node.edges()]
    for path, target in references:
        if target not in flow.nodes:
            yield _unknown(tree, path, "node", target, flow.nodes, "add it under nodes")


def _unreachable(flow: Flow, tree: Tree) -> Iterator[Problem]:
    roots = [flow.start] if flow.person is None else [flow.start, flow.person]
    reached = _closure(roots, lambda name: (target for target, _ in ways(flow, name)))
    for name in flow.nodes:
        if name not in reached:
            message = f'no caller can reach the node "{name}"'
            yield tree.problem(("nodes", name), message, "lead to it or remove it", at_key=True)


def _dead_ends(flow: Flow, tree: Tree) -> Iterator[Problem]:
    """Nodes from which no end of the call, and no person, can be reached."""
    backward: dict[str, list[str]] = {name: [] for name in flow.nodes}
    for name in flow.nodes:
        for target, _ in ways(flow, name):
            backward[target].append(name)
    ends = [name for name, node in flow.nodes.items() if isinstance(node, QueueNode | HangupNode)]
    alive = _closure(ends, lambda name: backward[name])
    for name in flow.nodes:
        if name not in alive:
            message = f'from the node "{name}" a caller never reaches a queue or the end of the call'
            yield tree.problem(("nodes", name), message, "lead it to a queue or a hangup", at_key=True)


def _deaf_loops(flow: Flow, tree: Tree) -> Iterator[Problem]:
    """Circles in which nobody ever waits for the caller."""

    def deaf(name: str) -> Iterator[str]:
        return (target for target, waits in ways(flow, name) if not waits)

    for name in flow.nodes:
        if name in _closure(deaf(name), deaf):
            message = f'the node "{name}" is in a loop that never waits for the caller'
            fix = "put a menu or a queue into the loop, or lead out of it"
            yield tree.problem(("nodes", name), message, fix, at_key=True)


def _nobody_after_tries(flow: Flow, tree: Tree) -> Iterator[Problem]:
    """Who fails three times reaches a person; when it is closed, at least hears a word before the call
    ends."""
    open_nodes = _in_opening_hours(flow)
    for name, node in flow.nodes.items():
        if not isinstance(node, MenuNode | CollectNode):
            continue
        target = node.after_tries or flow.person
        path: Path = ("nodes", name, "after_tries")
        if target is None:
            message = f'the node "{name}" does not say where a caller goes who fails {node.tries} times'
            yield tree.problem(path, message, "add `after_tries: …`, or `person: …` to the flow")
            continue
        if _hangs_up_silently(flow, target):
            message = f'a caller who fails {node.tries} times at "{name}" may be hung up on without a word'
            yield tree.problem(path, message, "lead them to a queue, or give the hangup a prompt")
        elif name in open_nodes and not _reaches_queue(flow, target):
            message = f'a caller who fails {node.tries} times at "{name}" reaches no queue'
            yield tree.problem(path, message, "lead them to a queue")


def _in_opening_hours(flow: Flow) -> set[str]:
    """What a caller may reach without being told that it is closed; nothing if the flow has no queue at
    all."""

    def onward(name: str) -> Iterable[str]:
        node = flow.nodes[name]
        return [node.open] if isinstance(node, HoursNode) else [target for target, _ in ways(flow, name)]

    if not any(isinstance(node, QueueNode) for node in flow.nodes.values()):
        return set()
    return _closure([flow.start], onward)


def _hangs_up_silently(flow: Flow, start: str) -> bool:
    def unheard(name: str) -> Iterable[str]:
        node = flow.nodes[name]
        silent = isinstance(node, HoursNode | AskNode | SetNode)
        return [target for target, _ in ways(flow, name)] if silent else []

    for name in _closure([start], unheard):
        node = flow.nodes[name]
        if isinstance(node, HangupNode) and node.prompt is None:
            return True
    return False


def _reaches_queue(flow: Flow, start: str) -> bool:
    reached = _closure([start], lambda name: (target for target, _ in ways(flow, name)))
    return any(isinstance(flow.nodes[name], QueueNode) for name in reached)


def _closure(start: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += onward(name)
    return reached


# What is said ----------------------------------------------------------------------------------------------


def _prompts(flow: Flow, tree: Tree) -> Iterator[Problem]:
    used: set[str] = set()
    places: list[tuple[Path, Prompt]] = [
        (("nodes", name, *path), prompt)
        for name, node in flow.nodes.items()
        for path, prompt in node.prompts()
    ]
    for path, prompt in places:
        if prompt.use is None:
            continue
        used.add(prompt.use)
        if prompt.use not in flow.prompts and prompt.use not in BUILT_IN:
            yield _unknown(tree, path, "prompt", prompt.use, flow.prompts, "add it under prompts")
    written: list[tuple[Path, Prompt]] = [(path, prompt) for path, prompt in places if prompt.use is None]
    written += [(("prompts", name), prompt) for name, prompt in flow.prompts.items()]
    for path, prompt in written:
        for language in flow.languages:
            if prompt.text(language) is None:
                name = ".".join(str(step) for step in path)
                yield tree.problem(
                    path, f"{name} has no text in {language}", f"add `{language}: …`", at_key=True
                )
    for name in flow.prompts:
        if name not in used:
            path = ("prompts", name)
            fix = "use it or remove it"
            yield tree.problem(path, f'nobody says the prompt "{name}"', fix, severity="warning", at_key=True)


def _languages(flow: Flow, tree: Tree) -> Iterator[Problem]:
    for at, language in enumerate(flow.languages):
        if language in flow.languages[:at]:
            yield tree.problem(("languages", at), f"{language} is listed twice", "remove one")
    for name, node in flow.nodes.items():
        if isinstance(node, LanguageNode):
            for key, language in node.keys.items():
                if language not in flow.languages:
                    message = f"the key {key} chooses {language}, which is no language of the flow"
                    yield tree.problem(("nodes", name, "keys", key), message, f"add {language} to languages")
        if isinstance(node, QueueNode):
            for language in flow.languages:
                if language not in node.queue:
                    message = f'the node "{name}" has no queue for callers in {language}'
                    yield tree.problem(("nodes", name, "queue"), message, f"add `{language}: …`")


# What is kept and passed on --------------------------------------------------------------------------------


def _variables(flow: Flow, tree: Tree) -> Iterator[Problem]:
    secret = {node.into for node in flow.nodes.values() if isinstance(node, CollectNode) and node.is_secret}
    known = {node.into for node in flow.nodes.values() if isinstance(node, CollectNode)}
    known |= {name for node in flow.nodes.values() if isinstance(node, AskNode) for name in node.keep}
    for path, value, leaves in _values(flow):
        for name in variables_in(value):
            if name not in known:
                yield _unknown(tree, path, "variable", name, known, "fill it by a collect or an ask")
            elif leaves and name in secret:
                message = f"the secret digits ${name} would be put on the channel, where others can read them"
                yield tree.problem(path, message, "leave them out, or pass them to an ask")


def _values(flow: Flow) -> Iterator[tuple[Path, str, bool]]:
    """Every value that may hold variables: place, value, and whether it becomes visible outside."""
    for name, node in flow.nodes.items():
        if isinstance(node, SetNode) and node.value is not None:
            yield ("nodes", name, "value"), node.value, True
        if isinstance(node, AskNode):
            for arg, value in node.args.items():
                yield ("nodes", name, "args", arg), value, False


def _site_words(flow: Flow, tree: Tree, site: Site) -> Iterator[Problem]:
    define = "define it in center.yaml"
    for name, node in flow.nodes.items():
        if isinstance(node, HoursNode) and node.hours is not None and node.hours not in site.hours:
            yield _unknown(tree, ("nodes", name, "hours"), "opening hours", node.hours, site.hours, define)
        if isinstance(node, QueueNode):
            for language in flow.languages:
                queue = node.queue.get(language)
                if queue is not None and queue not in site.queues:
                    path: Path = ("nodes", name, "queue", language)
                    path = path if path in tree.values else path[:-1]  # one queue for all languages
                    yield _unknown(tree, path, "queue", queue, site.queues, define)


def _unknown(tree: Tree, path: Path, kind: str, word: str, known: Iterable[str], otherwise: str) -> Problem:
    meant = nearest(word, known)
    fix = f'write "{meant}", or {otherwise}' if meant else otherwise
    where = ".".join(str(step) for step in path)
    return tree.problem(path, f'{where} names the {kind} "{word[:40]}", which does not exist', fix)


__all__ = ["ReadFlow", "check_flow", "load_flow", "ways"]
