"""The tables of `crm_lookup`: customers, the numbers they call from, and how they prove who they are.

A phone's `key` is that of `acd.common.number.Number`. One number may belong to several customers (a family,
an office), so the pair is unique, not the number. What is secret, or names somebody who has not proved to be
them, is kept as a keyed token only.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from acd.store.base import UtcInstant, metadata

__all__ = ["customer", "metadata", "phone", "pin", "tries", "verification"]

customer = Table(
    "customer",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False, server_default="person", comment="person, organisation"),
    Column("name_fa", String),
    Column("name_en", String),
    Column("name_key", String, nullable=False, comment="both names in the one form that is searched"),
    Column("segment", String),
    Column("language", String, comment="fa, en"),
    Column(
        "value",
        BigInteger().with_variant(Integer(), "sqlite"),
        comment="of the relation, as the house counts it; null: unknown",
    ),
    Column("notes", Text),
    Column("changed_at", UtcInstant, nullable=False),
    Index("ix_customer_name_key", "name_key"),
)

phone = Table(
    "phone",
    metadata,
    Column(
        "customer",
        String,
        ForeignKey("customer.id", ondelete="CASCADE", name="fk_phone_customer"),
        primary_key=True,
    ),
    Column("key", String, primary_key=True),
    Column("kind", String, nullable=False),
    Index("ix_phone_key", "key"),
)

pin = Table(
    "pin",
    metadata,
    Column(
        "customer",
        String,
        ForeignKey("customer.id", ondelete="CASCADE", name="fk_pin_customer"),
        primary_key=True,
    ),
    Column("login", String, unique=True, comment="token of what the caller keys to say who they are"),
    Column("hash", String, nullable=False, comment="argon2id of the keyed PIN"),
    Column("changed_at", UtcInstant, nullable=False),
)

tries = Table(
    "tries",
    metadata,
    Column("key", String, primary_key=True, comment="token of a customer or of a calling number"),
    Column("failed", Integer, nullable=False),
    Column("since_at", UtcInstant, nullable=False),
    Column("locked_until_at", UtcInstant),
    Index("ix_tries_since_at", "since_at"),
)

verification = Table(
    "verification",
    metadata,
    Column("contact", String, primary_key=True),
    Column("customer", String, nullable=False),
    Column("level", String, nullable=False),
    Column("method", String, nullable=False),
    Column("at", UtcInstant, nullable=False),
    Index("ix_verification_at", "at"),
)
