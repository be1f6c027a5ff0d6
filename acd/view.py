"""The center as others may see it: plain values, built when somebody looks, never kept.

Walls and agents' pages are drawn from a `SiteView`; nobody outside `acd` reaches into the center itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acd.types import Activity, AgentId, ContactId, OfferId, PhoneId, QueueId, Status, VisitId, VisitState


@dataclass(frozen=True, slots=True)
class AgentView:
    """`since_us`: when this status and activity began. `offer`: the one ringing now. `visit`: the one talked
    with or wrapped up. `wrap_up_until_us`: when wrap-up ends by itself. `trouble`: why the phone is unreachable."""

    agent: AgentId
    phone: PhoneId | None
    status: Status
    reason: str | None
    activity: Activity
    since_us: int
    offer: OfferId | None
    visit: VisitId | None
    contact: ContactId | None
    queue: QueueId | None
    next_status: Status | None
    next_reason: str | None
    wrap_up_until_us: int | None
    disposition: str | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class VisitView:
    """An open visit. `agent` is the one it rings at or talks with."""

    visit: VisitId
    contact: ContactId
    queue: QueueId
    state: VisitState
    entered_us: int
    priority: int
    agent: AgentId | None
    attached: bool


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Today's counts of one queue (site's day), by the letters and formulas of the measures' dictionary.

    A rate or mean is None while nothing was counted: an empty interval is not 0 % and not 100 %.
    """

    waiting: int
    longest_wait_since_us: int | None
    offered: int
    answered: int
    abandoned: int
    flowed_out: int
    talking: int
    service_level: float | None
    abandon_rate: float | None
    asa_s: float | None
    aht_s: float | None


@dataclass(frozen=True, slots=True)
class SiteView:
    """Everything live at `at_us`. `total` is the sum over queues, not the mean of their rates."""

    at_us: int
    version: str
    agents: Mapping[AgentId, AgentView]
    visits: Mapping[VisitId, VisitView]
    queues: Mapping[QueueId, QueueFigures]
    total: QueueFigures
    contacts_now: int
    card_before_ring: float | None
