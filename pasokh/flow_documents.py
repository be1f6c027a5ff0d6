"""Flows in the running process: published, rolled back, drawn with what callers do in them.

A flow is a draft as long as it is a file. While it was never published, its file is in force as it was when the
process started or the site was last applied; from its first publication on, only what is published counts. A version
is checked together with all other flows and the site, saved, and put in force in one step; callers keep the version
they are in. To roll back is to publish an old text again, so history shows that too.

Reading and drawing take a tenth of a second and more, so a thread does them: the loop has callers to serve.

Implements `realtime.ports.Flows`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from acd.common.document import load_document
from acd.errors import DocumentError, Problem
from acd.kpi.flows import Figures, FlowDays, figures
from acd.site import Site
from acd.store import documents as store
from acd.store.base import to_us
from acd.types import US_PER_S
from ivr.draw import draw
from ivr.flow import Flow, version_of
from ivr.library import OLDER_KEPT, Flows, VersionKey, load_flows
from realtime.ports import Applied

KIND = "flow"
HISTORY_MOST = 200


class CenterNow(Protocol):
    """What is needed of the engine."""

    @property
    def site(self) -> Site: ...

    def now_us(self) -> int: ...


async def published_texts(database: AsyncEngine) -> dict[str, str]:
    """The texts of all flows that were ever published, as they are in force."""
    found = {name: await store.current(database, KIND, name) for name in await store.names(database, KIND)}
    return {name: document.text for name, document in found.items() if document is not None}


async def older_versions(database: AsyncEngine) -> dict[VersionKey, Flow]:
    """Earlier published versions, oldest first, under the names they had: callers may still be in them. One that
    this code cannot read any more is left out; its callers go on in the present one."""
    found: dict[VersionKey, Flow] = {}
    for name in await store.names(database, KIND):
        for each in reversed(await store.history(database, KIND, name, OLDER_KEPT)):
            try:
                found[name, each.version] = load_document(each.text, f"{name}.yaml", Flow).model
            except DocumentError:
                continue
    return found


async def flows_at_start(
    database: AsyncEngine, site: Site, folder: Path | None, tell: Callable[[str], None]
) -> Flows:
    """The flows in force, with those before them. A published flow that this code or this site cannot use any more is
    told of, and its file takes its place: a process that does not start answers nobody.

    Raises DocumentError if files are wrong.
    """
    published = await published_texts(database)
    try:
        flows = load_flows(site, folder, published)
    except DocumentError as error:
        broken = {problem.file.removesuffix(".yaml") for problem in error.problems} & set(published)
        if not broken:
            raise
        for problem in error.problems:
            tell(str(problem))
        flows = load_flows(site, folder, {name: published[name] for name in set(published) - broken})
    return flows.with_older(await older_versions(database))


def in_use(days: FlowDays) -> Collection[VersionKey]:
    """Versions that a caller on the line is in."""
    return {(step.flow, step.version) for step in days.open.values()}


class FlowDocuments:
    """`now`: the flows in force; `use` puts others in force. `one_at_a_time` is shared with whatever else changes what
    flows are checked against."""

    def __init__(
        self,
        database: AsyncEngine,
        center: CenterNow,
        counted: Callable[[], FlowDays],
        folder: Path | None,
        now: Callable[[], Flows],
        use: Callable[[Flows], None],
        one_at_a_time: asyncio.Lock,
    ) -> None:
        self._database = database
        self._center = center
        self._counted = counted
        self._folder = folder
        self._now = now
        self._use = use
        self._one_at_a_time = one_at_a_time

    # Reading -----------------------------------------------------------------------------------------------

    async def all(self) -> Sequence[Mapping[str, object]]:
        """Every flow in force, by name."""
        flows = self._now()
        published = {name: await store.current(self._database, KIND, name) for name in flows.flows}
        return [self._summary(flows, name, published[name]) for name in sorted(flows.flows)]

    async def one(self, name: str) -> Mapping[str, object] | None:
        """A flow with its text and versions, newest first; None if there is no such flow."""
        flows = self._now()
        if name not in flows.flows:
            return None
        history = await store.history(self._database, KIND, name, HISTORY_MOST)
        versions = [
            {
                "version": each.version,
                "number": each.number,
                "at_us": to_us(each.at),
                "by": each.by,
                "in_force": number == 0,
                "callers": self._callers(name, each.version),
            }
            for number, each in enumerate(history)
        ]
        summary = self._summary(flows, name, history[0] if history else None)
        return {**summary, "text": flows.texts.get(name, ""), "versions": versions}

    async def figures(
        self, name: str, version: str | None = None, days: int = 1
    ) -> Mapping[str, Mapping[str, int]] | None:
        """By node, what callers did in it in the last `days` days of the site, today included."""
        found = await self._figures(name, version, days)
        if found is None:
            return None
        return {
            node: {"entered": each.entered, "left": each.left, "dropped": each.dropped, "inside": each.inside}
            for node, each in found[1].items()
        }

    async def graph(
        self,
        name: str,
        version: str | None = None,
        language: str = "fa",
        days: int | None = 1,
    ) -> str | None:
        """The picture of a flow at a version (default: the one in force), with figures unless `days` is None."""
        found = await self._figures(name, version, days or 1)
        if found is None:
            return None
        return await asyncio.to_thread(draw, found[0], language, found[1] if days is not None else None)

    async def _figures(
        self, name: str, version: str | None, days: int
    ) -> tuple[Flow, Mapping[str, Figures]] | None:
        flows = self._now()
        wanted = version or flows.versions.get(name)
        flow = await self._at_version(flows, name, wanted) if wanted is not None else None
        if flow is None or wanted is None:
            return None
        kinds = {node: each.kind for node, each in flow.nodes.items()}
        return flow, figures(self._counted().of(name, wanted, self._since(days)), kinds)

    async def _at_version(self, flows: Flows, name: str, version: str) -> Flow | None:
        kept = flows.at_version(name, version)
        if kept is not None:
            return kept
        for each in await store.history(self._database, KIND, name, HISTORY_MOST):
            if each.version == version:
                return load_document(each.text, f"{name}.yaml", Flow).model
        return None

    def _since(self, days: int) -> date:
        at = datetime.fromtimestamp(self._center.now_us() / US_PER_S, UTC)
        return at.astimezone(ZoneInfo(self._center.site.time_zone)).date() - timedelta(days=days - 1)

    def _callers(self, name: str, version: str) -> int:
        return sum(
            1 for step in self._counted().open.values() if (step.flow, step.version) == (name, version)
        )

    def _summary(self, flows: Flows, name: str, published: store.Document | None) -> dict[str, object]:
        flow, version = flows.flows[name], flows.versions[name]
        label = flow.label.model_dump() if flow.label is not None else {"fa": name, "en": name}
        summary: dict[str, object] = {
            "flow": name,
            "label": label,
            "version": version,
            "languages": list(flow.languages),
            "nodes": len(flow.nodes),
            "numbers": [number for number, each in flows.site.numbers.items() if each.flow == name],
            "published": published is not None,
            "callers": self._callers(name, version),
        }
        if published is not None:
            summary |= {"at_us": to_us(published.at), "by": published.by}
        return summary

    # Changing ----------------------------------------------------------------------------------------------

    async def publish(self, name: str, text: str, by: str) -> Applied:
        """Check a text together with everything else, and put it in force; nothing at all if anything is wrong."""
        async with self._one_at_a_time:
            return await self._publish(name, text, by)

    async def roll_back(self, name: str, version: str | None, by: str) -> Applied | None:
        """Publish an earlier version again: the one before the present one unless `version` is given. None if there
        is no such version."""
        async with self._one_at_a_time:
            history = await store.history(self._database, KIND, name, HISTORY_MOST)
            wanted = [each for each in history[1:] if version in (None, each.version)]
            earlier = next((each for each in wanted if each.version != history[0].version), None)
            return None if earlier is None else await self._publish(name, earlier.text, by)

    async def _publish(self, name: str, text: str, by: str) -> Applied:
        site = self._center.site
        published = {**await published_texts(self._database), name: text}
        try:
            flows = await asyncio.to_thread(load_flows, site, self._folder, published)
        except DocumentError as error:
            return Applied(False, None, [as_mapping(each) for each in error.problems])
        at = datetime.fromtimestamp(self._center.now_us() / US_PER_S, UTC)
        before = self._now()
        if await store.current(self._database, KIND, name) is None and name in before.texts:
            first = before.texts[name]  # what was in force until now, so that one can go back to it
            await store.save(self._database, KIND, name, first, at, "before", before.versions[name])
        version = version_of(flows.flows[name])
        await store.save(self._database, KIND, name, text, at, by, version)
        self._use(flows)
        warnings = [as_mapping(each) for each in flows.warnings if each.file == f"{name}.yaml"]
        return Applied(True, version, warnings)


def as_mapping(problem: Problem) -> Mapping[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": str(problem),
        "severity": problem.severity,
    }


def commands(flows: FlowDocuments) -> dict[str, Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]]:
    """What `pasokh ivr` asks of the running process."""

    async def publish(request: Mapping[str, Any]) -> Mapping[str, Any]:
        return _applied(await flows.publish(str(request["flow"]), str(request["text"]), str(request["by"])))

    async def roll_back(request: Mapping[str, Any]) -> Mapping[str, Any]:
        version = request.get("version")
        done = await flows.roll_back(
            str(request["flow"]), str(version) if version is not None else None, str(request["by"])
        )
        if done is None:
            return {
                "ok": False,
                "error": "There is no such earlier version; `pasokh ivr history` lists them.",
            }
        return _applied(done)

    async def history(request: Mapping[str, Any]) -> Mapping[str, Any]:
        found = await flows.one(str(request["flow"]))
        return {"ok": False, "error": _NO_FLOW} if found is None else {"ok": True, "flow": found}

    async def counted(request: Mapping[str, Any]) -> Mapping[str, Any]:
        version = request.get("version")
        found = await flows.figures(
            str(request["flow"]), str(version) if version is not None else None, int(request.get("days", 1))
        )
        return {"ok": False, "error": _NO_FLOW} if found is None else {"ok": True, "nodes": found}

    return {
        "flow.publish": publish,
        "flow.rollback": roll_back,
        "flow.history": history,
        "flow.figures": counted,
    }


_NO_FLOW = "The running center has no such flow, or not at that version."


def _applied(done: Applied) -> Mapping[str, Any]:
    return {"ok": done.ok, "version": done.version, "problems": list(done.problems)}
