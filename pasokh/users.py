"""Commands about people and versions that work on the database alone, whether or not a center runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from acd.site import load_site
from acd.store import documents
from pasokh.documents import KIND, NAME
from pasokh.errors import NotReadyError, SettingsError
from pasokh.settings import Settings
from pasokh.tables import opened_checked
from realtime.access import Access, Role
from realtime.errors import UserError
from realtime.settings import AccessSettings


@asynccontextmanager
async def _access(settings: Settings) -> AsyncIterator[Access]:
    costs = AccessSettings(argon2_memory_kib=settings.web.password_memory_kib)
    async with opened_checked(settings) as database:
        try:
            yield Access(database.writing, lambda: time.time_ns() // 1000, costs)
        except UserError as error:
            raise SettingsError(str(error)) from None


async def add_user(settings: Settings, name: str, password: str, role: str, agent: str | None) -> None:
    """Raises SettingsError for a role, agent, name or password that cannot be."""
    if role not in {each.value for each in Role}:
        raise SettingsError(f"{role} is no role; choose one of {', '.join(each.value for each in Role)}.")
    if agent is not None and agent not in await _agents(settings):
        raise SettingsError(f"center.yaml has no agent {agent}; add them there and apply it first.")
    async with _access(settings) as access:
        await access.add_user(name, password, Role(role), agent)


async def set_password(settings: Settings, name: str, password: str) -> None:
    async with _access(settings) as access:
        await access.set_password(name, password)


async def _agents(settings: Settings) -> set[str]:
    async with opened_checked(settings) as database:
        current = await documents.current(database.writing, KIND, NAME)
    try:
        text = current.text if current is not None else settings.site.read_text(encoding="utf-8")
    except OSError as error:
        raise NotReadyError(f"{settings.site} cannot be read: {error}.") from None
    return set(load_site(text, "center.yaml").agents)


async def center_versions(settings: Settings) -> list[str]:
    """One line per version, newest first."""
    async with opened_checked(settings) as database:
        found = await documents.history(database.writing, KIND, NAME)
    return [f"{each.at:%Y-%m-%d %H:%M:%S} UTC  {each.version}  {each.by}" for each in found]
