"""All tables of all rooms, as the code declares them."""

from __future__ import annotations

from sqlalchemy import MetaData

import acd.store.tables
import crm_lookup.store.tables
import realtime.store.tables
from acd.store.base import metadata

__all__ = ["ROOMS", "all_tables"]

ROOMS = (acd.store.tables, crm_lookup.store.tables, realtime.store.tables)
"""Importing them puts their tables on the MetaData."""


def all_tables() -> MetaData:
    """The MetaData with every table on it."""
    return metadata
