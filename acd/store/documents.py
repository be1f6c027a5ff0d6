"""Versions of the documents that people write: center.yaml and flows. Nothing that was ever in force is overwritten.

The highest number is in force. To roll back is to save an old text again, so history shows that too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.store.tables import document

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Document:
    """`kind`: center or flow. `version` is a digest of the text, the same for the same text."""

    kind: str
    name: str
    number: int
    version: str
    text: str
    at: datetime
    by: str


def version_of(text: str) -> str:
    """16 hex digits of SHA-256 of the text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def save(
    engine: AsyncEngine, kind: str, name: str, text: str, at: datetime, by: str, version: str | None = None
) -> Document:
    """Make this text the one in force; unchanged text makes no new version. `by`: who asked for it."""
    wanted = version or version_of(text)
    for _ in range(_TRIES - 1):
        try:
            return await _save(engine, kind, name, wanted, text, at, by)
        except IntegrityError:
            continue  # somebody else took the number in this moment
    return await _save(engine, kind, name, wanted, text, at, by)


async def _save(
    engine: AsyncEngine, kind: str, name: str, version: str, text: str, at: datetime, by: str
) -> Document:
    async with engine.begin() as connection:
        row = (await connection.execute(_newest_first(kind, name).limit(1))).first()
        if row is not None and row.version == version and row.text == text:
            return Document(*row)
        saved = Document(kind, name, 1 if row is None else row.number + 1, version, text, at, by)
        await connection.execute(
            document.insert().values(
                kind=kind, name=name, number=saved.number, version=version, text=text, at=at, by=by
            )
        )
        return saved


async def withdraw(engine: AsyncEngine, refused: Document) -> None:
    """Take a version back that the running center refused: it was never in force, so a restart must not take it."""
    async with engine.begin() as connection:
        await connection.execute(
            document.delete().where(
                document.c.kind == refused.kind,
                document.c.name == refused.name,
                document.c.number == refused.number,
                document.c.version == refused.version,
            )
        )


async def current(engine: AsyncEngine, kind: str, name: str) -> Document | None:
    """The one in force; None if none was ever saved."""
    found = await history(engine, kind, name, limit=1)
    return found[0] if found else None


async def numbered(engine: AsyncEngine, kind: str, name: str, number: int) -> Document | None:
    """One version by its number."""
    async with engine.connect() as connection:
        query = _newest_first(kind, name).where(document.c.number == number)
        row = (await connection.execute(query)).first()
        return None if row is None else Document(*row)


async def history(engine: AsyncEngine, kind: str, name: str, limit: int = 100) -> Sequence[Document]:
    """Versions, newest first."""
    async with engine.connect() as connection:
        return [Document(*row) for row in await connection.execute(_newest_first(kind, name).limit(limit))]


async def names(engine: AsyncEngine, kind: str) -> Sequence[str]:
    """The names of all documents of a kind."""
    async with engine.connect() as connection:
        query = select(document.c.name).where(document.c.kind == kind).distinct().order_by(document.c.name)
        return list(await connection.scalars(query))


def _newest_first(kind: str, name: str) -> Select[*tuple[Any, ...]]:
    return (
        select(document)
        .where(document.c.kind == kind, document.c.name == name)
        .order_by(document.c.number.desc())
    )
