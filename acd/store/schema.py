"""Whether the database has the tables that this code was written for. `serve` refuses to start otherwise.

An older schema would miss columns; a newer one may mean what we do not know. Both would spoil records, so
neither is tried. The history itself lives with the migrations; what it knows is handed in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

State = Literal["ok", "empty", "older", "newer"]


@dataclass(frozen=True, slots=True)
class SchemaState:
    """`sentence` says what is the matter and what to do; it is empty when all is well."""

    state: State
    found: str | None
    sentence: str

    @property
    def ok(self) -> bool:
        return self.state == "ok"


async def check_schema(engine: AsyncEngine, expected_head: str, known: Collection[str]) -> SchemaState:
    """Compare the database's revision with the one that this code needs.

    `known`: every revision of this code's history; one that is not in it can only be newer. Raises what the
    database raises when it cannot be asked (`acd.store.base.DATABASE_ERRORS`).
    """
    async with engine.connect() as connection:
        found = await connection.run_sync(_revision)
    return judge(found, expected_head, known)


def judge(found: str | None, expected_head: str, known: Collection[str]) -> SchemaState:
    """The decision of `check_schema`, without a database."""
    if found == expected_head:
        return SchemaState("ok", found, "")
    if found is None:
        return SchemaState("empty", None, "The database has no tables yet; run `pasokh db upgrade`.")
    if found in known:
        return SchemaState(
            "older",
            found,
            f"The database's tables are of revision {found}, this program needs {expected_head}; "
            "stop every older pasokh and run `pasokh db upgrade`.",
        )
    return SchemaState(
        "newer",
        found,
        f"The database's tables are of revision {found}, which this program does not know (it needs "
        f"{expected_head}); install the newer pasokh that made them, or restore a backup.",
    )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
