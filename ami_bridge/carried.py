"""The ticket as it stands on the caller's channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acd.effects import KeepPlace
from acd.ticket import Ticket, TicketError, encode

from .agi import AgiSession
from .doors import SessionCounters


@dataclass(slots=True)
class CarriedTicket:
    """`ticket` is what the channel holds, or what it will when something is written for the first time."""

    agi: AgiSession
    ticket: Ticket
    counters: SessionCounters

    async def write(self, **changes: Any) -> None:
        """Raises TicketError when it would be too long to survive."""
        ticket = self.ticket.next(**changes)
        try:
            text = encode(ticket)
        except TicketError:
            self.counters.ticket_too_long += 1
            raise
        await self.agi.set_variable("PASOKH_TICKET", text)
        self.ticket = ticket

    async def write_place(self, place: KeepPlace) -> None:
        await self.write(
            visit=place.visit,
            queue=place.queue,
            entered_us=place.entered_us,
            priority=place.priority,
            offer=None,
            agent=None,
            offered_us=None,
        )

    async def clear_place(self) -> None:
        await self.write(
            visit=None, queue=None, entered_us=None, priority=None, offer=None, agent=None, offered_us=None
        )
