"""Facts of a small day, as the center tells them."""

from __future__ import annotations

from acd.facts import (
    AgentChanged,
    CardWasShown,
    ContactBegan,
    ContactEnded,
    ContactKnown,
    Disposed,
    Fact,
    MenuStepTaken,
    OfferEnded,
    OfferMade,
    OfferRinging,
    RequirementChanged,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
    VisitCalledBack,
    VisitFlowedOut,
    VisitRefused,
    WaitCauseChanged,
    WaitEstimated,
    WrapUpOver,
)
from acd.types import (
    US_PER_S,
    Activity,
    EndedBy,
    HandledBy,
    Kind,
    OfferState,
    RingFailure,
    Status,
    WaitCause,
)

DAY_US = 1_790_000_100 * US_PER_S
S = US_PER_S


def answered_call(contact: str, at_us: int, queue: str = "loans", wait_us: int = 7_000_001) -> list[Fact]:
    """One call: refused by a first agent, answered by a second, talked, wrapped up."""
    visit, first, second = f"{contact}.1", f"{contact}.1.1", f"{contact}.1.2"
    begin = at_us + 3 * S
    answer = begin + wait_us
    end = answer + 60 * S
    return [
        ContactBegan(at_us, contact, "02191001500", "token"),
        ContactKnown(at_us + S, contact, "c-1", "gold"),
        VisitBegan(begin, visit, contact, queue, 5),
        OfferMade(begin, first, visit, contact, queue, "sara", "1001", True),
        OfferEnded(
            begin + S, first, visit, contact, queue, "sara", begin, OfferState.REJECTED, RingFailure.REJECTED
        ),
        OfferMade(begin + S, second, visit, contact, queue, "reza", "1002", True),
        CardWasShown(begin + S + 40_000, second, "reza", True),
        OfferRinging(begin + S + 60_000, second, "reza"),
        OfferEnded(answer, second, visit, contact, queue, "reza", begin + S, OfferState.ACCEPTED, None),
        VisitAnswered(answer, visit, contact, queue, begin, "reza", second, wait_us),
        AgentChanged(
            answer, "reza", "1002", Status.AVAILABLE, None, Activity.ON_CALL, answer, visit, None, None
        ),
        TalkOver(end, visit, contact, queue, begin, "reza", 50 * S, 10 * S, EndedBy.CALLER),
        ContactEnded(end, contact, at_us, HandledBy.CENTER),
        AgentChanged(end, "reza", "1002", Status.AVAILABLE, None, Activity.WRAP_UP, end, visit, None, None),
        Disposed(end + 2 * S, visit, contact, queue, "reza", "advice"),
        Disposed(end + 4 * S, visit, contact, queue, "reza", "sold"),
        WrapUpOver(end + 5 * S, visit, contact, queue, begin, "reza", 5 * S),
        AgentChanged(
            end + 5 * S, "reza", "1002", Status.AVAILABLE, None, Activity.IDLE, end + 5 * S, None, None, None
        ),
    ]


def abandoned_call(contact: str, at_us: int, wait_us: int, queue: str = "loans") -> list[Fact]:
    visit = f"{contact}.1"
    end = at_us + wait_us
    return [
        ContactBegan(at_us, contact, "02191001500", None),
        VisitBegan(at_us, visit, contact, queue, 0),
        VisitAbandoned(end, visit, contact, queue, at_us, wait_us),
        ContactEnded(end, contact, at_us, HandledBy.CENTER),
    ]


def flowed_out_call(contact: str, at_us: int, wait_us: int, queue: str = "loans") -> list[Fact]:
    visit = f"{contact}.1"
    return [
        ContactBegan(at_us, contact, "02191001500", None),
        VisitBegan(at_us, visit, contact, queue, 0),
        VisitFlowedOut(at_us + wait_us, visit, contact, queue, at_us, wait_us),
    ]


def refused_call(contact: str, at_us: int, queue: str = "loans") -> list[Fact]:
    return [ContactBegan(at_us, contact, "02191001500", None), VisitRefused(at_us, contact, queue, "full")]


def menu_call(contact: str, at_us: int) -> list[Fact]:
    """A caller who hangs up in the second node of a menu."""
    return [
        ContactBegan(at_us, contact, "02191001500", None),
        MenuStepTaken(at_us, contact, "bank", "0123456789ab", "greeting"),
        MenuStepTaken(at_us + 2 * S, contact, "bank", "0123456789ab", "main"),
        ContactEnded(at_us + 9 * S, contact, at_us, HandledBy.MENU),
    ]


def callback_call(contact: str, at_us: int, wait_us: int, queue: str = "loans") -> list[Fact]:
    """A caller who takes a callback."""
    visit = f"{contact}.1"
    return [
        ContactBegan(at_us, contact, "02191001500", None),
        VisitBegan(at_us, visit, contact, queue, 0, Kind.CALL, "gold", ("loans", "fa")),
        WaitEstimated(at_us, visit, queue, 1, 2 * S, 9 * S, 20 * S),
        VisitCalledBack(at_us + wait_us, visit, contact, queue, at_us, wait_us),
    ]


def relaxed_call(contact: str, at_us: int, queue: str = "loans") -> list[Fact]:
    """A caller who waits for a reserved skill, then for any, is offered twice and answered after 30 s."""
    visit, asked, eased = f"{contact}.1", "loans>=3", "loans>=1"
    answer = at_us + 30 * S
    return [
        ContactBegan(at_us, contact, "02191001500", None),
        VisitBegan(at_us, visit, contact, queue, 0, Kind.CALL, None, ("loans",), asked),
        WaitCauseChanged(at_us, asked, WaitCause.NOBODY_SIGNED_IN),
        WaitCauseChanged(at_us + 5 * S, asked, WaitCause.ALL_BUSY),
        RequirementChanged(at_us + 10 * S, visit, queue, 1, eased, 3),
        WaitCauseChanged(at_us + 10 * S, asked, None),
        WaitCauseChanged(at_us + 10 * S, eased, WaitCause.ALL_BUSY),
        WaitCauseChanged(at_us + 15 * S, eased, None),
        OfferMade(
            at_us + 15 * S,
            f"{visit}.1",
            visit,
            contact,
            queue,
            "sara",
            "1001",
            True,
            "preferred idle_s=4.0 free=1",
        ),
        OfferEnded(
            at_us + 20 * S,
            f"{visit}.1",
            visit,
            contact,
            queue,
            "sara",
            at_us + 15 * S,
            OfferState.TIMED_OUT,
            RingFailure.NO_ANSWER,
        ),
        OfferMade(
            at_us + 24 * S,
            f"{visit}.2",
            visit,
            contact,
            queue,
            "reza",
            "1002",
            True,
            "longest-idle idle_s=9.5 free=2 step=1",
        ),
        OfferEnded(
            answer, f"{visit}.2", visit, contact, queue, "reza", at_us + 24 * S, OfferState.ACCEPTED, None
        ),
        VisitAnswered(answer, visit, contact, queue, at_us, "reza", f"{visit}.2", 30 * S),
    ]
