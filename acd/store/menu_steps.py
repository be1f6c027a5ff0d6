"""Where a contact went in the menus, as it is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.store.tables import menu_step
from acd.types import ContactId


@dataclass(frozen=True, slots=True)
class MenuStepRow:
    """The contact came to this node of a flow's version. `verify/ask_pin` is within the flow that `verify` calls."""

    at: datetime
    flow: str
    version: str
    node: str


async def menu_path(engine: AsyncEngine, contact: ContactId) -> tuple[MenuStepRow, ...]:
    """The nodes that a contact came to, in order."""
    query = (
        select(menu_step.c.at, menu_step.c.flow, menu_step.c.version, menu_step.c.node)
        .where(menu_step.c.contact == contact)
        .order_by(menu_step.c.at, menu_step.c.node)
    )
    async with engine.connect() as connection:
        return tuple(MenuStepRow(*row) for row in await connection.execute(query))
