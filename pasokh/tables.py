"""The database as every command needs it: answering, and with the tables of this version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.exc import ProgrammingError

from acd.store.base import DATABASE_ERRORS, Database, DatabaseSettings, opened
from acd.store.schema import check_schema
from pasokh import migrations
from pasokh.errors import NotReadyError
from pasokh.settings import Settings


@contextmanager
def answering() -> Iterator[None]:
    """What a database raises that is away, in one sentence. Raises NotReadyError."""
    try:
        yield
    except ProgrammingError:
        raise  # it answered: the statement is a fault of ours
    except DATABASE_ERRORS as error:
        raise NotReadyError(
            f"The database does not answer ({type(error).__name__}); start it, or correct [database] url."
        ) from None


async def check_tables(database: Database) -> None:
    """Raises NotReadyError when it does not answer, or has the tables of another version."""
    with answering():
        state = await check_schema(database.writing, migrations.head(), migrations.revisions())
    if not state.ok:
        raise NotReadyError(state.sentence)


@asynccontextmanager
async def opened_checked(settings: Settings) -> AsyncIterator[Database]:
    """The database of these settings, if it can be used. Raises NotReadyError, DatabaseSettingError."""
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        await check_tables(database)
        yield database
