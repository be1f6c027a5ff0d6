"""What an agent sees of a task or a callback: the customer and the note, kept beside the center.

Nobody calls for a task, so no lookup makes its card. It is made when the task is, and again after a start for those
that are still open.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from acd.common.number import display
from acd.types import Kind
from crm_lookup.card import from_key
from realtime.deps import RealtimeDeps
from realtime.errors import ApiProblem
from realtime.ports import Card
from realtime.reasons import Json
from realtime.store import queries

log = logging.getLogger(__name__)


async def known_customer(deps: RealtimeDeps, customer: str | None) -> Mapping[str, object]:
    """The customer's record; empty for a task of nobody in particular. Raises ApiProblem (422) if there is none."""
    if customer is None or deps.customers is None:
        return {}
    found = await deps.customers.one(customer)
    if found is None:
        raise ApiProblem(422, "unknown_customer", "There is no such customer.")
    return found


def show_card(deps: RealtimeDeps, row: queries.TaskNoteRow, customer: Mapping[str, object]) -> None:
    """Let agents' pages show it."""
    if deps.desk is not None and deps.center is not None:
        country = deps.center.site.country
        deps.desk.keep_card(row.contact, task_card(row, customer, country))


async def restore(deps: RealtimeDeps) -> None:
    """The cards of all open tasks, after a start. Without them tasks are done all the same."""
    if deps.center is None or deps.desk is None:
        return
    visits = deps.center.view().visits.values()
    contacts = [visit.contact for visit in visits if visit.kind is not Kind.CALL]
    if not contacts:
        return
    try:
        for row in await queries.task_notes(deps.database, contacts):
            customer = None
            if row.customer is not None and deps.customers is not None:
                customer = await deps.customers.one(row.customer)
            show_card(deps, row, customer or {})
    except (SQLAlchemyError, OSError) as error:
        log.warning("what goes with open tasks could not be read (%s)", type(error).__name__)


def task_card(row: queries.TaskNoteRow, customer: Mapping[str, object], country: str) -> Card:
    """In the shape of a caller's card. `caller`: the number to call; `verified`: nobody has proved anything."""
    card: Json = {"contact": row.contact, "known": bool(customer), "verified": False}
    if row.note is not None:
        card["note"] = row.note
    phones = customer.get("phones")
    if isinstance(phones, list | tuple) and phones:
        card["caller"] = display(from_key(str(phones[0])), "en", country)
    if customer:
        shown = ("id", "segment", "language", "notes")
        names = {"fa": customer.get("name_fa"), "en": customer.get("name_en")}
        card["customer"] = {
            **{name: customer[name] for name in shown if customer.get(name) is not None},
            "name": {language: name for language, name in names.items() if name is not None},
        }
    return card
