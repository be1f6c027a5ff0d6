"""Questions about what happened. They read through the `reporting` door and never stand in a call's way.

Here are lists and single contacts; counts of many are in `acd.store.counting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.store.tables import agent_state, contact, leg, offer, visit
from acd.types import AgentId, ContactId, CustomerId, QueueId


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact in a list. `caller_e164` is personal."""

    id: ContactId
    kind: str
    dialled: str | None
    caller_e164: str | None
    caller_kind: str | None
    customer: CustomerId | None
    segment: str | None
    began_at: datetime
    ended_at: datetime | None
    handled_by: str | None


@dataclass(frozen=True, slots=True)
class VisitRow:
    """`outcome` None: still waiting. Durations in microseconds; `talk_us` is without hold."""

    id: str
    contact: ContactId
    queue: QueueId
    began_at: datetime
    priority: int
    outcome: str | None
    wait_us: int | None
    offer: str | None
    agent: AgentId | None
    answered_at: datetime | None
    talk_us: int | None
    hold_us: int | None
    acw_us: int | None
    disposition: str | None
    ended_by: str | None
    ended_at: datetime | None
    kind: str = "call"
    segment: str | None = None
    skills: str | None = None
    estimate_us: int | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """`shown_at`: when the agent's page confirmed the card. `why`: why it failed; `chosen`: why this agent."""

    id: str
    visit: str
    contact: ContactId
    queue: QueueId
    agent: AgentId
    phone: str | None
    page_open: bool | None
    made_at: datetime
    shown_at: datetime | None
    shown_before_ring: bool | None
    rang_at: datetime | None
    state: str | None
    why: str | None
    ended_at: datetime | None
    chosen: str | None = None


@dataclass(frozen=True, slots=True)
class LegRow:
    id: str
    contact: ContactId
    party: str
    visit: str | None
    offer: str | None
    agent: AgentId | None
    began_at: datetime
    ended_at: datetime | None
    talk_us: int | None
    hold_us: int | None


@dataclass(frozen=True, slots=True)
class ContactStory:
    """One contact with all that happened to it, in order."""

    contact: ContactRow
    visits: tuple[VisitRow, ...]
    offers: tuple[OfferRow, ...]
    legs: tuple[LegRow, ...]


@dataclass(frozen=True, slots=True)
class After:
    """Where a page of the list of contacts ended: the next page begins after this contact."""

    began_at: datetime
    contact: ContactId


@dataclass(frozen=True, slots=True)
class Page:
    """`after`: what to ask for to go on; None when this was the last page."""

    contacts: tuple[ContactRow, ...]
    after: After | None


@dataclass(frozen=True, slots=True)
class RecentContact:
    """An earlier contact of a customer, by its last visit; without one, `queue` is None."""

    contact: ContactId
    at: datetime
    queue: QueueId | None
    agent: AgentId | None
    outcome: str | None
    disposition: str | None


@dataclass(frozen=True, slots=True)
class AgentStateRow:
    """An agent's state as it was last recorded."""

    agent: AgentId
    at: datetime
    phone: str | None
    status: str
    reason: str | None
    activity: str
    since_at: datetime
    visit: str | None
    next_status: str | None
    next_reason: str | None


async def list_contacts(
    engine: AsyncEngine,
    limit: int = 50,
    after: After | None = None,
    *,
    queue: QueueId | None = None,
    agent: AgentId | None = None,
) -> Page:
    """Contacts, newest first, of this queue or agent if given. A page stays the same while new calls come in."""
    query = select(contact).order_by(contact.c.began_at.desc(), contact.c.id.desc()).limit(limit + 1)
    if after is not None:
        same_instant = and_(contact.c.began_at == after.began_at, contact.c.id < after.contact)
        query = query.where(or_(contact.c.began_at < after.began_at, same_instant))
    for column, wanted in ((visit.c.queue, queue), (visit.c.agent, agent)):
        if wanted is not None:
            query = query.where(contact.c.id.in_(select(visit.c.contact).where(column == wanted)))
    async with engine.connect() as connection:
        rows = [ContactRow(*row) for row in await connection.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(tuple(rows), After(rows[-1].began_at, rows[-1].id) if more else None)


async def contact_story(engine: AsyncEngine, contact_id: ContactId) -> ContactStory | None:
    """All that is recorded of one contact; None if there is no such contact."""
    async with engine.connect() as connection:
        found = (await connection.execute(select(contact).where(contact.c.id == contact_id))).first()
        if found is None:
            return None
        visits = await connection.execute(
            select(visit).where(visit.c.contact == contact_id).order_by(visit.c.began_at, visit.c.id)
        )
        offers = await connection.execute(
            select(offer)
            .join(visit, visit.c.id == offer.c.visit)
            .where(visit.c.contact == contact_id)
            .order_by(offer.c.made_at, offer.c.id)
        )
        legs = await connection.execute(
            select(leg).where(leg.c.contact == contact_id).order_by(leg.c.began_at, leg.c.id)
        )
        return ContactStory(
            ContactRow(*found),
            tuple(VisitRow(*row) for row in visits),
            tuple(OfferRow(*row) for row in offers),
            tuple(LegRow(*row) for row in legs),
        )


async def recent_contacts(
    engine: AsyncEngine, customer: CustomerId, limit: int = 5, but: ContactId | None = None
) -> Sequence[RecentContact]:
    """The customer's last contacts, newest first, without the one `but`."""
    last_visit = (
        select(visit.c.id)
        .where(visit.c.contact == contact.c.id)
        .order_by(visit.c.began_at.desc(), visit.c.id.desc())
        .limit(1)
        .correlate(contact)
        .scalar_subquery()
    )
    query = (
        select(
            contact.c.id,
            contact.c.began_at,
            visit.c.queue,
            visit.c.agent,
            visit.c.outcome,
            visit.c.disposition,
        )
        .select_from(contact.outerjoin(visit, visit.c.id == last_visit))
        .where(contact.c.customer == customer)
        .order_by(contact.c.began_at.desc(), contact.c.id.desc())
        .limit(limit)
    )
    if but is not None:
        query = query.where(contact.c.id != but)
    async with engine.connect() as connection:
        return [RecentContact(*row) for row in await connection.execute(query)]


async def agent_states(engine: AsyncEngine) -> Sequence[AgentStateRow]:
    """The last recorded state of every agent, for a start without a usable journal."""
    newest = (
        select(agent_state.c.agent, func.max(agent_state.c.at).label("at"))
        .group_by(agent_state.c.agent)
        .subquery()
    )
    query = (
        select(agent_state)
        .join(newest, and_(agent_state.c.agent == newest.c.agent, agent_state.c.at == newest.c.at))
        .order_by(agent_state.c.agent)
    )
    async with engine.connect() as connection:
        return [AgentStateRow(*row) for row in await connection.execute(query)]
