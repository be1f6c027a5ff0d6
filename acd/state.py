"""What the center knows: contacts, visits, agents, phones, timers. Plain records, nothing derived is stored.

The whole `State` goes into a snapshot and comes back equal (`dump`, `load`); `digest` names its content, so that
two processes can compare whether they hold the same center.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec

from acd.errors import JournalError
from acd.routing.estimate import RecentWork
from acd.types import (
    Activity,
    AgentId,
    ContactId,
    CustomerId,
    Kind,
    OfferId,
    OfferState,
    PhoneId,
    PhoneState,
    Presence,
    QueueId,
    Status,
    TimerId,
    VisitId,
    VisitState,
    WaitCause,
)


@dataclass(slots=True)
class Contact:
    """`visits` counts the visits so far; `visit` is the open one. `waited_from_us`: the place in line that was given
    up for a callback."""

    contact: ContactId
    began_us: int
    dialled: str
    customer: CustomerId | None = None
    segment: str | None = None
    language: str | None = None
    visits: int = 0
    visit: VisitId | None = None
    kind: Kind = Kind.CALL
    token: str | None = None
    preferred_agent: AgentId | None = None
    value: int | None = None
    waited_from_us: int | None = None


@dataclass(slots=True)
class Offer:
    """`asked`: the phone was asked for (RingAgent); `reported`: Asterisk has said how that ended. `rang_us`: Asterisk
    sent the call to it."""

    offer: OfferId
    agent: AgentId
    phone: PhoneId
    made_us: int
    page_open: bool
    state: OfferState = OfferState.PENDING
    asked: bool = False
    reported: bool = False
    rang_us: int | None = None
    shown: bool = False


@dataclass(slots=True)
class Visit:
    """`order`: the how-manieth arrival, the last tie-breaker. `asked_priority`: what the flow asked for. `place_us`:
    from when the wait counts in line, earlier than `entered_us` for a place that was kept or regained.

    `variant`, `step`: which of its queue's requirements it has come to. `preferred`: whom it would rather have;
    `waits_for`: the same, while it waits for nobody else, until `waits_until_us`.

    `attached`: a session stands ready to ring for it. `round`: the offers made last, together.
    """

    visit: VisitId
    contact: ContactId
    queue: QueueId
    entered_us: int
    order: int
    asked_priority: int
    priority: int
    place_us: int
    requirement: str = ""
    kind: Kind = Kind.CALL
    variant: int = 0
    step: int = 0
    preferred: AgentId | None = None
    waits_for: AgentId | None = None
    waits_until_us: int = 0
    state: VisitState = VisitState.WAITING
    attached: bool = True
    offers: int = 0
    round: list[Offer] = field(default_factory=list)
    answered_us: int | None = None
    held_since_us: int | None = None
    hold_us: int = 0
    disposition: str | None = None

    @property
    def offer(self) -> Offer | None:
        """The one that was accepted, else one that is out, else the last one made."""
        for state in (OfferState.ACCEPTED, OfferState.PENDING):
            for offer in self.round:
                if offer.state is state:
                    return offer
        return self.round[-1] if self.round else None

    @property
    def pending(self) -> list[Offer]:
        return [offer for offer in self.round if offer.state is OfferState.PENDING]

    @property
    def dialling(self) -> bool:
        """A phone was asked for and Asterisk has not said how that ended: no other may ring."""
        return any(offer.asked and not offer.reported for offer in self.round)


@dataclass(slots=True)
class WrapUp:
    """`began_us`: the visit's. `until_us`: None until the agent says so. `talked_us`: the talk, hold included.
    `overdue`: its time is up, but the queue demands a disposition first."""

    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    since_us: int
    until_us: int | None
    disposition: str | None
    kind: Kind = Kind.CALL
    talked_us: int = 0
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What everybody has been told of an agent; `work` is the offer or visit the activity is about."""

    status: Status
    reason: str | None
    activity: Activity
    work: str | None
    phone: PhoneId | None
    next_status: Status | None
    next_reason: str | None


@dataclass(slots=True)
class Agent:
    """`idle_since_us`: what longest-idle counts from. `told`: the state as last announced, begun at `since_us`.

    `offer`, `visit` and `wrap_up` are of the telephone; `task_offers` and `tasks` of the desk. `contacts`, `busy_us`
    and `idle_us` are of the time since signing in, `busy_us` and `idle_us` up to `counted_us`.
    """

    agent: AgentId
    phone: PhoneId | None = None
    status: Status = Status.OFFLINE
    reason: str | None = None
    next_status: Status | None = None
    next_reason: str | None = None
    idle_since_us: int = 0
    not_responding: bool = False
    misses: int = 0
    backoff_until_us: int = 0
    page_open: bool = False
    offer: OfferId | None = None
    visit: VisitId | None = None
    wrap_up: WrapUp | None = None
    task_offers: list[OfferId] = field(default_factory=list)
    tasks: list[VisitId] = field(default_factory=list)
    contacts: int = 0
    busy_us: int = 0
    idle_us: int = 0
    counted_us: int = 0
    counted_as: Activity | None = None
    told: Told | None = None
    since_us: int = 0

    @property
    def holds_anything(self) -> bool:
        return self.busy or bool(self.tasks) or bool(self.task_offers)

    @property
    def busy(self) -> bool:
        """Whether the telephone is taken: a choice of status then waits for the end of the work."""
        return self.offer is not None or self.visit is not None or self.wrap_up is not None


@dataclass(slots=True)
class CallerMemory:
    """What is remembered of a caller's last call, by the keyed token of the number: who talked with them (and until
    when), and the place in line they left without an answer (and when)."""

    agent: AgentId | None = None
    talked_us: int = 0
    queue: QueueId | None = None
    place_us: int = 0
    left_us: int = 0


@dataclass(slots=True)
class QueueMemory:
    """What a queue knows of its last hour. `in_time`: whether each of the last visits was answered within the target.
    `turn`: round-robin, whose turn it was last. `reserve_open`: its reserve takes contacts."""

    work: RecentWork = field(default_factory=RecentWork)
    in_time: list[bool] = field(default_factory=list)
    turn: int | None = None
    reserve_open: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """As it was raised (`acd.facts.AlarmRaised`)."""

    kind: str
    queues: tuple[QueueId, ...]
    missing: tuple[str, ...]
    since_us: int


@dataclass(slots=True)
class State:
    """`ended`: contacts that ended lately, so that their end is not taken in twice, each with the number of its
    visits; the oldest are forgotten. `callers`: likewise. `causes`: why each requirement's line does not move, as last
    told. `alarms`: those raised and not cleared, by name."""

    site_json: str
    version: str
    at_us: int
    arrivals: int = 0
    contacts: dict[ContactId, Contact] = field(default_factory=dict)
    visits: dict[VisitId, Visit] = field(default_factory=dict)
    agents: dict[AgentId, Agent] = field(default_factory=dict)
    phones: dict[PhoneId, PhoneState] = field(default_factory=dict)
    timers: dict[TimerId, int] = field(default_factory=dict)
    members: dict[AgentId, tuple[PhoneId, bool]] = field(default_factory=dict)
    ended: dict[ContactId, int] = field(default_factory=dict)
    queues: dict[QueueId, QueueMemory] = field(default_factory=dict)
    callers: dict[str, CallerMemory] = field(default_factory=dict)
    causes: dict[str, WaitCause] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)


ENDED_KEPT = 20_000
CALLERS_KEPT = 20_000


def activity_of(agent: Agent, state: State) -> Activity:
    """What the agent is doing, from what the center knows; the first that holds."""
    if agent.visit is not None:
        held = state.visits[agent.visit].held_since_us is not None
        return Activity.ON_HOLD if held else Activity.ON_CALL
    if agent.wrap_up is not None:
        return Activity.WRAP_UP
    if agent.offer is not None or agent.task_offers:
        return Activity.RINGING
    if agent.not_responding:
        return Activity.NOT_RESPONDING
    if agent.phone is not None and phone_state(agent.phone, state) in _GONE:
        return Activity.UNREACHABLE
    return Activity.ON_TASK if agent.tasks else Activity.IDLE


_GONE = (PhoneState.UNREACHABLE, PhoneState.UNKNOWN)


def phone_state(phone: PhoneId, state: State) -> PhoneState:
    """A phone nobody has told us of yet is taken to be free: a wrong guess costs one ring, not an idle agent."""
    return state.phones.get(phone, PhoneState.FREE)


def presence_of(agent: Agent, state: State) -> Presence:
    """How much the agent is there. A back-off lasts until its timer says so, as nothing but the state may decide
    this: a center that was restored has the same free agents."""
    if agent.phone is None or agent.status is Status.OFFLINE:
        return Presence.NOBODY
    if agent.status is not Status.AVAILABLE:
        return Presence.SIGNED_IN
    phone = phone_state(agent.phone, state)
    if agent.not_responding or phone in _GONE:
        return Presence.AVAILABLE
    if agent.busy or agent.backoff_until_us or phone is not PhoneState.FREE:
        return Presence.REACHABLE
    return Presence.IDLE


def is_free(agent: Agent, state: State) -> bool:
    """Whether a call may be offered to this agent now."""
    return presence_of(agent, state) is Presence.IDLE


def dump(state: State) -> bytes:
    """The state as JSON, the same bytes for the same state in every process."""
    return msgspec.json.encode(state)


def load(data: bytes) -> State:
    """The state that `dump` wrote. Raises JournalError if it is none, or of another version."""
    try:
        return msgspec.json.decode(data, type=State)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalError(f"A snapshot of the center cannot be read: {error}.") from None


def digest(state: State) -> str:
    return hashlib.sha256(dump(state)).hexdigest()
