"""Folding facts into counts, live: per queue, skill, segment and agent, in intervals of 15 minutes.

A visit belongs to the interval in which it began, wherever it is counted, so sums over agents are those over queues.
Offers belong to the interval in which they were made, agents' times are cut at the edges. Callbacks and tasks are
counted apart from calls; skills and segments are those of calls. A team is the sum of its members: it needs no fold.

What a fact does not say of its visit (kind, segment, skills, the wait that was announced) is remembered from its
beginning, while it is open: `open` is part of the snapshot, so a restart changes no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from acd import facts
from acd.errors import JournalError
from acd.kpi.counts import Counts, bucket_of, time_of, total
from acd.kpi.flows import FlowDays
from acd.kpi.formulas import CLOSE_US
from acd.site import Site
from acd.types import US_PER_S, Activity, AgentId, Kind, OfferId, OfferState, QueueId, Status, VisitId

INTERVAL_US = 15 * 60 * US_PER_S
KEPT_US = 48 * 3600 * US_PER_S
AGENTS_KEPT_US = 26 * 3600 * US_PER_S
OPEN_MOST = 50_000
OFFERS_REMEMBERED = 16
CLOSED_REMEMBERED = 256

Table = dict[str, dict[int, Counts]]
"""Key (a queue, an agent …) -> beginning of the interval -> counts."""


class By(StrEnum):
    """What calls are divided by, live."""

    QUEUE = "queue"
    SKILL = "skill"
    SEGMENT = "segment"
    AGENT = "agent"


@dataclass(slots=True)
class Limits:
    """A queue's target (x) and short-abandon limit (s)."""

    target_us: int = 20 * US_PER_S
    short_us: int = 5 * US_PER_S


class OpenVisit(msgspec.Struct, array_like=True):
    """What is remembered of a visit until its last fact. `segment`: empty without one. `likely_us`: the wait that was
    announced. `wraps_up`: after-call work will follow the talk. `over`: its last offers that timed out or were
    rejected, since even they may be answered."""

    queue: QueueId
    began_us: int
    kind: Kind = Kind.CALL
    segment: str = ""
    skills: tuple[str, ...] = ()
    likely_us: int | None = None
    waiting: bool = True
    wraps_up: bool = True
    over: dict[OfferId, OfferState] = {}


class Doing(msgspec.Struct, array_like=True):
    """An agent's state, running since `since_us`."""

    status: Status
    reason: str | None
    activity: Activity
    since_us: int


@dataclass(slots=True)
class Measures:
    """Counts of the last two days (agents: of 26 hours); older intervals are asked of the records.

    `days`: the queues' calls once more by the site's days, so that a picture of today needs no sum.

    `closed`: the visits that ended last, since the end of a ring may be told after that of its visit.
    `pending`: offers that ring at an agent with a page open, and whether their card was confirmed before the ring.
    """

    queues: Table = field(default_factory=dict)
    days: Table = field(default_factory=dict)
    callbacks: Table = field(default_factory=dict)
    tasks: Table = field(default_factory=dict)
    segments: Table = field(default_factory=dict)
    skills: Table = field(default_factory=dict)
    agents: Table = field(default_factory=dict)
    limits: dict[QueueId, Limits] = field(default_factory=dict)
    open: dict[VisitId, OpenVisit] = field(default_factory=dict)
    closed: dict[VisitId, OpenVisit] = field(default_factory=dict)
    doing: dict[AgentId, Doing] = field(default_factory=dict)
    pending: dict[OfferId, bool] = field(default_factory=dict)
    flows: FlowDays = field(default_factory=FlowDays)

    def use(self, site: Site) -> None:
        """Measure by this site's limits and days from now on."""
        if self.flows.zone != site.time_zone:
            self.flows.zone = site.time_zone
            self.days = self._anew()
        for name, queue in site.queues.items():
            self.limits[name] = Limits(int(queue.target_s * US_PER_S), int(queue.short_abandon_s * US_PER_S))

    def fold(self, some: Iterable[facts.Fact]) -> None:
        for fact in some:
            if (handler := _FOLD.get(type(fact))) is not None:
                handler(self, fact)
            self.flows.fold(fact)

    # ---- asking -------------------------------------------------------------------------------------------

    def since(self, queue: QueueId, start_us: int, kind: Kind | None = None) -> Counts:
        """The sum of the queue's intervals that began at or after `start_us`, of one kind of visits or of all; without
        `waits`."""
        tables = (self.queues, self.callbacks, self.tasks) if kind is None else (self._table(kind),)
        return total(
            (
                counts
                for table in tables
                for began_us, counts in table.get(queue, {}).items()
                if began_us >= start_us
            ),
            waits=False,
        )

    def today(self, queue: QueueId, now_us: int) -> Counts:
        """The queue's calls that began in the site's day in which `now_us` lies. Not a copy: read it only."""
        return self.days.get(queue, {}).get(_day_of(_start(now_us), self.flows.zone)) or Counts()

    def between(self, by: By, key: str, begin_us: int, end_us: int, now_us: int | None = None) -> Counts:
        """The sum of the intervals that began in [begin_us, end_us). Of an agent with `now_us`: the state that still
        runs is counted up to then."""
        table = {
            By.QUEUE: self.queues,
            By.SKILL: self.skills,
            By.SEGMENT: self.segments,
            By.AGENT: self.agents,
        }[by]
        out = total(counts for at_us, counts in table.get(key, {}).items() if begin_us <= at_us < end_us)
        if by is By.AGENT and now_us is not None and (doing := self.doing.get(key)) is not None:
            _spend(out, doing, max(begin_us, doing.since_us), min(end_us, now_us))
        return out

    def team(
        self, members: Iterable[AgentId], begin_us: int, end_us: int, now_us: int | None = None
    ) -> Counts:
        """The sum of the agents who are in the team now."""
        return total(self.between(By.AGENT, agent, begin_us, end_us, now_us) for agent in members)

    def untrue(self) -> list[str]:
        """Where O = A + B + F + C + waiting does not hold, queue by queue and interval by interval: none, ever."""
        waiting: dict[tuple[Kind, QueueId, int], int] = {}
        for visit in self.open.values():
            if visit.waiting:
                key = (visit.kind, visit.queue, _start(visit.began_us))
                waiting[key] = waiting.get(key, 0) + 1
        for kind in Kind:
            for queue, intervals in self._table(kind).items():
                for at_us, counts in intervals.items():
                    key = (kind, queue, at_us)
                    waiting[key] = waiting.get(key, 0) - counts.open
        return [
            f"{key}: {number:+} wait beyond what was counted" for key, number in waiting.items() if number
        ]

    @property
    def rung_with_page(self) -> int:
        return sum(c.rung_with_page for intervals in self.queues.values() for c in intervals.values())

    @property
    def cards_before_ring(self) -> int:
        return sum(c.cards_before_ring for intervals in self.queues.values() for c in intervals.values())

    # ---- where a fact is counted --------------------------------------------------------------------------

    def _table(self, kind: Kind) -> Table:
        if kind is Kind.CALL:
            return self.queues
        return self.callbacks if kind is Kind.CALLBACK else self.tasks

    def _cells(
        self, visit: OpenVisit, queue: QueueId, at_us: int, agent: AgentId | None = None
    ) -> list[Counts]:
        start_us = at_us - at_us % INTERVAL_US
        cells = [_cell(self._table(visit.kind), queue, start_us)]
        if visit.kind is Kind.CALL:
            cells.append(self._day(queue, start_us))
            cells.append(_cell(self.segments, visit.segment, start_us))
            for skill in visit.skills:
                cells.append(_cell(self.skills, skill, start_us))
        if agent is not None:
            cells.append(_cell(self.agents, agent, start_us, AGENTS_KEPT_US))
        return cells

    def _day(self, queue: QueueId, start_us: int) -> Counts:
        return _cell(self.days, queue, _day_of(start_us, self.flows.zone))

    def _anew(self) -> Table:
        """The days of another time zone, from the intervals that are still known."""
        days: dict[str, dict[int, list[Counts]]] = {}
        for queue, intervals in self.queues.items():
            for start_us in sorted(intervals):
                of_queue = days.setdefault(queue, {})
                of_queue.setdefault(_day_of(start_us, self.flows.zone), []).append(intervals[start_us])
        return {queue: {at_us: total(some) for at_us, some in days[queue].items()} for queue in days}

    def _visit(self, visit: VisitId) -> OpenVisit:
        """A visit of which we never heard counts as a plain call."""
        return self.open.get(visit) or self.closed.get(visit) or OpenVisit("", 0)

    def _close(self, visit: VisitId) -> None:
        if (ended := self.open.pop(visit, None)) is None:
            return
        ended.waiting = False
        self.closed[visit] = ended
        if len(self.closed) > CLOSED_REMEMBERED:
            del self.closed[next(iter(self.closed))]

    def _limits(self, queue: QueueId) -> Limits:
        return self.limits.get(queue) or _USUAL

    # ---- visits -------------------------------------------------------------------------------------------

    def _began(self, fact: facts.VisitBegan) -> None:
        if len(self.open) >= OPEN_MOST:  # those whose end was never told
            del self.open[next(iter(self.open))]
        visit = OpenVisit(fact.queue, fact.at_us, fact.kind, fact.segment or "", fact.skills)
        self.open[fact.visit] = visit
        for counts in self._cells(visit, fact.queue, fact.at_us):
            counts.offered += 1

    def _refused(self, fact: facts.VisitRefused) -> None:
        start_us = _start(fact.at_us)
        for counts in (_cell(self.queues, fact.queue, start_us), self._day(fact.queue, start_us)):
            counts.refused += 1

    def _estimated(self, fact: facts.WaitEstimated) -> None:
        if (visit := self.open.get(fact.visit)) is not None:
            visit.likely_us = fact.likely_us

    def _answered(self, fact: facts.VisitAnswered) -> None:
        visit = self._visit(fact.visit)
        visit.waiting = False
        visit.wraps_up = fact.offer is not None  # Asterisk's own queue tells of none
        wait_us = fact.wait_us
        in_time = wait_us <= self._limits(fact.queue).target_us
        bucket = bucket_of(wait_us)
        off_us = None if visit.likely_us is None else abs(visit.likely_us - wait_us)
        for counts in self._cells(visit, fact.queue, fact.began_us, fact.agent):
            counts.answered += 1
            counts.answered_in += in_time
            counts.wait_answered_us += wait_us
            if wait_us > counts.wait_most_us:
                counts.wait_most_us = wait_us
            counts.waits[bucket] = counts.waits.get(bucket, 0) + 1
            if off_us is not None:
                counts.estimated += 1
                counts.estimate_error_us += off_us
                counts.estimate_close += off_us <= CLOSE_US

    def _abandoned(self, fact: facts.VisitAbandoned) -> None:
        limits = self._limits(fact.queue)
        in_time, short = fact.wait_us <= limits.target_us, fact.wait_us < limits.short_us
        for counts in self._cells(self._visit(fact.visit), fact.queue, fact.began_us):
            counts.abandoned += 1
            counts.abandoned_in += in_time
            counts.abandoned_short += short
        self._close(fact.visit)

    def _flowed_out(self, fact: facts.VisitFlowedOut) -> None:
        for counts in self._cells(self._visit(fact.visit), fact.queue, fact.began_us):
            counts.flowed_out += 1
        self._close(fact.visit)

    def _called_back(self, fact: facts.VisitCalledBack) -> None:
        for counts in self._cells(self._visit(fact.visit), fact.queue, fact.began_us):
            counts.callbacks += 1
        self._close(fact.visit)

    def _talk_over(self, fact: facts.TalkOver) -> None:
        visit = self._visit(fact.visit)
        for counts in self._cells(visit, fact.queue, fact.began_us, fact.agent):
            counts.handled += 1
            counts.talk_us += fact.talk_us
            counts.hold_us += fact.hold_us
        if not visit.wraps_up:
            self._close(fact.visit)

    def _wrap_up_over(self, fact: facts.WrapUpOver) -> None:
        for counts in self._cells(self._visit(fact.visit), fact.queue, fact.began_us, fact.agent):
            counts.acw_us += fact.acw_us
        self._close(fact.visit)

    # ---- offers -------------------------------------------------------------------------------------------

    def _offer_made(self, fact: facts.OfferMade) -> None:
        for counts in self._cells(self._visit(fact.visit), fact.queue, fact.at_us, fact.agent):
            counts.offers += 1
        if fact.page_open:
            self.pending[fact.offer] = False

    def _card_shown(self, fact: facts.CardWasShown) -> None:
        if fact.offer in self.pending:
            self.pending[fact.offer] = fact.before_ring

    def _offer_ended(self, fact: facts.OfferEnded) -> None:
        visit = self._visit(fact.visit)
        before_ring = self.pending.pop(fact.offer, None)
        was = visit.over.pop(fact.offer, None)
        out = _lost(fact.state) - _lost(was), _declined(fact.state) - _declined(was)
        if fact.state in _MAY_STILL_BE_ANSWERED:
            if len(visit.over) >= OFFERS_REMEMBERED:
                del visit.over[next(iter(visit.over))]
            visit.over[fact.offer] = fact.state
        if before_ring is None and out == (0, 0):
            return
        for counts in self._cells(visit, fact.queue, fact.made_us, fact.agent):
            counts.offers_timed_out += out[0]
            counts.offers_rejected += out[1]
            if before_ring is not None:
                counts.rung_with_page += 1
                counts.cards_before_ring += before_ring

    # ---- agents' times ------------------------------------------------------------------------------------

    def _agent_changed(self, fact: facts.AgentChanged) -> None:
        was = self.doing.get(fact.agent)
        since_us = fact.since_us
        if was is not None:
            since_us = max(was.since_us, since_us)
            for start_us, begin_us, end_us in cut(max(was.since_us, since_us - KEPT_US), since_us):
                if time_of(was.status, was.activity) is not None:
                    cell = _cell(self.agents, fact.agent, start_us, AGENTS_KEPT_US)
                    _spend(cell, was, begin_us, end_us)
        self.doing[fact.agent] = Doing(fact.status, fact.reason, fact.activity, since_us)


_USUAL = Limits()
_MAY_STILL_BE_ANSWERED = (OfferState.TIMED_OUT, OfferState.REJECTED)


def _lost(state: OfferState | None) -> int:
    return state is OfferState.TIMED_OUT


def _declined(state: OfferState | None) -> int:
    return state is OfferState.REJECTED


def _start(at_us: int) -> int:
    return at_us - at_us % INTERVAL_US


@lru_cache(maxsize=2000)
def _day_of(start_us: int, zone: str) -> int:
    return day_start_us(start_us, ZoneInfo(zone))


def _cell(table: Table, key: str, start_us: int, kept_us: int = KEPT_US) -> Counts:
    intervals = table.get(key)
    if intervals is None:
        intervals = table[key] = {}
    counts = intervals.get(start_us)
    if counts is None:
        counts = intervals[start_us] = Counts()
        while (first := next(iter(intervals))) < start_us - kept_us:  # they come in order of time, nearly
            del intervals[first]
    return counts


def cut(begin_us: int, end_us: int) -> Iterator[tuple[int, int, int]]:
    """The parts of a span of time by interval: its beginning, and the part's begin and end."""
    while begin_us < end_us:
        start_us = _start(begin_us)
        stop_us = min(end_us, start_us + INTERVAL_US)
        yield start_us, begin_us, stop_us
        begin_us = stop_us


def _spend(counts: Counts, doing: Doing, begin_us: int, end_us: int) -> None:
    """Count the time from `begin_us` to `end_us` as spent in this state."""
    name = time_of(doing.status, doing.activity)
    if name is None or end_us <= begin_us:
        return
    setattr(counts, name, getattr(counts, name) + end_us - begin_us)
    if name == "not_ready_us":
        reason = doing.reason or ""
        counts.reasons[reason] = counts.reasons.get(reason, 0) + end_us - begin_us


_FOLD: dict[type, Callable[[Measures, Any], None]] = {
    facts.VisitBegan: Measures._began,
    facts.VisitRefused: Measures._refused,
    facts.WaitEstimated: Measures._estimated,
    facts.VisitAnswered: Measures._answered,
    facts.VisitAbandoned: Measures._abandoned,
    facts.VisitFlowedOut: Measures._flowed_out,
    facts.VisitCalledBack: Measures._called_back,
    facts.TalkOver: Measures._talk_over,
    facts.WrapUpOver: Measures._wrap_up_over,
    facts.OfferMade: Measures._offer_made,
    facts.CardWasShown: Measures._card_shown,
    facts.OfferEnded: Measures._offer_ended,
    facts.AgentChanged: Measures._agent_changed,
}


def day_start_us(now_us: int, zone: ZoneInfo) -> int:
    """Midnight of the site's day, as center time."""
    local = datetime.fromtimestamp(now_us / US_PER_S, UTC).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp()) * US_PER_S


def dump(measures: Measures) -> bytes:
    return msgspec.json.encode(measures)


def load(data: bytes) -> Measures:
    """Raises JournalError for what `dump` did not write."""
    try:
        return msgspec.json.decode(data, type=Measures)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalError(f"A snapshot of the measures cannot be read: {error}.") from None
