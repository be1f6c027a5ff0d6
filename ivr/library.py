"""The flows of one site: loaded and checked together, handed out as scripts.

`pasokh/app.py` loads them once (`load_flows`), gives their phrases to the prompts, and hands
`flows.script_for` to the session. Files are read while loading only; a script is made without waiting for
anything.

A call keeps the version that it began with. Its script holds that flow by itself; for a caller who is re-attached,
`older` holds the versions before the present ones. A ticket of a version that is no longer there goes on at the same
node of the present one; if that has no such node, at the node of the caller's queue, else at its start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from acd.common.document import Loaded, nearest
from acd.errors import DocumentError, Problem
from acd.site import Site
from acd.ticket import Ticket
from ivr.check import check_calls, check_site, load_flow
from ivr.errors import UnknownFlowError, UnknownNumberError
from ivr.flow import Flow, QueueNode, SubNode, version_of
from ivr.phrase import Phrase, SoundOf
from ivr.script import FlowScript, Surroundings

TESTS = ".test.yaml"
"""Files of tests stand beside their flows; see `ivr.flow_test`."""

OLDER_KEPT = 8
"""So many versions of a flow before the present one are kept, even if nobody is known to be in them."""

VersionKey = tuple[str, str]
"""The name of a flow and its version."""


@dataclass(frozen=True, slots=True)
class Flows:
    """Flows by name, each with its version; `site` is the one they were checked against. `texts`: as they are
    written. `older`: versions that callers may still be in, oldest first."""

    site: Site
    flows: Mapping[str, Flow]
    versions: Mapping[str, str]
    warnings: tuple[Problem, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    older: Mapping[VersionKey, Flow] = field(default_factory=dict)

    def after(self, before: Flows, in_use: Collection[VersionKey]) -> Flows:
        """These flows, with the versions that `before` had: those in use, and the newest of the others."""
        older = {**before.older}
        for name, flow in before.flows.items():
            older.pop((name, before.versions[name]), None)  # to its end: it is the newest of them
            older[name, before.versions[name]] = flow
        return replace(self, older=self._kept({**older, **self.older}, in_use))

    def with_older(self, older: Mapping[VersionKey, Flow]) -> Flows:
        """These flows, with more versions that are known from before."""
        return replace(self, older={**older, **self.older})

    def at_version(self, name: str, version: str) -> Flow | None:
        """A flow at this version, if it is present or kept."""
        if self.versions.get(name) == version:
            return self.flows[name]
        return self.older.get((name, version))

    def _kept(
        self, older: Mapping[VersionKey, Flow], in_use: Collection[VersionKey]
    ) -> dict[VersionKey, Flow]:
        kept: dict[VersionKey, Flow] = {}
        counted: dict[str, int] = {}
        for key in reversed(list(older)):
            if self.versions.get(key[0]) == key[1]:
                continue
            counted[key[0]] = counted.get(key[0], 0) + 1
            if counted[key[0]] <= OLDER_KEPT or key in in_use:
                kept[key] = older[key]
        return dict(reversed(kept.items()))

    def phrases(self) -> frozenset[Phrase]:
        """Everything these flows can say."""
        return frozenset(phrase for flow in self.flows.values() for phrase in flow.phrases())

    def languages(self) -> frozenset[str]:
        return frozenset(language for flow in self.flows.values() for language in flow.languages)

    def script_for(
        self,
        number: str,
        ticket: Ticket | None,
        language: str | None,
        *,
        sound: SoundOf,
        now_utc: Callable[[], datetime],
    ) -> FlowScript:
        """The script of a call to `number` (as the trunk sends it), or its continuation by `ticket`.

        `language`: the caller's, if known. Raises UnknownNumberError or UnknownFlowError; the call is then
        the fallback's.
        """
        dialled = self.site.numbers.get(number)
        name = ticket.flow if ticket is not None and ticket.flow in self.flows else None
        if name is None:
            if dialled is None:
                raise UnknownNumberError("No flow answers this number; add it under numbers in center.yaml.")
            name = dialled.flow
        flow, version = self._flow(name), self.versions[name]
        if ticket is not None and ticket.flow_version is not None:
            began_with = self.at_version(name, ticket.flow_version)
            if began_with is not None:
                flow, version = began_with, ticket.flow_version
        hours = dialled.hours if dialled is not None else None
        around = Surroundings(self.site, sound, now_utc, hours, self.flows)
        known = language or (dialled.language if dialled is not None else None)
        wishes = (ticket.language if ticket is not None else None, known, self.site.language)
        spoken = next((wish for wish in wishes if wish in flow.languages), flow.languages[0])
        return FlowScript(
            flow,
            around,
            spoken or flow.languages[0],
            language_known=known in flow.languages,
            node=_node_to_go_on(flow, ticket) if ticket is not None else None,
            version=version,
        )

    def _flow(self, name: str) -> Flow:
        try:
            return self.flows[name]
        except KeyError:
            meant = nearest(name, self.flows)
            hint = f'did you mean "{meant}"?' if meant else f"add a file {name}.yaml to the folder of flows."
            raise UnknownFlowError(f'The flow "{name}" is not loaded; {hint}') from None


def _node_to_go_on(flow: Flow, ticket: Ticket) -> str | None:
    """The node of the ticket; if this version of the flow has lost it, one that keeps the caller's queue."""
    if ticket.flow != flow.flow:
        return None
    if ticket.node is not None and ticket.node.split("/")[0] in flow.nodes:
        return ticket.node
    if ticket.queue is None:
        return None
    for name, node in flow.nodes.items():
        if isinstance(node, QueueNode) and ticket.queue in node.queue.values():
            return name
    return flow.person


def load_flows(
    site: Site, folder: Path | None = None, published: Mapping[str, str] = MappingProxyType({})
) -> Flows:
    """The shipped flows, those in `folder` (`*.yaml`), and the published ones (texts by name), of which the later win.

    Those that a number of the site names are checked against it, queues and hours included; a shipped flow
    that no number names may speak of queues this site does not have. Raises DocumentError with every
    problem of every file.
    """
    texts: dict[str, tuple[str | bytes, str]] = {
        name: (text, f"{name}.yaml") for name, text in shipped_flows().items()
    }
    for path in sorted(folder.glob("*.yaml")) if folder is not None else ():
        if path.name.endswith(TESTS):
            continue
        texts[path.stem] = (_read(path), str(path))
    texts |= {name: (text, f"{name}.yaml") for name, text in published.items()}
    used = {number.flow for number in site.numbers.values()}
    flows: dict[str, Flow] = {}
    loaded: dict[str, Loaded[Flow]] = {}
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for name, (text, file) in texts.items():
        try:
            read = load_flow(text, file, site if name in used else None)
        except DocumentError as error:
            problems += error.problems
            continue
        problems += _misnamed(read.flow, name, file)
        warnings += read.warnings
        flows[read.flow.flow] = read.flow
        loaded[read.flow.flow] = read.loaded
    if not problems:
        problems += check_calls(loaded)
        for name in _called(flows, used) - used:
            problems += check_site(loaded[name], site)
    if problems:
        raise DocumentError(problems)
    return Flows(
        site,
        flows,
        {name: version_of(flow) for name, flow in flows.items()},
        tuple(warnings),
        {
            name: text if isinstance(text, str) else text.decode("utf-8-sig")
            for name, (text, _) in texts.items()
        },
    )


def _called(flows: Mapping[str, Flow], names: Iterable[str]) -> set[str]:
    """These flows, and those that they call."""
    todo, found = [name for name in names if name in flows], set[str]()
    while todo:
        name = todo.pop()
        if name not in found and name in flows:
            found.add(name)
            todo += [node.flow for node in flows[name].nodes.values() if isinstance(node, SubNode)]
    return found


def shipped_flows() -> dict[str, str]:
    """The texts of the flows that come with this package, by name."""
    folder = resources.files("ivr") / "flows"
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in sorted(folder.iterdir(), key=lambda f: f.name)
        if file.name.endswith(".yaml") and not file.name.endswith(TESTS)
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = Problem(str(path), 1, 1, f"the file cannot be read ({error.strerror})", "make it readable")
        raise DocumentError([problem]) from None


def _misnamed(flow: Flow, name: str, file: str) -> list[Problem]:
    if flow.flow == name:
        return []
    message = f'the file "{name}.yaml" holds the flow "{flow.flow}"'
    return [Problem(file, 1, 1, message, "give both the same name")]
