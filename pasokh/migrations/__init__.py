"""The one history of the database's tables, for every room, on SQLite and PostgreSQL.

`upgrade` brings a database to this code's tables, all or nothing: both databases take back the
statements of a migration that did not end. On PostgreSQL a lock lets one process migrate at a time.
"""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from acd.store.base import parse_url

_FOLDER = Path(__file__).parent
_one_at_a_time = threading.Lock()  # Alembic keeps its context in a module


def upgrade(url: str, revision: str = "head") -> None:
    """Make or change the tables of the database at `url` (an address as in `DatabaseSettings`).

    It blocks and runs a loop of its own, so within a running loop use `asyncio.to_thread(upgrade, url)`.
    Raises DatabaseSettingError for an address that cannot be used, and what the database raises.
    """
    parse_url(url)
    config = _config()
    config.attributes["url"] = url
    with _one_at_a_time:
        command.upgrade(config, revision)


def head() -> str:
    """The revision that this code needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None, "there is at least one migration"
    return found


def revisions() -> tuple[str, ...]:
    """Every revision that this code knows, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return tuple(reversed([entry.revision for entry in script.walk_revisions()]))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
