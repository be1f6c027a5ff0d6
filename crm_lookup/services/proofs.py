"""What is kept of proofs: PIN hashes, failed tries, and who proved what; in the database, off the way of a call.

Tries and proofs are true in memory; the database has them so that a restart forgets nothing. What cannot be
written now is written later, the newest state of each.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.store.base import DATABASE_ERRORS, Database, instant, to_us
from acd.types import ContactId, CustomerId
from crm_lookup.errors import ServiceError
from crm_lookup.services.tries import Count
from crm_lookup.store.tables import pin, tries, verification
from crm_lookup.types import Proof

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProofSettings:
    """`kept_s`: how long proofs and old counts are of use after a restart, and stay in the database."""

    kept_s: float = 86_400.0
    again_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Remembered:
    counts: tuple[Count, ...]
    proofs: Mapping[ContactId, Proof]


@dataclass(frozen=True, slots=True)
class StoredPin:
    customer: CustomerId
    hashed: str


def token(kind: str, text: str, secret: bytes) -> str:
    """What stands for an identity or a number in the database: keyed, so that nobody can try them all."""
    key = hashlib.blake2b(secret, digest_size=32).digest()
    return hashlib.blake2b(text.encode(), digest_size=16, key=key, person=kind.encode()[:16]).hexdigest()


class ProofStore:
    """The database's side. `note_*` only take in; writing is done in the background once `start` was called."""

    def __init__(self, database: Database, settings: ProofSettings | None = None) -> None:
        self._writing: AsyncEngine = database.writing
        self._reading: AsyncEngine = database.reporting
        self._settings = settings or ProofSettings()
        self._waiting: dict[tuple[str, str], tuple[Table, Mapping[str, object]]] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def remember(self, now_us: int) -> Remembered:
        """What was known at the last stop, and is not too old; older rows are removed."""
        oldest = instant(now_us) - timedelta(seconds=self._settings.kept_s)
        async with self._writing.begin() as connection:
            await connection.execute(
                delete(tries).where(
                    tries.c.since_at < oldest,
                    or_(tries.c.locked_until_at.is_(None), tries.c.locked_until_at < instant(now_us)),
                )
            )
            await connection.execute(delete(verification).where(verification.c.at < oldest))
            counts = [
                Count(row.key, row.failed, to_us(row.since_at), _us(row.locked_until_at))
                for row in await connection.execute(select(tries))
            ]
            proofs = {
                row.contact: Proof(row.customer, row.method, to_us(row.at), row.level)
                for row in await connection.execute(select(verification))
            }
        return Remembered(tuple(counts), proofs)

    async def pin_of(self, login: str) -> StoredPin | None:
        """The PIN of who is named by this token of theirs. Raises ServiceError."""
        return await self._pin(pin.c.login == login)

    async def pin_of_customer(self, customer: CustomerId) -> StoredPin | None:
        return await self._pin(pin.c.customer == customer)

    async def set_pin(
        self, customer: CustomerId, hashed: str | None, login: str | None, at: datetime
    ) -> None:
        """Keep a customer's PIN; None takes it away. Raises what the database raises."""
        async with self._writing.begin() as connection:
            await connection.execute(delete(pin).where(pin.c.customer == customer))
            if hashed is not None:
                await connection.execute(
                    pin.insert().values(customer=customer, login=login, hash=hashed, changed_at=at)
                )

    def note_count(self, count: Count) -> None:
        row = {
            "key": count.key,
            "failed": count.failed,
            "since_at": instant(count.since_us),
            "locked_until_at": None if count.locked_until_us is None else instant(count.locked_until_us),
        }
        self._note(tries, count.key, row)

    def note_proof(self, contact: ContactId, proof: Proof) -> None:
        row = {
            "contact": contact,
            "customer": proof.customer,
            "level": proof.level,
            "method": proof.method,
            "at": instant(proof.at_us),
        }
        self._note(verification, contact, row)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._keep_writing(), name="proofs")

    async def flush(self) -> None:
        """Write what waits, or leave it waiting. Raises what the database raises."""
        while self._waiting:
            batch = dict(self._waiting)
            async with self._writing.begin() as connection:
                for table, row in batch.values():
                    await connection.execute(_upsert(connection.dialect.name, table), [row])
            for key, value in batch.items():
                if self._waiting.get(key) is value:
                    del self._waiting[key]

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            await self.flush()
        except DATABASE_ERRORS as error:
            _log.warning("Failed tries could not be kept at the end (%s).", type(error).__name__)

    def _note(self, table: Table, key: str, row: Mapping[str, object]) -> None:
        self._waiting[(table.name, key)] = (table, row)
        self._news.set()

    async def _keep_writing(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.flush()
            except DATABASE_ERRORS as error:
                _log.warning("Failed tries cannot be kept now (%s).", type(error).__name__)
                await asyncio.sleep(self._settings.again_s)
                self._news.set()

    async def _pin(self, where: object) -> StoredPin | None:
        query = select(pin.c.customer, pin.c.hash).where(where)  # type: ignore[arg-type]
        try:
            async with self._reading.connect() as connection:
                row = (await connection.execute(query)).first()
        except DATABASE_ERRORS:
            raise ServiceError("database", theirs=True) from None
        return None if row is None else StoredPin(row.customer, row.hash)


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _upsert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    key = next(iter(table.primary_key))
    changed = {column.name: insert.excluded[column.name] for column in table.c if column is not key}
    return insert.on_conflict_do_update(index_elements=[key.name], set_=changed)
