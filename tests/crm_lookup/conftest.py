"""Both databases, as for the store: customers live beside the records."""

from tests.acd.store.conftest import database, database_url, empty_url

__all__ = ["database", "database_url", "empty_url"]
