"""Why somebody waited, told from the records: every stretch of a wait with what it asked for and its cause.

A visit's requirement changes while it waits (`wait_step`), and why nobody takes those who ask for it is known of
their line (`wait_cause`), not of each visit. Both are laid over the wait here, and the offers over both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from acd.store.base import instant, to_us
from acd.store.reports import OfferRow, VisitRow
from acd.store.tables import offer, visit, wait_cause, wait_step
from acd.types import ContactId

OFFERED = "offered"
NOT_IN_LINE = "not_in_line"
NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, slots=True)
class Step:
    """What a visit asked for from `at_us` on."""

    at_us: int
    requirement: str
    line: str
    step: int
    priority: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a wait with one cause. `cause`: one of `acd.types.WaitCause`, or `offered` (held out to somebody),
    `not_in_line` (it could not be offered: the last ring was not over yet, or the session was away), `not_recorded`."""

    from_us: int
    to_us: int
    cause: str
    requirement: str
    step: int
    priority: int


@dataclass(frozen=True, slots=True)
class Wait:
    """A visit's wait up to `to_us`: its end, or now. `offers`: those made, in order."""

    visit: VisitRow
    to_us: int
    stretches: tuple[Stretch, ...]
    offers: tuple[OfferRow, ...]


Causes = Mapping[str, Sequence[tuple[int, str | None]]]
"""By line: since when which cause held, in order of time."""


def stretches(
    from_us: int,
    to_us: int,
    steps: Sequence[Step],
    causes: Causes,
    offered: Sequence[tuple[int, int | None]],
) -> tuple[Stretch, ...]:
    """The wait from `from_us` to `to_us`, whole and without overlap. `offered`: beginning and end of each offer."""
    lines = {step.line for step in steps}
    cuts = {from_us, to_us, *(step.at_us for step in steps)}
    cuts |= {at_us for line in lines for at_us, _ in causes.get(line, ())}
    cuts |= {at_us for ends in offered for at_us in ends if at_us is not None}
    inside = sorted(at_us for at_us in cuts if from_us <= at_us <= to_us)
    found: list[Stretch] = []
    for begin_us, end_us in pairwise(inside):
        step = next((each for each in reversed(steps) if each.at_us <= begin_us), steps[0] if steps else None)
        out = any(made <= begin_us and (ended is None or begin_us < ended) for made, ended in offered)
        if step is None:
            cause, asked = OFFERED if out else NOT_RECORDED, ("", 0, 0)
        else:
            cause = OFFERED if out else _cause_at(causes.get(step.line, ()), begin_us)
            asked = (step.requirement, step.step, step.priority)
        last = found[-1] if found else None
        if last is not None and (last.cause, last.requirement, last.step, last.priority) == (cause, *asked):
            begin_us = found.pop().from_us
        found.append(Stretch(begin_us, end_us, cause, *asked))
    return tuple(found)


def _cause_at(changes: Sequence[tuple[int, str | None]], at_us: int) -> str:
    cause = next((cause for since_us, cause in reversed(changes) if since_us <= at_us), None)
    return cause or NOT_IN_LINE


async def waits_of(engine: AsyncEngine, contact_id: ContactId, now_us: int) -> tuple[Wait, ...]:
    """The waits of a contact's visits, in order; of one that is open, up to now."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            select(visit).where(visit.c.contact == contact_id).order_by(visit.c.began_at, visit.c.id)
        )
        return tuple([await _wait(connection, VisitRow(*row), now_us) for row in rows.all()])


async def _wait(connection: AsyncConnection, row: VisitRow, now_us: int) -> Wait:
    from_us = to_us(row.began_at)
    until_us = max(from_us, now_us) if row.wait_us is None else from_us + row.wait_us
    steps = [
        Step(to_us(at), requirement, line, step, priority)
        for at, requirement, line, step, priority in await connection.execute(
            select(
                wait_step.c.at,
                wait_step.c.requirement,
                wait_step.c.line,
                wait_step.c.step,
                wait_step.c.priority,
            )
            .where(wait_step.c.visit == row.id)
            .order_by(wait_step.c.at)
        )
    ]
    offers = [
        OfferRow(*each)
        for each in await connection.execute(
            select(offer).where(offer.c.visit == row.id).order_by(offer.c.made_at, offer.c.id)
        )
    ]
    causes = await _causes(connection, {step.line for step in steps}, from_us, until_us)
    offered = [(to_us(one.made_at), None if one.ended_at is None else to_us(one.ended_at)) for one in offers]
    return Wait(row, until_us, stretches(from_us, until_us, steps, causes, offered), tuple(offers))


async def _causes(connection: AsyncConnection, lines: set[str], from_us: int, until_us: int) -> Causes:
    """What changed in these lines during the wait, and what held in each when it began."""
    if not lines:
        return {}
    before = (
        select(wait_cause.c.line, func.max(wait_cause.c.at).label("at"))
        .where(wait_cause.c.line.in_(lines), wait_cause.c.at <= instant(from_us))
        .group_by(wait_cause.c.line)
        .subquery()
    )
    query = (
        select(wait_cause.c.line, wait_cause.c.at, wait_cause.c.cause)
        .outerjoin(before, and_(before.c.line == wait_cause.c.line, before.c.at == wait_cause.c.at))
        .where(
            wait_cause.c.line.in_(lines),
            or_(
                before.c.line.is_not(None),
                and_(wait_cause.c.at > instant(from_us), wait_cause.c.at <= instant(until_us)),
            ),
        )
        .order_by(wait_cause.c.at)
    )
    found: dict[str, list[tuple[int, str | None]]] = {line: [] for line in lines}
    for line, at, cause in await connection.execute(query):
        found[line].append((to_us(at), cause))
    return found
