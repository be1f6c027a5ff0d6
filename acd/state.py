"""What the center knows: contacts, visits, agents, phones, timers. Plain records, nothing derived is stored.

The whole `State` goes into a snapshot and comes back equal (`dump`, `load`); `digest` names its content, so that
two processes can compare whether they hold the same center.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec

from acd.errors import JournalError
from acd.types import (
    Activity,
    AgentId,
    ContactId,
    CustomerId,
    OfferId,
    OfferState,
    PhoneId,
    PhoneState,
    QueueId,
    Status,
    TimerId,
    VisitId,
    VisitState,
)


@dataclass(slots=True)
class Contact:
    """`visits` counts the visits so far; `visit` is the open one."""

    contact: ContactId
    began_us: int
    dialled: str
    customer: CustomerId | None = None
    segment: str | None = None
    language: str | None = None
    visits: int = 0
    visit: VisitId | None = None


@dataclass(slots=True)
class Offer:
    """`asked`: the phone was asked for (RingAgent). `rang_us`: Asterisk sent the call to it."""

    offer: OfferId
    agent: AgentId
    phone: PhoneId
    made_us: int
    page_open: bool
    state: OfferState = OfferState.PENDING
    asked: bool = False
    rang_us: int | None = None
    shown: bool = False


@dataclass(slots=True)
class Visit:
    """`order`: the how-manieth arrival, the last tie-breaker. `asked_priority`: what the flow asked for.

    `attached`: a session stands ready to ring for it. `dialling`: it was asked to ring a phone and has not said
    how that ended, so that no second phone may ring. `offer`: the last one made.
    """

    visit: VisitId
    contact: ContactId
    queue: QueueId
    entered_us: int
    order: int
    asked_priority: int
    priority: int
    state: VisitState = VisitState.WAITING
    attached: bool = True
    dialling: bool = False
    offers: int = 0
    offer: Offer | None = None
    answered_us: int | None = None
    held_since_us: int | None = None
    hold_us: int = 0
    disposition: str | None = None


@dataclass(slots=True)
class WrapUp:
    """`began_us`: the visit's. `overdue`: its time is up, but the queue demands a disposition first."""

    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    since_us: int
    until_us: int
    disposition: str | None
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
    """`idle_since_us`: what longest-idle counts from. `told`: the state as last announced, begun at `since_us`."""

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
    told: Told | None = None
    since_us: int = 0

    @property
    def busy(self) -> bool:
        return self.offer is not None or self.visit is not None or self.wrap_up is not None


@dataclass(slots=True)
class State:
    """`ended`: contacts that ended lately, so that their end is not taken in twice, each with the number of its
    visits; the oldest are forgotten."""

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


ENDED_KEPT = 20_000


def activity_of(agent: Agent, state: State) -> Activity:
    """What the agent is doing, from what the center knows; the first that holds."""
    if agent.visit is not None:
        held = state.visits[agent.visit].held_since_us is not None
        return Activity.ON_HOLD if held else Activity.ON_CALL
    if agent.wrap_up is not None:
        return Activity.WRAP_UP
    if agent.offer is not None:
        return Activity.RINGING
    if agent.not_responding:
        return Activity.NOT_RESPONDING
    if agent.phone is not None and phone_state(agent.phone, state) in _GONE:
        return Activity.UNREACHABLE
    return Activity.IDLE


_GONE = (PhoneState.UNREACHABLE, PhoneState.UNKNOWN)


def phone_state(phone: PhoneId, state: State) -> PhoneState:
    """A phone nobody has told us of yet is taken to be free: a wrong guess costs one ring, not an idle agent."""
    return state.phones.get(phone, PhoneState.FREE)


def is_free(agent: Agent, state: State) -> bool:
    """Whether an offer may go to this agent now. A back-off lasts until its timer says so, as nothing but the
    state may decide this: a center that was restored has the same free agents."""
    return (
        agent.status is Status.AVAILABLE
        and agent.phone is not None
        and not agent.busy
        and not agent.not_responding
        and agent.backoff_until_us == 0
        and phone_state(agent.phone, state) is PhoneState.FREE
    )


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
