"""Folding facts into counts, per queue and interval of 15 minutes; a visit belongs to the one it began in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from acd import facts
from acd.errors import JournalError
from acd.kpi.flows import FlowDays
from acd.kpi.formulas import Counts
from acd.site import Site
from acd.types import US_PER_S, QueueId

INTERVAL_US = 15 * 60 * US_PER_S
KEPT_US = 48 * 3600 * US_PER_S


@dataclass(slots=True)
class Limits:
    """A queue's target (x) and short-abandon limit (s)."""

    target_us: int = 20 * US_PER_S
    short_us: int = 5 * US_PER_S


@dataclass(slots=True)
class Measures:
    """Counts of the last two days; older intervals are asked of the records.

    `offers_to_pages`, `cards_before_ring`: the two parts of `card_before_ring`, of the last two days as a whole.
    """

    queues: dict[QueueId, dict[int, Counts]] = field(default_factory=dict)
    limits: dict[QueueId, Limits] = field(default_factory=dict)
    rung_with_page: int = 0
    cards_before_ring: int = 0
    pending: dict[str, bool] = field(default_factory=dict)
    flows: FlowDays = field(default_factory=FlowDays)

    def use(self, site: Site) -> None:
        """Measure by this site's limits and days from now on."""
        self.flows.zone = site.time_zone
        for name, queue in site.queues.items():
            self.limits[name] = Limits(int(queue.target_s * US_PER_S), int(queue.short_abandon_s * US_PER_S))

    def fold(self, some: Iterable[facts.Fact]) -> None:
        for fact in some:
            if (handler := _FOLD.get(type(fact))) is not None:
                handler(self, fact)
            self.flows.fold(fact)

    def since(self, queue: QueueId, start_us: int) -> Counts:
        """The sum of the queue's intervals that began at or after `start_us`."""
        total = Counts()
        for began_us, counts in self.queues.get(queue, {}).items():
            if began_us >= start_us:
                total.add(counts)
        return total

    def _at(self, queue: QueueId, began_us: int) -> Counts:
        intervals = self.queues.setdefault(queue, {})
        start_us = began_us - began_us % INTERVAL_US
        if start_us not in intervals:
            intervals[start_us] = Counts()
            for old in [each for each in intervals if each < start_us - KEPT_US]:
                del intervals[old]
        return intervals[start_us]

    def _limits(self, queue: QueueId) -> Limits:
        return self.limits.get(queue) or Limits()

    def _began(self, fact: facts.VisitBegan) -> None:
        self._at(fact.queue, fact.at_us).offered += 1

    def _refused(self, fact: facts.VisitRefused) -> None:
        self._at(fact.queue, fact.at_us).refused += 1

    def _answered(self, fact: facts.VisitAnswered) -> None:
        counts = self._at(fact.queue, fact.began_us)
        counts.answered += 1
        counts.answered_in += fact.wait_us <= self._limits(fact.queue).target_us
        counts.wait_answered_us += fact.wait_us

    def _abandoned(self, fact: facts.VisitAbandoned) -> None:
        counts = self._at(fact.queue, fact.began_us)
        limits = self._limits(fact.queue)
        counts.abandoned += 1
        counts.abandoned_in += fact.wait_us <= limits.target_us
        counts.abandoned_short += fact.wait_us < limits.short_us

    def _flowed_out(self, fact: facts.VisitFlowedOut) -> None:
        self._at(fact.queue, fact.began_us).flowed_out += 1

    def _talk_over(self, fact: facts.TalkOver) -> None:
        counts = self._at(fact.queue, fact.began_us)
        counts.handled += 1
        counts.talk_us += fact.talk_us
        counts.hold_us += fact.hold_us

    def _wrap_up_over(self, fact: facts.WrapUpOver) -> None:
        self._at(fact.queue, fact.began_us).acw_us += fact.acw_us

    def _offer_made(self, fact: facts.OfferMade) -> None:
        if fact.page_open:
            self.pending[fact.offer] = False

    def _card_shown(self, fact: facts.CardWasShown) -> None:
        if fact.offer in self.pending:
            self.pending[fact.offer] = fact.before_ring

    def _offer_ended(self, fact: facts.OfferEnded) -> None:
        before_ring = self.pending.pop(fact.offer, None)
        if before_ring is not None:
            self.rung_with_page += 1
            self.cards_before_ring += before_ring


_FOLD: dict[type, Callable[[Measures, Any], None]] = {
    facts.VisitBegan: Measures._began,
    facts.VisitRefused: Measures._refused,
    facts.VisitAnswered: Measures._answered,
    facts.VisitAbandoned: Measures._abandoned,
    facts.VisitFlowedOut: Measures._flowed_out,
    facts.TalkOver: Measures._talk_over,
    facts.WrapUpOver: Measures._wrap_up_over,
    facts.OfferMade: Measures._offer_made,
    facts.CardWasShown: Measures._card_shown,
    facts.OfferEnded: Measures._offer_ended,
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
