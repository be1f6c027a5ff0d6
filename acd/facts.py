"""What did happen, with its values. Measures, records, walls and webhooks fold these, and so cannot disagree.

Every fact carries `at_us`, the instant it became true (earlier than the step for what we learned late).
Durations are in microseconds of center time.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.types import (
    Activity,
    AgentId,
    ContactId,
    CustomerId,
    EndedBy,
    HandledBy,
    Kind,
    OfferId,
    OfferState,
    PhoneId,
    QueueId,
    RingFailure,
    SkillId,
    Status,
    VisitId,
    WaitCause,
)


@dataclass(frozen=True, slots=True)
class ContactBegan:
    at_us: int
    contact: ContactId
    dialled: str
    caller_token: str | None
    kind: Kind = Kind.CALL


@dataclass(frozen=True, slots=True)
class ContactKnown:
    at_us: int
    contact: ContactId
    customer: CustomerId | None
    segment: str | None


@dataclass(frozen=True, slots=True)
class ContactEnded:
    at_us: int
    contact: ContactId
    began_us: int
    handled_by: HandledBy


@dataclass(frozen=True, slots=True)
class MenuStepTaken:
    at_us: int
    contact: ContactId
    flow: str
    version: str
    node: str


@dataclass(frozen=True, slots=True)
class VisitBegan:
    """`skills`, `requirement`: what it asks for at first (in the words of `acd.routing.needs.said`)."""

    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    priority: int
    kind: Kind = Kind.CALL
    segment: str | None = None
    skills: tuple[SkillId, ...] = ()
    requirement: str = ""


@dataclass(frozen=True, slots=True)
class RequirementChanged:
    """What the visit asks for from now on: its wait has reached a step, a preferred agent is waited for no longer, or
    a reserve was opened or given back."""

    at_us: int
    visit: VisitId
    queue: QueueId
    step: int
    requirement: str
    priority: int


@dataclass(frozen=True, slots=True)
class WaitEstimated:
    """What was expected when the visit began: the real wait is held against `likely_us`."""

    at_us: int
    visit: VisitId
    queue: QueueId
    position: int
    low_us: int
    likely_us: int
    high_us: int


@dataclass(frozen=True, slots=True)
class VisitAnswered:
    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    agent: AgentId | None
    offer: OfferId | None
    wait_us: int


@dataclass(frozen=True, slots=True)
class VisitAbandoned:
    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    wait_us: int


@dataclass(frozen=True, slots=True)
class VisitFlowedOut:
    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    wait_us: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class VisitCalledBack:
    """The caller took a callback instead of waiting on: neither answered nor abandoned."""

    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    wait_us: int


@dataclass(frozen=True, slots=True)
class WaitCauseChanged:
    """Why those who wait for this requirement (in the words of `acd.routing.needs.said`) get nobody; None: nobody
    waits for it any more, or those who do are being offered."""

    at_us: int
    requirement: str
    cause: WaitCause | None


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """`alarm` names it until it is cleared; `kind`: `unroutable` (in these queues somebody waits whom nobody who is
    signed in can answer). `missing`: each way to be able to, in words."""

    at_us: int
    alarm: str
    kind: str
    queues: tuple[QueueId, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    at_us: int
    alarm: str


@dataclass(frozen=True, slots=True)
class ReserveChanged:
    """The queue's reserve was opened, or given back; `projected`: the service level that was to be expected."""

    at_us: int
    queue: QueueId
    open: bool
    projected: float


@dataclass(frozen=True, slots=True)
class VisitRefused:
    """Not let in: outside of what was offered. `why`: `full`, `closed`, `empty` or `unknown_queue`."""

    at_us: int
    contact: ContactId
    queue: QueueId
    why: str


@dataclass(frozen=True, slots=True)
class TalkOver:
    """An answered visit has ended; `talk_us` does not contain `hold_us`."""

    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    agent: AgentId | None
    talk_us: int
    hold_us: int
    by: EndedBy


@dataclass(frozen=True, slots=True)
class OfferMade:
    at_us: int
    offer: OfferId
    visit: VisitId
    contact: ContactId
    queue: QueueId
    agent: AgentId
    phone: PhoneId
    page_open: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class CardWasShown:
    """`before_ring`: the page's confirmation came before Asterisk sent the call to the phone."""

    at_us: int
    offer: OfferId
    agent: AgentId
    before_ring: bool


@dataclass(frozen=True, slots=True)
class OfferRinging:
    at_us: int
    offer: OfferId
    agent: AgentId


@dataclass(frozen=True, slots=True)
class OfferEnded:
    at_us: int
    offer: OfferId
    visit: VisitId
    contact: ContactId
    queue: QueueId
    agent: AgentId
    made_us: int
    state: OfferState
    why: RingFailure | None


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """The agent's whole state after a change; `since_us` is when this activity (or idle status) began."""

    at_us: int
    agent: AgentId
    phone: PhoneId | None
    status: Status
    reason: str | None
    activity: Activity
    since_us: int
    visit: VisitId | None
    next_status: Status | None
    next_reason: str | None


@dataclass(frozen=True, slots=True)
class WrapUpOver:
    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    began_us: int
    agent: AgentId
    acw_us: int


@dataclass(frozen=True, slots=True)
class Disposed:
    at_us: int
    visit: VisitId
    contact: ContactId
    queue: QueueId
    agent: AgentId
    code: str


@dataclass(frozen=True, slots=True)
class SiteChanged:
    at_us: int
    version: str


Fact = (
    ContactBegan
    | ContactKnown
    | ContactEnded
    | MenuStepTaken
    | VisitBegan
    | RequirementChanged
    | WaitEstimated
    | VisitAnswered
    | VisitAbandoned
    | VisitFlowedOut
    | VisitCalledBack
    | WaitCauseChanged
    | AlarmRaised
    | AlarmCleared
    | ReserveChanged
    | VisitRefused
    | TalkOver
    | OfferMade
    | CardWasShown
    | OfferRinging
    | OfferEnded
    | AgentChanged
    | WrapUpOver
    | Disposed
    | SiteChanged
)
