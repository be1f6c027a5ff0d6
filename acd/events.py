"""What can happen. Every input of the center is one of these; each is one line of the journal.

No event holds a caller's number, name or digits: a journal must be safe to keep and to hand around. The number
stays with the session and the engine (`Engine.arrive`), here only its keyed token appears.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.types import (
    AgentId,
    ContactId,
    CustomerId,
    EndedBy,
    Kind,
    LeftFor,
    OfferId,
    PhoneId,
    PhoneState,
    QueueId,
    RingFailure,
    Status,
    TimerId,
    VisitId,
)

# The caller's side -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A caller's session is attached: for the first time, or again after one of us died. `began_us`: when the call
    came, where that was earlier (nobody of us was there)."""

    contact: ContactId
    dialled: str
    caller_token: str | None
    attach: int = 1
    began_us: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerFound:
    """The lookup's answer. `customer` None: asked, and not known. `value`: of the relation, as the house counts it."""

    contact: ContactId
    customer: CustomerId | None
    segment: str | None = None
    language: str | None = None
    preferred_agent: AgentId | None = None
    value: int | None = None


@dataclass(frozen=True, slots=True)
class VisitQueued:
    """A flow hands the caller over to a queue. With `visit` and `entered_us` (read from the ticket of a
    re-attached caller) the old place is kept."""

    contact: ContactId
    queue: QueueId
    language: str | None = None
    priority: int = 0
    visit: VisitId | None = None
    entered_us: int | None = None


@dataclass(frozen=True, slots=True)
class MenuStep:
    """The caller has come to a node of a flow."""

    contact: ContactId
    flow: str
    version: str
    node: str


@dataclass(frozen=True, slots=True)
class TaskArrived:
    """Work that is no call: a task, or a customer to be called back. It waits in a queue like a caller does, and is
    held until somebody has finished it. `entered_us`: since when it counts as waiting, where that was earlier."""

    contact: ContactId
    kind: Kind
    queue: QueueId
    customer: CustomerId | None = None
    segment: str | None = None
    language: str | None = None
    priority: int = 0
    preferred_agent: AgentId | None = None
    entered_us: int | None = None


@dataclass(frozen=True, slots=True)
class TaskWithdrawn:
    """Nobody needs to do it any more."""

    contact: ContactId


@dataclass(frozen=True, slots=True)
class VisitLeft:
    """The caller chose something else than waiting on, and is still there."""

    contact: ContactId
    why: LeftFor


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller hung up, in whatever state the contact was."""

    contact: ContactId


@dataclass(frozen=True, slots=True)
class MenuEnded:
    """The flow ended the call by itself: it is complete, and the caller was told so."""

    contact: ContactId


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The session is gone and the caller lives: nobody can ring for this contact until it is attached again."""

    contact: ContactId


# The agent's phone -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferRang:
    """Asterisk sent the call to the agent's phone."""

    offer: OfferId


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    """The receiver is off: answering is accepting. `answered_us`: when, if it is learned late."""

    offer: OfferId
    answered_us: int | None = None


@dataclass(frozen=True, slots=True)
class OfferFailed:
    offer: OfferId
    why: RingFailure


@dataclass(frozen=True, slots=True)
class TalkEnded:
    offer: OfferId
    by: EndedBy


@dataclass(frozen=True, slots=True)
class Held:
    offer: OfferId


@dataclass(frozen=True, slots=True)
class Unheld:
    offer: OfferId


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    phone: PhoneId
    state: PhoneState


# The agent's page ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageOpened:
    """The agent has at least one page open (sent for the first one)."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class PageClosed:
    """The agent's last page is gone."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class CardShown:
    """The page says that the card of this offer is on the screen."""

    offer: OfferId


# What a person asks for ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignIn:
    agent: AgentId
    phone: PhoneId


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Choose a status; during a call it becomes the next one. `reason` only with NOT_READY."""

    agent: AgentId
    status: Status
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RejectOffer:
    agent: AgentId
    offer: OfferId


@dataclass(frozen=True, slots=True)
class AcceptOffer:
    """Take on a task or a callback; a call is accepted by answering it."""

    agent: AgentId
    offer: OfferId


@dataclass(frozen=True, slots=True)
class FinishWork:
    """The task is done."""

    agent: AgentId
    visit: VisitId


@dataclass(frozen=True, slots=True)
class Dispose:
    """How the visit ended, in the agent's words (a code of the queue); may come during talk or wrap-up."""

    agent: AgentId
    visit: VisitId
    code: str


@dataclass(frozen=True, slots=True)
class EndWrapUp:
    agent: AgentId


@dataclass(frozen=True, slots=True)
class ApplySite:
    """A checked version of center.yaml, as canonical JSON: applied in one step, all or nothing."""

    version: str
    site_json: str


Command = SignIn | SetStatus | RejectOffer | AcceptOffer | FinishWork | Dispose | EndWrapUp | ApplySite


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's command, answered by exactly one `Granted` or `Refused` with this `request`."""

    request: str
    by: str
    command: Command


# Time, life and death --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimerFired:
    timer: TimerId


@dataclass(frozen=True, slots=True)
class Restarted:
    """We are back after a stop or a death; no session is attached, no page is open."""


@dataclass(frozen=True, slots=True)
class FoundEnded:
    """A contact that ended while nobody of us watched, as Asterisk's database kept its end.

    `talk_us`: None when there was no talk. `native`: Asterisk's own queue had taken the caller;
    then `agent` is its member who answered and `wait_s` the wait in that queue.
    """

    contact: ContactId
    dialled: str
    began_us: int
    at_us: int
    talk_us: int | None
    native: bool = False
    agent: AgentId | None = None
    wait_s: int = 0


Event = (
    CallArrived
    | CustomerFound
    | VisitQueued
    | MenuStep
    | TaskArrived
    | TaskWithdrawn
    | VisitLeft
    | CallerLeft
    | MenuEnded
    | SessionLost
    | OfferRang
    | OfferAnswered
    | OfferFailed
    | TalkEnded
    | Held
    | Unheld
    | PhoneChanged
    | PageOpened
    | PageClosed
    | CardShown
    | Asked
    | TimerFired
    | Restarted
    | FoundEnded
)
