"""Alembic runs this file for each command; see `pasokh.migrations` for what is called from outside."""

from __future__ import annotations

import asyncio
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from acd.store.base import DatabaseSettings, UtcInstant, opened
from pasokh.migrations.models import all_tables

_LOCK = 0x7061736F6B68  # any number that only we use
_STATEMENT_S = 3600.0


async def _online(url: str) -> None:
    settings = DatabaseSettings(url=url, writing_statement_s=_STATEMENT_S)
    async with opened(settings) as database, database.writing.begin() as connection:
        await connection.run_sync(_migrate)


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(
        connection=connection,
        target_metadata=all_tables(),
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()


def _render(kind: str, item: object, _autogen: AutogenContext) -> str | Literal[False]:
    """A migration must not change with the code, so it names no type of ours."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcInstant) else False


asyncio.run(_online(context.config.attributes["url"]))
