"""While a visit stands in line: what it asks for by now, whom it would rather have, and when that changes.

The instants at which a visit asks for something else are known when it begins (steps of the wait, the end of waiting
for a preferred agent, the longest wait), so one timer per visit is enough, and nothing is ever polled.
"""

from __future__ import annotations

from acd.common.expression import ExpressionError, Value
from acd.facts import RequirementChanged, WaitEstimated
from acd.routing.estimate import WaitRange, estimate
from acd.routing.needs import Need, Requirement, StepPlan, need_of, said
from acd.state import Contact, Visit
from acd.turn import Turn, can_be_offered
from acd.types import US_PER_S, AgentId, Presence, QueueId, VisitId, VisitState

MOST_AHEAD = 1_000
"""Nobody is told an estimate who has more before them: it would be of no use, and cost time."""


def choose_variant(turn: Turn, visit: Visit, contact: Contact) -> None:
    """Once, when the visit begins: the first variant whose rule holds of the contact, else the queue's own."""
    variants = turn.plans.get(visit.queue, ())
    described: dict[str, Value] = {
        "kind": contact.kind.value,
        "dialled": contact.dialled,
        "language": contact.language or "",
        "segment": contact.segment or "",
        "known": contact.customer is not None,
        "value": contact.value or 0,
        "priority": visit.asked_priority,
    }
    for number, variant in enumerate(variants):
        if variant.rule is None:
            visit.variant = number
            return
        try:
            if variant.rule.holds({"contact": described}):
                visit.variant = number
                return
        except ExpressionError:
            continue  # a rule without a value for this contact is not about it


def prefer(turn: Turn, visit: Visit, agent: AgentId | None) -> None:
    """Whom the caller would rather have: waited for while they are there, if they may answer this at all."""
    visit.preferred = visit.waits_for = None
    if agent is None or agent not in turn.lines.pool(_general(turn, visit)).able:
        return
    visit.preferred = agent
    until_us = visit.place_us + int(turn.queue(visit.queue).preferred_wait_s * US_PER_S)
    if until_us > turn.now_us and turn.lines.presence(agent) >= Presence.REACHABLE:
        visit.waits_for, visit.waits_until_us = agent, until_us


def settle_in(turn: Turn, visit: Visit) -> None:
    """Work out what the visit asks for now, without telling: it has just begun, or the site is another."""
    visit.step = _step_now(turn, visit)
    visit.priority = priority_of(turn, visit)
    visit.requirement = _words(turn, visit)


def review(turn: Turn, visit: Visit) -> None:
    """Bring the visit up to date: its step by the wait, whom it waits for, its priority, its timer."""
    if visit.waits_for is not None and not _still_waits_for(turn, visit):
        visit.waits_for = None
    steps = turn.plan(visit).steps
    if len(steps) > 1:
        visit.step = max(min(visit.step, len(steps) - 1), _step_now(turn, visit))
    requirement, priority = _words(turn, visit), priority_of(turn, visit)
    if requirement != visit.requirement or priority != visit.priority:
        visit.requirement, visit.priority = requirement, priority
        turn.tell(
            RequirementChanged(turn.now_us, visit.visit, visit.queue, visit.step, requirement, priority)
        )
    _watch(turn, visit)


def stand(turn: Turn, visit: Visit) -> None:
    """In its place among those who ask for the same, if a session can ring for it; else out of it."""
    if can_be_offered(visit):
        target_us = int(turn.queue(visit.queue).target_s * US_PER_S)
        turn.lines.stand(visit, requirement_of(turn, visit), target_us)
    else:
        turn.lines.leave(visit.visit)


def requirement_of(turn: Turn, visit: Visit) -> Requirement:
    """What an agent must meet to be offered this visit now."""
    if visit.waits_for is not None:
        return (Need(only=(visit.waits_for,)),)
    return _general(turn, visit)


def _words(turn: Turn, visit: Visit) -> str:
    """What the visit asks for, as it is told."""
    if visit.waits_for is None and not turn.remembered(visit.queue).reserve_open:
        return _step(turn, visit).words
    return said(requirement_of(turn, visit))


def _general(turn: Turn, visit: Visit) -> Requirement:
    requirement = _step(turn, visit).requirement
    if not turn.remembered(visit.queue).reserve_open:
        return requirement
    reserve = turn.queue(visit.queue).reserve
    return requirement if reserve is None else tuple(dict.fromkeys((*requirement, need_of(reserve.people))))


def priority_of(turn: Turn, visit: Visit) -> int:
    """Points of the queue, of the flow, of the customer's segment and value, and of the steps so far."""
    contact = turn.state.contacts[visit.contact]
    segment = turn.site.segments.get(contact.segment or "")
    points = (segment.priority if segment is not None else 0) + turn.site.ranking.points_of(contact.value)
    return turn.queue(visit.queue).priority + visit.asked_priority + points + _step(turn, visit).priority


def too_long(turn: Turn, visit: Visit) -> bool:
    """Whether the visit has waited as long as its queue lets anybody wait."""
    until_us = _longest_until_us(turn, visit)
    return until_us is not None and turn.now_us >= until_us


def time_has_come(turn: Turn, visit_id: VisitId) -> None:
    """The visit's timer: whatever is due is found by `review`."""
    visit = turn.state.visits.get(visit_id)
    if visit is None:
        return turn.ignore("timer_of_no_visit")
    return turn.touch_visit(visit)


def release(turn: Turn, agent: AgentId) -> None:
    """An agent is there no more: who waited for them alone, waits for everybody."""
    pool = turn.lines.known_pool((Need(only=(agent,)),))
    if pool is None or not pool.waiting or turn.lines.presence(agent) >= Presence.REACHABLE:
        return
    for visit_id in list(turn.lines.standing_in(pool)):
        visit = turn.state.visits[visit_id]
        if visit.waits_for == agent:
            turn.touch_visit(visit)


def estimate_for(turn: Turn, visit: Visit, ahead: int) -> WaitRange | None:
    """How long one with so many before them waits for what this visit asks for; None if nobody can tell."""
    pool = turn.lines.pool(requirement_of(turn, visit))
    return estimate_in(turn, visit.queue, pool.there(Presence.REACHABLE), pool.count_free(visit.kind), ahead)


def estimate_in(turn: Turn, queue: QueueId, staff: int, free: int, ahead: int) -> WaitRange | None:
    if free > ahead:
        return WaitRange(0.0, 0.0, 0.0)
    if ahead > MOST_AHEAD:
        return None
    work = turn.remembered(queue).work
    return estimate(ahead, staff, work.handle_s, work.handle_cv2, work.patience_s)


def tell_estimate(turn: Turn, visit: Visit) -> None:
    """What is expected of the visit's wait as it begins; held against the real one later."""
    ahead = turn.lines.ahead_of(visit.visit)
    expected = estimate_for(turn, visit, ahead)
    if expected is not None:
        low_us, likely_us, high_us = (
            int(seconds * US_PER_S) for seconds in (expected.low_s, expected.likely_s, expected.high_s)
        )
        turn.tell(WaitEstimated(turn.now_us, visit.visit, visit.queue, ahead + 1, low_us, likely_us, high_us))


def _step(turn: Turn, visit: Visit) -> StepPlan:
    steps = turn.plan(visit).steps
    return steps[min(visit.step, len(steps) - 1)]


def _step_now(turn: Turn, visit: Visit) -> int:
    steps = turn.plan(visit).steps
    if len(steps) == 1:
        return 0
    wait_us = max(0, turn.now_us - visit.place_us)
    return max(number for number, step in enumerate(steps) if step.after_us <= wait_us)


def _still_waits_for(turn: Turn, visit: Visit) -> bool:
    assert visit.waits_for is not None
    there = turn.lines.presence(visit.waits_for) >= Presence.REACHABLE
    return there and turn.now_us < visit.waits_until_us


def _longest_until_us(turn: Turn, visit: Visit) -> int | None:
    longest_s = turn.queue(visit.queue).max_wait_s
    return None if longest_s is None else visit.entered_us + int(longest_s * US_PER_S)


def _watch(turn: Turn, visit: Visit) -> None:
    """Wake up at the next instant at which this visit asks for something else."""
    instants = [visit.place_us + step.after_us for step in turn.plan(visit).steps[visit.step + 1 :][:1]]
    if visit.waits_for is not None:
        instants.append(visit.waits_until_us)
    if (until_us := _longest_until_us(turn, visit)) is not None and visit.state is VisitState.WAITING:
        instants.append(until_us)
    timer = f"visit:{visit.visit}"
    due_us = min((at_us for at_us in instants if at_us > turn.now_us), default=None) if instants else None
    if due_us is None:
        turn.cancel_timer(timer)
    elif turn.state.timers.get(timer) != due_us:
        turn.start_timer(timer, due_us)


def stop_watching(turn: Turn, visit: Visit) -> None:
    turn.cancel_timer(f"visit:{visit.visit}")
