"""What can go wrong with the store. Each class is a reason to catch.

StoreError               (an AcdError)
├── DatabaseSettingError    the database's address cannot be used: mend the settings
├── DatabaseBusyError       another process of ours holds this database file
└── DatabaseAwayError       the database does not answer now: try again later
"""

from __future__ import annotations

from acd.errors import AcdError


class StoreError(AcdError):
    """Anything that the store raises on purpose."""


class DatabaseSettingError(StoreError):
    """The address of the database cannot be used."""


class DatabaseBusyError(StoreError):
    """Another process of ours already works on this database file."""


class DatabaseAwayError(StoreError):
    """The database does not answer, or not now; what was to be written has not been lost."""
