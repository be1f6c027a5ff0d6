"""What is remembered of callers and queues for a while: who talked with whom, who was cut off, how long work takes."""

from __future__ import annotations

from acd.state import CALLERS_KEPT, CallerMemory, Contact, Visit, WrapUp
from acd.turn import Turn
from acd.types import US_PER_S, AgentId, Kind, QueueId

OUTCOMES_KEPT = 30


def answered(turn: Turn, visit: Visit, agent: AgentId, at_us: int) -> None:
    if visit.kind is not Kind.CALL:
        return
    wait_us = max(0, at_us - visit.entered_us)
    turn.memory(visit.queue).work.answered(wait_us)
    _outcome(turn, visit.queue, wait_us <= int(turn.queue(visit.queue).target_s * US_PER_S))
    caller = _caller(turn, visit)
    if caller is not None:
        caller.agent, caller.talked_us, caller.queue = agent, at_us, None


def talk_ended(turn: Turn, visit: Visit, at_us: int) -> None:
    caller = _caller(turn, visit) if visit.kind is Kind.CALL else None
    if caller is not None:
        caller.talked_us = at_us


def abandoned(turn: Turn, visit: Visit, at_us: int) -> None:
    """Cut off or given up: nobody can tell which, so both may come back to their place."""
    wait_us = max(0, at_us - visit.entered_us)
    turn.memory(visit.queue).work.abandoned(wait_us)
    _outcome(turn, visit.queue, False)
    caller = _caller(turn, visit)
    if caller is not None:
        caller.queue, caller.place_us, caller.left_us = visit.queue, visit.place_us, at_us


def work_done(turn: Turn, wrap_up: WrapUp, at_us: int) -> None:
    """An agent was taken by this contact from the answer to the end of the wrap-up."""
    if wrap_up.kind is Kind.CALL:
        turn.memory(wrap_up.queue).work.took(wrap_up.talked_us + max(0, at_us - wrap_up.since_us))


def place_of(turn: Turn, contact: Contact, queue: QueueId) -> int | None:
    """The place in line that this caller left a while ago and has again; None for a new one."""
    within_us = int(turn.queue(queue).regain_place_within_s * US_PER_S)
    caller = turn.state.callers.get(contact.token or "")
    if caller is None or caller.queue != queue or turn.now_us - caller.left_us > within_us:
        return None
    caller.queue = None  # one place for one caller, however many lines they call from
    return caller.place_us


def agent_of(turn: Turn, contact: Contact, queue: QueueId) -> AgentId | None:
    """Whom the caller would rather have: the customer's own agent, else who talked with them a while ago."""
    if contact.preferred_agent is not None:
        return contact.preferred_agent
    within_us = int(turn.queue(queue).same_agent_within_s * US_PER_S)
    caller = turn.state.callers.get(contact.token or "")
    if caller is None or caller.agent is None or turn.now_us - caller.talked_us > within_us:
        return None
    return caller.agent


def _caller(turn: Turn, visit: Visit) -> CallerMemory | None:
    """Kept only where the queue makes use of it; the oldest is forgotten."""
    queue = turn.queue(visit.queue)
    token = turn.state.contacts[visit.contact].token
    if token is None or not (queue.same_agent_within_s or queue.regain_place_within_s):
        return None
    caller = turn.state.callers.pop(token, None) or CallerMemory()
    turn.state.callers[token] = caller
    if len(turn.state.callers) > CALLERS_KEPT:
        del turn.state.callers[next(iter(turn.state.callers))]
    return caller


def _outcome(turn: Turn, queue: QueueId, in_time: bool) -> None:
    if turn.queue(queue).reserve is not None:
        outcomes = turn.memory(queue).in_time
        outcomes.append(in_time)
        del outcomes[:-OUTCOMES_KEPT]
        turn.touch_queue(queue)
