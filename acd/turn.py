"""One step of the center: what it may look at and change while it handles one event.

A `Turn` collects effects and facts, remembers whom the event touched, and `settle` then does what follows from
any change at all: ask the lines again, and announce every agent whose state is another than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from acd.effects import CancelTimer, Effect, SetFallbackMember, StartTimer
from acd.facts import AgentChanged, Fact
from acd.routing.lines import Lines
from acd.routing.needs import VariantPlan, plan_of
from acd.site import Queue, Site
from acd.state import Agent, QueueMemory, State, Told, Visit, activity_of, presence_of
from acd.types import (
    US_PER_S,
    Activity,
    AgentId,
    Kind,
    PhoneId,
    Presence,
    QueueId,
    Status,
    TimerId,
    VisitId,
    VisitState,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The center's own deadlines. `card_wait_us`: how long the phone waits for the card to be on the screen.
    `ring_grace_us`: how long after its time a ring may stay without word from Asterisk. `unroutable_after_us`: how
    long somebody waits whom nobody signed in can answer, until that is an alarm."""

    card_wait_us: int = 100_000
    ring_grace_us: int = 2 * US_PER_S
    unroutable_after_us: int = 5 * US_PER_S


DEFAULT_RULES = Rules()

FALLBACK_QUEUE = "fallback"
"""Visits that Asterisk's own queue took are counted under this name, apart from the site's queues."""

_DEFAULT_QUEUE = Queue.model_validate({"label": {"fa": "صف", "en": "Queue"}, "requires": {}})
_DEFAULT_PLAN = plan_of(_DEFAULT_QUEUE)
_NO_MEMORY = QueueMemory()

Plans = Mapping[QueueId, tuple[VariantPlan, ...]]


@dataclass(slots=True)
class Turn:
    """Everything one step needs. `ignored` says why an event changed nothing (it came late, or twice)."""

    state: State
    site: Site
    plans: Plans
    lines: Lines
    rules: Rules
    now_us: int
    effects: list[Effect] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    ignored: str | None = None
    touched_agents: dict[AgentId, None] = field(default_factory=dict)
    touched_visits: dict[VisitId, QueueId] = field(default_factory=dict)
    touched_queues: dict[QueueId, None] = field(default_factory=dict)

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

    def plan(self, visit: Visit) -> VariantPlan:
        """What the visit's variant of its queue asks for."""
        variants = self.plans.get(visit.queue, _DEFAULT_PLAN)
        return variants[min(visit.variant, len(variants) - 1)]

    def memory(self, queue: QueueId) -> QueueMemory:
        """What the queue remembers, to be changed."""
        return self.state.queues.setdefault(queue, QueueMemory())

    def remembered(self, queue: QueueId) -> QueueMemory:
        """What the queue remembers, to be looked at."""
        return self.state.queues.get(queue, _NO_MEMORY)

    def touch(self, agent: Agent) -> None:
        self.touched_agents[agent.agent] = None

    def touch_visit(self, visit: Visit) -> None:
        self.touched_visits[visit.visit] = visit.queue
        self.touched_queues[visit.queue] = None

    def touch_queue(self, queue: QueueId) -> None:
        self.touched_queues[queue] = None


def can_be_offered(visit: Visit) -> bool:
    return visit.state is VisitState.WAITING and visit.attached and not visit.dialling


def see(turn: Turn, agents: Iterable[AgentId]) -> None:
    """Tell the lines who is there and for what they are free, and count what their time went into so far."""
    for agent_id in agents:
        agent = turn.state.agents.get(agent_id)
        if agent is None or agent_id not in turn.site.agents:
            if agent is not None:
                turn.lines.see(agent, Presence.NOBODY, _NOTHING)
            continue
        _count_time(turn, agent)
        turn.lines.see(agent, *presence_and_kinds(turn, agent))


def presence_and_kinds(turn: Turn, agent: Agent) -> tuple[Presence, frozenset[Kind]]:
    """How much an agent of the site is there, and what may be offered to them now."""
    presence = presence_of(agent, turn.state)
    return presence, _free_for(turn, agent, presence)


_NOTHING: frozenset[Kind] = frozenset()
_KINDS = {
    (call, callback, task): frozenset(
        kind for kind, free in ((Kind.CALL, call), (Kind.CALLBACK, callback), (Kind.TASK, task)) if free
    )
    for call in (False, True)
    for callback in (False, True)
    for task in (False, True)
}


def _free_for(turn: Turn, agent: Agent, presence: Presence) -> frozenset[Kind]:
    """Calls and callbacks need the telephone, one at a time. Tasks need a page to read them on."""
    capacity = turn.site.agents[agent.agent].capacity
    idle = presence is Presence.IDLE
    task = (
        presence >= Presence.REACHABLE
        and agent.page_open
        and not agent.backoff_until_us
        and len(agent.tasks) + len(agent.task_offers) < capacity.task
        and (turn.site.tasks_during_calls or not agent.busy)
    )
    return _KINDS[idle and capacity.call > 0, idle and capacity.callback > 0 and agent.page_open, task]


_AT_WORK = frozenset({Activity.RINGING, Activity.ON_CALL, Activity.ON_HOLD, Activity.WRAP_UP})


def _count_time(turn: Turn, agent: Agent) -> None:
    """Add the time since it was last counted to what the agent did in it."""
    doing = activity_of(agent, turn.state)
    if doing is agent.counted_as:
        return
    passed_us = max(0, turn.now_us - agent.counted_us)
    if agent.counted_as in _AT_WORK:
        agent.busy_us += passed_us
    elif agent.counted_as is Activity.IDLE and agent.status is Status.AVAILABLE:
        agent.idle_us += passed_us
    agent.counted_as, agent.counted_us = doing, turn.now_us


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
