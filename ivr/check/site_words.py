"""What a flow names outside itself: queues and hours of the site, services of pasokh.toml."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from acd.common.document import Path, Tree
from acd.errors import Problem
from acd.site import Site
from ivr.check.sentences import unknown
from ivr.flow import Flow, HoursNode, LookupNode, ReturnNode, expression

_DEFINE = "define it in center.yaml"


def site_problems(flow: Flow, tree: Tree, site: Site) -> list[Problem]:
    found = [*_hours(flow, tree, site), *_queues(flow, tree, site), *_judged_queues(flow, tree, site)]
    return [*found, *_answers(flow, tree, site)]


def _answers(flow: Flow, tree: Tree, site: Site) -> Iterator[Problem]:
    """A flow that a number leads to was called by nobody, so it must not return."""
    for name, node in flow.nodes.items():
        if isinstance(node, ReturnNode) and any(n.flow == flow.flow for n in site.numbers.values()):
            message = f'the node "{name}" returns, but the flow answers a number of the site'
            path: Path = ("nodes", name)
            yield tree.problem(path, message, "lead to a queue or a hangup instead", at_key=True)


def _hours(flow: Flow, tree: Tree, site: Site) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        if isinstance(node, HoursNode) and node.hours is not None and node.hours not in site.hours:
            yield unknown(tree, ("nodes", name, "hours"), "opening hours", node.hours, site.hours, _DEFINE)


def _queues(flow: Flow, tree: Tree, site: Site) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        queues = getattr(node, "queue", None)
        if not isinstance(queues, dict):
            continue
        for language in flow.languages:
            queue = queues.get(language)
            if queue is not None and queue not in site.queues:
                path: Path = ("nodes", name, "queue", language)
                path = path if path in tree.values else path[:-1]  # one queue for all languages
                yield unknown(tree, path, "queue", queue, site.queues, _DEFINE)


def _judged_queues(flow: Flow, tree: Tree, site: Site) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        for path, text in node.conditions():
            for read in expression(text).paths:
                if read[0] == "queues" and len(read) > 1 and read[1] not in site.queues:
                    yield unknown(tree, ("nodes", name, *path), "queue", read[1], site.queues, _DEFINE)


def service_problems(flow: Flow, tree: Tree, services: Collection[str]) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        if isinstance(node, LookupNode) and node.service not in services:
            path: Path = ("nodes", name, "service")
            yield unknown(tree, path, "service", node.service, services, "define it in pasokh.toml")
