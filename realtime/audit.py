"""Who did what: one row for every command and log-in, written in batches behind everybody's back.

Nobody waits for it. Rows stay in memory while the database is away, at most `audit_queue`; what is lost beyond
that is counted. A row holds names of users, agents and versions, never a caller.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from realtime.settings import HttpSettings
from realtime.store import queries
from realtime.store.queries import AuditRow

log = logging.getLogger(__name__)


class AuditLog:
    """`run` is its task; `flush` writes what is there now."""

    def __init__(self, engine: AsyncEngine, now_us: Callable[[], int], settings: HttpSettings) -> None:
        self._engine = engine
        self._now_us = now_us
        self._rows: deque[AuditRow] = deque(maxlen=settings.audit_queue)
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        self.lost = 0

    def note(self, who: str, action: str, about: str, outcome: str, address: str) -> None:
        if len(self._rows) == self._rows.maxlen:
            self.lost += 1
        self._rows.append(
            AuditRow(self._now_us(), _cut(who), _cut(action), _cut(about, 128), _cut(outcome), _cut(address))
        )
        self._news.set()

    async def run(self) -> None:
        """Writes until cancelled; `flush` afterwards writes the rest."""
        pause_s = 0.2
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.flush()
            except (SQLAlchemyError, OSError) as error:
                log.warning(
                    "the audit trail cannot be written (%s); it is kept in memory", type(error).__name__
                )
                self._news.set()
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 30.0)
            else:
                pause_s = 0.2

    async def flush(self) -> None:
        """Write what is there. Raises what the database raises; then the rows are still here."""
        async with self._writing:
            while batch := [self._rows[number] for number in range(min(len(self._rows), 200))]:
                await queries.write_audit(self._engine, batch)
                for row in batch:
                    if self._rows and self._rows[0] is row:
                        self._rows.popleft()


def _cut(text: str, most: int = 64) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:most]
