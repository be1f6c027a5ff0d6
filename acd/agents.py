"""What agents choose and what their phones and pages do: status, next status, wrap-up, disposition.

Two fields, never mixed: the *status* is the agent's choice, the *activity* is what the system sees. A choice made
during a call waits as the next status until the work is done, and a later choice replaces it.
"""

from __future__ import annotations

from acd import memory
from acd.events import Dispose, EndWrapUp, RejectOffer, SetStatus, SignIn
from acd.facts import Disposed, WrapUpOver
from acd.offers import find, reject
from acd.state import Agent, Visit, WrapUp
from acd.turn import Turn
from acd.types import US_PER_S, AgentId, OfferState, PhoneId, PhoneState, Status, VisitId

Reason = str
"""Why a command is refused: a code that pages translate."""


def sign_in(turn: Turn, command: SignIn) -> Reason | None:
    """Take a place at a phone; the agent then still has to say Available."""
    agent = turn.state.agents.get(command.agent)
    if agent is None or agent.agent not in turn.site.agents:
        return "unknown_agent"
    if command.phone not in turn.site.phones:
        return "unknown_phone"
    if agent.phone == command.phone and agent.status is not Status.OFFLINE:
        return None
    if agent.busy:
        return "busy"
    if any(other.phone == command.phone for other in turn.state.agents.values() if other is not agent):
        return "phone_taken"
    agent.phone = command.phone
    agent.contacts = agent.busy_us = agent.idle_us = 0
    _choose(turn, agent, Status.NOT_READY, None)
    return None


def set_status(turn: Turn, command: SetStatus) -> Reason | None:
    agent = turn.state.agents.get(command.agent)
    if agent is None or agent.agent not in turn.site.agents:
        return "unknown_agent"
    if command.status is not Status.OFFLINE and agent.phone not in turn.site.phones:
        return "no_phone"
    if command.status is Status.NOT_READY:
        if command.reason is not None and command.reason not in turn.site.not_ready_reasons:
            return "unknown_reason"
        if command.reason is None and turn.site.not_ready_reasons:
            return "reason_needed"
    reason = command.reason if command.status is Status.NOT_READY else None
    if agent.busy:
        agent.next_status, agent.next_reason = command.status, reason
        if (agent.status, agent.reason) == (command.status, reason):
            agent.next_status = agent.next_reason = None
        turn.touch(agent)
    else:
        _choose(turn, agent, command.status, reason)
    return None


def reject_offer(turn: Turn, command: RejectOffer) -> Reason | None:
    found = find(turn, command.offer)
    if found is None or found[1].agent != command.agent:
        return "offer_over"
    visit, offer = found
    if offer.state is OfferState.REJECTED:
        return None
    if offer.state is not OfferState.PENDING:
        return "offer_over"
    reject(turn, visit, offer)
    return None


def dispose(turn: Turn, command: Dispose) -> Reason | None:
    """Say how a visit ended, during the talk or in wrap-up; saying it again replaces the code."""
    agent = turn.state.agents.get(command.agent)
    if agent is None:
        return "unknown_agent"
    held = _held_visit(turn, agent, command.visit)
    if held is None:
        return "visit_over"
    known = turn.queue(held.queue).dispositions or tuple(turn.site.dispositions)
    if command.code not in known:
        return "unknown_disposition"
    held.disposition = command.code
    turn.tell(Disposed(turn.now_us, held.visit, held.contact, held.queue, agent.agent, command.code))
    turn.touch(agent)
    if isinstance(held, WrapUp) and held.overdue:
        end_wrap_up(turn, agent)
    return None


def _held_visit(turn: Turn, agent: Agent, visit: VisitId) -> Visit | WrapUp | None:
    if visit == agent.visit or visit in agent.tasks:
        return turn.state.visits[visit]
    return agent.wrap_up if agent.wrap_up is not None and agent.wrap_up.visit == visit else None


def ask_end_wrap_up(turn: Turn, command: EndWrapUp) -> Reason | None:
    agent = turn.state.agents.get(command.agent)
    if agent is None:
        return "unknown_agent"
    if agent.wrap_up is None:
        return "no_wrap_up"
    if agent.wrap_up.disposition is None and turn.queue(agent.wrap_up.queue).disposition_required:
        return "disposition_needed"
    end_wrap_up(turn, agent)
    return None


def begin_wrap_up(turn: Turn, agent: Agent, visit: Visit, since_us: int) -> None:
    """Work after the call, from its true start; a queue without wrap-up and without need of a code has none."""
    queue = turn.queue(visit.queue)
    agent.visit = None
    until_us = None if queue.wrap_up_s is None else since_us + int(queue.wrap_up_s * US_PER_S)
    needs_code = queue.disposition_required and visit.disposition is None
    talked_us = max(0, since_us - (since_us if visit.answered_us is None else visit.answered_us))
    agent.wrap_up = WrapUp(
        visit.visit,
        visit.contact,
        visit.queue,
        visit.entered_us,
        since_us,
        until_us,
        visit.disposition,
        visit.kind,
        talked_us,
    )
    turn.touch(agent)
    if until_us is None:
        return
    if until_us > since_us or needs_code:
        turn.start_timer(f"wrap:{agent.agent}", until_us)
    else:
        end_wrap_up(turn, agent, until_us)


def wrap_up_is_over(turn: Turn, agent_id: AgentId) -> None:
    agent = turn.state.agents.get(agent_id)
    if agent is None or agent.wrap_up is None:
        return turn.ignore("timer_of_no_wrap_up")
    if agent.wrap_up.disposition is None and turn.queue(agent.wrap_up.queue).disposition_required:
        agent.wrap_up.overdue = True
        turn.touch(agent)
        return None
    return end_wrap_up(turn, agent, agent.wrap_up.until_us)


def end_wrap_up(turn: Turn, agent: Agent, at_us: int | None = None) -> None:
    """`at_us`: when it ran out, which may be learned late; now, if the agent ends it."""
    at_us = turn.now_us if at_us is None else at_us
    wrap_up = agent.wrap_up
    assert wrap_up is not None
    turn.cancel_timer(f"wrap:{agent.agent}")
    agent.wrap_up = None
    memory.work_done(turn, wrap_up, at_us)
    turn.tell(
        WrapUpOver(
            at_us,
            wrap_up.visit,
            wrap_up.contact,
            wrap_up.queue,
            wrap_up.began_us,
            agent.agent,
            at_us - wrap_up.since_us,
        )
    )
    become_idle(turn, agent)


def become_idle(turn: Turn, agent: Agent) -> None:
    """The work is done: idle time begins."""
    agent.idle_since_us = turn.now_us
    turn.touch(agent)


def apply_next_status(turn: Turn, agent: Agent) -> None:
    """A choice made meanwhile comes true with the end of the work, however it ended."""
    if agent.next_status is not None and not agent.busy:
        _choose(turn, agent, agent.next_status, agent.next_reason)


def _choose(turn: Turn, agent: Agent, status: Status, reason: str | None) -> None:
    """The agent speaks: what we held against them (missed rings, back-off) is forgotten."""
    if status is Status.AVAILABLE and (agent.status is not Status.AVAILABLE or agent.not_responding):
        agent.idle_since_us = turn.now_us
    agent.status, agent.reason = status, reason
    agent.next_status = agent.next_reason = None
    agent.not_responding = False
    agent.misses = 0
    agent.backoff_until_us = 0
    turn.cancel_timer(f"backoff:{agent.agent}")
    if status is Status.OFFLINE:
        agent.phone = None
    turn.touch(agent)


def send_offline(turn: Turn, agent: Agent) -> None:
    """The site no longer has this agent or their phone: what they have is finished, nothing new is given."""
    if agent.busy:
        agent.next_status, agent.next_reason = Status.OFFLINE, None
    else:
        _choose(turn, agent, Status.OFFLINE, None)


def backoff_is_over(turn: Turn, agent_id: AgentId) -> None:
    agent = turn.state.agents.get(agent_id)
    if agent is None:
        return turn.ignore("timer_of_no_agent")
    agent.backoff_until_us = 0
    return turn.touch(agent)


def phone_changed(turn: Turn, phone: PhoneId, state: PhoneState) -> None:
    if turn.state.phones.get(phone) is state:
        return turn.ignore("phone_unchanged")
    turn.state.phones[phone] = state
    for agent in turn.state.agents.values():
        if agent.phone == phone:
            turn.touch(agent)
    return None


def page(turn: Turn, agent_id: AgentId, is_open: bool) -> None:
    agent = turn.state.agents.get(agent_id)
    if agent is None or agent.page_open is is_open:
        return turn.ignore("page_unchanged")
    agent.page_open = is_open
    return turn.touch(agent)
