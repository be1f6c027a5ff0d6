"""The words: contact, visit, offer, agent states, and the ids that tie them together.

A *contact* is one customer's wish to reach us, from the first to the last second. A *visit* is its stay in
one queue. An *offer* holds a visit out to one agent. Ids are made so that nobody needs a counter or chance:
the dialplan makes the contact id (Asterisk's uniqueid, unique over servers by `systemname`), the n-th visit of
a contact is `contact.n`, the n-th offer of a visit is `visit.n`.

Instants are integers of microseconds of center time (`_us`): UTC, never running back.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

ContactId = str
VisitId = str
OfferId = str
AgentId = str
QueueId = str
PhoneId = str
SkillId = str
CustomerId = str
TimerId = str

US_PER_S = 1_000_000


class Status(StrEnum):
    """What the agent chose."""

    AVAILABLE = "available"
    NOT_READY = "not_ready"
    OFFLINE = "offline"


class Activity(StrEnum):
    """What the system sees the agent do."""

    IDLE = "idle"
    RINGING = "ringing"
    ON_CALL = "on_call"
    ON_HOLD = "on_hold"
    ON_TASK = "on_task"
    CONSULTING = "consulting"
    WRAP_UP = "wrap_up"
    NOT_RESPONDING = "not_responding"
    UNREACHABLE = "unreachable"


class PhoneState(StrEnum):
    """What Asterisk says of a phone. `UNKNOWN`: Asterisk does not know this phone at all."""

    FREE = "free"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class VisitState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    FLOWED_OUT = "flowed_out"
    CALLBACK = "callback"


class OfferState(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    RESCINDED = "rescinded"
    FAILED = "failed"


class RingFailure(StrEnum):
    """Why a phone that was rung was not answered; each has its own consequence for the agent."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    """What a contact is made of. Calls and callbacks are talked on a phone, one at a time; tasks are read and
    written, several at once."""

    CALL = "call"
    CALLBACK = "callback"
    TASK = "task"


class Presence(IntEnum):
    """How much an agent is there, each more than the one before: signed in; status Available, even if in a talk; with
    a phone that can be reached and is answered; free for a call now."""

    NOBODY = 0
    SIGNED_IN = 1
    AVAILABLE = 2
    REACHABLE = 3
    IDLE = 4


class LeftFor(StrEnum):
    """What a caller chose instead of waiting on."""

    MENU = "menu"
    CALLBACK = "callback"
    VOICEMAIL = "voicemail"


class WaitCause(StrEnum):
    """Why nobody takes those who wait at the head of a line; the first that holds, from the worst."""

    NOBODY_FITS = "nobody_fits"
    NOBODY_SIGNED_IN = "nobody_signed_in"
    NOBODY_AVAILABLE = "nobody_available"
    NOBODY_REACHABLE = "nobody_reachable"
    ALL_BUSY = "all_busy"


class EndedBy(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"


class HandledBy(StrEnum):
    """Who gave the contact its end: the center, the menu alone, or Asterisk's own queue while we were away."""

    CENTER = "center"
    MENU = "menu"
    FALLBACK = "fallback"


def visit_id(contact: ContactId, number: int) -> VisitId:
    return f"{contact}.{number}"


def offer_id(visit: VisitId, number: int) -> OfferId:
    return f"{visit}.{number}"
