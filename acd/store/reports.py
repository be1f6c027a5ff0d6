"""Questions about what happened. They read through the `reporting` door and never stand in a call's way.

No rate is made here: `acd.kpi` makes all of them from the same counts, live and afterwards. Intervals are of
15 minutes of UTC, which are also those of every time zone in use; a visit belongs to the one in which it began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from acd.kpi.formulas import Counts
from acd.store.base import instant
from acd.store.tables import agent_state, contact, leg, offer, refusal, visit
from acd.types import US_PER_S, AgentId, ContactId, CustomerId, QueueId

INTERVAL_S = 900


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
    """`shown_at`: when the agent's page confirmed the card."""

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
class Bounds:
    """What "in time" (x) and "short" (s) mean in a queue, in microseconds of wait."""

    target_us: int = 20 * US_PER_S
    short_us: int = 5 * US_PER_S


@dataclass(frozen=True, slots=True)
class IntervalCounts:
    """One queue in one interval: the same counts as the live ones. `longest_wait_us`: of the answered."""

    queue: QueueId
    began_at: datetime
    counts: Counts
    longest_wait_us: int


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


async def interval_report(
    engine: AsyncEngine, begin: datetime, end: datetime, bounds: Mapping[QueueId, Bounds]
) -> Sequence[IntervalCounts]:
    """Counts and sums of each queue and interval with something that began in [begin, end), in order of time.

    A queue without bounds is counted by those of `Bounds()`, as it is live.
    """
    async with engine.connect() as connection:
        rows = (await connection.execute(_visits_by_interval(begin, end, bounds))).all()
        refused = (await connection.execute(_refusals_by_interval(begin, end))).all()
    report = {(row.interval, row.queue): _interval_counts(row) for row in rows}
    for row in refused:
        nothing = IntervalCounts(row.queue, _begin_of(row.interval), Counts(), 0)
        report.setdefault((row.interval, row.queue), nothing).counts.refused = row.refused
    return [report[key] for key in sorted(report)]


def _visits_by_interval(
    begin: datetime, end: datetime, bounds: Mapping[QueueId, Bounds]
) -> Select[*tuple[Any, ...]]:
    wait = visit.c.wait_us
    in_target = wait <= _bound(bounds, "target_us")
    answered = visit.c.outcome == "answered"
    abandoned = visit.c.outcome == "abandoned"
    interval = epoch_s(visit.c.began_at) // INTERVAL_S
    return (
        select(
            visit.c.queue,
            interval.label("interval"),
            func.count().label("offered"),
            _count(answered).label("answered"),
            _count(and_(answered, in_target)).label("answered_in"),
            _count(abandoned).label("abandoned"),
            _count(and_(abandoned, in_target)).label("abandoned_in"),
            _count(and_(abandoned, wait < _bound(bounds, "short_us"))).label("abandoned_short"),
            _count(visit.c.outcome == "flowed_out").label("flowed_out"),
            _count(visit.c.outcome == "callback").label("callbacks"),
            _count(visit.c.talk_us.is_not(None)).label("handled"),
            _sum(case((answered, wait))).label("wait_answered_us"),
            _sum(visit.c.talk_us).label("talk_us"),
            _sum(visit.c.hold_us).label("hold_us"),
            _sum(visit.c.acw_us).label("acw_us"),
            func.coalesce(func.max(case((answered, wait))), 0).label("longest_wait_us"),
        )
        .where(visit.c.began_at >= begin, visit.c.began_at < end)
        .group_by(visit.c.queue, interval)
    )


def _refusals_by_interval(begin: datetime, end: datetime) -> Select[*tuple[Any, ...]]:
    interval = epoch_s(refusal.c.at) // INTERVAL_S
    return (
        select(refusal.c.queue, interval.label("interval"), func.count().label("refused"))
        .where(refusal.c.at >= begin, refusal.c.at < end)
        .group_by(refusal.c.queue, interval)
    )


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


class epoch_s(FunctionElement[int]):  # noqa: N801 - it is written like an SQL function
    """Whole seconds since 1970 of an instant."""

    name = "epoch_s"
    type = Integer()
    inherit_cache = True


@compiles(epoch_s, "postgresql")
def _epoch_on_postgres(element: epoch_s, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **kw)})) AS BIGINT)"


@compiles(epoch_s, "sqlite")
def _epoch_on_sqlite(element: epoch_s, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


def _interval_counts(row: Row[Any]) -> IntervalCounts:
    counted = row._mapping
    counts = Counts(**{each.name: int(counted[each.name]) for each in fields(Counts) if each.name in counted})
    return IntervalCounts(row.queue, _begin_of(row.interval), counts, int(row.longest_wait_us))


def _begin_of(interval: int) -> datetime:
    return instant(interval * INTERVAL_S * US_PER_S)


def _bound(bounds: Mapping[QueueId, Bounds], name: str) -> ColumnElement[int]:
    usual: int = getattr(Bounds(), name)
    if not bounds:
        return literal(usual)
    return case({queue: getattr(b, name) for queue, b in bounds.items()}, value=visit.c.queue, else_=usual)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def _sum(duration: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(duration), 0)
