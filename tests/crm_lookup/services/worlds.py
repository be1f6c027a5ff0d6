"""Services against the sample line of business, on virtual time."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from acd.store.base import Database, DatabaseSettings, open_database
from crm_lookup.services.opening import open_services
from crm_lookup.services.service import OneService, Services
from crm_lookup.services.settings import AuthenticationSettings, ServiceSettings, with_paths
from crm_lookup.types import Proof
from tests.lob import LineOfBusiness, settings_toml
from tests.lob.service import SECRET
from tests.sim.loop import run

MAP: TypeAdapter[dict[str, OneService]] = TypeAdapter(dict[str, ServiceSettings])
MEHDI = Proof("c-1001", "pin", 0)


def nothing_stored(folder: Path) -> Database:
    """A database that nobody asks: it is never connected to."""
    return open_database(DatabaseSettings(url=f"sqlite+aiosqlite:///{folder}/none.sqlite3"))


def told(url: str, folder: Path, /, **change: object) -> tuple[dict[str, OneService], AuthenticationSettings]:
    """The settings under which the sample service is asked, every service changed by `change`."""
    (folder / "lob").write_text(SECRET + "\n")
    raw = tomllib.loads(settings_toml(url, "lob"))
    services: dict[str, Any] = {name: {**each, **change} for name, each in raw["services"].items()}
    authentication = AuthenticationSettings.model_validate(raw["authentication"])
    return with_paths(MAP.validate_python(services), folder), authentication


@asynccontextmanager
async def a_house(folder: Path, **change: object) -> AsyncIterator[tuple[LineOfBusiness, Services]]:
    async with LineOfBusiness().listening() as lob:
        services, _ = told(lob.url, folder, **change)
        asked = open_services(services, nothing_stored(folder))
        try:
            yield lob, asked
        finally:
            await asked.aclose()


def in_a_house(
    folder: Path, test: Callable[[LineOfBusiness, Services], Awaitable[None]], **change: object
) -> None:
    """Runs a test on virtual time."""

    async def main() -> None:
        async with a_house(folder, **change) as (lob, services):
            await test(lob, services)

    run(main(), latency_s=0.001)
