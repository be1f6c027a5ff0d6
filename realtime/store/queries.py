"""What is asked of this room's tables. Every function is one short transaction on the writing door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from realtime.store.tables import access_token, audit, idempotency, task_note, user_account


@dataclass(frozen=True, slots=True)
class UserRow:
    name: str
    role: str
    agent: str | None
    password_hash: str
    active: bool
    created_us: int


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that may be used, with its user as they are now."""

    hash: str
    user: str
    role: str
    agent: str | None
    expires_us: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    at_us: int
    who: str
    action: str
    about: str
    outcome: str
    address: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a repeated request; `status` None: the first one is still at work, since `at_us`."""

    digest: str
    at_us: int
    status: int | None
    body: str | None


@dataclass(frozen=True, slots=True)
class TaskNoteRow:
    contact: str
    customer: str | None
    note: str | None
    who: str
    at_us: int


async def user(engine: AsyncEngine, name: str) -> UserRow | None:
    async with engine.connect() as connection:
        row = (await connection.execute(select(user_account).where(user_account.c.name == name))).first()
    return UserRow(**row._mapping) if row is not None else None


async def users(engine: AsyncEngine) -> Sequence[UserRow]:
    async with engine.connect() as connection:
        rows = (await connection.execute(select(user_account).order_by(user_account.c.name))).all()
    return [UserRow(**row._mapping) for row in rows]


async def count_users(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(user_account))).scalar_one()


async def add_user(engine: AsyncEngine, row: UserRow) -> bool:
    """False: the name is taken."""
    values = {name: getattr(row, name) for name in UserRow.__slots__}
    try:
        async with engine.begin() as connection:
            await connection.execute(insert(user_account).values(values))
    except IntegrityError:
        return False
    return True


async def change_user(engine: AsyncEngine, name: str, **values: object) -> bool:
    """False: there is no such user."""
    async with engine.begin() as connection:
        done = await connection.execute(
            update(user_account).where(user_account.c.name == name).values(**values)
        )
    return done.rowcount == 1


async def add_token(
    engine: AsyncEngine, hash_: str, name: str, label: str, created_us: int, expires_us: int
) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            insert(access_token).values(
                hash=hash_, user_name=name, label=label, created_us=created_us, expires_us=expires_us
            )
        )


async def tokens(engine: AsyncEngine, hashes: Sequence[str], now_us: int) -> dict[str, TokenRow]:
    """Those of the tokens that may still be used."""
    found: dict[str, TokenRow] = {}
    columns = (
        access_token.c.hash,
        access_token.c.user_name.label("user"),
        user_account.c.role,
        user_account.c.agent,
        access_token.c.expires_us,
    )
    async with engine.connect() as connection:
        for start in range(0, len(hashes), 500):
            rows = await connection.execute(
                select(*columns)
                .join(user_account, user_account.c.name == access_token.c.user_name)
                .where(
                    access_token.c.hash.in_(hashes[start : start + 500]),
                    access_token.c.revoked_us.is_(None),
                    access_token.c.expires_us > now_us,
                    user_account.c.active.is_(True),
                )
            )
            found.update({row.hash: TokenRow(**row._mapping) for row in rows})
    return found


async def revoke_token(engine: AsyncEngine, hash_: str, now_us: int) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            update(access_token)
            .where(access_token.c.hash == hash_, access_token.c.revoked_us.is_(None))
            .values(revoked_us=now_us)
        )


async def revoke_tokens_of(engine: AsyncEngine, name: str, now_us: int) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            update(access_token)
            .where(access_token.c.user_name == name, access_token.c.revoked_us.is_(None))
            .values(revoked_us=now_us)
        )


async def write_audit(engine: AsyncEngine, rows: Sequence[AuditRow]) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            insert(audit), [{name: getattr(row, name) for name in AuditRow.__slots__} for row in rows]
        )


async def read_audit(
    engine: AsyncEngine, *, limit: int, before_us: int | None = None, who: str | None = None
) -> Sequence[AuditRow]:
    """Newest first."""
    columns = [audit.c[name] for name in AuditRow.__slots__]
    wanted = select(*columns).order_by(audit.c.at_us.desc(), audit.c.id.desc()).limit(limit)
    if before_us is not None:
        wanted = wanted.where(audit.c.at_us < before_us)
    if who is not None:
        wanted = wanted.where(audit.c.who == who)
    async with engine.connect() as connection:
        return [AuditRow(**row._mapping) for row in (await connection.execute(wanted)).all()]


async def claim(
    engine: AsyncEngine, name: str, key: str, digest: str, now_us: int, stale_us: int, life_us: int
) -> Kept | None:
    """Take a key for a new request: None, it is ours. Else what is known of the request that took it.

    A key is free again after its life, or when the request that took it never ended (its process died).
    """
    mine = (idempotency.c.user_name == name) & (idempotency.c.key == key)
    old = idempotency.c.at_us < now_us - life_us
    dead = idempotency.c.status.is_(None) & (idempotency.c.at_us < now_us - stale_us)
    async with engine.begin() as connection:
        await connection.execute(delete(idempotency).where(mine & (old | dead)))
    try:
        async with engine.begin() as connection:
            await connection.execute(
                insert(idempotency).values(user_name=name, key=key, digest=digest, at_us=now_us)
            )
    except IntegrityError:
        pass  # somebody has it: the answer is below
    else:
        return None
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                select(
                    idempotency.c.digest, idempotency.c.at_us, idempotency.c.status, idempotency.c.body
                ).where(mine)
            )
        ).first()
    return Kept(**row._mapping) if row is not None else Kept(digest, now_us, None, None)


async def finish(engine: AsyncEngine, name: str, key: str, status: int, body: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            update(idempotency)
            .where(idempotency.c.user_name == name, idempotency.c.key == key)
            .values(status=status, body=body)
        )


async def give_back(engine: AsyncEngine, name: str, key: str) -> None:
    """The request failed without an answer worth keeping: it may be tried again."""
    async with engine.begin() as connection:
        await connection.execute(
            delete(idempotency).where(
                idempotency.c.user_name == name, idempotency.c.key == key, idempotency.c.status.is_(None)
            )
        )


async def keep_task_note(engine: AsyncEngine, row: TaskNoteRow) -> None:
    """Keep what goes with a task; what is kept of it already stays as it is."""
    values = {name: getattr(row, name) for name in ("contact", "customer", "note", "who", "at_us")}
    try:
        async with engine.begin() as connection:
            await connection.execute(insert(task_note).values(values))
    except IntegrityError:
        return  # the same request again


async def task_notes(engine: AsyncEngine, contacts: Sequence[str]) -> Sequence[TaskNoteRow]:
    """What goes with these tasks, of those that have anything."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(task_note).where(task_note.c.contact.in_(contacts)))
        return [TaskNoteRow(**row._mapping) for row in rows]
