"""Work that is no call: it waits in the same lines, is offered like a call, and is held until somebody is done."""

from __future__ import annotations

from acd import callers, entry, offers
from acd.effects import LookUp
from acd.events import AcceptOffer, FinishWork, TaskArrived, TaskWithdrawn
from acd.facts import ContactBegan, ContactKnown
from acd.state import Contact
from acd.turn import Turn
from acd.types import EndedBy, Kind, OfferState, VisitState

Reason = str


def arrived(turn: Turn, event: TaskArrived) -> None:
    if event.contact in turn.state.contacts or event.contact in turn.state.ended:
        return turn.ignore("task_known")
    if event.kind is Kind.CALL or event.queue not in turn.site.queues:
        return turn.ignore("task_for_no_queue")
    began_us = turn.now_us if event.entered_us is None else min(turn.now_us, event.entered_us)
    contact = Contact(
        event.contact,
        began_us,
        "",
        event.customer,
        event.segment,
        event.language,
        kind=event.kind,
        preferred_agent=event.preferred_agent,
    )
    turn.state.contacts[event.contact] = contact
    turn.tell(ContactBegan(began_us, event.contact, "", None, event.kind))
    if event.customer is not None:
        turn.tell(ContactKnown(turn.now_us, event.contact, event.customer, event.segment))
    turn.ask(LookUp(event.contact))
    entry.enter(turn, contact, entry.Wish(event.queue, event.priority, began_us, event.preferred_agent))
    return None


def withdrawn(turn: Turn, event: TaskWithdrawn) -> None:
    """Whoever holds it may finish it; who it was offered to is free again."""
    contact = turn.state.contacts.get(event.contact)
    if contact is None or contact.kind is Kind.CALL:
        return turn.ignore("no_task")
    visit = turn.state.visits.get(contact.visit or "")
    if visit is not None and visit.state is VisitState.TALKING:
        return turn.ignore("task_held")
    if visit is not None:
        entry.flow_out(turn, visit, turn.now_us, "withdrawn")
    return callers.end_contact(turn, contact, turn.now_us)


def accept(turn: Turn, command: AcceptOffer) -> Reason | None:
    """Take on a task or a callback; accepting it again says the same."""
    found = offers.find(turn, command.offer)
    if found is None or found[1].agent != command.agent:
        return "offer_over"
    visit, offer = found
    if visit.kind is Kind.CALL:
        return "answer_the_phone"
    if offer.state is OfferState.ACCEPTED:
        return None
    if offer.state is not OfferState.PENDING:
        return "offer_over"
    offers.accept(turn, visit, offer, turn.now_us)
    return None


def finish(turn: Turn, command: FinishWork) -> Reason | None:
    agent = turn.state.agents.get(command.agent)
    if agent is None:
        return "unknown_agent"
    visit = turn.state.visits.get(command.visit)
    if visit is None or visit.kind is Kind.CALL or command.visit not in (agent.visit, *agent.tasks):
        return "visit_over"
    if visit.disposition is None and turn.queue(visit.queue).disposition_required and visit.kind is Kind.TASK:
        return "disposition_needed"
    callers.talk_over(turn, visit, EndedBy.AGENT, turn.now_us)
    callers.end_contact(turn, turn.state.contacts[visit.contact], turn.now_us)
    return None
