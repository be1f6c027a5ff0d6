"""The one MetaData of the project, how instants are kept, and how a database is opened.

SQLite and PostgreSQL are used through the same statements. What differs is settled here:

- SQLite forgets time zones, so `UtcInstant` keeps UTC on both and gives aware datetimes back;
- SQLite has one writer, so writing transactions begin IMMEDIATE: they queue for `busy_timeout` at the start
  instead of failing at their first write; reports cannot write at all;
- reports have a small pool of their own, so that a slow one never holds a record up.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, DateTime, Dialect, Integer, MetaData, TypeDecorator, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import BigInteger

from acd.store.errors import DatabaseBusyError, DatabaseSettingError

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of every room is declared on this, so that one Alembic history knows them all."""

# At DEBUG this driver logs every statement with its values, and values are callers' numbers and names.
logging.getLogger("aiosqlite").setLevel(logging.INFO)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)

Microseconds = BigInteger().with_variant(Integer(), "sqlite")
"""A duration. Whole microseconds, as facts have them: sums over records then equal the live ones exactly."""


def instant(at_us: int) -> datetime:
    """Center time as an aware datetime; nothing is rounded."""
    return _EPOCH + timedelta(microseconds=at_us)


def to_us(at: datetime) -> int:
    """The reverse of `instant`. ValueError for a datetime without a time zone."""
    if at.tzinfo is None:
        raise ValueError("An instant needs a time zone.")
    return (at - _EPOCH) // _US


class UtcInstant(TypeDecorator[datetime]):
    """An instant to the microsecond, in UTC: aware datetimes in and out, on SQLite too.

    A naive datetime is refused, since nobody can say which instant it means.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a time zone.")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`url`: `sqlite+aiosqlite:///PATH` or `postgresql+asyncpg://USER@HOST/NAME`. Pools count connections."""

    url: str = "sqlite+aiosqlite:///var/pasokh.sqlite3"
    writing_pool: int = 2
    reporting_pool: int = 3
    connect_timeout_s: float = 5.0
    busy_timeout_s: float = 5.0
    writing_statement_s: float = 5.0
    reporting_statement_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Database:
    """One database, two doors: `writing` for short transactions, `reporting` for reads that may be slow."""

    writing: AsyncEngine
    reporting: AsyncEngine

    @property
    def is_sqlite(self) -> bool:
        return self.writing.dialect.name == "sqlite"

    async def close(self) -> None:
        await self.writing.dispose()
        await self.reporting.dispose()


def open_database(settings: DatabaseSettings) -> Database:
    """Make both pools; nothing is connected yet, so this succeeds while the database is away.

    Raises DatabaseSettingError for an address that is neither SQLite by aiosqlite nor PostgreSQL by asyncpg.
    """
    url = parse_url(settings.url)
    if url.get_backend_name() == "sqlite":
        _make_folder(url)
        return Database(_sqlite(url, settings, writing=True), _sqlite(url, settings, writing=False))
    return Database(
        _postgres(url, settings, settings.writing_pool, settings.writing_statement_s),
        _postgres(url, settings, settings.reporting_pool, settings.reporting_statement_s),
    )


@asynccontextmanager
async def opened(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """`open_database`, closed at the end."""
    database = open_database(settings)
    try:
        yield database
    finally:
        await database.close()


def parse_url(text: str) -> URL:
    """The address of a database. Raises DatabaseSettingError, without repeating a password."""
    try:
        url = make_url(text)
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise DatabaseSettingError(
            "The database's address cannot be read; write it as sqlite+aiosqlite:///PATH or "
            "postgresql+asyncpg://USER@HOST/NAME."
        ) from None
    if url.drivername not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise DatabaseSettingError(
            f"The database's address begins with {url.drivername}; "
            "use sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER@HOST/NAME."
        )
    if url.get_backend_name() == "sqlite" and (url.database in (None, "", ":memory:")):
        raise DatabaseSettingError("An SQLite database needs a file; write sqlite+aiosqlite:///PATH.")
    return url


@contextmanager
def sole_process(url: str) -> Iterator[None]:
    """Hold an SQLite file for this process alone (`FILE.lock`); PostgreSQL needs no such thing.

    Only `serve` asks for it: two centers on one file would each think that they own the agents. The lock is
    the kernel's, so it ends with the process, however that ends. Raises DatabaseBusyError.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    _make_folder(parsed)
    descriptor = os.open(f"{parsed.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseBusyError(
                f"Another process already serves the database {parsed.database}; stop it first, "
                "or give this one another file."
            ) from None
        yield
    finally:
        os.close(descriptor)


DATABASE_ERRORS: tuple[type[Exception], ...] = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    OverflowError,
)
"""All that using a database may raise: asyncpg's own errors come through while connecting."""


def is_value_fault(error: BaseException) -> bool:
    """Whether the value is at fault, so that the same statement fails whenever it is tried.

    False for whatever may pass: no connection, a full disk, a lock, a server that only reads (25006), a
    failed serialisation (40001), a missing table (the schema is at fault, not the record).
    """
    if isinstance(error, PoolTimeoutError):
        return False
    if isinstance(error, DataError | IntegrityError | OverflowError):
        return True
    if isinstance(error, DBAPIError):
        cause: BaseException | None = error.orig
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str):
            return state[:2] in ("22", "23")
        return isinstance(getattr(cause, "__cause__", None), asyncpg.DataError)
    return isinstance(error, StatementError)


def _make_folder(url: URL) -> None:
    Path(str(url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)


def _sqlite(url: URL, settings: DatabaseSettings, *, writing: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=1 if writing else settings.reporting_pool,
        max_overflow=0,
        pool_timeout=settings.connect_timeout_s,
        hide_parameters=True,
        connect_args={"timeout": settings.busy_timeout_s},
    )
    pragmas = [
        f"busy_timeout = {int(settings.busy_timeout_s * 1000)}",
        "foreign_keys = ON",
        *(["journal_mode = WAL", "synchronous = FULL"] if writing else ["query_only = ON"]),
    ]
    begin = "BEGIN IMMEDIATE" if writing else "BEGIN"

    # Python's driver begins transactions by its own rules (never before DDL), so it is told to begin none.
    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres(url: URL, settings: DatabaseSettings, pool: int, statement_s: float) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=settings.connect_timeout_s,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={
            "timeout": settings.connect_timeout_s,
            "command_timeout": statement_s + 1,
            "server_settings": {
                "application_name": "pasokh",
                "statement_timeout": str(int(statement_s * 1000)),
                "lock_timeout": str(int(statement_s * 1000)),
                "idle_in_transaction_session_timeout": str(int(statement_s * 2000)),
                "timezone": "UTC",
            },
        },
    )
