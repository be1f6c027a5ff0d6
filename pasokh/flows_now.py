"""The flows in force and their sounds, as the running calls need them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

import structlog

from acd.engine import Engine
from acd.kpi.flows import FlowDays
from acd.ticket import Ticket
from acd.types import US_PER_S
from acd.verbs import Script
from ivr.errors import UnknownNumberError
from ivr.library import Flows
from ivr.prompts import PromptLibrary
from ivr.say import vocabulary
from ivr.voices import voice_from
from pasokh.flow_documents import in_use
from pasokh.settings import Settings

log: structlog.stdlib.BoundLogger = structlog.get_logger("pasokh")


@dataclass(slots=True)
class FlowCounters:
    """`unknown_numbers`: calls to a number that no flow answers."""

    unknown_numbers: int = 0


class FlowsNow:
    """The flows in force and their sounds. A call keeps the version it began with."""

    def __init__(self, flows: Flows, settings: Settings, engine: Engine) -> None:
        self._flows = flows
        self._engine = engine
        seen_as = settings.asterisk.sounds_seen_as
        self._prompts = PromptLibrary(
            settings.asterisk.sounds,
            voice_from(settings.voice),
            seen_as=PurePosixPath(seen_as) if seen_as else None,
        )
        self._making: asyncio.Task[None] | None = None
        self.counters = FlowCounters()

    def now(self) -> Flows:
        return self._flows

    def counted(self) -> FlowDays:
        return self._engine.measures.flows

    def use(self, flows: Flows) -> None:
        self._flows = flows.after(self._flows, in_use(self.counted()))
        if self._making is not None:
            self._making.cancel()  # what it made stays; the rest may no longer be wanted
        self._making = asyncio.get_running_loop().create_task(self.make_prompts(), name="prompts")

    async def close(self) -> None:
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    def script_for(self, number: str, ticket: Ticket | None) -> Script:
        """A number that no flow answers gets the first number's: a wrong menu is better than none."""
        try:
            return self._script(number, ticket)
        except UnknownNumberError:
            self.counters.unknown_numbers += 1
            log.warning("a number without a flow was called; add it under numbers in center.yaml")
            return self._script(next(iter(self._flows.site.numbers)), ticket)

    def _script(self, number: str, ticket: Ticket | None) -> Script:
        return self._flows.script_for(number, ticket, None, sound=self._prompts.sound, now_utc=self._now_utc)

    def _now_utc(self) -> datetime:
        return datetime.fromtimestamp(self._engine.now_us() / US_PER_S, UTC)

    async def make_prompts(self) -> None:
        flows = self._flows
        stock = vocabulary(flows.languages())
        made = await self._prompts.prepare([*sorted(flows.phrases()), *sorted(stock)])
        log.info("prompts are ready", made=made.made, present=made.present, missing=len(made.missing))
        for missing in made.missing[:5]:
            log.warning("a prompt has no sound", why=str(missing))
