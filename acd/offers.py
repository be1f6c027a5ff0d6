"""Holding a visit out to an agent, and every way in which that can end.

One rule carries the rest: an agent has at most one pending offer, a visit has at most one pending offer, and both
know of it. `match` is the only place where an offer is made.
"""

from __future__ import annotations

from acd.effects import ClearScreen, PopScreen, RingAgent, StopRing
from acd.facts import CardWasShown, OfferEnded, OfferMade, OfferRinging, VisitAnswered
from acd.state import Agent, Offer, Visit
from acd.transitions import OFFER, VISIT, move
from acd.turn import Turn, can_be_offered, free_or_occupy, stand_or_leave
from acd.types import US_PER_S, AgentId, OfferId, OfferState, RingFailure, VisitId, VisitState, offer_id


def find(turn: Turn, offer: OfferId) -> tuple[Visit, Offer] | None:
    """The visit and the offer, if it is the last one made of a visit that is still open."""
    visit = turn.state.visits.get(offer.rpartition(".")[0])
    if visit is None or visit.offer is None or visit.offer.offer != offer:
        return None
    return visit, visit.offer


def match(turn: Turn) -> None:
    """Ask the lines again for everybody this step has touched, until nothing more fits."""
    stand_or_leave(turn, turn.touched_visits)
    free_or_occupy(turn, turn.touched_agents)
    for agent_id in list(turn.touched_agents):
        while turn.lines.is_free(agent_id) and (waiting := _next_for(turn, agent_id)) is not None:
            _make_best(turn, waiting)
    for visit_id in list(turn.touched_visits):
        while (visit := turn.state.visits.get(visit_id)) is not None and can_be_offered(visit):
            if turn.lines.longest_idle(visit.queue, turn.roster) is None:
                break
            _make_best(turn, visit_id)


def _next_for(turn: Turn, agent: AgentId) -> VisitId | None:
    return turn.lines.next_for(turn.roster.queues_of.get(agent, ()))


def _make_best(turn: Turn, visit: VisitId) -> None:
    """An offer of this visit, or of one that comes before it: the agent who is idle longest for it may have
    another to take first. Each round goes up in line, so there is an end."""
    while True:
        agent = turn.lines.longest_idle(turn.state.visits[visit].queue, turn.roster)
        assert agent is not None
        first = _next_for(turn, agent)
        if first is None or first == visit:
            return _make(turn, turn.state.visits[visit], turn.state.agents[agent])
        visit = first


def _make(turn: Turn, visit: Visit, agent: Agent) -> None:
    assert agent.phone is not None
    visit.state = move(VISIT, visit.state, VisitState.OFFERED, f"visit {visit.visit}")
    visit.offers += 1
    offer = Offer(offer_id(visit.visit, visit.offers), agent.agent, agent.phone, turn.now_us, agent.page_open)
    visit.offer = offer
    agent.offer = offer.offer
    turn.lines.leave(visit.visit)
    turn.lines.occupy(agent.agent)
    turn.touch(agent)
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
        )
    )
    ring_us = int(turn.queue(visit.queue).ring_timeout_s * US_PER_S)
    if agent.page_open:
        wait_us = turn.now_us - visit.entered_us
        turn.ask(PopScreen(agent.agent, offer.offer, visit.contact, visit.queue, wait_us, ring_us / US_PER_S))
    limit_us = turn.rules.card_wait_us + ring_us + turn.rules.ring_grace_us
    turn.start_timer(f"offer:{offer.offer}", turn.now_us + limit_us)
    if agent.page_open:
        turn.start_timer(f"card:{offer.offer}", turn.now_us + turn.rules.card_wait_us)
    else:
        ring(turn, visit, offer)


def ring(turn: Turn, visit: Visit, offer: Offer) -> None:
    turn.cancel_timer(f"card:{offer.offer}")
    offer.asked = True
    visit.dialling = True
    timeout_s = turn.queue(visit.queue).ring_timeout_s
    turn.ask(
        RingAgent(visit.contact, visit.visit, offer.offer, offer.agent, offer.phone, offer.made_us, timeout_s)
    )


def shown(turn: Turn, offer_id: OfferId) -> None:
    found = find(turn, offer_id)
    if found is None or found[1].shown:
        return turn.ignore("card_shown_for_no_offer")
    visit, offer = found
    offer.shown = True
    before_ring = offer.rang_us is None and offer.state is OfferState.PENDING
    turn.tell(CardWasShown(turn.now_us, offer.offer, offer.agent, before_ring))
    if offer.state is OfferState.PENDING and not offer.asked:
        ring(turn, visit, offer)
    return None


def card_is_late(turn: Turn, offer_id: OfferId) -> None:
    found = find(turn, offer_id)
    if found is None or found[1].state is not OfferState.PENDING or found[1].asked:
        return turn.ignore("timer_of_no_offer")
    return ring(turn, *found)


def rang(turn: Turn, offer_id: OfferId) -> None:
    found = find(turn, offer_id)
    if found is None or found[1].rang_us is not None or found[1].state is not OfferState.PENDING:
        return turn.ignore("ring_of_no_offer")
    _, offer = found
    offer.rang_us = turn.now_us
    turn.tell(OfferRinging(turn.now_us, offer.offer, offer.agent))
    return None


def answered(turn: Turn, offer_id: OfferId, answered_us: int | None) -> None:
    """The receiver is off. Also for an offer that we called over already: what the two hear is true."""
    found = find(turn, offer_id)
    if found is None:
        return turn.ignore("answer_of_no_offer")
    visit, offer = found
    agent = turn.state.agents.get(offer.agent)
    late = visit.dialling and agent is not None and not agent.busy
    if agent is None or not (offer.state is OfferState.PENDING or late):
        return turn.ignore("answer_of_no_offer")
    at_us = turn.now_us if answered_us is None else min(turn.now_us, max(answered_us, offer.made_us))
    _end(turn, visit, offer, OfferState.ACCEPTED, None)
    visit.state = move(VISIT, visit.state, VisitState.TALKING, f"visit {visit.visit}")
    visit.dialling = False
    visit.answered_us = at_us
    agent.visit = visit.visit
    agent.misses = 0
    agent.not_responding = False
    turn.touch(agent)
    turn.touch_visit(visit)
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
    return None


def failed(turn: Turn, offer_id: OfferId, why: RingFailure) -> None:
    """The phone was not answered; the caller keeps the place, the agent bears what fits the reason."""
    found = find(turn, offer_id)
    if found is None or not found[0].dialling:
        return turn.ignore("failure_of_no_offer")
    visit, offer = found
    visit.dialling = False
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
    return withdraw(turn, visit, state, why)


def timed_out(turn: Turn, visit: Visit, offer: Offer) -> None:
    """Ring, no answer: after `rona_misses` in a row the agent gets no more until they say so."""
    agent = turn.state.agents[offer.agent]
    agent.misses += 1
    if agent.misses >= turn.queue(visit.queue).rona_misses:
        agent.not_responding = True
    return withdraw(turn, visit, OfferState.TIMED_OUT, RingFailure.NO_ANSWER)


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
    withdraw(turn, visit, OfferState.REJECTED, RingFailure.REJECTED)


def _take_back(turn: Turn, visit: Visit, offer: Offer) -> None:
    """Their phone may ring on for a moment: until Asterisk has said how it ended, neither gets anything else."""
    if offer.asked:
        turn.ask(StopRing(visit.contact, offer.offer))
    _back_off(turn, turn.state.agents[offer.agent], turn.queue(visit.queue).busy_backoff_s)


def withdraw(turn: Turn, visit: Visit, state: OfferState, why: RingFailure | None) -> None:
    """End the pending offer and put the visit back in its place in line."""
    assert visit.offer is not None
    _end(turn, visit, visit.offer, state, why)
    visit.state = move(VISIT, visit.state, VisitState.WAITING, f"visit {visit.visit}")
    turn.touch_visit(visit)


def detach(turn: Turn, visit: Visit) -> None:
    """Nobody can ring for this visit for now; an offer whose phone was not asked for yet is over, blamelessly."""
    visit.attached = False
    turn.touch_visit(visit)
    if visit.offer is not None and visit.offer.state is OfferState.PENDING and not visit.offer.asked:
        withdraw(turn, visit, OfferState.RESCINDED, RingFailure.WITHDRAWN)


def cancel(turn: Turn, visit: Visit) -> None:
    """The caller is gone: Asterisk stops the ring by itself, the agent keeps their place among the idle."""
    if visit.offer is not None and visit.offer.state is OfferState.PENDING:
        _end(turn, visit, visit.offer, OfferState.CANCELLED, None)


def _end(turn: Turn, visit: Visit, offer: Offer, state: OfferState, why: RingFailure | None) -> None:
    offer.state = move(OFFER, offer.state, state, f"offer {offer.offer}")
    turn.cancel_timer(f"card:{offer.offer}")
    turn.cancel_timer(f"offer:{offer.offer}")
    agent = turn.state.agents[offer.agent]
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
