"""The words of this room: a customer, an earlier contact of theirs, and who a caller proved to be. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from acd.types import CustomerId

Kind = Literal["person", "organisation"]


@dataclass(frozen=True, slots=True)
class Customer:
    """`phones` are keys of `acd.common.number.Number`. `value`: of the relation, as the house counts it."""

    id: CustomerId
    kind: Kind = "person"
    name_fa: str | None = None
    name_en: str | None = None
    segment: str | None = None
    language: str | None = None
    value: int | None = None
    notes: str | None = None
    phones: tuple[str, ...] = ()
    last_contact_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recent:
    """An earlier contact of a customer, by its last visit."""

    at: datetime
    queue: str | None
    agent: str | None
    outcome: str | None
    disposition: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Who a contact's caller has proved to be. `method`: what proved it, as `pin` or `birth_year+code`. `level`: how
    sure that makes the house, in the flow's own word."""

    customer: CustomerId
    method: str
    at_us: int
    level: str = "verified"
