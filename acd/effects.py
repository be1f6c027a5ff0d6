"""What the center asks for. Shells perform effects in the order given; success or failure comes back as an event."""

from __future__ import annotations

from dataclasses import dataclass

from acd.types import AgentId, ContactId, Kind, OfferId, PhoneId, QueueId, TimerId, VisitId

# Telephony -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeepPlace:
    """Write the place in line on the caller's channel, so that it outlives us."""

    contact: ContactId
    visit: VisitId
    queue: QueueId
    entered_us: int
    priority: int


@dataclass(frozen=True, slots=True)
class RefuseLine:
    """The queue lets nobody in (`full`, `closed`, `empty`: nobody there to answer), or queue or contact are not known
    (`unknown_queue`, `unknown_contact`): the script must go another way. `to`: which one the site says
    (`voicemail`, `callback`, `announcement`; "" says nothing)."""

    contact: ContactId
    queue: QueueId
    why: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class LeaveLine:
    """The site takes the caller out of the line (`max_wait`, `empty`, `closed`): the script goes on, `to` as in
    RefuseLine. A caller who is moved to another queue hears nothing of it: a new KeepPlace tells the session."""

    contact: ContactId
    visit: VisitId
    queue: QueueId
    why: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Ring this phone. Several of one visit in one step are rung together: the first to answer has the caller, and
    Asterisk stops the others."""

    contact: ContactId
    visit: VisitId
    offer: OfferId
    agent: AgentId
    phone: PhoneId
    offered_us: int
    ring_timeout_s: float


@dataclass(frozen=True, slots=True)
class StopRing:
    """Take the ring back from the agent's phone (rejected on the page, or out of time)."""

    contact: ContactId
    offer: OfferId


@dataclass(frozen=True, slots=True)
class SetFallbackMember:
    """Keep Asterisk's own fallback queue in step with who could answer a call now.

    `paused` None: the agent has left this phone.
    """

    agent: AgentId
    phone: PhoneId
    paused: bool | None


# The caller's record ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find out who is calling; the answer is `CustomerFound`, or nothing when it is too late to matter."""

    contact: ContactId


# The agent's page ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PopScreen:
    """Put the card of this contact on the agent's page; the page answers `CardShown`. `why`: why this agent."""

    agent: AgentId
    offer: OfferId
    contact: ContactId
    queue: QueueId
    wait_us: int
    ring_timeout_s: float
    kind: Kind = Kind.CALL
    why: str = ""


@dataclass(frozen=True, slots=True)
class ClearScreen:
    """The offer is over for this agent. `why` is an OfferState."""

    agent: AgentId
    offer: OfferId
    why: str


# Time ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StartTimer:
    timer: TimerId
    at_us: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: TimerId


# Answers to people -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Granted:
    request: str


@dataclass(frozen=True, slots=True)
class Refused:
    """`reason` is a code that pages translate (`unknown_agent`, `offer_over`, …)."""

    request: str
    reason: str


TelephonyEffect = KeepPlace | RingAgent | StopRing | SetFallbackMember | RefuseLine | LeaveLine
ScreenEffect = PopScreen | ClearScreen
Effect = TelephonyEffect | ScreenEffect | LookUp | StartTimer | CancelTimer | Granted | Refused
