"""A service that is one prepared, reading statement.

Arguments are bound, never written into the statement. The database is told to only read, and to give up in time;
SQLite, which knows no such time-out, is interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import String, bindparam, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from acd.store.base import DATABASE_ERRORS, Database, is_value_fault
from crm_lookup.errors import ServiceError
from crm_lookup.services.mapping import FieldOf, fields_in, rows_in
from crm_lookup.services.settings import SqlService, fields_of

_T = TypeVar("_T")
_ROWS_MOST = 9


class SqlAnswers:
    """Asks by one statement. Implements `crm_lookup.services.service.Answers`."""

    may_retry = True

    def __init__(self, settings: SqlService, database: Database, own: bool) -> None:
        """`own`: this service opened the database, and closes it."""
        self._settings = settings
        self._database = database
        self._own = own
        self._names = sorted(settings.arguments)
        self._statement = text(settings.statement.strip().removesuffix(";")).bindparams(
            *(bindparam(name, type_=String) for name in self._names)  # else PostgreSQL guesses what each is
        )
        self._rows = settings.rows.as_rows() if settings.rows is not None else None

    async def ask(self, args: Mapping[str, str]) -> Mapping[str, str] | None:
        """As the protocol: the first row's columns, and of `rows` the first few rows."""
        try:
            rows = await self._fetch({name: args[name] for name in self._names})
        except DATABASE_ERRORS as error:
            if is_value_fault(error):
                raise ServiceError("refused") from None
            raise ServiceError("database", again=_is_passing(error), theirs=True) from None
        if not rows:
            return None
        first, plain = rows[0], [{name: _plain(value) for name, value in row.items()} for row in rows]
        fields = fields_of(self._settings.answer)
        if not fields and self._rows is None:
            fields = {name: FieldOf(name, _kind(value), optional=True) for name, value in first.items()}
        try:
            found = fields_in(plain[0], fields)
            return found | rows_in(plain, self._rows) if self._rows is not None else found
        except ServiceError as error:
            raise ServiceError(error.why, theirs=True) from None

    async def aclose(self) -> None:
        if self._own:
            await self._database.close()

    async def _fetch(self, args: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        engine: AsyncEngine = self._database.reporting
        async with engine.connect() as plain:
            connection = await plain.execution_options(postgresql_readonly=True)
            reading = self._read(connection, args)
            return await (_interruptible(connection, reading) if self._database.is_sqlite else reading)

    async def _read(
        self, connection: AsyncConnection, args: Mapping[str, str]
    ) -> Sequence[Mapping[str, Any]]:
        result = await connection.execute(self._statement, args)
        return [dict(row) for row in result.mappings().fetchmany(_ROWS_MOST)]


async def _interruptible(connection: AsyncConnection, reading: Coroutine[Any, Any, _T]) -> _T:
    """SQLite's thread goes on with a statement whose asker has gone, and whoever cancels waits for it: so it is told
    to stop first."""
    driver = (await connection.get_raw_connection()).driver_connection
    task = asyncio.get_running_loop().create_task(reading)
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        assert driver is not None
        await driver.interrupt()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.exception()
        raise
    return task.result()


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _plain(value: object) -> object:
    """What databases give, as JSON would have it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _kind(value: object) -> Any:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float | Decimal) else "text"
