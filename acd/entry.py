"""Into a line and out of it by rule: who is let in, where others go, who must leave.

A queue refuses those who come when it is closed, when nobody is there who could answer, or when it is full; and takes
out those who waited too long, for whom nobody is there any more, or whose queue has closed. Where they go is the
site's to say: another queue, in the same step and with the same age, or a way the flow knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from acd import offers, waiting
from acd.common.hours import is_open, next_change
from acd.effects import KeepPlace, LeaveLine, RefuseLine
from acd.facts import VisitBegan, VisitFlowedOut, VisitRefused
from acd.routing.needs import skills_of
from acd.site_queue import OverflowQueue, OverflowTo, Queue
from acd.state import Contact, Visit
from acd.transitions import VISIT, move
from acd.turn import Turn
from acd.types import (
    US_PER_S,
    AgentId,
    Kind,
    Presence,
    QueueId,
    VisitId,
    VisitState,
    visit_id,
)

MOST_HOPS = 8


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a queue. `place_us`: from when their wait counts, None for now. `visit`, `entered_us`: of
    a ticket, whose place is kept whatever the queue says of newcomers."""

    queue: QueueId
    asked_priority: int = 0
    place_us: int | None = None
    preferred: AgentId | None = None
    visit: VisitId | None = None
    entered_us: int | None = None


@dataclass(frozen=True, slots=True)
class NotIn:
    """Nowhere in line: which queue said no last, why, and the way that the site says (\"\" if none)."""

    queue: QueueId
    why: str
    to: str


def enter(turn: Turn, contact: Contact, wish: Wish) -> Visit | None:
    """Into the line of the queue, or of the one it sends them on to. None: nowhere, and the script was told so."""
    found = _enter(turn, contact, wish)
    if isinstance(found, Visit):
        return found
    if contact.kind is Kind.CALL:
        turn.ask(RefuseLine(contact.contact, found.queue, found.why, found.to))
    return None


def _enter(turn: Turn, contact: Contact, wish: Wish) -> Visit | NotIn:
    queue_id, why, to = wish.queue, "", ""
    for _ in range(MOST_HOPS):
        if queue_id not in turn.site.queues:
            why, to = "unknown_queue", ""
            turn.tell(VisitRefused(turn.now_us, contact.contact, queue_id, why))
            break
        queue = turn.site.queues[queue_id]
        if wish.visit is not None or not (why := _refused(turn, queue_id, queue, contact.kind)):
            return _begin(turn, contact, wish, queue_id)
        turn.tell(VisitRefused(turn.now_us, contact.contact, queue_id, why))
        target = _target(queue, why)
        if target is None or isinstance(target, str):
            to = target or ""
            break
        queue_id = target.queue
    return NotIn(queue_id, why, to)


def take_out(turn: Turn, visit: Visit, why: str) -> None:
    """Out of the line by the queue's rule, and on to where it says. Work that is no call has no other way than another
    queue: without one it stays.

    Who is let in nowhere else has left the line they stood in: that is what their session is told.
    """
    target = _target(turn.queue(visit.queue), why)
    contact = turn.state.contacts[visit.contact]
    if contact.kind is not Kind.CALL and not isinstance(target, OverflowQueue):
        return
    flow_out(turn, visit, turn.now_us, why)
    to: str = target if isinstance(target, str) else ""
    if isinstance(target, OverflowQueue):
        wish = Wish(target.queue, visit.asked_priority, visit.place_us, visit.preferred)
        found = _enter(turn, contact, wish)
        if isinstance(found, Visit):
            return
        why, to = found.why, found.to
    if contact.kind is Kind.CALL:
        turn.ask(LeaveLine(visit.contact, visit.visit, visit.queue, why, to))


def must_leave(turn: Turn, visit: Visit) -> str:
    """Why the visit may stay in line no longer; "" if it may. A ring that is out is let ring, also one that was taken
    back: until Asterisk has said how it ended, somebody may have lifted the receiver."""
    if visit.dialling:
        return ""
    queue = turn.queue(visit.queue)
    if waiting.too_long(turn, visit):
        moves = isinstance(queue.overflow.max_wait, OverflowQueue)
        return "max_wait" if visit.kind is Kind.CALL or moves else ""
    if visit.kind is Kind.CALL and queue.at_closing == "overflow" and not is_open_now(turn, queue):
        return "closed"
    return ""


def flow_out(turn: Turn, visit: Visit, at_us: int, why: str = "") -> None:
    offers.cancel(turn, visit)
    visit.state = move(VISIT, visit.state, VisitState.FLOWED_OUT, f"visit {visit.visit}")
    wait_us = max(0, at_us - visit.entered_us)
    turn.tell(VisitFlowedOut(at_us, visit.visit, visit.contact, visit.queue, visit.entered_us, wait_us, why))
    close(turn, visit)


def close(turn: Turn, visit: Visit) -> None:
    """A visit is kept only while it is open; what wrap-up needs of it, the agent has."""
    del turn.state.visits[visit.visit]
    turn.state.contacts[visit.contact].visit = None
    waiting.stop_watching(turn, visit)
    turn.touch_visit(visit)


def keep_place(turn: Turn, visit: Visit) -> None:
    if visit.kind is Kind.CALL:
        turn.ask(KeepPlace(visit.contact, visit.visit, visit.queue, visit.entered_us, visit.priority))


def _begin(turn: Turn, contact: Contact, wish: Wish, queue_id: QueueId) -> Visit:
    number = contact.visits + 1
    entered_us = turn.now_us
    if wish.visit is not None and wish.entered_us is not None:
        number = max(number, _number_of(wish.visit, contact.contact))
        entered_us = min(turn.now_us, wish.entered_us)
    contact.visits = number
    turn.state.arrivals += 1
    visit = Visit(
        visit=visit_id(contact.contact, number),
        contact=contact.contact,
        queue=queue_id,
        entered_us=entered_us,
        order=turn.state.arrivals,
        asked_priority=wish.asked_priority,
        priority=0,
        place_us=min(entered_us, wish.place_us if wish.place_us is not None else entered_us),
        kind=contact.kind,
    )
    turn.state.visits[visit.visit] = visit
    contact.visit = visit.visit
    waiting.choose_variant(turn, visit, contact)
    waiting.prefer(turn, visit, wish.preferred)
    waiting.settle_in(turn, visit)
    turn.lines.count(visit.visit, queue_id, in_line=True)
    turn.touch_visit(visit)
    turn.tell(
        VisitBegan(
            entered_us,
            visit.visit,
            contact.contact,
            queue_id,
            visit.priority,
            contact.kind,
            contact.segment,
            skills_of(turn.plan(visit).steps[0].requirement),
            visit.requirement,
        )
    )
    keep_place(turn, visit)
    waiting.stand(turn, visit)
    waiting.tell_estimate(turn, visit)
    _watch_closing(turn, queue_id)
    return visit


def _number_of(visit: VisitId, contact: str) -> int:
    """The how-manieth of the contact a ticket's visit is; 0 for what is no visit of this contact."""
    number = visit.removeprefix(f"{contact}.")
    return int(number) if number.isascii() and number.isdecimal() and len(number) <= 6 else 0


def _refused(turn: Turn, queue_id: QueueId, queue: Queue, kind: Kind) -> str:
    """Why the queue does not let anybody in now; "" if it does. A task waits for people to come and doors to open."""
    if kind is not Kind.CALL:
        return ""
    if not is_open_now(turn, queue):
        return "closed"
    if queue.join_needs != "nobody":
        pool = turn.lines.pool(turn.plans[queue_id][-1].steps[-1].requirement)
        if pool.best_presence() < PRESENCE[queue.join_needs]:
            return "empty"
    if queue.capacity is not None and turn.lines.waiting(queue_id) >= queue.capacity:
        return "full"
    return ""


PRESENCE = {
    "nobody": Presence.NOBODY,
    "signed_in": Presence.SIGNED_IN,
    "available": Presence.AVAILABLE,
    "reachable": Presence.REACHABLE,
    "idle": Presence.IDLE,
}


def _target(queue: Queue, why: str) -> OverflowTo | None:
    match why:
        case "full":
            return queue.overflow.full
        case "closed":
            return queue.overflow.closed
        case "empty":
            return queue.overflow.empty
        case _:
            return queue.overflow.max_wait


# Opening hours ---------------------------------------------------------------------------------------------


def is_open_now(turn: Turn, queue: Queue) -> bool:
    hours = turn.site.hours.get(queue.hours or "")
    if hours is None:
        return True
    site = turn.site
    return is_open(hours, _instant(turn.now_us), site.time_zone, site.holidays, site.country)


def _watch_closing(turn: Turn, queue_id: QueueId) -> None:
    """A queue that sends people away at closing time wakes up then."""
    queue = turn.queue(queue_id)
    hours = turn.site.hours.get(queue.hours or "")
    timer = f"closing:{queue_id}"
    if hours is None or queue.at_closing != "overflow" or timer in turn.state.timers:
        return
    site = turn.site
    closes = next_change(hours, _instant(turn.now_us), site.time_zone, site.holidays, site.country)
    if closes is not None:
        turn.start_timer(timer, int(closes.timestamp()) * US_PER_S)


def closing_time(turn: Turn, queue_id: QueueId) -> None:
    """Who waits in a queue that has closed goes where it says; a ring that is out may still be answered."""
    if is_open_now(turn, turn.queue(queue_id)):
        return turn.ignore("queue_is_open")
    for name in list(turn.lines.in_line.get(queue_id, ())):
        visit = turn.state.visits[name]
        if visit.state is VisitState.WAITING and visit.kind is Kind.CALL and not visit.dialling:
            take_out(turn, visit, "closed")
    return None


def _instant(now_us: int) -> datetime:
    return datetime.fromtimestamp(now_us / US_PER_S, UTC)
