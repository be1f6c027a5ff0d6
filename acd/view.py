"""The center as others may see it: plain values, built when somebody looks, never kept.

Walls and agents' pages are drawn from a `SiteView`; nobody outside `acd` reaches into the center itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.center import Center
from acd.kpi.counts import Counts
from acd.kpi.formulas import (
    abandon_rate,
    aht_s,
    asa_s,
    card_before_ring,
    service_level,
    wait_estimate_close,
    wait_estimate_error_s,
    wait_p90_s,
)
from acd.kpi.measures import Limits, Measures
from acd.outlook import Outlook, outlook
from acd.state import Agent, State, Visit, activity_of, phone_state
from acd.types import (
    Activity,
    AgentId,
    ContactId,
    Kind,
    OfferId,
    PhoneId,
    PhoneState,
    QueueId,
    Status,
    VisitId,
    VisitState,
)


@dataclass(frozen=True, slots=True)
class AgentView:
    """`since_us`: when this status and activity began. `offer`: the one ringing now. `visit`: the one talked
    with or wrapped up. `wrap_up_until_us`: when wrap-up ends by itself. `trouble`: why the phone cannot ring."""

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
    tasks: tuple[VisitId, ...] = ()
    task_offers: tuple[OfferId, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitView:
    """An open visit. `agent` is the one it rings at first or talks with. `requirement`: what it asks for by now, in
    words; `preferred`: whom it would rather have. `answered_us`: since when an agent has it."""

    visit: VisitId
    contact: ContactId
    queue: QueueId
    state: VisitState
    entered_us: int
    priority: int
    agent: AgentId | None
    attached: bool
    kind: Kind = Kind.CALL
    requirement: str = ""
    step: int = 0
    preferred: AgentId | None = None
    answered_us: int | None = None
    disposition: str | None = None


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What somebody should look at now. `kind`: `unroutable` (see `acd.facts.AlarmRaised`)."""

    alarm: str
    kind: str
    queues: tuple[QueueId, ...]
    missing: tuple[str, ...]
    since_us: int


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Today's calls of one queue (site's day), by the letters and formulas of the measures' dictionary.

    A rate or mean is None while nothing was counted: an empty interval is not 0 % and not 100 %. `others_waiting`:
    callbacks and tasks, which are counted apart.
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
    callbacks: int = 0
    refused: int = 0
    wait_p90_s: float | None = None
    wait_estimate_error_s: float | None = None
    wait_estimate_close: float | None = None
    others_waiting: int = 0


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
    alarms: Mapping[str, AlarmView] = field(default_factory=dict)
    outlooks: Mapping[QueueId, Outlook] = field(default_factory=dict)
    reserves_open: tuple[QueueId, ...] = ()


def view_of(center: Center, measures: Measures, now_us: int) -> SiteView:
    """What is live now, with today's counts (the site's day)."""
    state = center.state
    waits = _waits(state)
    queues: dict[QueueId, QueueFigures] = {}
    total, total_waits, total_beyond, total_talking, total_others = Counts(), [], 0, 0, 0
    names = [*center.site.queues, *(name for name in measures.queues if name not in center.site.queues)]
    for name in names:
        counts = measures.today(name, now_us)
        limits = measures.limits.get(name) or Limits()
        waiting, talking, others = waits.get(name, ([], 0, 0))
        beyond = sum(1 for entered_us in waiting if now_us - entered_us > limits.target_us)
        queues[name] = _figures(counts, waiting, talking, beyond, others)
        total.add(counts)
        total_waits += waiting
        total_beyond += beyond
        total_talking += talking
        total_others += others
    return SiteView(
        at_us=now_us,
        version=state.version,
        agents={name: _agent_view(agent, state) for name, agent in state.agents.items()},
        visits={name: _visit_view(visit) for name, visit in state.visits.items()},
        queues=queues,
        total=_figures(total, total_waits, total_talking, total_beyond, total_others),
        contacts_now=len(state.contacts),
        card_before_ring=card_before_ring(total),
        alarms={
            name: AlarmView(name, alarm.kind, alarm.queues, alarm.missing, alarm.since_us)
            for name, alarm in state.alarms.items()
        },
        outlooks=_outlooks(center, now_us),
        reserves_open=tuple(name for name, memory in state.queues.items() if memory.reserve_open),
    )


def _outlooks(center: Center, now_us: int) -> dict[QueueId, Outlook]:
    turn = center.turn(now_us)
    found = ((name, outlook(turn, name)) for name in center.site.queues)
    return {name: each for name, each in found if each is not None}


def _waits(state: State) -> dict[QueueId, tuple[list[int], int, int]]:
    """Per queue: when each of those calls that wait entered, how many talk, and how many callbacks and tasks wait."""
    out: dict[QueueId, tuple[list[int], int, int]] = {}
    for visit in state.visits.values():
        waiting, talking, others = out.get(visit.queue, ([], 0, 0))
        waits = visit.state is not VisitState.TALKING
        if visit.kind is not Kind.CALL:
            others += waits
        elif waits:
            waiting.append(visit.entered_us)
        else:
            talking += 1
        out[visit.queue] = (waiting, talking, others)
    return out


def _figures(counts: Counts, waiting: list[int], talking: int, beyond: int, others: int) -> QueueFigures:
    return QueueFigures(
        waiting=len(waiting),
        longest_wait_since_us=min(waiting, default=None),
        offered=counts.offered,
        answered=counts.answered,
        abandoned=counts.abandoned,
        flowed_out=counts.flowed_out,
        talking=talking,
        service_level=service_level(counts, beyond),
        abandon_rate=abandon_rate(counts),
        asa_s=asa_s(counts),
        aht_s=aht_s(counts),
        callbacks=counts.callbacks,
        refused=counts.refused,
        wait_p90_s=wait_p90_s(counts),
        wait_estimate_error_s=wait_estimate_error_s(counts),
        wait_estimate_close=wait_estimate_close(counts),
        others_waiting=others,
    )


def _agent_view(agent: Agent, state: State) -> AgentView:
    work = state.visits[agent.visit] if agent.visit else agent.wrap_up
    trouble = None
    if agent.phone is not None and phone_state(agent.phone, state) is PhoneState.UNREACHABLE:
        trouble = "phone_unreachable"
    elif agent.phone is not None and phone_state(agent.phone, state) is PhoneState.UNKNOWN:
        trouble = "phone_unknown"
    return AgentView(
        agent=agent.agent,
        phone=agent.phone,
        status=agent.status,
        reason=agent.reason,
        activity=activity_of(agent, state),
        since_us=agent.since_us,
        offer=agent.offer,
        visit=work.visit if work else None,
        contact=work.contact if work else None,
        queue=work.queue if work else None,
        next_status=agent.next_status,
        next_reason=agent.next_reason,
        wrap_up_until_us=agent.wrap_up.until_us if agent.wrap_up else None,
        disposition=work.disposition if work else None,
        trouble=trouble,
        tasks=tuple(agent.tasks),
        task_offers=tuple(agent.task_offers),
    )


def _visit_view(visit: Visit) -> VisitView:
    serving = visit.state in (VisitState.OFFERED, VisitState.TALKING) and visit.offer is not None
    return VisitView(
        visit=visit.visit,
        contact=visit.contact,
        queue=visit.queue,
        state=visit.state,
        entered_us=visit.entered_us,
        priority=visit.priority,
        agent=visit.offer.agent if serving and visit.offer else None,
        attached=visit.attached,
        kind=visit.kind,
        requirement=visit.requirement,
        step=visit.step,
        preferred=visit.preferred,
        answered_us=visit.answered_us,
        disposition=visit.disposition,
    )
