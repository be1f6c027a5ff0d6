"""What this room needs from the rest of the house, as small as it can be. `pasokh/app.py` hands it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from acd.effects import Granted, Refused
from acd.events import Command, Event
from acd.site import Site
from acd.types import AgentId, ContactId, CustomerId, VisitId
from acd.view import SiteView
from acd.why import WhyWaiting


class Center(Protocol):
    """The running center of this process. `acd.engine.Engine` is one."""

    @property
    def site(self) -> Site: ...

    def view(self) -> SiteView: ...

    def why(self, visit: VisitId) -> WhyWaiting | None: ...

    def now_us(self) -> int: ...

    def post(self, event: Event) -> None: ...

    async def ask(self, by: str, command: Command, request: str | None = None) -> Granted | Refused: ...


Card = Mapping[str, object]

Cards = Callable[[ContactId], Card | None]
"""The card of a contact as the page gets it; None: nothing is known of this contact."""

Check = Callable[[], Awaitable[str | None]]
"""One condition of readiness: None, or a sentence that says what is missing."""


class Contacts(Protocol):
    """Records of contacts, newest first."""

    async def recent(
        self, *, limit: int, before_us: int | None = None, queue: str | None = None, agent: str | None = None
    ) -> Sequence[Mapping[str, object]]: ...

    async def one(self, contact: ContactId) -> Mapping[str, object] | None: ...

    async def waits(self, contact: ContactId, now_us: int) -> Sequence[Mapping[str, object]]:
        """Its visits, each with `stretches` of its wait (`from_us`, `to_us`, `cause`, `requirement`, `step`,
        `priority`) and `offers` (`chosen`: the reason as the center wrote it)."""
        ...


class Customers(Protocol):
    async def search(self, text: str, *, limit: int) -> Sequence[Mapping[str, object]]: ...

    async def one(self, customer: CustomerId) -> Mapping[str, object] | None: ...


class Voicemails(Protocol):
    """Messages of callers, newest first. `assign` and `done` are False for one that is done already."""

    async def recent(
        self,
        *,
        limit: int,
        before_us: int | None = None,
        kind: str | None = None,
        queue: str | None = None,
        state: str | None = None,
        agent: AgentId | None = None,
    ) -> Sequence[Mapping[str, object]]: ...

    async def one(self, message: str) -> Mapping[str, object] | None: ...

    async def path(self, message: str) -> Path | None: ...

    async def heard(self, message: str, by: str) -> None: ...

    async def assign(self, message: str, agent: AgentId | None, by: str) -> bool: ...

    async def done(self, message: str, by: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """A version of center.yaml that was applied."""

    version: str
    at_us: int
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a document. `problems` are sentences with their place; any error means nothing was
    applied.
    """

    ok: bool
    version: str | None
    problems: Sequence[Mapping[str, object]]


class Documents(Protocol):
    """center.yaml with its versions. `apply` is one step, all or nothing."""

    async def current(self) -> DocumentVersion | None: ...

    async def history(self, *, limit: int) -> Sequence[DocumentVersion]: ...

    async def check(self, text: str) -> Applied: ...

    async def apply(self, text: str, by: str) -> Applied: ...


class Flows(Protocol):
    """Menus with their versions, and what callers do in them. Counts are of the last `days` days, today included.

    `publish` and `roll_back` are one step, all or nothing. None: there is no such flow, or no such version.
    """

    async def all(self) -> Sequence[Mapping[str, object]]: ...

    async def one(self, name: str) -> Mapping[str, object] | None: ...

    async def figures(
        self, name: str, version: str | None = None, days: int = 1
    ) -> Mapping[str, Mapping[str, int]] | None: ...

    async def graph(
        self, name: str, version: str | None = None, language: str = "fa", days: int | None = 1
    ) -> str | None:
        """SVG; without counts if `days` is None."""
        ...

    async def publish(self, name: str, text: str, by: str) -> Applied: ...

    async def roll_back(self, name: str, version: str | None, by: str) -> Applied | None: ...
