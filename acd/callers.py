"""What callers do: arrive, become known, stand in line, talk, leave; also when we learn of it late."""

from __future__ import annotations

from collections.abc import Callable

from acd import agents, entry, memory, offers, waiting
from acd.effects import LookUp, RefuseLine
from acd.events import CallArrived, CustomerFound, FoundEnded, MenuStep, VisitLeft, VisitQueued
from acd.facts import (
    ContactBegan,
    ContactEnded,
    ContactKnown,
    MenuStepTaken,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
    VisitCalledBack,
)
from acd.state import ENDED_KEPT, Contact, Visit
from acd.transitions import VISIT, move
from acd.turn import FALLBACK_QUEUE, Turn
from acd.types import (
    US_PER_S,
    ContactId,
    EndedBy,
    HandledBy,
    Kind,
    LeftFor,
    OfferId,
    VisitState,
    visit_id,
)


def arrived(turn: Turn, event: CallArrived) -> None:
    """A session has the caller. One we know already comes back after a death of ours; the place is kept."""
    if event.contact in turn.state.contacts:
        turn.ask(LookUp(event.contact))
        return
    visits = turn.state.ended.pop(event.contact, 0)  # thought gone, and here again: no id is used twice
    began_us = turn.now_us if event.began_us is None else min(event.began_us, turn.now_us)
    turn.state.contacts[event.contact] = Contact(
        event.contact, began_us, event.dialled, visits=visits, token=event.caller_token
    )
    turn.tell(ContactBegan(began_us, event.contact, event.dialled, event.caller_token))
    turn.ask(LookUp(event.contact))


def known(turn: Turn, event: CustomerFound) -> None:
    contact = turn.state.contacts.get(event.contact)
    if contact is None:
        return turn.ignore("customer_of_no_contact")
    known_before = (contact.customer, contact.segment, contact.value)
    if known_before == (event.customer, event.segment, event.value):
        return turn.ignore("customer_known")
    contact.customer, contact.segment = event.customer, event.segment
    contact.preferred_agent, contact.value = event.preferred_agent, event.value
    contact.language = event.language or contact.language
    turn.tell(ContactKnown(turn.now_us, contact.contact, event.customer, event.segment))
    visit = _open_visit(turn, contact.contact)
    if visit is not None:
        if visit.preferred is None and visit.state is VisitState.WAITING:
            waiting.prefer(turn, visit, event.preferred_agent)
        turn.touch_visit(visit)
    return None


def menu_step(turn: Turn, event: MenuStep) -> None:
    if event.contact not in turn.state.contacts:
        return turn.ignore("step_of_no_contact")
    return turn.tell(MenuStepTaken(turn.now_us, event.contact, event.flow, event.version, event.node))


def left_line(turn: Turn, event: VisitLeft) -> None:
    """The caller chose another way than waiting on; a ring that is out is over for them."""
    visit = _open_visit(turn, event.contact)
    if visit is None or visit.state is VisitState.TALKING:
        return turn.ignore("visit_not_in_line")
    if event.why is LeftFor.CALLBACK:
        return _called_back(turn, visit)
    return entry.flow_out(turn, visit, turn.now_us, event.why.value)


def queued(turn: Turn, event: VisitQueued) -> None:
    """Into the line; with a ticket's visit into the old place of it."""
    contact = turn.state.contacts.get(event.contact)
    if contact is None:
        turn.ask(
            RefuseLine(event.contact, event.queue, "unknown_contact")
        )  # the session must not wait for ever
        return turn.ignore("visit_of_no_contact")
    visit = _open_visit(turn, event.contact)
    if visit is not None and visit.state is VisitState.TALKING:
        talk_over(turn, visit, EndedBy.SYSTEM, turn.now_us)
        visit = None
    contact.language = event.language or contact.language
    if visit is not None and visit.attached and event.visit is None and event.queue != visit.queue:
        return _redirect(turn, contact, visit, event)
    if visit is not None:
        return _stand_again(turn, visit)
    if event.visit is not None and event.entered_us is not None:
        wish = entry.Wish(event.queue, event.priority, None, None, event.visit, event.entered_us)
    else:
        place_us = memory.place_of(turn, contact, event.queue)
        preferred = memory.agent_of(turn, contact, event.queue)
        wish = entry.Wish(event.queue, event.priority, place_us, preferred)
    entry.enter(turn, contact, wish)
    return None


def _redirect(turn: Turn, contact: Contact, visit: Visit, event: VisitQueued) -> None:
    """Sent from one line into another while waiting, with the same age."""
    entry.flow_out(turn, visit, turn.now_us, "moved")
    entry.enter(turn, contact, entry.Wish(event.queue, event.priority, visit.place_us, visit.preferred))


def _stand_again(turn: Turn, visit: Visit) -> None:
    """A re-attached caller: if a ring was out, it has rung to its end without an answer."""
    offers.rung_out(turn, visit)
    visit.attached = True
    turn.touch_visit(visit)
    entry.keep_place(turn, visit)


def session_lost(turn: Turn, contact_id: ContactId) -> None:
    visit = _open_visit(turn, contact_id)
    if visit is None:
        return turn.ignore("loss_of_no_visit")
    return offers.detach(turn, visit)


def left(turn: Turn, contact_id: ContactId) -> None:
    """The caller hung up; one who was in line has abandoned it."""
    _over(turn, contact_id, EndedBy.CALLER, _abandoned)


def menu_ended(turn: Turn, contact_id: ContactId) -> None:
    """The flow is done with the call. A visit still open (the flow gave up on the line) flows out."""
    _over(turn, contact_id, EndedBy.AGENT, entry.flow_out)


def _over(
    turn: Turn, contact_id: ContactId, by: EndedBy, in_line: Callable[[Turn, Visit, int], None]
) -> None:
    contact = turn.state.contacts.get(contact_id)
    if contact is None:
        return turn.ignore("end_of_no_contact")
    visit = _open_visit(turn, contact_id)
    if visit is not None and visit.state is VisitState.TALKING:
        talk_over(turn, visit, by, turn.now_us)
    elif visit is not None:
        in_line(turn, visit, turn.now_us)
    return end_contact(turn, contact, turn.now_us)


def talk_ended(turn: Turn, offer_id: OfferId, by: EndedBy) -> None:
    found = offers.find(turn, offer_id)
    if found is None or found[0].state is not VisitState.TALKING:
        return turn.ignore("end_of_no_talk")
    return talk_over(turn, found[0], by, turn.now_us)


def talk_over(turn: Turn, visit: Visit, by: EndedBy, at_us: int) -> None:
    assert visit.answered_us is not None
    assert visit.offer is not None
    unhold(turn, visit, at_us)
    visit.state = move(VISIT, visit.state, VisitState.ANSWERED, f"visit {visit.visit}")
    talk_us = max(0, at_us - visit.answered_us - visit.hold_us)
    agent = turn.state.agents[visit.offer.agent]
    turn.tell(
        TalkOver(
            at_us,
            visit.visit,
            visit.contact,
            visit.queue,
            visit.entered_us,
            agent.agent,
            talk_us,
            visit.hold_us,
            by,
        )
    )
    memory.talk_ended(turn, visit, at_us)
    if visit.kind is Kind.TASK:
        agent.tasks.remove(visit.visit)
        turn.touch(agent)
    else:
        agents.begin_wrap_up(turn, agent, visit, at_us)
    entry.close(turn, visit)


def hold(turn: Turn, offer_id: OfferId) -> None:
    found = offers.find(turn, offer_id)
    if found is None or found[0].state is not VisitState.TALKING or found[0].held_since_us is not None:
        return turn.ignore("hold_of_no_talk")
    visit, offer = found
    visit.held_since_us = turn.now_us
    return turn.touch(turn.state.agents[offer.agent])


def unheld(turn: Turn, offer_id: OfferId) -> None:
    found = offers.find(turn, offer_id)
    if found is None or found[0].held_since_us is None:
        return turn.ignore("hold_of_no_talk")
    unhold(turn, found[0], turn.now_us)
    return turn.touch(turn.state.agents[found[1].agent])


def unhold(turn: Turn, visit: Visit, at_us: int) -> None:
    if visit.held_since_us is not None:
        visit.hold_us += max(0, at_us - visit.held_since_us)
        visit.held_since_us = None


def found_ended(turn: Turn, event: FoundEnded) -> None:
    """The end of a contact, read from Asterisk's own database: what is written there is what happened."""
    contact = turn.state.contacts.get(event.contact)
    if contact is None and event.contact in turn.state.ended:
        return turn.ignore("end_known")
    at_us = min(turn.now_us, event.at_us)
    if contact is not None:
        at_us = max(at_us, contact.began_us)  # Asterisk's clock is not ours, and shows whole seconds
    else:
        began_us = min(event.began_us, at_us)
        contact = turn.state.contacts[event.contact] = Contact(event.contact, began_us, event.dialled)
        turn.tell(ContactBegan(began_us, event.contact, event.dialled, None))
        _fallback_visit(turn, contact, event, at_us)
        return end_contact(turn, contact, at_us, HandledBy.FALLBACK)
    visit = _open_visit(turn, event.contact)
    if visit is not None and visit.state is VisitState.TALKING and event.native:
        talk_over(turn, visit, EndedBy.SYSTEM, max(visit.answered_us or 0, at_us - _native_us(event)))
    elif visit is not None and event.native:
        entry.flow_out(turn, visit, max(visit.entered_us, at_us - _native_us(event)))
    elif visit is not None:
        _close_found(turn, visit, event.talk_us, at_us)
    if event.native:
        _fallback_visit(turn, contact, event, at_us)
        return end_contact(turn, contact, at_us, HandledBy.FALLBACK)
    return end_contact(turn, contact, at_us)


def _close_found(turn: Turn, visit: Visit, talk_us: int | None, at_us: int) -> None:
    if visit.state is VisitState.OFFERED and talk_us is not None:
        offers.answered(turn, visit.pending[0].offer, at_us - talk_us)
    if visit.state is VisitState.TALKING:
        assert visit.answered_us is not None
        if talk_us is not None:
            at_us = max(visit.answered_us, at_us)
        talk_over(turn, visit, EndedBy.SYSTEM, at_us)
    else:
        _abandoned(turn, visit, at_us)


def _native_us(event: FoundEnded) -> int:
    return event.wait_s * US_PER_S + (event.talk_us or 0)


def _fallback_visit(turn: Turn, contact: Contact, event: FoundEnded, at_us: int) -> None:
    """The stay in Asterisk's own queue, counted apart from the site's queues."""
    if not event.native:
        return
    contact.visits += 1
    visit = visit_id(contact.contact, contact.visits)
    began_us = max(contact.began_us, at_us - _native_us(event))
    names = (visit, contact.contact, FALLBACK_QUEUE)
    turn.tell(VisitBegan(began_us, *names, 0))
    if event.talk_us is None:
        turn.tell(VisitAbandoned(at_us, *names, began_us, at_us - began_us))
        return
    talk_us = event.talk_us
    answered_us = max(began_us, at_us - talk_us)
    turn.tell(VisitAnswered(answered_us, *names, began_us, event.agent, None, answered_us - began_us))
    turn.tell(TalkOver(at_us, *names, began_us, event.agent, talk_us, 0, EndedBy.SYSTEM))


def _open_visit(turn: Turn, contact_id: ContactId) -> Visit | None:
    contact = turn.state.contacts.get(contact_id)
    return turn.state.visits.get(contact.visit) if contact is not None and contact.visit else None


def _abandoned(turn: Turn, visit: Visit, at_us: int) -> None:
    offers.cancel(turn, visit)
    visit.state = move(VISIT, visit.state, VisitState.ABANDONED, f"visit {visit.visit}")
    memory.abandoned(turn, visit, at_us)
    wait_us = max(0, at_us - visit.entered_us)
    turn.tell(VisitAbandoned(at_us, visit.visit, visit.contact, visit.queue, visit.entered_us, wait_us))
    entry.close(turn, visit)


def _called_back(turn: Turn, visit: Visit) -> None:
    offers.cancel(turn, visit)
    visit.state = move(VISIT, visit.state, VisitState.CALLBACK, f"visit {visit.visit}")
    turn.state.contacts[visit.contact].waited_from_us = visit.place_us
    wait_us = turn.now_us - visit.entered_us
    turn.tell(
        VisitCalledBack(turn.now_us, visit.visit, visit.contact, visit.queue, visit.entered_us, wait_us)
    )
    entry.close(turn, visit)


def end_contact(turn: Turn, contact: Contact, at_us: int, by: HandledBy | None = None) -> None:
    """`by`: who gave it its end; by default the center, or the menu alone if it never was in line."""
    by = by or (HandledBy.CENTER if contact.visits else HandledBy.MENU)
    del turn.state.contacts[contact.contact]
    turn.state.ended[contact.contact] = contact.visits
    if len(turn.state.ended) > ENDED_KEPT:
        del turn.state.ended[next(iter(turn.state.ended))]
    turn.tell(ContactEnded(at_us, contact.contact, contact.began_us, by))
