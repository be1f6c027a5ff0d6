"""Whom an agent takes first: the order of those who wait, over all queues.

Within one order (visits of one requirement whose points grow at the same rate) the order never changes with time, so
it is kept sorted; only the heads of different orders are compared when an agent is free. All keys are whole numbers,
and the smaller one goes first.
"""

from __future__ import annotations

from acd.site import Ranking
from acd.state import Visit
from acd.types import US_PER_S, VisitId

Place = tuple[int, int, int, VisitId]
"""Score, instant from which the wait counts, how-manieth arrival, visit: each breaks the ties of those before it."""

_MINUTE_US = 60 * US_PER_S
_FINE = 1_000


class Ranker:
    """A site's rule for whom an agent takes first."""

    def __init__(self, rule: Ranking) -> None:
        self._relative = rule.by == "relative"
        self._ageing = rule.by == "ageing"
        self._ageing_fine = round(rule.ageing_per_min * _FINE)
        self.pass_limit_us = None if rule.pass_limit_s is None else int(rule.pass_limit_s * US_PER_S)

    def rate_of(self, target_us: int) -> int:
        """What the visits of one order have in common: the target their wait is measured by; 0, where it is not."""
        return target_us if self._relative else 0

    def place(self, visit: Visit, rate: int) -> Place:
        """Where the visit stands in its order: the same at any time."""
        if self._relative:  # 100·(now - since)/target + points, without what all of an order have in common
            score = 100 * visit.place_us - visit.priority * rate
        elif self._ageing:
            score = self._ageing_fine * visit.place_us - visit.priority * _FINE * _MINUTE_US
        else:
            score = -visit.priority
        return (score, visit.place_us, visit.order, visit.visit)

    def score_now(self, place: Place, rate: int, now_us: int) -> float:
        """The head's place, comparable with the heads of other orders at this instant."""
        return (place[0] - 100 * now_us) / rate if self._relative else place[0]
