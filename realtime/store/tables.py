"""The tables of this room. Instants are microseconds of center time (UTC), as everywhere in the house.

A token is kept as the SHA-256 of its text, a password as its argon2id hash: a stolen database logs nobody in.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from acd.store.base import metadata

user_account = Table(
    "user_account",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("agent", String(32), nullable=True),
    Column("password_hash", String(255), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

access_token = Table(
    "access_token",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column(
        "user_name",
        String(64),
        ForeignKey("user_account.name", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("label", String(64), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger, nullable=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("who", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("about", String(128), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Index("ix_audit_at_us", "at_us"),
    Index("ix_audit_who_at_us", "who", "at_us"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("user_name", String(64), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("status", Integer, nullable=True),
    Column("body", Text, nullable=True),
)
"""The answer to a request that carried `Idempotency-Key`; `status` NULL while the first is still at work."""

task_note = Table(
    "task_note",
    metadata,
    Column("contact", String, primary_key=True),
    Column("customer", String),
    Column("note", Text),
    Column("who", String(64), nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
"""What goes with a task or a callback and is nobody's business in the center."""
