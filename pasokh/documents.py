"""center.yaml in the running process: checked, applied in one step, kept in versions.

Implements `realtime.ports.Documents`. A version is saved before it is applied, since one that was applied and not
saved would be lost; one that the center then refuses is taken back, since the newest is what a restart believes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncEngine

from acd.common.document import nearest, read_tree
from acd.effects import Refused
from acd.engine import Engine
from acd.errors import DocumentError, Problem
from acd.events import ApplySite
from acd.site import Site, read_site, site_json, version_of
from acd.store import documents as store
from acd.store.base import to_us
from acd.types import US_PER_S
from ivr.library import Flows, load_flows
from pasokh.errors import NotReadyError
from pasokh.flow_documents import as_mapping, published_texts
from realtime.ports import Applied, DocumentVersion

KIND, NAME = "center", "center"


@dataclass(frozen=True, slots=True)
class Documents:
    """A site and its flows that fit together."""

    site: Site
    flows: Flows
    warnings: tuple[Problem, ...]


def read_document(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotReadyError(
            f"{file} cannot be read: {error}; make one with `pasokh init`, or correct `site` in pasokh.toml."
        ) from None


def read_documents(
    text: str, file: str, flows_folder: Path | None, published: Mapping[str, str] = MappingProxyType({})
) -> Documents:
    """center.yaml and the flows its numbers name; those that were published win over files. Raises DocumentError
    with every problem of both."""
    read = read_site(text, file)
    flows = load_flows(read.site, flows_folder, published)
    problems = list(_unknown_flows(text, file, read.site, flows))
    if problems:
        raise DocumentError(problems)
    return Documents(read.site, flows, (*read.warnings, *flows.warnings))


def _unknown_flows(text: str, file: str, site: Site, flows: Flows) -> Iterator[Problem]:
    tree = read_tree(text, file)
    for dialled, number in site.numbers.items():
        if number.flow not in flows.flows:
            meant = nearest(number.flow, flows.flows)
            add = f"add {number.flow}.yaml to the folder of flows"
            yield tree.problem(
                ("numbers", dialled, "flow"),
                f'numbers.{dialled} names the flow "{number.flow}", which is not there',
                f'write "{meant}", or {add}' if meant else add,
            )


class CenterDocuments:
    """`changed` is told of the flows that belong to a version that was just applied. `one_at_a_time`: held while
    one is."""

    def __init__(
        self,
        database: AsyncEngine,
        engine: Engine,
        flows_folder: Path | None,
        changed: Callable[[Flows], None],
    ) -> None:
        self._database = database
        self._engine = engine
        self._flows_folder = flows_folder
        self._changed = changed
        self.one_at_a_time = asyncio.Lock()

    async def current(self) -> DocumentVersion | None:
        found = await store.current(self._database, KIND, NAME)
        return None if found is None else _version(found)

    async def history(self, *, limit: int) -> Sequence[DocumentVersion]:
        return [_version(each) for each in await store.history(self._database, KIND, NAME, limit)]

    async def check(self, text: str) -> Applied:
        checked = await self._read(text)
        return checked if isinstance(checked, Applied) else Applied(True, version_of(checked[0]), checked[2])

    async def apply(self, text: str, by: str) -> Applied:
        """Check, save, apply; nothing at all when anything is wrong."""
        async with self.one_at_a_time:
            checked = await self._read(text)
            if isinstance(checked, Applied):
                return checked
            return await self._put_in_force(text, by, *checked)

    async def _put_in_force(
        self, text: str, by: str, site: Site, flows: Flows, warnings: list[Mapping[str, object]]
    ) -> Applied:
        version = version_of(site)
        at = datetime.fromtimestamp(self._engine.now_us() / US_PER_S, UTC)
        before = await store.current(self._database, KIND, NAME)
        saved = await store.save(self._database, KIND, NAME, text, at, by, version)
        answer = await self._engine.ask(by, ApplySite(version, site_json(site)))
        if isinstance(answer, Refused):
            if before is None or before.number != saved.number:
                await store.withdraw(self._database, saved)
            return Applied(False, None, [{"message": _refusal(answer.reason), "severity": "error"}])
        self._changed(flows)
        return Applied(True, version, warnings)

    async def _read(self, text: str) -> tuple[Site, Flows, list[Mapping[str, object]]] | Applied:
        published = await published_texts(self._database)
        try:
            read = await asyncio.to_thread(
                read_documents, text, "center.yaml", self._flows_folder, published
            )  # it takes a while, and the loop has callers to serve
        except DocumentError as error:
            return Applied(False, None, [as_mapping(each) for each in error.problems])
        return read.site, read.flows, [as_mapping(each) for each in read.warnings]


def _refusal(reason: str) -> str:
    kind, _, what = reason.partition(":")
    if kind == "queue_in_use":
        return (
            f'Callers wait in the queue "{what}", so it cannot be removed now; keep it until they are served.'
        )
    return f"The running center refused: {reason}."


def _version(found: store.Document) -> DocumentVersion:
    return DocumentVersion(found.version, to_us(found.at), found.by, found.text)
