"""Is a flow playable? What is wrong between its nodes, each with its place and its remedy.

Errors are what a caller would suffer from: a way to nowhere, a text missing in their language, a loop that
never listens, a hang-up without a word, a secret where others see it. A flow with an error is not used. Warnings
are what was probably not meant.

`ways` holds what is wrong with the ways between nodes, `said` with what callers hear, `values` with variables and
expressions, `calls` with flows that call each other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from acd.common.document import Loaded, load_document
from acd.errors import DocumentError, Problem
from acd.site import Site
from ivr.check.calls import check_calls
from ivr.check.said import said_problems
from ivr.check.site_words import service_problems, site_problems
from ivr.check.values import too_early, value_problems
from ivr.check.ways import unknown_nodes, way_problems, ways
from ivr.flow import Flow

__all__ = ["ReadFlow", "check_calls", "check_flow", "check_site", "load_flow", "ways"]


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """A flow that can be used, what its author may still want to know, and where everything in it stands."""

    flow: Flow
    warnings: tuple[Problem, ...]
    loaded: Loaded[Flow]


def load_flow(
    text: str | bytes, file: str, site: Site | None = None, services: Collection[str] | None = None
) -> ReadFlow:
    """The flow in a document. With `site`, its queues and hours must exist there; with `services` (the names in
    pasokh.toml), what it looks up. What it calls is the business of `check_calls`.

    Raises DocumentError with every problem if any is an error.
    """
    loaded = load_document(text, file, Flow)
    problems = check_flow(loaded, site, services)
    if any(problem.severity == "error" for problem in problems):
        raise DocumentError(problems)
    return ReadFlow(loaded.model, tuple(problems), loaded)


def check_flow(
    loaded: Loaded[Flow], site: Site | None = None, services: Collection[str] | None = None
) -> list[Problem]:
    """Everything wrong or doubtful in a flow whose nodes are each well-formed, in the order of lines."""
    flow, tree = loaded.model, loaded.tree
    found = [*unknown_nodes(flow, tree)]
    if not found:  # these walk, and so need every way to lead somewhere
        found += [*way_problems(flow, tree), *too_early(flow, tree)]
    found += [*said_problems(flow, tree), *value_problems(flow, tree)]
    if site is not None:
        found += check_site(loaded, site)
    if services is not None:
        found += service_problems(flow, tree, services)
    return sorted(set(found), key=lambda p: (p.line, p.column, p.message))


def check_site(loaded: Loaded[Flow], site: Site) -> list[Problem]:
    """The queues and hours that a flow names and the site does not have."""
    return site_problems(loaded.model, loaded.tree, site)
