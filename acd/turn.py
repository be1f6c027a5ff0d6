"""One step of the center: what it may look at and change while it handles one event.

A `Turn` collects effects and facts, remembers whom the event touched, and `settle` then does what follows from
any change at all: ask the lines again, and announce every agent whose state is another than before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.effects import CancelTimer, Effect, SetFallbackMember, StartTimer
from acd.facts import AgentChanged, Fact
from acd.routing.lines import Lines
from acd.routing.roster import Roster
from acd.site import Queue, Site
from acd.state import Agent, State, Told, Visit, activity_of, is_free
from acd.types import US_PER_S, Activity, AgentId, PhoneId, QueueId, Status, TimerId, VisitId, VisitState


@dataclass(frozen=True, slots=True)
class Rules:
    """The center's own deadlines. `card_wait_us`: how long the phone waits for the card to be on the screen.
    `ring_grace_us`: how long after its time a ring may stay without word from Asterisk."""

    card_wait_us: int = 100_000
    ring_grace_us: int = 2 * US_PER_S


DEFAULT_RULES = Rules()

FALLBACK_QUEUE = "fallback"
"""Visits that Asterisk's own queue took are counted under this name, apart from the site's queues."""

_DEFAULT_QUEUE = Queue.model_validate({"label": {"fa": "صف", "en": "Queue"}, "requires": {}})


@dataclass(slots=True)
class Turn:
    """Everything one step needs. `ignored` says why an event changed nothing (it came late, or twice)."""

    state: State
    site: Site
    roster: Roster
    lines: Lines
    rules: Rules
    now_us: int
    effects: list[Effect] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    ignored: str | None = None
    touched_agents: dict[AgentId, None] = field(default_factory=dict)
    touched_visits: dict[VisitId, None] = field(default_factory=dict)

    def ask(self, *effects: Effect) -> None:
        self.effects.extend(effects)

    def tell(self, *facts: Fact) -> None:
        self.facts.extend(facts)

    def ignore(self, why: str) -> None:
        self.ignored = why

    def start_timer(self, timer: TimerId, at_us: int) -> None:
        self.state.timers[timer] = at_us
        self.effects.append(StartTimer(timer, at_us))

    def cancel_timer(self, timer: TimerId) -> None:
        if self.state.timers.pop(timer, None) is not None:
            self.effects.append(CancelTimer(timer))

    def queue(self, queue: QueueId) -> Queue:
        """The queue's rules; those of a plain queue for one that the site no longer has."""
        return self.site.queues.get(queue, _DEFAULT_QUEUE)

    def touch(self, agent: Agent) -> None:
        self.touched_agents[agent.agent] = None

    def touch_visit(self, visit: Visit) -> None:
        self.touched_visits[visit.visit] = None


def can_be_offered(visit: Visit) -> bool:
    return visit.state is VisitState.WAITING and visit.attached and not visit.dialling


def stand_or_leave(turn: Turn, visits: Iterable[VisitId]) -> None:
    for visit_id in visits:
        visit = turn.state.visits.get(visit_id)
        if visit is not None and can_be_offered(visit):
            turn.lines.stand(visit)
        else:
            turn.lines.leave(visit_id)


def free_or_occupy(turn: Turn, agents: Iterable[AgentId]) -> None:
    for agent_id in agents:
        agent = turn.state.agents.get(agent_id)
        if agent is not None and agent_id in turn.site.agents and is_free(agent, turn.state):
            turn.lines.free(agent)
        else:
            turn.lines.occupy(agent_id)


def announce(turn: Turn, agent: Agent) -> None:
    """Tell of the agent's state if it is another than the one last told; its time begins with what is done."""
    visit = agent.visit or (agent.wrap_up.visit if agent.wrap_up else None)
    told = Told(
        agent.status,
        agent.reason,
        activity_of(agent, turn.state),
        visit or agent.offer,
        agent.phone,
        agent.next_status,
        agent.next_reason,
    )
    if told != agent.told:
        if agent.told is None or _doing(told) != _doing(agent.told):
            agent.since_us = _since_us(turn, agent, told.activity)
        agent.told = told
        turn.tell(
            AgentChanged(
                turn.now_us,
                agent.agent,
                agent.phone,
                agent.status,
                agent.reason,
                told.activity,
                agent.since_us,
                visit,
                agent.next_status,
                agent.next_reason,
            )
        )
    _keep_fallback_member(turn, agent)


def _since_us(turn: Turn, agent: Agent, activity: Activity) -> int:
    """When what the agent does began: what was learned late began earlier."""
    if activity is Activity.WRAP_UP and agent.wrap_up is not None:
        return min(turn.now_us, agent.wrap_up.since_us)
    was_held = agent.told is not None and agent.told.activity is Activity.ON_HOLD
    if activity is Activity.ON_CALL and agent.visit is not None and not was_held:
        return turn.state.visits[agent.visit].answered_us or turn.now_us
    return turn.now_us


def _doing(told: Told) -> tuple[object, ...]:
    return (told.status, told.reason, told.activity, told.work)


def _keep_fallback_member(turn: Turn, agent: Agent) -> None:
    """Who talks is not paused: the native queue sees a phone in use by itself, and our death may outlast the talk.
    For the same reason the status chosen for after the talk counts already."""
    wanted: tuple[PhoneId, bool] | None = None
    if agent.phone is not None and agent.status is not Status.OFFLINE:
        status = agent.next_status or agent.status
        wanted = (agent.phone, status is not Status.AVAILABLE or agent.not_responding)
    had = turn.state.members.get(agent.agent)
    if wanted == had:
        return
    if had is not None and (wanted is None or wanted[0] != had[0]):
        turn.ask(SetFallbackMember(agent.agent, had[0], None))
    if wanted is None:
        del turn.state.members[agent.agent]
    else:
        turn.state.members[agent.agent] = wanted
        turn.ask(SetFallbackMember(agent.agent, *wanted))
