"""What stands on an agent's card, as the page gets it. Pure.

A card never says more than is known: what is unknown is left out. `verified` is true only for the customer whom the
caller has proved to be, and `verified_by` says how (`pin`, `birth_year+code`); a caller's number proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from acd.common.number import Number, display
from acd.types import ContactId
from crm_lookup.types import Customer, Proof, Recent

Card = Mapping[str, object]
Why = Literal["withheld", "not_found", "slow", "error", "short", "raw"]

_NEVER = datetime.min.replace(tzinfo=UTC)


def make_card(
    contact: ContactId,
    caller: Number,
    matches: Sequence[Customer] = (),
    recent: Sequence[Recent] = (),
    why_unknown: Why | None = None,
    country: str = "IR",
    proof: Proof | None = None,
) -> Card:
    """The card of a contact; of several matches the first is shown and the others are named (see `in_order`).

    `why_unknown` is left out while the answer is still awaited. `recent[].at` is ISO 8601 in UTC; numbers have
    ASCII digits and read from left to right.
    """
    card: dict[str, object] = {"contact": contact, "known": bool(matches), "matches": len(matches)}
    if caller.is_known:
        card["caller"] = display(caller, "en", country)
    if not matches and why_unknown is not None:
        card["why_unknown"] = why_unknown
    if matches:
        card["customer"] = _customer(matches[0], country)
    card["verified"] = proof is not None and bool(matches) and matches[0].id == proof.customer
    if proof is not None and card["verified"]:
        card["verified_by"], card["verified_level"] = proof.method, proof.level
    card["recent"] = [_recent(one) for one in recent]
    card["others"] = [{"id": other.id, "name": _name(other)} for other in matches[1:]]
    return card


def in_order(matches: Sequence[Customer]) -> tuple[Customer, ...]:
    """Who was in touch last comes first; those who never were, by their id."""
    by_id = sorted(matches, key=lambda one: one.id)
    return tuple(sorted(by_id, key=lambda one: one.last_contact_at or _NEVER, reverse=True))


def proved_first(matches: Sequence[Customer], proof: Proof | None) -> tuple[Customer, ...]:
    """Who the caller proved to be comes first, though the number be another's, or nobody's that we know."""
    if proof is None:
        return tuple(matches)
    proved = next((one for one in matches if one.id == proof.customer), Customer(proof.customer))
    return (proved, *(one for one in matches if one.id != proof.customer))


def _customer(customer: Customer, country: str) -> Mapping[str, object]:
    shown: dict[str, object] = {"id": customer.id, "kind": customer.kind, "name": _name(customer)}
    for name in ("segment", "language", "notes"):
        if (value := getattr(customer, name)) is not None:
            shown[name] = value
    shown["phones"] = [display(from_key(key), "en", country) for key in customer.phones]
    return shown


def _name(customer: Customer) -> Mapping[str, str] | str:
    names = {"fa": customer.name_fa, "en": customer.name_en}
    return {language: name for language, name in names.items() if name} or customer.id


def _recent(one: Recent) -> Mapping[str, object]:
    values = {"queue": one.queue, "agent": one.agent, "outcome": one.outcome, "disposition": one.disposition}
    known = {name: value for name, value in values.items() if value is not None}
    return {"at": one.at.astimezone(UTC).isoformat().replace("+00:00", "Z"), **known}


def from_key(key: str) -> Number:
    """The Number that has this key."""
    if key.startswith("+"):
        return Number("e164", key, key)
    if key.startswith("short:"):
        return Number("short", key, key.removeprefix("short:"))
    if key.startswith("ext:"):
        return Number("extension", key, key.removeprefix("ext:"))
    return Number("raw", key, key.removeprefix("raw:"))
