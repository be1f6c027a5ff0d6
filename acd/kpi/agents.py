"""Folding facts into each agent's own day: what they answered and missed, and what their calls took.

A day is the site's, and a fact belongs to the day in which it became true: a call answered before midnight and
ended after it is answered on the one day and handled on the other. Means are of what was handled. Only the two
newest days of an agent are kept, since facts may be learned late; older days are asked of the records.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from acd import facts
from acd.kpi.formulas import ratio
from acd.kpi.measures import day_start_us
from acd.types import US_PER_S, AgentId, OfferState

DAYS_KEPT = 2


@dataclass(slots=True)
class AgentCounts:
    """One agent's day; durations are sums in microseconds.

    `missed`: offers that rang until their time was over. `handled`: answered calls that have ended.
    """

    answered: int = 0
    missed: int = 0
    rejected: int = 0
    handled: int = 0
    talk_us: int = 0
    hold_us: int = 0
    acw_us: int = 0

    @property
    def talk_s(self) -> float | None:
        """Σ talk / handled, hold not in it."""
        return ratio(self.talk_us / US_PER_S, self.handled)

    @property
    def acw_s(self) -> float | None:
        """Σ after-call work / handled."""
        return ratio(self.acw_us / US_PER_S, self.handled)

    @property
    def aht_s(self) -> float | None:
        """Σ (talk + hold + after-call work) / handled."""
        return ratio((self.talk_us + self.hold_us + self.acw_us) / US_PER_S, self.handled)


@dataclass(slots=True)
class AgentDays:
    """`since_us`: from when on facts were folded; a day that began earlier is counted in part only."""

    zone: ZoneInfo
    since_us: int
    days: dict[AgentId, dict[int, AgentCounts]] = field(default_factory=dict)

    def fold(self, some: Iterable[facts.Fact]) -> None:
        for fact in some:
            match fact:
                case facts.VisitAnswered(agent=str(agent)):
                    self._at(agent, fact.at_us).answered += 1
                case facts.OfferEnded(state=OfferState.TIMED_OUT):
                    self._at(fact.agent, fact.at_us).missed += 1
                case facts.OfferEnded(state=OfferState.REJECTED):
                    self._at(fact.agent, fact.at_us).rejected += 1
                case facts.TalkOver(agent=str(agent)):
                    counts = self._at(agent, fact.at_us)
                    counts.handled += 1
                    counts.talk_us += fact.talk_us
                    counts.hold_us += fact.hold_us
                case facts.WrapUpOver():
                    self._at(fact.agent, fact.at_us).acw_us += fact.acw_us
                case _:
                    pass

    def of(self, agent: AgentId, now_us: int) -> AgentCounts:
        """The agent's counts of the day in which `now_us` lies."""
        return self.days.get(agent, {}).get(day_start_us(now_us, self.zone)) or AgentCounts()

    def _at(self, agent: AgentId, at_us: int) -> AgentCounts:
        days = self.days.setdefault(agent, {})
        start_us = day_start_us(at_us, self.zone)
        if start_us not in days:
            days[start_us] = AgentCounts()
            for old in sorted(days)[:-DAYS_KEPT]:
                del days[old]
        return days.get(start_us) or AgentCounts()
