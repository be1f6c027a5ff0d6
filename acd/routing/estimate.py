"""How long one who waits will still wait: a pure function of what is known, and the memory it is asked with.

Whoever has `ahead` callers before them is answered at the (ahead + 1)-th departure from the line. With `s` agents
busy in it, a mean handle time of 1/mu and a mean patience of 1/theta, the departure with j callers still before
them comes at the rate s·mu + j·theta: an agent gets free, or one of the j gives up. So

    expected wait = sum of 1 / (s·mu + j·theta)  for j = 0 .. ahead

which is exact for exponential times (M/M/s+M), and known as the Markovian queue-length estimator QLm (R. Ibrahim and
W. Whitt, "Real-time delay estimation in overloaded multiserver queues with abandonment", Management Science 55,
2009). The variance is the sum of the squares. Handle times are not exponential, so both are corrected by their squared
coefficient of variation c²: a single agent is a renewal process (each stage varies by c² in place of 1, the first is
the rest of a handle time begun before, (1 + c²) / 2 of a mean one), while the departures of many agents together
are nearly Poisson however each of them varies, unless one waits for many of them. Between the two: the share
n / (n + s - 1) of the variance of the n-th stage, as far as it ends by service, and 1 / s of the mean of the first,
follow c². That interpolation is our own; it is right at both ends.

The mean handle time is itself only known from the last ones, about a hundred by weight, which makes all waits of a line
longer or shorter together: mean² c² / 100 is added to the variance.

The range is the 10 % to 90 % quantile of a gamma distribution of this mean and variance (by the cube-root
approximation of Wilson and Hilferty, 1931): eight of ten callers are answered within it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from acd.types import US_PER_S

QUANTILE = 0.9
_Z = 1.2815515655446004  # the standard normal's 90 % quantile; the 10 % one is its negative

HANDLES_REMEMBERED = 50
HANDLES_SEEN = 2 * HANDLES_REMEMBERED  # so many of equal weight would tell the mean as well
VISITS_REMEMBERED = 200
HANDLES_NEEDED = 3
CV2_MOST = 9.0


@dataclass(frozen=True, slots=True)
class WaitRange:
    """`likely_s`: the expected wait. Eight of ten waits end between `low_s` and `high_s`."""

    low_s: float
    likely_s: float
    high_s: float


def estimate(
    ahead: int,
    staff: int,
    handle_s: float | None,
    handle_cv2: float | None = None,
    patience_s: float | None = None,
) -> WaitRange | None:
    """The wait from now on of one with `ahead` callers before them, while `staff` agents, all busy, serve the line.

    `handle_s`: mean time an agent is taken by one contact, after-call work included. `handle_cv2`: variance of handle
    times / mean²; None: as if exponential. `patience_s`: mean time until one who is not answered gives up; None or 0:
    nobody does. None if it cannot be told: nobody serves, or nothing is known of handle times.
    """
    if staff < 1 or handle_s is None or not 0 < handle_s < math.inf:
        return None
    cv2 = 1.0 if handle_cv2 is None else min(max(handle_cv2, 0.0), CV2_MOST)
    served = staff / handle_s
    leaving = 1 / patience_s if patience_s is not None and patience_s > 0 else 0.0
    mean_s, variance_s2 = (cv2 - 1) / 2 / staff / served, 0.0
    for before in range(max(0, ahead) + 1):
        stage_s = 1 / (served + before * leaving)
        by_service = served * stage_s * (before + 1) / (before + staff)
        mean_s += stage_s
        variance_s2 += stage_s * stage_s * (1 + (cv2 - 1) * by_service)
    variance_s2 += mean_s * mean_s * cv2 / HANDLES_SEEN
    return _range(mean_s, variance_s2)


def _range(mean_s: float, variance_s2: float) -> WaitRange:
    ninth = variance_s2 / (9 * mean_s * mean_s)
    low_s = mean_s * max(0.0, 1 - ninth - _Z * math.sqrt(ninth)) ** 3
    high_s = mean_s * max(0.0, 1 - ninth + _Z * math.sqrt(ninth)) ** 3
    return WaitRange(min(low_s, mean_s), mean_s, max(high_s, mean_s))


@dataclass(slots=True)
class RecentWork:
    """What a line remembers of its last contacts, in six numbers that go into a snapshot as they are.

    It forgets exponentially: each new handle time takes 1/50 of the weight of the older ones, each visit that ended
    1/200. The same calls in the same order leave the same numbers.
    """

    handles: float = 0.0
    handled_s: float = 0.0
    handled_s2: float = 0.0
    waited_s: float = 0.0
    gave_up: float = 0.0
    seen: int = 0

    def took(self, handle_us: int) -> None:
        """An agent was taken for so long by one contact (talk, hold and after-call work)."""
        taken_s = max(0, handle_us) / US_PER_S
        kept = 1 - 1 / HANDLES_REMEMBERED
        self.handles = self.handles * kept + 1
        self.handled_s = self.handled_s * kept + taken_s
        self.handled_s2 = self.handled_s2 * kept + taken_s * taken_s
        self.seen = min(self.seen + 1, HANDLES_NEEDED)

    def answered(self, wait_us: int) -> None:
        self._waited(wait_us, 0)

    def abandoned(self, wait_us: int) -> None:
        self._waited(wait_us, 1)

    @property
    def handle_s(self) -> float | None:
        """Mean handle time; None until a few were seen."""
        if self.seen < HANDLES_NEEDED or self.handled_s <= 0:
            return None
        return self.handled_s / self.handles

    @property
    def handle_cv2(self) -> float | None:
        """Variance of handle times / mean²; None until a few were seen."""
        mean_s = self.handle_s
        if mean_s is None:
            return None
        return max(0.0, self.handled_s2 / self.handles / (mean_s * mean_s) - 1)

    @property
    def patience_s(self) -> float | None:
        """All time waited / number of those who gave up: the usual estimate of a mean when most are answered before
        their patience ends (censored, exponential). None while too few gave up for that."""
        return self.waited_s / self.gave_up if self.gave_up >= 1 and self.waited_s > 0 else None

    def _waited(self, wait_us: int, gave_up: int) -> None:
        kept = 1 - 1 / VISITS_REMEMBERED
        self.waited_s = self.waited_s * kept + max(0, wait_us) / US_PER_S
        self.gave_up = self.gave_up * kept + gave_up
