"""Changes of rows -> statements, the same for SQLite and PostgreSQL, a whole batch in a few of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import Executable

from acd.store.base import instant
from acd.store.rows import At, Change, Value
from acd.store.tables import metadata

_Shape = tuple[str, bool, tuple[str, ...], tuple[str, ...]]
_Parameters = dict[str, str | int | bool | datetime | None]


async def apply(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Make the changes within the connection's transaction. No row may be named twice (see `rows.merged`)."""
    by_shape: dict[_Shape, list[_Parameters]] = defaultdict(list)
    for change in changes:
        shape = (change.table, change.insert, tuple(sorted(change.key)), tuple(sorted(change.values)))
        by_shape[shape].append(_parameters(change))
    dialect = connection.dialect.name
    for shape, parameters in by_shape.items():
        await connection.execute(_statement(dialect, shape), parameters)


def _parameters(change: Change) -> _Parameters:
    keys = {f"key_{name}": _bound(value) for name, value in change.key.items()}
    return {**keys, **{f"set_{name}": _bound(value) for name, value in change.values.items()}}


def _bound(value: Value | At) -> str | int | bool | datetime | None:
    """PostgreSQL keeps no NUL and no lone surrogate, so neither database is given any."""
    if isinstance(value, At):
        return instant(value.us)
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return value


@cache
def _statement(dialect: str, shape: _Shape) -> Executable:
    name, insert, keys, columns = shape
    table = metadata.tables[name]
    if not insert:
        update = table.update().values({c: bindparam(f"set_{c}", type_=table.c[c].type) for c in columns})
        return update.where(*(table.c[k] == bindparam(f"key_{k}", type_=table.c[k].type) for k in keys))
    values = {k: bindparam(f"key_{k}", type_=table.c[k].type) for k in keys}
    values |= {c: bindparam(f"set_{c}", type_=table.c[c].type) for c in columns}
    return _upsert(dialect, table, values, keys, columns)


def _upsert(
    dialect: str,
    table: Table,
    values: Mapping[str, BindParameter[Any]],
    keys: tuple[str, ...],
    columns: tuple[str, ...],
) -> Executable:
    if dialect == "sqlite":
        on_sqlite = sqlite.insert(table).values(values)
        return on_sqlite.on_conflict_do_update(
            index_elements=list(keys), set_={c: on_sqlite.excluded[c] for c in columns}
        )
    on_postgres = postgresql.insert(table).values(values)
    return on_postgres.on_conflict_do_update(
        index_elements=list(keys), set_={c: on_postgres.excluded[c] for c in columns}
    )
