"""What to expect of a queue: for one who thinks of waiting, for one who waits, for a menu with another way to offer."""

from __future__ import annotations

from dataclasses import dataclass

from acd import waiting
from acd.entry import is_open_now
from acd.routing.estimate import WaitRange
from acd.turn import Turn
from acd.types import ContactId, Kind, Presence, QueueId, VisitState


@dataclass(frozen=True, slots=True)
class Outlook:
    """`waiting`: in line now. `staffed`: agents who can answer and are reachable, in a talk or not; `free`: of them,
    those a call would go to at once. `expected`: the wait of one who comes now; None if nobody can tell."""

    queue: QueueId
    open: bool
    waiting: int
    staffed: int
    free: int
    expected: WaitRange | None


@dataclass(frozen=True, slots=True)
class Place:
    """`position`: 1 is next, among those who ask for the same. `expected`: from now on."""

    queue: QueueId
    position: int
    waited_us: int
    expected: WaitRange | None


def outlook(turn: Turn, queue_id: QueueId) -> Outlook | None:
    """For a caller of no particular kind who would come now; None for a queue that is not there."""
    queue = turn.site.queues.get(queue_id)
    if queue is None:
        return None
    pool = turn.lines.pool(turn.plans[queue_id][-1].steps[0].requirement)
    staffed, free = pool.there(Presence.REACHABLE), pool.count_free(Kind.CALL)
    return Outlook(
        queue_id,
        is_open_now(turn, queue),
        turn.lines.waiting(queue_id),
        staffed,
        free,
        waiting.estimate_in(turn, queue_id, staffed, free, pool.waiting),
    )


def place(turn: Turn, contact_id: ContactId) -> Place | None:
    """Where this contact stands in line; None if it does not wait."""
    contact = turn.state.contacts.get(contact_id)
    visit = turn.state.visits.get(contact.visit or "") if contact is not None else None
    if visit is None or visit.state not in (VisitState.WAITING, VisitState.OFFERED):
        return None
    ahead = turn.lines.ahead_of(visit.visit)
    expected = waiting.estimate_for(turn, visit, ahead)
    return Place(visit.queue, ahead + 1, turn.now_us - visit.entered_us, expected)
