"""What the center notices by itself about its lines: why one does not move, that nobody can answer it, that nobody is
there any more, that a service level slips. Looked at only where something has changed.
"""

from __future__ import annotations

from acd import entry
from acd.facts import AlarmCleared, AlarmRaised, ReserveChanged, WaitCauseChanged
from acd.routing.lines import Pool
from acd.state import Alarm
from acd.turn import Turn
from acd.types import US_PER_S, Presence, QueueId, VisitState, WaitCause

_UNROUTABLE = (WaitCause.NOBODY_FITS, WaitCause.NOBODY_SIGNED_IN)


def look(turn: Turn) -> None:
    """After a step: every pool in which somebody came, went or changed."""
    for pool in sorted(turn.lines.take_changed(), key=lambda pool: pool.name):
        _tell_cause(turn, pool)
        if pool.watched:
            _watch_emptiness(turn, pool)


def _tell_cause(turn: Turn, pool: Pool) -> None:
    cause, told = pool.cause, turn.state.causes.get(pool.name)
    if cause is told:
        return
    if cause is None:
        del turn.state.causes[pool.name]
    else:
        turn.state.causes[pool.name] = cause
    turn.tell(WaitCauseChanged(turn.now_us, pool.name, cause))
    unroutable, was = cause in _UNROUTABLE, told in _UNROUTABLE
    if unroutable and not was:
        turn.start_timer(f"unroutable:{pool.name}", turn.now_us + turn.rules.unroutable_after_us)
    elif was and not unroutable:
        turn.cancel_timer(f"unroutable:{pool.name}")
        if turn.state.alarms.pop(f"unroutable:{pool.name}", None) is not None:
            turn.tell(AlarmCleared(turn.now_us, f"unroutable:{pool.name}"))


def unroutable(turn: Turn, name: str) -> None:
    """Somebody has waited for a while whom nobody who is signed in can answer."""
    pool = turn.lines.named(name)
    if pool is None or pool.cause not in _UNROUTABLE:
        return turn.ignore("timer_of_no_line")
    queues, missing = tuple(sorted(pool.queues)), tuple(str(need) for need in pool.requirement)
    turn.state.alarms[f"unroutable:{name}"] = Alarm("unroutable", queues, missing, turn.now_us)
    return turn.tell(AlarmRaised(turn.now_us, f"unroutable:{name}", "unroutable", queues, missing))


def _watch_emptiness(turn: Turn, pool: Pool) -> None:
    """Count from when nobody was there for those who wait; with the last of them that is over, too."""
    best = pool.best_presence()
    for queue_id in sorted(pool.watched):
        queue = turn.queue(queue_id)
        timer = f"empty:{queue_id}:{pool.name}"
        if queue_id not in pool.queues:
            pool.watched.discard(queue_id)
            turn.cancel_timer(timer)
        elif best >= entry.PRESENCE[queue.stay_needs]:
            turn.cancel_timer(timer)
        elif timer not in turn.state.timers:
            turn.start_timer(timer, turn.now_us + int(queue.empty_after_s * US_PER_S))


def nobody_came_back(turn: Turn, whom: str) -> None:
    """Nobody was there for as long as the queue bears it: who waits in it for that leaves."""
    queue_id, _, name = whom.partition(":")
    pool = turn.lines.named(name)
    if pool is None or pool.best_presence() >= entry.PRESENCE[turn.queue(queue_id).stay_needs]:
        return turn.ignore("timer_of_no_line")
    for visit_id in list(turn.lines.standing_in(pool)):
        visit = turn.state.visits[visit_id]
        if visit.queue == queue_id:
            entry.take_out(turn, visit, "empty")
    return None


# Service level and reserve ---------------------------------------------------------------------------------


def projected_level(turn: Turn, queue_id: QueueId) -> float | None:
    """The service level to be expected: of the last visits, and of those in line, as many as can be answered in time.

    (answered in time of the last 30 + those in line who still can be) / (those 30 + all in line); who is in line can
    be if they are not beyond the target and not behind more than staff · target / handle time others. None if
    nothing is known.
    """
    queue, memory = turn.queue(queue_id), turn.remembered(queue_id)
    target_us = int(queue.target_s * US_PER_S)
    in_line = [turn.state.visits[visit_id] for visit_id in turn.lines.in_line.get(queue_id, ())]
    waiting = [visit for visit in in_line if visit.state is VisitState.WAITING]
    if not memory.in_time and not waiting:
        return None
    handle_s = memory.work.handle_s or queue.target_s
    pool = turn.lines.pool(turn.plans[queue_id][-1].steps[0].requirement)
    servable = int(pool.there(Presence.REACHABLE) * queue.target_s / handle_s)
    young = sum(1 for visit in waiting if turn.now_us - visit.entered_us <= target_us)
    total = len(memory.in_time) + len(waiting)
    return (sum(memory.in_time) + min(young, servable)) / total


def watch_reserve(turn: Turn, queue_id: QueueId) -> None:
    """Open the queue's reserve, or give it back, if its projected service level says so."""
    queue = turn.site.queues.get(queue_id)
    if queue is None or queue.reserve is None or (level := projected_level(turn, queue_id)) is None:
        return
    memory = turn.memory(queue_id)
    opens = level < queue.reserve.open_below
    closes = level > queue.reserve.close_above
    if (opens and not memory.reserve_open) or (closes and memory.reserve_open):
        memory.reserve_open = opens
        turn.tell(ReserveChanged(turn.now_us, queue_id, opens, level))
        for visit_id in turn.lines.in_line.get(queue_id, ()):
            turn.touch_visit(turn.state.visits[visit_id])
    _wake_at_target(turn, queue_id)


def _wake_at_target(turn: Turn, queue_id: QueueId) -> None:
    """The next of those in line to pass the target lowers the level at that instant, not at the end."""
    target_us = int(turn.queue(queue_id).target_s * US_PER_S)
    in_line = (turn.state.visits[visit_id] for visit_id in turn.lines.in_line.get(queue_id, ()))
    passes = (v.entered_us + target_us + 1 for v in in_line if v.state is VisitState.WAITING)
    due_us = min((at_us for at_us in passes if at_us > turn.now_us), default=None)
    timer = f"target:{queue_id}"
    if due_us is None:
        turn.cancel_timer(timer)
    elif turn.state.timers.get(timer) != due_us:
        turn.start_timer(timer, due_us)


def target_passed(turn: Turn, queue_id: QueueId) -> None:
    turn.touch_queue(queue_id)
