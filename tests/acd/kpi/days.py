"""Random days of a center, as facts alone: every kind and end of a visit, offers of every end, agents' states.

And the same counted by brute force, by the words of the measures' definitions: slowly, each count by itself, with no
memory of anything. Live counting and reports are held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Any

from acd.facts import (
    AgentChanged,
    CardWasShown,
    Fact,
    OfferEnded,
    OfferMade,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
    VisitCalledBack,
    VisitFlowedOut,
    VisitRefused,
    WaitEstimated,
    WrapUpOver,
)
from acd.kpi.counts import Counts, bucket_of
from acd.site import Site
from acd.types import US_PER_S, Activity, EndedBy, Kind, OfferState, RingFailure, Status

S = US_PER_S
INTERVAL_US = 900 * S
QUEUES = ("loans", "cards", "fallback")
TARGET_S = {"loans": 20, "cards": 30}
SHORT_S = {"loans": 5, "cards": 3}
AGENTS = ("a1", "a2", "a3", "a4")
TEAMS = {"a1": "north", "a2": "north", "a3": "south"}
_WAITS_US = (0, 3 * S, 5 * S - 1, 5 * S, 20 * S, 20 * S + 1, 30 * S, 900 * S)


def plain_site(time_zone: str) -> Site:
    label = {"fa": "مرکز", "en": "Center"}
    return Site.model_validate({"name": label, "time_zone": time_zone})


def day(seed: int, begin_us: int, visits: int = 60, hours: float = 2.0) -> list[Fact]:
    """In order of time; some visits still wait, or talk, at the end."""
    chance = Random(seed)
    out: list[Fact] = []
    for number in range(visits):
        at_us = begin_us + chance.randrange(int(hours * 3600 * S))
        out += _visit(chance, f"c{number}", at_us)
    for agent in AGENTS:
        out += _shift(chance, agent, begin_us, hours)
    return sorted(out, key=lambda fact: fact.at_us)


def _visit(chance: Random, contact: str, began_us: int) -> list[Fact]:
    queue = chance.choice(QUEUES)
    names = (f"{contact}.1", contact, queue)
    if chance.random() < 0.05:
        return [VisitRefused(began_us, contact, queue, "full")]
    kind = chance.choice((Kind.CALL, Kind.CALL, Kind.CALL, Kind.CALLBACK, Kind.TASK))
    skills = chance.choice(((), ("loans",), ("loans", "fa"), ("fa",)))
    out: list[Fact] = [VisitBegan(began_us, *names, 0, kind, chance.choice((None, "gold", "silver")), skills)]
    wait_us = chance.choice((*_WAITS_US, *[chance.randrange(90 * S) for _ in range(8)]))
    at_us = began_us + wait_us
    if chance.random() < 0.6:
        likely_us = max(
            0, wait_us + chance.choice((0, 30 * S, -30 * S, 30 * S + 1, chance.randrange(90 * S)))
        )
        out.append(WaitEstimated(began_us, names[0], queue, 1, 0, likely_us, 2 * likely_us))
    match chance.randrange(10):
        case 0:
            return out
        case 1 | 2:
            return [*out, VisitAbandoned(at_us, *names, began_us, wait_us)]
        case 3:
            return [*out, VisitFlowedOut(at_us, *names, began_us, wait_us, "closed")]
        case 4:
            return [*out, VisitCalledBack(at_us, *names, began_us, wait_us)]
    native = queue == "fallback"
    agent = chance.choice((*AGENTS, None)) if native else chance.choice(AGENTS)
    if agent is not None and not native:
        out += _offers(chance, names, agent, began_us, at_us)
    offer = None if native else f"{names[0]}.9"
    out.append(VisitAnswered(at_us, *names, began_us, agent, offer, wait_us))
    if chance.random() < 0.1:
        return out
    talk_us, hold_us, acw_us = chance.randrange(900 * S), chance.choice((0, chance.randrange(99 * S))), 30 * S
    end_us = at_us + talk_us + hold_us
    out.append(TalkOver(end_us, *names, began_us, agent, talk_us, hold_us, EndedBy.CALLER))
    if agent is not None and not native:
        out.append(WrapUpOver(end_us + acw_us, *names, began_us, agent, acw_us))
    return out


def _offers(
    chance: Random, names: tuple[str, str, str], agent: str, began_us: int, answered_us: int
) -> list[Fact]:
    """Some that came to nothing, and the one that was answered, perhaps after it was called over."""
    out: list[Fact] = []
    for number in range(chance.randrange(4)):
        offer, page, made_us = f"{names[0]}.{number}", chance.random() < 0.6, began_us
        other = chance.choice(AGENTS)
        state = chance.choice((OfferState.TIMED_OUT, OfferState.REJECTED, OfferState.FAILED))
        out.append(OfferMade(made_us, offer, *names, other, "p", page))
        if page and chance.random() < 0.7:
            out.append(CardWasShown(made_us, offer, other, chance.random() < 0.8))
        out.append(OfferEnded(made_us, offer, *names, other, made_us, state, RingFailure.NO_ANSWER))
    last = f"{names[0]}.9"
    out.append(OfferMade(answered_us, last, *names, agent, "p", True))
    if chance.random() < 0.8:
        out.append(CardWasShown(answered_us, last, agent, chance.random() < 0.9))
    if chance.random() < 0.3:
        lost = chance.choice((OfferState.TIMED_OUT, OfferState.REJECTED))
        out.append(OfferEnded(answered_us, last, *names, agent, answered_us, lost, None))
    out.append(OfferEnded(answered_us, last, *names, agent, answered_us, OfferState.ACCEPTED, None))
    return out


def _shift(chance: Random, agent: str, begin_us: int, hours: float) -> list[Fact]:
    """States one after the other; sometimes only the next status changes, and nothing begins anew."""
    out: list[Fact] = []
    at_us = since_us = begin_us + chance.randrange(60 * S)
    status, reason, activity = Status.NOT_READY, None, Activity.IDLE
    while at_us < begin_us + hours * 3600 * S:
        out.append(AgentChanged(at_us, agent, "p", status, reason, activity, since_us, None, None, None))
        at_us += 1 + chance.choice((chance.randrange(50 * S), chance.randrange(2500 * S)))
        if chance.random() < 0.2:
            continue
        status = chance.choice(list(Status))
        reason = chance.choice(("lunch", "break")) if status is Status.NOT_READY else None
        activity = chance.choice(list(Activity)) if status is Status.AVAILABLE else Activity.IDLE
        since_us = at_us - chance.choice((0, 0, 0, S, 1500 * S))  # a talk may be learned of late
    return out


# ---- by brute force ------------------------------------------------------------------------------------------


def counted(
    facts: Sequence[Fact],
    by: str,
    key: str,
    begin_us: int,
    end_us: int,
    *,
    kind: Kind | None = Kind.CALL,
    queue: str | None = None,
    now_us: int | None = None,
) -> Counts:
    """The counts of all that began in [begin_us, end_us) and belongs to this queue, agent, skill or segment."""
    began = {fact.visit: fact for fact in facts if isinstance(fact, VisitBegan)}

    def mine(wanted: type, instant: str) -> list[Any]:
        return [
            f
            for f in facts
            if type(f) is wanted
            and begin_us <= getattr(f, instant) < end_us
            and (queue is None or f.queue == queue)  # type: ignore[union-attr]
            and _belongs(f, began, by, key, kind)
        ]

    ours = mine(VisitBegan, "at_us")
    answered, abandoned = mine(VisitAnswered, "began_us"), mine(VisitAbandoned, "began_us")
    over, wrapped = mine(TalkOver, "began_us"), mine(WrapUpOver, "began_us")
    made = mine(OfferMade, "at_us")
    last = {f.offer: f for f in facts if isinstance(f, OfferEnded)}  # what an offer came to in the end
    ends = [last[offer.offer].state for offer in made if offer.offer in last]
    paged = [offer for offer in made if offer.page_open and offer.offer in last]
    in_time = {f.offer for f in facts if isinstance(f, CardWasShown) and f.before_ring}
    likely_us = {f.visit: f.likely_us for f in facts if isinstance(f, WaitEstimated)}
    off_us = [abs(likely_us[f.visit] - f.wait_us) for f in answered if f.visit in likely_us]
    refused = mine(VisitRefused, "at_us") if by in ("queue", "") else []
    waits: dict[int, int] = {}
    for fact in answered:
        waits[bucket_of(fact.wait_us)] = waits.get(bucket_of(fact.wait_us), 0) + 1
    out = Counts(
        offered=0 if by == "agent" else len(ours),
        answered=len(answered),
        answered_in=sum(f.wait_us <= TARGET_S.get(f.queue, 20) * S for f in answered),
        abandoned=len(abandoned),
        abandoned_in=sum(f.wait_us <= TARGET_S.get(f.queue, 20) * S for f in abandoned),
        abandoned_short=sum(f.wait_us < SHORT_S.get(f.queue, 5) * S for f in abandoned),
        flowed_out=len(mine(VisitFlowedOut, "began_us")),
        callbacks=len(mine(VisitCalledBack, "began_us")),
        refused=len(refused),
        handled=len(over),
        wait_answered_us=sum(f.wait_us for f in answered),
        talk_us=sum(f.talk_us for f in over),
        hold_us=sum(f.hold_us for f in over),
        acw_us=sum(f.acw_us for f in wrapped),
        offers=len(made),
        offers_timed_out=ends.count(OfferState.TIMED_OUT),
        offers_rejected=ends.count(OfferState.REJECTED),
        rung_with_page=len(paged),
        cards_before_ring=sum(offer.offer in in_time for offer in paged),
        estimated=len(off_us),
        estimate_error_us=sum(off_us),
        estimate_close=sum(each <= 30 * S for each in off_us),
        wait_most_us=max((f.wait_us for f in answered), default=0),
        waits=waits,
    )
    if by == "agent" and queue is None:
        _add_times(out, facts, key, begin_us, end_us, now_us)
    return out


def _belongs(fact: Any, began: dict[str, VisitBegan], by: str, key: str, kind: Kind | None) -> bool:
    visit = began.get(getattr(fact, "visit", ""))
    if kind is not None and (visit.kind if visit else Kind.CALL) is not kind:
        return False
    match by:
        case "queue":
            return bool(fact.queue == key)
        case "agent":
            return getattr(fact, "agent", None) == key
        case "skill":
            return visit is not None and key in visit.skills
        case "segment":
            return visit is not None and (visit.segment or "") == key
    return True


def _add_times(
    out: Counts, facts: Sequence[Fact], agent: str, begin_us: int, end_us: int, now_us: int | None
) -> None:
    changes = [f for f in facts if isinstance(f, AgentChanged) and f.agent == agent]
    since_us = list(
        accumulate((f.since_us for f in changes), max)
    )  # no state begins before the one before it
    ends_us = since_us[1:] + ([now_us] if now_us is not None else [])
    for fact, from_us, until_us in zip(changes, since_us, ends_us, strict=False):
        spent_us = min(until_us, end_us) - max(from_us, begin_us)
        busy = fact.activity not in (Activity.IDLE, Activity.UNREACHABLE, Activity.NOT_RESPONDING)
        if spent_us <= 0 or (fact.status is Status.OFFLINE and not busy):
            continue
        name = "not_ready_us" if fact.status is Status.NOT_READY and not busy else f"{fact.activity}_us"
        setattr(out, name, getattr(out, name) + spent_us)
        if name == "not_ready_us":
            out.reasons[fact.reason or ""] = out.reasons.get(fact.reason or "", 0) + spent_us
