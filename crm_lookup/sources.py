"""Where customers are kept. A source answers "who has this number"; the lookup sees to its deadline.

Our own store is asked on the way of every call, so on PostgreSQL it is asked by asyncpg itself, with a prepared
statement and a pool of its own: a quarter of the processor time of the same question through SQLAlchemy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import asyncpg
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.common.number import Number
from acd.store.base import DATABASE_ERRORS, Database
from acd.store.tables import contact
from acd.types import CustomerId
from crm_lookup import customers
from crm_lookup.errors import SourceError
from crm_lookup.store.tables import customer, phone
from crm_lookup.types import Customer

MATCHES_MOST = 20
_SEPARATOR = "\x1f"


class Source(Protocol):
    """A keeper of customers."""

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every customer with this number, at most a few; none is an empty answer. Raises SourceError.

        It may be cancelled at any moment.
        """
        ...

    async def one(self, customer: CustomerId) -> Customer | None:
        """The customer of this id. Raises SourceError; may be cancelled at any moment."""
        ...


@dataclass(frozen=True, slots=True)
class OwnStoreSettings:
    pool: int = 4
    connect_timeout_s: float = 5.0
    statement_s: float = 5.0


class OwnStore:
    """The customers in our own database."""

    def __init__(self, database: Database, settings: OwnStoreSettings | None = None) -> None:
        self._engine: AsyncEngine = database.reporting
        self._is_sqlite = database.is_sqlite
        self._settings = settings or OwnStoreSettings()
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def find(self, number: Number) -> Sequence[Customer]:
        """As `Source.find`; a number without a key has no customers."""
        if not number.key:
            return ()
        try:
            if self._is_sqlite:
                return await self._find_on_sqlite(number.key)
            return await self._find_on_postgres(number.key)
        except DATABASE_ERRORS as error:
            kind = type(error).__name__
            raise SourceError(f"The customers cannot be read now ({kind}); see to the database.") from error

    async def one(self, customer: CustomerId) -> Customer | None:
        """As `Source.one`; asked seldom, so by the reports' door on both databases."""
        try:
            return await customers.get(self._engine, customer)
        except DATABASE_ERRORS as error:
            kind = type(error).__name__
            raise SourceError(f"The customers cannot be read now ({kind}); see to the database.") from error

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    async def _find_on_postgres(self, key: str) -> Sequence[Customer]:
        pool = await self._opened()
        return [_from_row(tuple(row)) for row in await pool.fetch(_ON_POSTGRES, key, MATCHES_MOST)]

    async def _opened(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                url = self._engine.url.set(drivername="postgresql")
                self._pool = await asyncpg.create_pool(
                    url.render_as_string(hide_password=False),
                    min_size=1,
                    max_size=self._settings.pool,
                    timeout=self._settings.connect_timeout_s,
                    command_timeout=self._settings.statement_s,
                    server_settings={"application_name": "pasokh-lookup"},
                )
            return self._pool

    async def _find_on_sqlite(self, key: str) -> Sequence[Customer]:
        query = (
            select(*_COLUMNS, _LAST_CONTACT, _PHONES)
            .join(phone, phone.c.customer == customer.c.id)
            .where(phone.c.key == key)
            .order_by(_LAST_CONTACT.desc().nulls_last(), customer.c.id)
            .limit(MATCHES_MOST)
        )
        async with self._engine.connect() as connection:
            return [_from_row(tuple(row)) for row in await connection.execute(query)]


_COLUMNS = (
    customer.c.id,
    customer.c.kind,
    customer.c.name_fa,
    customer.c.name_en,
    customer.c.segment,
    customer.c.language,
    customer.c.value,
    customer.c.notes,
)

_ON_POSTGRES = """
SELECT c.id, c.kind, c.name_fa, c.name_en, c.segment, c.language, c.value, c.notes,
       (SELECT max(k.began_at) FROM contact k WHERE k.customer = c.id) AS last_contact_at,
       (SELECT string_agg(q.key, chr(31) ORDER BY q.key) FROM phone q WHERE q.customer = c.id) AS phones
FROM phone p JOIN customer c ON c.id = p.customer
WHERE p.key = $1
ORDER BY last_contact_at DESC NULLS LAST, c.id
LIMIT $2
"""


_LAST_CONTACT = (
    select(func.max(contact.c.began_at))
    .where(contact.c.customer == customer.c.id)
    .correlate(customer)
    .scalar_subquery()
    .label("last_contact_at")
)

_OTHER_PHONE = phone.alias("other_phone")
_PHONES = (
    select(func.group_concat(_OTHER_PHONE.c.key, _SEPARATOR))
    .where(_OTHER_PHONE.c.customer == customer.c.id)
    .correlate(customer)
    .scalar_subquery()
    .label("phones")
)


def _from_row(row: Sequence[Any]) -> Customer:
    """`row`: the fields of Customer in their order, but `last_contact_at` before the joined phones."""
    last_contact_at, phones = row[8:]
    keys = tuple(sorted(phones.split(_SEPARATOR))) if phones else ()
    return replace(Customer(*row[:8]), phones=keys, last_contact_at=last_contact_at)
