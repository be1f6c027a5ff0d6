"""Holding a visit out to agents, and every way in which that can end.

One rule carries the rest: an agent has at most one pending offer of a call, a visit has at most one round of offers
out, and both know of it. `match` is the only place where offers are made. A round has several offers where the queue
rings several phones at once: the first answer has the caller, the others are rescinded.
"""

from __future__ import annotations

from acd import memory, waiting
from acd.effects import ClearScreen, PopScreen, RingAgent, StopRing
from acd.facts import CardWasShown, OfferEnded, OfferMade, OfferRinging, VisitAnswered
from acd.state import Agent, Offer, Visit
from acd.transitions import OFFER, VISIT, move
from acd.turn import Turn, can_be_offered, see
from acd.types import US_PER_S, AgentId, Kind, OfferId, OfferState, RingFailure, VisitId, VisitState, offer_id
from acd.why import why_chosen


def find(turn: Turn, offer: OfferId) -> tuple[Visit, Offer] | None:
    """The visit and the offer, if it is one of the last round of a visit that is still open."""
    visit = turn.state.visits.get(offer.rpartition(".")[0])
    if visit is None:
        return None
    return next(((visit, each) for each in visit.round if each.offer == offer), None)


# Who gets whom ---------------------------------------------------------------------------------------------


def match(turn: Turn) -> None:
    """Ask the lines again for everybody this step has touched, until nothing more fits.

    Before the step nobody was free for anybody who waited, so only those it touched can have found each other.
    """
    for agent_id in list(turn.touched_agents):
        while (visit := turn.lines.next_for(agent_id, turn.now_us)) is not None:
            _offer_best(turn, visit)
    for visit_id in list(turn.touched_visits):
        visit_ = turn.state.visits.get(visit_id)
        while visit_ is not None and can_be_offered(visit_) and _first_choice(turn, visit_):
            _offer_best(turn, visit_id)


def _offer_best(turn: Turn, visit_id: VisitId) -> None:
    """An offer of this visit, or of one that comes before it: the agent whom it would go to may have another to take
    first. That goes up in line; where several agents and visits are new at once it could go in a ring, and then
    the one reached twice is taken."""
    seen: set[VisitId] = set()
    while True:
        seen.add(visit_id)
        visit = turn.state.visits[visit_id]
        agents = _first_choice(turn, visit)
        first = turn.lines.next_for(agents[0], turn.now_us)
        if first is None or first in seen:
            return _make(turn, visit, agents)
        visit_id = first


def _first_choice(turn: Turn, visit: Visit) -> list[AgentId]:
    queue = turn.queue(visit.queue)
    most = queue.ring_at_once if visit.kind is Kind.CALL else 1
    return turn.lines.choose(visit, queue.agent_choice, most, turn.remembered(visit.queue).turn)


def _make(turn: Turn, visit: Visit, agents: list[AgentId]) -> None:
    """One round: an offer to each of these agents."""
    visit.state = move(VISIT, visit.state, VisitState.OFFERED, f"visit {visit.visit}")
    reasons = [why_chosen(turn, visit, agent_id, agents) for agent_id in agents]
    visit.round = []
    turn.lines.leave(visit.visit)
    for agent_id, why in zip(agents, reasons, strict=True):
        visit.round.append(_hold_out(turn, visit, turn.state.agents[agent_id], why))
    if turn.queue(visit.queue).agent_choice == "round-robin":
        turn.memory(visit.queue).turn = turn.lines.roster.order[agents[0]]
    if visit.kind is not Kind.CALL:
        return
    if any(offer.page_open for offer in visit.round):
        turn.start_timer(f"card:{visit.visit}", turn.now_us + turn.rules.card_wait_us)
    else:
        ring(turn, visit)


def _hold_out(turn: Turn, visit: Visit, agent: Agent, why: str) -> Offer:
    assert agent.phone is not None
    visit.offers += 1
    offer = Offer(offer_id(visit.visit, visit.offers), agent.agent, agent.phone, turn.now_us, agent.page_open)
    if visit.kind is Kind.TASK:
        agent.task_offers.append(offer.offer)
    else:
        agent.offer = offer.offer
    turn.touch(agent)
    see(turn, (agent.agent,))
    turn.tell(
        OfferMade(
            turn.now_us,
            offer.offer,
            visit.visit,
            visit.contact,
            visit.queue,
            agent.agent,
            offer.phone,
            offer.page_open,
            why,
        )
    )
    ring_us = int(turn.queue(visit.queue).ring_timeout_s * US_PER_S)
    if agent.page_open:
        wait_us = turn.now_us - visit.entered_us
        ring_s = ring_us / US_PER_S
        turn.ask(
            PopScreen(agent.agent, offer.offer, visit.contact, visit.queue, wait_us, ring_s, visit.kind, why)
        )
    limit_us = turn.rules.card_wait_us + ring_us + turn.rules.ring_grace_us
    turn.start_timer(f"offer:{offer.offer}", turn.now_us + limit_us)
    return offer


# While it rings --------------------------------------------------------------------------------------------


def ring(turn: Turn, visit: Visit) -> None:
    """Ring the phones of all offers that are out, together."""
    turn.cancel_timer(f"card:{visit.visit}")
    timeout_s = turn.queue(visit.queue).ring_timeout_s
    for offer in visit.pending:
        offer.asked = True
        turn.ask(
            RingAgent(
                visit.contact, visit.visit, offer.offer, offer.agent, offer.phone, offer.made_us, timeout_s
            )
        )


def shown(turn: Turn, offer_id: OfferId) -> None:
    found = find(turn, offer_id)
    if found is None or found[1].shown:
        return turn.ignore("card_shown_for_no_offer")
    visit, offer = found
    offer.shown = True
    before_ring = offer.rang_us is None and offer.state is OfferState.PENDING
    turn.tell(CardWasShown(turn.now_us, offer.offer, offer.agent, before_ring))
    return ring_if_all_shown(turn, visit)


def ring_if_all_shown(turn: Turn, visit: Visit) -> None:
    waiting_for_cards = f"card:{visit.visit}" in turn.state.timers
    if waiting_for_cards and all(offer.shown or not offer.page_open for offer in visit.pending):
        ring(turn, visit)


def card_is_late(turn: Turn, visit_id: VisitId) -> None:
    visit = turn.state.visits.get(visit_id)
    if visit is None or visit.state is not VisitState.OFFERED:
        return turn.ignore("timer_of_no_offer")
    return ring(turn, visit)


def rang(turn: Turn, offer_id: OfferId) -> None:
    found = find(turn, offer_id)
    if found is None or found[1].rang_us is not None or found[1].state is not OfferState.PENDING:
        return turn.ignore("ring_of_no_offer")
    _, offer = found
    offer.rang_us = turn.now_us
    turn.tell(OfferRinging(turn.now_us, offer.offer, offer.agent))
    return None


# How it ends -----------------------------------------------------------------------------------------------


def answered(turn: Turn, offer_id: OfferId, answered_us: int | None) -> None:
    """The receiver is off. Also for an offer that we called over already: what the two hear is true."""
    found = find(turn, offer_id)
    if found is None or found[0].kind is not Kind.CALL:
        return turn.ignore("answer_of_no_offer")
    visit, offer = found
    agent = turn.state.agents.get(offer.agent)
    late = offer.asked and not offer.reported and agent is not None and not agent.busy
    open_ = visit.state in (VisitState.WAITING, VisitState.OFFERED)
    if agent is None or not open_ or not (offer.state is OfferState.PENDING or late):
        return turn.ignore("answer_of_no_offer")
    at_us = turn.now_us if answered_us is None else min(turn.now_us, max(answered_us, offer.made_us))
    return accept(turn, visit, offer, at_us)


def accept(turn: Turn, visit: Visit, offer: Offer, at_us: int) -> None:
    """This agent has the contact; whoever else was held out to is free again."""
    agent = turn.state.agents[offer.agent]
    end(turn, visit, offer, OfferState.ACCEPTED, None)
    for other in visit.pending:
        end(turn, visit, other, OfferState.RESCINDED, None)
    for each in visit.round:
        each.reported = True
    visit.state = move(VISIT, visit.state, VisitState.TALKING, f"visit {visit.visit}")
    visit.answered_us = at_us
    waiting.stop_watching(turn, visit)
    if visit.kind is Kind.TASK:
        agent.tasks.append(visit.visit)
    else:
        agent.visit = visit.visit
    agent.contacts += 1
    agent.misses = 0
    agent.not_responding = False
    turn.touch(agent)
    turn.touch_visit(visit)
    memory.answered(turn, visit, agent.agent, at_us)
    turn.tell(
        VisitAnswered(
            at_us,
            visit.visit,
            visit.contact,
            visit.queue,
            visit.entered_us,
            agent.agent,
            offer.offer,
            max(0, at_us - visit.entered_us),
        )
    )


def failed(turn: Turn, offer_id: OfferId, why: RingFailure) -> None:
    """The phone was not answered; the caller keeps the place, the agent bears what fits the reason."""
    found = find(turn, offer_id)
    if found is None or not found[1].asked or found[1].reported:
        return turn.ignore("failure_of_no_offer")
    visit, offer = found
    offer.reported = True
    turn.touch_visit(visit)
    if offer.state is not OfferState.PENDING:
        return None
    agent = turn.state.agents[offer.agent]
    rules = turn.queue(visit.queue)
    match why:
        case RingFailure.NO_ANSWER:
            return timed_out(turn, visit, offer)
        case RingFailure.UNREACHABLE:
            _back_off(turn, agent, rules.unreachable_backoff_s)
        case RingFailure.BUSY | RingFailure.REJECTED:
            _back_off(turn, agent, rules.busy_backoff_s)
        case RingFailure.WITHDRAWN:
            pass
    state = OfferState.REJECTED if why is RingFailure.REJECTED else OfferState.FAILED
    return withdraw(turn, visit, offer, state, why)


def timed_out(turn: Turn, visit: Visit, offer: Offer) -> None:
    """Ring, no answer: after `rona_misses` in a row the agent gets no more until they say so."""
    agent = turn.state.agents[offer.agent]
    agent.misses += 1
    if agent.misses >= turn.queue(visit.queue).rona_misses:
        agent.not_responding = True
    return withdraw(turn, visit, offer, OfferState.TIMED_OUT, RingFailure.NO_ANSWER)


def out_of_time(turn: Turn, offer_id: OfferId) -> None:
    """No word from Asterisk after ring time and grace: take the ring back, and nobody stays ringing."""
    found = find(turn, offer_id)
    if found is None or found[1].state is not OfferState.PENDING:
        return turn.ignore("timer_of_no_offer")
    visit, offer = found
    _take_back(turn, visit, offer)
    return timed_out(turn, visit, offer)


def reject(turn: Turn, visit: Visit, offer: Offer) -> None:
    """The agent declines on the page."""
    _take_back(turn, visit, offer)
    withdraw(turn, visit, offer, OfferState.REJECTED, RingFailure.REJECTED)


def _take_back(turn: Turn, visit: Visit, offer: Offer) -> None:
    """Their phone may ring on for a moment: until Asterisk has said how it ended, neither gets anything else."""
    if offer.asked:
        turn.ask(StopRing(visit.contact, offer.offer))
    _back_off(turn, turn.state.agents[offer.agent], turn.queue(visit.queue).busy_backoff_s)


def withdraw(turn: Turn, visit: Visit, offer: Offer, state: OfferState, why: RingFailure | None) -> None:
    """End this pending offer; with the last one of its round the visit is back in its place in line."""
    end(turn, visit, offer, state, why)
    turn.touch_visit(visit)
    if visit.pending:
        ring_if_all_shown(turn, visit)
    else:
        turn.cancel_timer(f"card:{visit.visit}")
        visit.state = move(VISIT, visit.state, VisitState.WAITING, f"visit {visit.visit}")


def detach(turn: Turn, visit: Visit) -> None:
    """Nobody can ring for this visit for now; offers whose phones were not asked for yet are over, blamelessly."""
    if visit.kind is not Kind.CALL:
        return
    visit.attached = False
    turn.touch_visit(visit)
    for offer in visit.pending:
        if not offer.asked:
            withdraw(turn, visit, offer, OfferState.RESCINDED, RingFailure.WITHDRAWN)


def rung_out(turn: Turn, visit: Visit) -> None:
    """The caller is back with a new session: whatever rang for them has rung to its end without an answer."""
    for offer in visit.pending:
        if offer.asked:
            timed_out(turn, visit, offer)
        else:
            withdraw(turn, visit, offer, OfferState.RESCINDED, RingFailure.WITHDRAWN)
    for offer in visit.round:
        offer.reported = True


def cancel(turn: Turn, visit: Visit) -> None:
    """The caller is gone: Asterisk stops the rings by itself, the agents keep their places among the idle."""
    for offer in visit.pending:
        end(turn, visit, offer, OfferState.CANCELLED, None)
    turn.cancel_timer(f"card:{visit.visit}")


def end(turn: Turn, visit: Visit, offer: Offer, state: OfferState, why: RingFailure | None) -> None:
    offer.state = move(OFFER, offer.state, state, f"offer {offer.offer}")
    turn.cancel_timer(f"offer:{offer.offer}")
    if state is OfferState.ACCEPTED:
        turn.cancel_timer(f"card:{visit.visit}")
    agent = turn.state.agents[offer.agent]
    if offer.offer in agent.task_offers:
        agent.task_offers.remove(offer.offer)
    elif agent.offer == offer.offer:
        agent.offer = None
    turn.touch(agent)
    turn.tell(
        OfferEnded(
            turn.now_us,
            offer.offer,
            visit.visit,
            visit.contact,
            visit.queue,
            offer.agent,
            offer.made_us,
            state,
            why,
        )
    )
    if offer.page_open:
        turn.ask(ClearScreen(offer.agent, offer.offer, state.value))


def _back_off(turn: Turn, agent: Agent, seconds: float) -> None:
    agent.backoff_until_us = turn.now_us + int(seconds * US_PER_S)
    turn.start_timer(f"backoff:{agent.agent}", agent.backoff_until_us)
