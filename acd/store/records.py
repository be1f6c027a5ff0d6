"""Writes what happened to the database, in batches, off the call path; without one, keeps it on the disk.

`take` and `note_caller` only take in. One task writes: every `batch_every_s`, or at `batch_most` entries, one
transaction. If the database does not answer, entries go in order to a spool file, and when it answers again,
they come out of it in the same order, before anything newer. A transaction whose end we never heard of is
simply done again: every entry sets rows by id to the same values, so each counts once however often it comes.

An entry that the database will never take (a value too large) is set aside in `SPOOL.rejected` and counted;
it holds nothing up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from acd.common.number import Number
from acd.facts import ContactBegan, ContactEnded, Fact
from acd.store.apply import apply
from acd.store.base import DATABASE_ERRORS, is_value_fault
from acd.store.errors import DatabaseAwayError
from acd.store.rows import CallerNoted, Entry, merged
from acd.store.spool import Spool, encode
from acd.types import ContactId

_log = logging.getLogger(__name__)

_CALLERS_MOST = 10_000


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """`spool`: the file for the time without a database. Above `pending_most` entries in memory a
    transaction is not waited for beyond `patience_s`, and they go to the spool; above `memory_most` (the disk fails
    too) the oldest are lost, and counted."""

    spool: Path = Path("var/records.spool")
    batch_every_s: float = 0.1
    batch_most: int = 500
    write_timeout_s: float = 6.0
    retry_every_s: float = 1.0
    patience_s: float = 0.5
    pending_most: int = 20_000
    memory_most: int = 200_000


@dataclass(frozen=True, slots=True)
class RecordCounters:
    """Entries since the start: committed, put to the spool, set aside, lost; `repeated`: tried again. Now:
    `pending` in memory (what is just being written is still among it), `spool_bytes` on the disk, `oldest_age_s`
    of what is not yet in the database."""

    written: int = 0
    spooled: int = 0
    rejected: int = 0
    lost: int = 0
    failures: int = 0
    pending: int = 0
    spool_bytes: int = 0
    oldest_age_s: float = 0.0


class RecordWriter:
    """Implements `acd.ports.Records`. Use `start`, `close`; or as an async context."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: RecordSettings | None = None,
        on_durable: Callable[[Sequence[ContactId]], None] = lambda _contacts: None,
    ) -> None:
        """`on_durable` is told which contacts' ends have been committed, from the loop's thread."""
        self._engine = engine
        self._settings = settings or RecordSettings()
        self._on_durable = on_durable
        self._spool = Spool(self._settings.spool)
        self._offset = 0
        self._pending: deque[tuple[float, Entry]] = deque()
        self._in_hand: list[tuple[float, Entry]] = []
        self._callers: dict[ContactId, CallerNoted] = {}
        self._counts = RecordCounters()
        self._taken = 0
        self._settled = 0
        self._away = False
        self._closing = False
        self._hurry = False
        self._spooled_since: float | None = None
        self._retry_at = 0.0
        self._work = asyncio.Event()
        self._pressure = asyncio.Event()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    # ---- taking in ----------------------------------------------------------------------------------------

    def take(self, facts: Sequence[Fact]) -> None:
        """Take facts in, in order. Never blocks and never fails."""
        for fact in facts:
            self._take(fact)
            if isinstance(fact, ContactBegan) and (caller := self._callers.pop(fact.contact, None)):
                self._take(caller)

    async def take_many(self, facts: Iterable[Fact]) -> None:
        """Take in as many as a recovery brings, without holding them all in memory; then all are flushed."""
        part: list[Fact] = []
        for fact in facts:
            part.append(fact)
            if len(part) >= self._settings.batch_most:
                self.take(part)
                part = []
                await self.flush()
        self.take(part)
        await self.flush()

    def note_caller(self, contact: ContactId, caller: Number) -> None:
        """Keep the caller's number with the contact, whether its beginning was taken or is yet to come."""
        note = CallerNoted(contact, caller.kind, caller.key if caller.kind == "e164" else None)
        if len(self._callers) >= _CALLERS_MOST:
            del self._callers[next(iter(self._callers))]
        self._callers[contact] = note
        self._take(note)

    def _take(self, entry: Entry) -> None:
        if isinstance(entry, ContactEnded):
            self._callers.pop(entry.contact, None)
        self._pending.append((asyncio.get_running_loop().time(), entry))
        self._taken += 1
        if len(self._pending) > self._settings.memory_most:
            self._pending.popleft()
            self._count(lost=1)
        if len(self._pending) > self._settings.pending_most:
            self._pressure.set()
        self._work.set()

    # ---- from outside -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to write; a spool left by an earlier process is written first."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="records")

    async def flush(self) -> None:
        """Wait until all that was taken so far is in the database or on the disk."""
        target = self._taken
        self._hurry = True
        self._work.set()
        await self._until(lambda: self._settled >= target)

    async def drained(self) -> None:
        """Wait until nothing is left in memory or on the disk: for as long as the database is away."""
        await self._until(lambda: not self._pending and not self._spool.size and self._settled >= self._taken)

    async def close(self) -> None:
        """Write or spool what is left, and end. Entries in the spool stay for the next start."""
        self._closing = True
        self._work.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def __aenter__(self) -> RecordWriter:
        self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    def counters(self) -> RecordCounters:
        """For metrics."""
        now = asyncio.get_running_loop().time()
        oldest = self._in_hand[:1] or [*islice(self._pending, 1)]
        since = oldest[0][0] if oldest else None
        if self._spooled_since is not None:
            since = self._spooled_since
        return replace(
            self._counts,
            pending=len(self._in_hand) + len(self._pending),
            spool_bytes=self._spool.size,
            oldest_age_s=0.0 if since is None else now - since,
        )

    # ---- the one task -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        if self._spool.size:
            self._spooled_since = asyncio.get_running_loop().time()
        try:
            while True:
                await self._wait_for_work()
                await self._one_round()
                self._wake_waiting()
                if self._closing and not self._pending:
                    return
        finally:
            self._wake_waiting(ended=True)

    async def _wait_for_work(self) -> None:
        """Until there is a batch worth writing, or it is time to ask for the database again."""
        timeout_s: float | None = None
        if self._spool.size or self._away:
            timeout_s = max(0.0, self._retry_at - asyncio.get_running_loop().time())
        if not self._pending and not await self._woken(timeout_s):
            return
        if self._closing or self._hurry or len(self._pending) >= self._settings.batch_most:
            return
        end = asyncio.get_running_loop().time() + self._settings.batch_every_s
        while not (self._closing or self._hurry or len(self._pending) >= self._settings.batch_most):
            if not await self._woken(end - asyncio.get_running_loop().time()):
                return

    async def _woken(self, timeout_s: float | None) -> bool:
        """Whether something came within the time, or the end did."""
        if self._closing:
            return True
        self._work.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._work.wait()
        except TimeoutError:
            return False
        return True

    async def _one_round(self) -> None:
        self._hurry = False
        if not self._spool.size and not self._away:
            await self._write(self._cut(self._settings.batch_most))
            return
        if self._pending:
            await self._keep(self._cut(len(self._pending)))
        if self._closing or asyncio.get_running_loop().time() < self._retry_at:
            return
        try:
            await self._drain()
        except OSError as error:
            _log.error("The spool of records cannot be read (%s); it is tried again.", error.strerror)
            self._retry_at = asyncio.get_running_loop().time() + self._settings.retry_every_s

    def _cut(self, most: int) -> list[tuple[float, Entry]]:
        """The oldest, in hand until they are in the database, on the disk, or in `_pending` again."""
        cut = self._in_hand = [self._pending.popleft() for _ in range(min(most, len(self._pending)))]
        if len(self._pending) <= self._settings.pending_most:
            self._pressure.clear()
        return cut

    async def _write(self, batch: list[tuple[float, Entry]]) -> None:
        if not batch:
            return
        rest = await self._commit([entry for _, entry in batch])
        self._settled += len(batch) - rest
        self._in_hand = batch[len(batch) - rest :]
        if rest:
            await self._keep(self._in_hand)

    async def _commit(self, entries: Sequence[Entry]) -> int:
        """Bring the entries into the database, in order; how many at the end did not get there."""
        try:
            await self._transaction(entries)
        except DATABASE_ERRORS as error:
            if not is_value_fault(error):
                self._went_away(error)
                return len(entries)
        else:
            self._came_in(entries)
            return 0
        for done, entry in enumerate(entries):
            try:
                await self._transaction([entry])
            except DATABASE_ERRORS as error:
                if not is_value_fault(error):
                    self._went_away(error)
                    return len(entries) - done
                _log.error("The database refuses a record (%s); it was set aside.", type(error).__name__)
                await self._set_aside([encode(entry)])
            else:
                self._came_in([entry])
        return 0

    async def _transaction(self, entries: Sequence[Entry]) -> None:
        """One transaction, not waited for beyond the time-out, nor while memory fills up behind it."""
        writing = asyncio.ensure_future(self._in_one_transaction(entries))
        pressed = asyncio.ensure_future(self._pressure.wait())
        try:
            patience_s = min(self._settings.patience_s, self._settings.write_timeout_s)
            await asyncio.wait((writing,), timeout=patience_s)
            if not writing.done():
                await asyncio.wait(
                    (writing, pressed),
                    timeout=self._settings.write_timeout_s - patience_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if not writing.done():
                writing.cancel()
                await asyncio.wait((writing,))
            if writing.cancelled():
                raise TimeoutError("The database took too long; its records go to the spool.")
            writing.result()
        finally:
            for task in (writing, pressed):
                task.cancel()
            await asyncio.gather(writing, pressed, return_exceptions=True)

    async def _in_one_transaction(self, entries: Sequence[Entry]) -> None:
        async with self._engine.begin() as connection:
            await apply(connection, merged(entries))

    def _came_in(self, entries: Sequence[Entry]) -> None:
        if self._away:
            _log.info("The database is back; records are written again.")
        self._away = False
        self._count(written=len(entries))
        ended = [entry.contact for entry in entries if isinstance(entry, ContactEnded)]
        if ended:
            self._on_durable(ended)

    def _went_away(self, error: BaseException) -> None:
        self._retry_at = asyncio.get_running_loop().time() + self._settings.retry_every_s
        self._count(failures=1)
        if not self._away:
            state = getattr(getattr(error, "orig", error), "sqlstate", None)
            kind = type(error).__name__
            _log.warning("The database takes no records (%s, %s); the disk keeps them.", kind, state)
        self._away = True

    # ---- the disk -----------------------------------------------------------------------------------------

    async def _keep(self, batch: list[tuple[float, Entry]]) -> None:
        """Put a batch to the spool; if the disk fails too, back to memory, to be tried again."""
        try:
            await asyncio.to_thread(self._spool.append, [entry for _, entry in batch])
        except OSError as error:
            self._in_hand = []
            self._pending.extendleft(reversed(batch))
            self._retry_at = asyncio.get_running_loop().time() + self._settings.retry_every_s
            self._count(failures=1)
            _log.error("Records cannot be kept on the disk (%s); they stay in memory.", error.strerror)
            if self._closing:
                self._count(lost=len(self._pending))
                self._pending.clear()
            else:
                await asyncio.sleep(self._settings.retry_every_s)
            return
        self._in_hand = []
        self._settled += len(batch)
        self._count(spooled=len(batch))
        if self._spooled_since is None:
            self._spooled_since = batch[0][0]

    async def _drain(self) -> None:
        """Bring the spool into the database, as far as it goes; what comes meanwhile goes to its end."""
        while not self._closing:
            stretch = await asyncio.to_thread(self._spool.read, self._offset, self._settings.batch_most)
            if stretch.damaged:
                _log.error("Damaged lines in the spool of records were set aside: %d.", len(stretch.damaged))
                await self._set_aside(stretch.damaged)
            if stretch.entries and await self._commit(stretch.entries):
                return
            self._offset = stretch.end
            if self._pending:
                await self._keep(self._cut(len(self._pending)))
            if self._offset >= self._spool.size:
                await asyncio.to_thread(self._spool.clear)
                self._offset = 0
                self._away = False
                self._spooled_since = None
                return

    async def _set_aside(self, lines: Sequence[bytes]) -> None:
        self._count(rejected=len(lines))
        try:
            await asyncio.to_thread(self._append_rejected, b"".join(lines))
        except OSError as error:
            _log.error("A refused record could not be kept either (%s).", error.strerror)

    def _append_rejected(self, data: bytes) -> None:
        path = self._settings.spool.with_name(self._settings.spool.name + ".rejected")
        path.touch(mode=0o600)
        with path.open("ab") as file:
            file.write(data)

    # ---- counting and waiting -----------------------------------------------------------------------------

    def _count(
        self, written: int = 0, spooled: int = 0, rejected: int = 0, lost: int = 0, failures: int = 0
    ) -> None:
        if lost:
            self._settled += lost
        old = self._counts
        self._counts = replace(
            old,
            written=old.written + written,
            spooled=old.spooled + spooled,
            rejected=old.rejected + rejected,
            lost=old.lost + lost,
            failures=old.failures + failures,
        )

    async def _until(self, done: Callable[[], bool]) -> None:
        if done():
            return
        if self._task is None or self._task.done():
            raise DatabaseAwayError("Records are not being written; start the writer first.")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((done, future))
        await future

    def _wake_waiting(self, ended: bool = False) -> None:
        still: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        for done, future in self._waiting:
            if future.done():
                continue
            if done():
                future.set_result(None)
            elif ended:
                future.set_exception(DatabaseAwayError("Writing of records has ended."))
            else:
                still.append((done, future))
        self._waiting = still
