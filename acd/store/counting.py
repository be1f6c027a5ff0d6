"""The measures' counts, asked of the records: the same letters as live, by queue, agent, team, skill, segment, interval
or day. They read through the `reporting` door and never stand in a call's way.

No rate is made here: `acd.kpi` makes all of them from these counts, live and afterwards. Intervals are of 15 minutes of
UTC, which are also those of every time zone in use; a visit belongs to the one in which it began, an offer to the
one in which it was made. Agents' times are cut at both ends of what is asked for. Limits (x, s) are those given, for
the whole time: what a queue's target was earlier is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Integer, Row, Select, and_, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from acd.kpi.counts import SIGNIFICANT_BITS, US_PER_MS, Counts, time_of, total
from acd.kpi.formulas import CLOSE_US
from acd.kpi.measures import KEPT_US, day_start_us
from acd.store.base import instant, to_us
from acd.store.tables import agent_state, offer, refusal, visit
from acd.types import US_PER_S, AgentId, Kind, QueueId

INTERVAL_S = 900
_LONGEST_WAIT_BITS = 33
_ROWS_AT_ONCE = 500


class By(StrEnum):
    """What figures are divided by."""

    QUEUE = "queue"
    AGENT = "agent"
    TEAM = "team"
    SKILL = "skill"
    SEGMENT = "segment"
    INTERVAL = "interval"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What "in time" (x) and "short" (s) mean in a queue, in microseconds of wait."""

    target_us: int = 20 * US_PER_S
    short_us: int = 5 * US_PER_S


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for: all that began in [begin, end). `kind` None: of every kind. `queue` None: in every queue.

    A queue without bounds is counted by those of `Bounds()`, as it is live. `teams`: who is in which team now. `zone`:
    the site's, for days. `now`: up to when agents' last states are counted.
    """

    by: By
    begin: datetime
    end: datetime
    now: datetime
    bounds: Mapping[QueueId, Bounds] = field(default_factory=dict)
    kind: Kind | None = Kind.CALL
    queue: QueueId | None = None
    teams: Mapping[AgentId, str] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Counted:
    """`key`: the queue, agent … (empty: none, or nobody); None for an interval or day, which has `began_at`.
    `waiting_beyond`: Wx, those who wait still and already longer than x."""

    key: str | None
    began_at: datetime | None
    counts: Counts
    waiting_beyond: int = 0


@dataclass(frozen=True, slots=True)
class IntervalCounts:
    """One queue in one interval."""

    queue: QueueId
    began_at: datetime
    counts: Counts


async def count(engine: AsyncEngine, asked: Question) -> Sequence[Counted]:
    """The counts by what was asked for, in order of key or time; nothing at all where nothing was."""
    found: dict[tuple[Any, ...], Counts] = {}
    beyond: dict[tuple[Any, ...], Counts] = {}
    async with engine.connect() as connection:
        for part in _parts(asked, (_KEYS[asked.by],)):
            await part.into(connection, found)
        await _Part(_beyond(asked, _KEYS[asked.by].visit), 1, _pour_named).into(connection, beyond)
    rows = _rows_of(asked, found)
    missed = {(row.key, row.began_at): row.counts.offered for row in _rows_of(asked, beyond)}
    return [replace(row, waiting_beyond=missed.get((row.key, row.began_at), 0)) for row in rows]


async def interval_report(
    engine: AsyncEngine, begin: datetime, end: datetime, bounds: Mapping[QueueId, Bounds]
) -> Sequence[IntervalCounts]:
    """Calls of each queue and interval with something that began in [begin, end), in order of time."""
    asked = Question(By.INTERVAL, begin, end, end, bounds)
    found: dict[tuple[Any, ...], Counts] = {}
    async with engine.connect() as connection:
        for part in _parts(asked, (_KEYS[By.INTERVAL], _KEYS[By.QUEUE])):
            await part.into(connection, found)
    return [
        IntervalCounts(queue, _begin_of(interval), counts)
        for (interval, queue), counts in sorted(found.items(), key=lambda entry: entry[0])
    ]


def _rows_of(asked: Question, found: Mapping[tuple[Any, ...], Counts]) -> Sequence[Counted]:
    return _by_time(asked, found) if asked.by in (By.INTERVAL, By.DAY) else _by_key(asked, found)


def _by_key(asked: Question, found: Mapping[tuple[Any, ...], Counts]) -> Sequence[Counted]:
    rows: dict[str, list[Counts]] = {}
    for (key,), counts in found.items():
        for each in _names(asked, key or ""):
            rows.setdefault(each, []).append(counts)
    return [Counted(key, None, total(rows[key])) for key in sorted(rows)]


def _names(asked: Question, key: str) -> Sequence[str]:
    if asked.by is By.SKILL:
        return [skill for skill in key.split(",") if skill]
    if asked.by is By.TEAM:
        return [asked.teams.get(key, "")] if key else []
    return [key] if key or asked.by is By.SEGMENT else []


def _by_time(asked: Question, found: Mapping[tuple[Any, ...], Counts]) -> Sequence[Counted]:
    rows: dict[datetime, list[Counts]] = {}
    for (interval,), counts in found.items():
        began = _begin_of(interval)
        if asked.by is By.DAY:
            began = instant(day_start_us(to_us(began), asked.zone))
        rows.setdefault(began, []).append(counts)
    return [Counted(None, at, rows[at][0] if len(rows[at]) == 1 else total(rows[at])) for at in sorted(rows)]


# ---- what is asked of the database -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Key:
    """A column to group by, in each table that knows it."""

    visit: ColumnElement[Any]
    offer: ColumnElement[Any]
    refusal: ColumnElement[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """One query. Its columns are the keys `k0`, `k1` …, and what `pour` puts into the counts of these keys."""

    query: Select[*tuple[Any, ...]]
    keys: int
    pour: Callable[[Counts, Row[Any]], None]

    async def into(self, connection: AsyncConnection, found: dict[tuple[Any, ...], Counts]) -> None:
        """Read in stretches: the loop has others to serve between them."""
        async with connection.stream(self.query) as result:
            async for rows in result.partitions(_ROWS_AT_ONCE):
                for row in rows:
                    self.pour(found.setdefault(tuple(row[: self.keys]), Counts()), row)


def _parts(asked: Question, keys: tuple[_Key, ...]) -> list[_Part]:
    number = len(keys)
    parts = [
        _Part(_visits(asked, [key.visit for key in keys]), number, _pour_named),
        _Part(_waits(asked, [key.visit for key in keys]), number, _pour_waits),
        _Part(_offers(asked, [key.offer for key in keys]), number, _pour_named),
    ]
    of_refusal = [key.refusal for key in keys if key.refusal is not None]
    if len(of_refusal) == number and asked.kind in (None, Kind.CALL):
        parts.append(_Part(_refusals(asked, of_refusal), number, _pour_named))
    if asked.by in (By.AGENT, By.TEAM) and asked.queue is None:
        parts.append(_Part(_times(asked), 1, _pour_times))
    return parts


def _pour_named(counts: Counts, row: Row[Any]) -> None:
    for name, value in row._mapping.items():
        if name in _NAMES:
            setattr(counts, name, int(value))


def _pour_waits(counts: Counts, row: Row[Any]) -> None:
    counts.waits[int(row.bucket)] = int(row.number)


def _pour_times(counts: Counts, row: Row[Any]) -> None:
    name = time_of(row.status, row.activity)
    if name is None or name not in _NAMES:
        return
    setattr(counts, name, getattr(counts, name) + int(row.spent_us))
    if name == "not_ready_us":
        counts.reasons[row.reason or ""] = counts.reasons.get(row.reason or "", 0) + int(row.spent_us)


_NAMES = frozenset(Counts.__struct_fields__)


def _visits(asked: Question, keys: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    wait = visit.c.wait_us
    in_target = wait <= _bound(asked.bounds, "target_us")
    answered = visit.c.outcome == "answered"
    abandoned = visit.c.outcome == "abandoned"
    told = and_(answered, visit.c.estimate_us.is_not(None))
    off = func.abs(visit.c.estimate_us - wait)
    columns = [
        func.count().label("offered"),
        _count(answered).label("answered"),
        _count(and_(answered, in_target)).label("answered_in"),
        _count(abandoned).label("abandoned"),
        _count(and_(abandoned, in_target)).label("abandoned_in"),
        _count(and_(abandoned, wait < _bound(asked.bounds, "short_us"))).label("abandoned_short"),
        _count(visit.c.outcome == "flowed_out").label("flowed_out"),
        _count(visit.c.outcome == "callback").label("callbacks"),
        _count(visit.c.talk_us.is_not(None)).label("handled"),
        _sum(case((answered, wait))).label("wait_answered_us"),
        _sum(visit.c.talk_us).label("talk_us"),
        _sum(visit.c.hold_us).label("hold_us"),
        _sum(visit.c.acw_us).label("acw_us"),
        func.coalesce(func.max(case((answered, wait))), 0).label("wait_most_us"),
        _count(told).label("estimated"),
        _sum(case((told, off))).label("estimate_error_us"),
        _count(and_(told, off <= CLOSE_US)).label("estimate_close"),
    ]
    if asked.by in (By.AGENT, By.TEAM):  # nobody is offered a visit before somebody is chosen for it
        columns = columns[1:]
    return _grouped(_of_visits(select(*columns), asked), keys)


def _waits(asked: Question, keys: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    ms = visit.c.wait_us // US_PER_MS
    steps = range(_LONGEST_WAIT_BITS - SIGNIFICANT_BITS)
    whens = [(ms < 1 << SIGNIFICANT_BITS + step, ms // (1 << step) * (1 << step)) for step in steps]
    bucket = case(*whens, else_=1 << _LONGEST_WAIT_BITS - 1).label("bucket")
    query = select(bucket, func.count().label("number")).where(visit.c.outcome == "answered")
    return _grouped(_of_visits(query, asked), keys).group_by(bucket)


def _beyond(asked: Question, key: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Those who wait still, longer than x: each one who passes x counts as missed at that moment."""
    waited = literal(to_us(asked.now), BigInteger) - epoch_us(visit.c.began_at)
    query = select(func.count().label("offered")).where(
        visit.c.outcome.is_(None), waited > _bound(asked.bounds, "target_us")
    )
    return _grouped(_of_visits(query, asked), [key])


def _offers(asked: Question, keys: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    paged = and_(offer.c.page_open.is_(True), offer.c.state.is_not(None))
    query = (
        select(
            func.count().label("offers"),
            _count(offer.c.state == "timed_out").label("offers_timed_out"),
            _count(offer.c.state == "rejected").label("offers_rejected"),
            _count(paged).label("rung_with_page"),
            _count(and_(paged, offer.c.shown_before_ring.is_(True))).label("cards_before_ring"),
        )
        .select_from(offer.outerjoin(visit, visit.c.id == offer.c.visit))
        .where(offer.c.made_at >= asked.begin, offer.c.made_at < asked.end)
    )
    if asked.kind is not None:
        query = query.where(func.coalesce(visit.c.kind, Kind.CALL.value) == asked.kind.value)
    if asked.queue is not None:
        query = query.where(offer.c.queue == asked.queue)
    return _grouped(query, keys)


def _refusals(asked: Question, keys: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    query = select(func.count().label("refused")).where(refusal.c.at >= asked.begin, refusal.c.at < asked.end)
    if asked.queue is not None:
        query = query.where(refusal.c.queue == asked.queue)
    return _grouped(query, keys)


def _times(asked: Question) -> Select[*tuple[Any, ...]]:
    """How long each agent was in which state. No state begins before the one before it, whatever was learned late;
    one that began two days before is taken for a forgotten one."""
    lookback = timedelta(microseconds=KEPT_US)
    end_us = to_us(min(asked.end, asked.now))
    since = func.max(epoch_us(agent_state.c.since_at)).over(
        partition_by=agent_state.c.agent, order_by=agent_state.c.at
    )
    states = (
        select(agent_state, since.label("since"))
        .where(agent_state.c.at >= asked.begin - lookback, agent_state.c.at < asked.end + lookback)
        .subquery()
    )
    until = func.lead(states.c.since).over(partition_by=states.c.agent, order_by=states.c.at)
    spans = select(states, until.label("until")).subquery()
    begin = _larger(spans.c.since, to_us(asked.begin))
    end = _smaller(func.coalesce(spans.c.until, end_us), end_us)
    return (
        select(
            spans.c.agent,
            spans.c.status,
            spans.c.activity,
            spans.c.reason,
            func.sum(end - begin).label("spent_us"),
        )
        .where(end > begin)
        .group_by(spans.c.agent, spans.c.status, spans.c.activity, spans.c.reason)
    )


def _of_visits(query: Select[*tuple[Any, ...]], asked: Question) -> Select[*tuple[Any, ...]]:
    query = query.where(visit.c.began_at >= asked.begin, visit.c.began_at < asked.end)
    if asked.kind is not None:
        query = query.where(visit.c.kind == asked.kind.value)
    return query if asked.queue is None else query.where(visit.c.queue == asked.queue)


def _grouped(query: Select[*tuple[Any, ...]], keys: Sequence[ColumnElement[Any]]) -> Select[*tuple[Any, ...]]:
    labelled = [key.label(f"k{number}") for number, key in enumerate(keys)]
    return query.with_only_columns(*labelled, *query.selected_columns, maintain_column_froms=True).group_by(
        *labelled
    )


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


def _larger(one: ColumnElement[int], other: int) -> ColumnElement[int]:
    return case((one > other, one), else_=literal(other, BigInteger))


def _smaller(one: ColumnElement[int], other: int) -> ColumnElement[int]:
    return case((one < other, one), else_=literal(other, BigInteger))


# ---- instants as numbers ---------------------------------------------------------------------------------------


class epoch_s(FunctionElement[int]):  # noqa: N801 - it is written like an SQL function
    """Whole seconds since 1970 of an instant."""

    name = "epoch_s"
    type = Integer()
    inherit_cache = True


class epoch_us(FunctionElement[int]):  # noqa: N801
    """Microseconds since 1970 of an instant."""

    name = "epoch_us"
    type = BigInteger()
    inherit_cache = True


@compiles(epoch_s, "postgresql")
def _epoch_s_on_postgres(element: epoch_s, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **kw)})) AS BIGINT)"


@compiles(epoch_s, "sqlite")
def _epoch_s_on_sqlite(element: epoch_s, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(epoch_us, "postgresql")
def _epoch_us_on_postgres(element: epoch_us, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses, **kw)}) * 1000000 AS BIGINT)"


@compiles(epoch_us, "sqlite")
def _epoch_us_on_sqlite(element: epoch_us, compiler: SQLCompiler, **kw: Any) -> str:
    at = compiler.process(element.clauses, **kw)
    return f"(CAST(strftime('%s', {at}) AS INTEGER) * 1000000 + CAST(substr({at}, 21, 6) AS INTEGER))"


_KEYS: Mapping[By, _Key] = {
    By.QUEUE: _Key(visit.c.queue, offer.c.queue, refusal.c.queue),
    By.AGENT: _Key(visit.c.agent, offer.c.agent),
    By.TEAM: _Key(visit.c.agent, offer.c.agent),
    By.SKILL: _Key(visit.c.skills, visit.c.skills),
    By.SEGMENT: _Key(visit.c.segment, visit.c.segment),
    By.INTERVAL: _Key(
        epoch_s(visit.c.began_at) // INTERVAL_S,
        epoch_s(offer.c.made_at) // INTERVAL_S,
        epoch_s(refusal.c.at) // INTERVAL_S,
    ),
    By.DAY: _Key(
        epoch_s(visit.c.began_at) // INTERVAL_S,
        epoch_s(offer.c.made_at) // INTERVAL_S,
        epoch_s(refusal.c.at) // INTERVAL_S,
    ),
}
"""Days are made of intervals: which day an interval is in, the site's zone says."""
