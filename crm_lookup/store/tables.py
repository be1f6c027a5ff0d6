"""The tables of `crm_lookup`: customers, and the numbers they call from.

A phone's `key` is that of `acd.common.number.Number`. One number may belong to several customers (a family,
an office), so the pair is unique, not the number.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from acd.store.base import UtcInstant, metadata

__all__ = ["customer", "metadata", "phone"]

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
