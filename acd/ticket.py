"""The ticket a caller carries on their own channel (`PASOKH_TICKET`): enough to go on if all of us died.

Compact JSON of ids and numbers, no names, no digits, at most 480 bytes, since AMI cuts a variable silently at 511.
Keys a newer version wrote are kept; of two tickets the one with the higher sequence is true.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

TICKET_VERSION = 1
MAX_BYTES = 480


class TicketError(ValueError):
    """The text is not a ticket, or a ticket would be too long to survive."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`entered_us`, `offered_us`: center time. `sequence` grows with every writing."""

    contact: str
    sequence: int = 0
    flow: str | None = None
    flow_version: str | None = None
    node: str | None = None
    language: str | None = None
    customer: str | None = None
    visit: str | None = None
    queue: str | None = None
    entered_us: int | None = None
    priority: int | None = None
    step: int | None = None
    offer: str | None = None
    agent: str | None = None
    offered_us: int | None = None
    unknown: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def next(self, **changes: Any) -> Ticket:
        return replace(self, sequence=self.sequence + 1, **changes)


_KEYS = {
    "contact": "c", "sequence": "s", "flow": "f", "flow_version": "fv", "node": "n",
    "language": "l", "customer": "k", "visit": "v", "queue": "q", "entered_us": "e", "priority": "p",
    "step": "r", "offer": "o", "agent": "a", "offered_us": "t",
}  # fmt: skip
_NAMES = {key: name for name, key in _KEYS.items()}
_TYPES = {f.name: int if "int" in str(f.type) else str for f in fields(Ticket) if f.name in _KEYS}


def encode(ticket: Ticket) -> str:
    """The ticket as text for the channel. Raises TicketError when longer than MAX_BYTES bytes of UTF-8."""
    out: dict[str, Any] = {"T": TICKET_VERSION, **ticket.unknown}
    for name, key in _KEYS.items():
        value = getattr(ticket, name)
        if value is not None:
            out[key] = value
    text = json.dumps(out, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_BYTES:
        raise TicketError(
            f"The ticket of contact {ticket.contact} is {len(text.encode())} bytes; at most {MAX_BYTES} survive "
            "on a channel. Use shorter ids for flows, nodes, queues and agents."
        )
    return text


def decode(text: str) -> Ticket:
    """The ticket read back from a channel. Raises TicketError for anything that is not one."""
    try:
        raw = json.loads(text)
        json.dumps(raw, ensure_ascii=False).encode()  # half a character, escaped, could not be written again
    except (ValueError, RecursionError) as error:
        raise TicketError(f"A channel's ticket is not JSON: {error}.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("T"), int) or not isinstance(raw.get("c"), str):
        raise TicketError("A channel's ticket has no version or no contact id.")
    known: dict[str, Any] = {}
    unknown = {key: value for key, value in raw.items() if key not in _NAMES and key != "T"}
    for key, name in _NAMES.items():
        if key not in raw:
            continue
        if type(raw[key]) is not _TYPES[name]:
            raise TicketError(f"A channel's ticket has a wrong value for {name}.")
        known[name] = raw[key]
    return Ticket(**known, unknown=MappingProxyType(unknown))


def newer(a: Ticket, b: Ticket) -> Ticket:
    return a if a.sequence >= b.sequence else b
