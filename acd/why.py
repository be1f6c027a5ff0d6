"""Why this agent, why not that one, why still waiting: answers in codes and numbers that pages put into words.

Nothing is kept for it: an offer carries its reason in its fact, the causes of waiting are facts too, and what is asked
now is read from the center as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acd import waiting
from acd.routing.choice import occupancy_ppm
from acd.routing.estimate import WaitRange
from acd.routing.needs import Need, meets, said
from acd.state import Agent, Visit, phone_state
from acd.turn import Turn
from acd.types import (
    US_PER_S,
    AgentId,
    Kind,
    PhoneState,
    Presence,
    QueueId,
    SkillId,
    Status,
    VisitId,
    VisitState,
    WaitCause,
)

MOST_AGENTS = 200
"""So many agents are explained one by one; a supervisor asks about one of the others by name."""


def why_chosen(turn: Turn, visit: Visit, agent_id: AgentId, together: Sequence[AgentId]) -> str:
    """The rule that chose this agent and the figures it went by: `longest-idle idle_s=42.1 free=3`."""
    agent = turn.state.agents[agent_id]
    pool = turn.lines.pool(waiting.requirement_of(turn, visit))
    choice = "preferred" if agent_id == visit.preferred else turn.queue(visit.queue).agent_choice
    figures = [choice, f"idle_s={(turn.now_us - agent.idle_since_us) / US_PER_S:.1f}"]
    match choice:
        case "best-skill":
            figures.append(f"level={turn.lines.roster.levels_and_rank(agent_id, pool.requirement)[0]}")
        case "primary-first":
            figures.append(f"rank={turn.lines.roster.levels_and_rank(agent_id, pool.requirement)[1]}")
        case "least-occupied":
            figures.append(f"occupancy={occupancy_ppm(agent) / 1e6:.3f}")
        case "fewest-contacts":
            figures.append(f"contacts={agent.contacts}")
        case _:
            pass
    figures.append(f"free={pool.count_free(visit.kind)}")
    if visit.step:
        figures.append(f"step={visit.step}")
    if len(together) > 1:
        figures.append(f"together={len(together)}")
    return " ".join(figures)


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why one agent does not get this visit now. `reason`: `missing_skill` (then `skill`, the `needed` level and the
    one they have), `not_named`, `rule` (an expression does not hold), `signed_out`, `not_ready`, `not_responding`,
    `phone_unreachable`, `phone_busy`, `back_off`, `ringing`, `in_talk`, `wrap_up`, `no_capacity`, `no_page`, `free`
    (they are, and get it as soon as it can be offered), `has_it`."""

    agent: AgentId
    reason: str
    skill: SkillId | None = None
    needed: int | None = None
    has: int | None = None


@dataclass(frozen=True, slots=True)
class WhyWaiting:
    """Why a visit waits. `ahead`: how many who ask for the same go first. `able`: agents who meet what it asks for,
    `present`: how many of them are at least signed in, available, reachable, idle. `next_step_us`: when it asks
    for something else. `agents`: each one who does not get it, those nearest to it first."""

    visit: VisitId
    queue: QueueId
    state: VisitState
    waiting_since_us: int
    requirement: str
    step: int
    priority: int
    cause: WaitCause | None
    ahead: int
    able: int
    present: dict[str, int]
    waits_for: AgentId | None
    next_step_us: int | None
    expected: WaitRange | None
    attached: bool
    agents: tuple[WhyNot, ...]


def why_waiting(turn: Turn, visit_id: VisitId) -> WhyWaiting | None:
    """The visit's case as it is now; None if it is not open."""
    visit = turn.state.visits.get(visit_id)
    if visit is None:
        return None
    requirement = waiting.requirement_of(turn, visit)
    pool = turn.lines.pool(requirement)
    ahead = turn.lines.ahead_of(visit_id)
    able = sorted(pool.able, key=lambda name: (-turn.lines.presence(name), turn.lines.roster.order[name]))
    others = (name for name in turn.site.agents if name not in pool.able)
    names = [*able, *others][:MOST_AGENTS]
    return WhyWaiting(
        visit_id,
        visit.queue,
        visit.state,
        visit.entered_us,
        said(requirement),
        visit.step,
        visit.priority,
        pool.cause if visit.state is VisitState.WAITING else None,
        ahead,
        len(pool.able),
        {each.name.lower(): pool.there(each) for each in Presence if each},
        visit.waits_for,
        turn.state.timers.get(f"visit:{visit_id}"),
        waiting.estimate_for(turn, visit, ahead) if visit.state is VisitState.WAITING else None,
        visit.attached,
        tuple(why_not(turn, visit, name) for name in names),
    )


def why_not(turn: Turn, visit: Visit, agent_id: AgentId) -> WhyNot:
    """Why this agent does not get this visit now."""
    agent = turn.state.agents.get(agent_id)
    described = turn.site.agents.get(agent_id)
    if agent is None or described is None:
        return WhyNot(agent_id, "signed_out")
    requirement = waiting.requirement_of(turn, visit)
    if not meets(agent_id, described, requirement):
        return _what_is_missing(turn, agent_id, requirement[0])
    if visit.offer is not None and visit.offer.agent == agent_id and visit.state is not VisitState.WAITING:
        return WhyNot(agent_id, "has_it")
    return WhyNot(agent_id, _what_they_do(turn, agent, visit.kind))


def _what_is_missing(turn: Turn, agent_id: AgentId, need: Need) -> WhyNot:
    described = turn.site.agents[agent_id]
    for skill, level in need.skills:
        has = described.skills.get(skill)
        if has is None or has.level < level:
            return WhyNot(agent_id, "missing_skill", skill, level, has.level if has else 0)
    return WhyNot(agent_id, "not_named" if need.only and agent_id not in need.only else "rule")


def _what_they_do(turn: Turn, agent: Agent, kind: Kind) -> str:
    phone = phone_state(agent.phone, turn.state) if agent.phone is not None else PhoneState.UNREACHABLE
    capacity = turn.site.agents[agent.agent].capacity
    held = len(agent.tasks) + len(agent.task_offers)
    cases = (
        ("signed_out", agent.phone is None or agent.status is Status.OFFLINE),
        ("not_ready", agent.status is Status.NOT_READY),
        ("in_talk", agent.visit is not None and not (kind is Kind.TASK and turn.site.tasks_during_calls)),
        ("wrap_up", agent.wrap_up is not None and not (kind is Kind.TASK and turn.site.tasks_during_calls)),
        ("ringing", agent.offer is not None),
        ("not_responding", agent.not_responding),
        ("phone_unreachable", phone in (PhoneState.UNREACHABLE, PhoneState.UNKNOWN)),
        ("back_off", agent.backoff_until_us > 0),
        ("phone_busy", kind is not Kind.TASK and phone is PhoneState.BUSY),
        ("no_page", kind is not Kind.CALL and not agent.page_open),
        ("no_capacity", held >= capacity.task if kind is Kind.TASK else getattr(capacity, kind.value) == 0),
    )
    return next((reason for reason, holds in cases if holds), "free")
