"""A center in a random world: everything that can happen, also twice, late, early, out of order and for nobody.

The same seed gives the same world. After each step everything that must always hold is checked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from random import Random
from typing import get_args

from acd import events
from acd.center import Center, Step
from acd.effects import Granted, Refused, RingAgent
from acd.events import (
    ApplySite,
    Asked,
    CallArrived,
    CallerLeft,
    CardShown,
    Command,
    CustomerFound,
    Dispose,
    EndWrapUp,
    Event,
    FoundEnded,
    Held,
    MenuEnded,
    OfferAnswered,
    OfferFailed,
    OfferRang,
    PageClosed,
    PageOpened,
    PhoneChanged,
    RejectOffer,
    Restarted,
    SessionLost,
    SetStatus,
    SignIn,
    TalkEnded,
    TimerFired,
    Unheld,
    VisitQueued,
)
from acd.facts import AgentChanged, ContactBegan, ContactEnded, OfferEnded, OfferMade
from acd.routing.lines import Lines, place_of
from acd.routing.roster import Roster
from acd.site import site_json, version_of
from acd.state import Agent, Visit, digest, dump, is_free, load
from acd.transitions import ACTIVITY
from acd.turn import can_be_offered
from acd.types import Activity, EndedBy, OfferState, PhoneState, RingFailure, Status, VisitState
from tests.acd.worlds import S, World, site_of

SITES = (
    site_of(
        {
            "main": {"busy_backoff_s": 0},
            "loans": {"requires": {"x": 5}, "rona_misses": 2, "priority": 3, "wrap_up_s": 0},
            "both": {"requires": {"x": 2, "y": 3}, "disposition_required": True, "dispositions": ["done"]},
            "small": {"capacity": 2, "requires": {"y": 1}, "ring_timeout_s": 4},
        },
        {"a1": {"x": 5, "y": 3}, "a2": {"x": 4}, "a3": {"y": 9, "x": 2}, "a4": {}, "a5": {"x": 9, "y": 9}},
    ),
    site_of(
        {"main": {"requires": {"y": 1}}, "loans": {"requires": {"x": 1}}, "both": {}, "small": {}},
        {"a2": {"x": 9, "y": 1}, "a1": {"y": 2}, "a6": {"x": 1}},
        phones=("p1", "p2", "p3", "p6"),
    ),
    site_of(
        {"main": {"wrap_up_s": 0}, "other": {}}, {"a1": {}, "a3": {}, "a4": {}}, phones=("p3", "p4", "p5")
    ),
)
AGENTS = ("a1", "a2", "a3", "a4", "a5", "a6", "nobody")
PHONES = ("p1", "p2", "p3", "p4", "p5", "p6", "p9")
QUEUES = ("main", "loans", "both", "small", "other")
EVENTS: tuple[type, ...] = get_args(events.Event)

OFTEN = {
    CallArrived: 8, VisitQueued: 12, CallerLeft: 3, MenuEnded: 1, SessionLost: 2, CustomerFound: 2,
    OfferRang: 4, OfferAnswered: 9, OfferFailed: 5, TalkEnded: 6, Held: 4, Unheld: 4, PhoneChanged: 4,
    PageOpened: 4, PageClosed: 3, CardShown: 4, Asked: 22, TimerFired: 1, Restarted: 1.5, FoundEnded: 4,
}  # fmt: skip
ASKED_OFTEN = {SignIn: 5, SetStatus: 14, RejectOffer: 2, Dispose: 3, EndWrapUp: 4, ApplySite: 3}


class Broken(AssertionError):
    """Something that must always hold did not."""


class RandomWorld(World):
    """Steps by `go`. `digest` names the state it came to."""

    def __init__(self, seed: int) -> None:
        super().__init__(SITES[0])
        self.rng = Random(seed)
        self.seed = seed
        self.contacts = 0
        self.known: list[str] = ["c0"]
        self.offers: list[str] = ["c0.1.1"]
        self.pending: dict[str, str] = {}
        self.rung: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.activities: dict[str, Activity] = {}
        self.twin: Center | None = None
        self.seen: Counter[str] = Counter()
        self.asleep = False

    @property
    def digest(self) -> str:
        return digest(self.center.state)

    # ---- what happens

    def go(self, steps: int) -> None:
        for number in range(steps):
            if number % 25 == 0:
                self.twin = Center(load(dump(self.center.state)), self.center.rules)
            chance = self.rng.random()
            if chance < 0.10 and self.inputs:
                self.do(self.rng.choice(self.inputs[-8:])[1])
            elif chance < 0.35:
                self.wait(self.rng.choice((0.0, 0.01, 0.3, 2.0, 9.0, 40.0)))
            elif chance < 0.36:
                self.sleep()
            else:
                self.do(self.event())

    def sleep(self) -> None:
        """Nobody looked at the clock for a while; then every timer that is due fires."""
        self.now_us += self.rng.randrange(600) * S
        self.asleep = True
        self.wait(0)
        self.asleep = False
        self.check_rings()

    def drain(self) -> None:
        """Everybody hangs up, everybody is done."""
        for contact in list(self.center.state.contacts):
            self.leave(contact)
        for name, agent in list(self.center.state.agents.items()):
            if agent.wrap_up is not None:
                self.dispose(name, agent.wrap_up.visit)
                self.end_wrap_up(name)
        self.wait(120)

    def do(self, event: Event) -> Step:
        at = len(self.inputs)
        try:
            step = super().do(event)
            self.note(step)
            self.check(step)
            if self.twin is not None:
                self.compare(event, step)
        except Exception as error:
            raise Broken(
                f"{type(error).__name__}: {error}\n  at input {at} of seed {self.seed}: {event}\n"
                f"  repeat it with: make sim SEED={self.seed}"
            ) from error
        self.seen[type(event).__name__] += step.ignored is None
        return step

    def event(self) -> Event:
        likely = self.likely() if self.rng.random() < 0.6 else []
        if likely:
            return self.rng.choice(likely)
        kind = self.rng.choices(list(OFTEN), list(OFTEN.values()))[0]
        return self.made(kind)

    def likely(self) -> list[Event]:
        """What would come next on a day on which nothing goes wrong."""
        rng, state = self.rng, self.center.state
        out: list[Event] = [CallArrived(f"c{self.contacts + 1}", "2100", "token")]
        self.contacts += 1
        self.known.append(f"c{self.contacts}")
        queues = list(self.center.site.queues)
        out += [VisitQueued(c.contact, rng.choice(queues)) for c in state.contacts.values() if not c.visit][
            :3
        ]
        for visit in state.visits.values():
            if visit.offer is not None and visit.state is VisitState.OFFERED:
                offer = visit.offer.offer
                out += [CardShown(offer), OfferRang(offer), OfferAnswered(offer)]
            elif visit.offer is not None and visit.state is VisitState.TALKING:
                offer = visit.offer.offer
                out.append(TalkEnded(offer, EndedBy.AGENT))
                out.append(Held(offer) if visit.held_since_us is None else Unheld(offer))
        for name in self.center.site.agents:
            agent = state.agents[name]
            commands: list[Command] = []
            if agent.phone is None:
                commands.append(SignIn(name, "p" + name[1:]))
            elif agent.status is Status.NOT_READY or agent.not_responding:
                commands.append(SetStatus(name, Status.AVAILABLE))
            if agent.wrap_up is not None:
                commands += [Dispose(name, agent.wrap_up.visit, "done"), EndWrapUp(name)]
            out += [Asked(f"r{len(self.inputs)}", "tester", command) for command in commands]
            if agent.phone is not None and state.phones.get(agent.phone) not in (None, PhoneState.FREE):
                out.append(PhoneChanged(agent.phone, PhoneState.FREE))
        return out

    def made(self, kind: type) -> Event:
        rng = self.rng
        match kind:
            case events.CallArrived:
                began_us = rng.choice((None, None, 0, self.now_us - 9 * S, self.now_us + 9 * S))
                return CallArrived(self.contact(new=0.8), "2100", "token", rng.choice((1, 1, 2)), began_us)
            case events.VisitQueued:
                return self.queued()
            case events.CustomerFound:
                return CustomerFound(
                    self.contact(), rng.choice(("k1", None)), rng.choice(("gold", "x", None))
                )
            case events.FoundEnded:
                return self.found_ended()
            case events.CallerLeft | events.MenuEnded | events.SessionLost:
                return kind(self.contact())
            case events.OfferAnswered:
                late_us = rng.choice((None, None, self.now_us - 3 * S, self.now_us + S, 0))
                return OfferAnswered(self.offer(), late_us)
            case events.OfferFailed:
                return OfferFailed(self.offer(), rng.choice(list(RingFailure)))
            case events.TalkEnded:
                return TalkEnded(self.offer(VisitState.TALKING), rng.choice(list(EndedBy)))
            case events.Held:
                return Held(self.offer(VisitState.TALKING))
            case events.Unheld:
                held = [
                    v.offer.offer for v in self.center.state.visits.values() if v.held_since_us and v.offer
                ]
                return Unheld(rng.choice(held or self.offers))
            case events.OfferRang | events.CardShown:
                return kind(self.offer())
            case events.PhoneChanged:
                states = [*PhoneState, *[PhoneState.FREE] * 8]
                return PhoneChanged(rng.choice(PHONES), rng.choice(states))
            case events.PageOpened | events.PageClosed:
                return kind(rng.choice(AGENTS))
            case events.TimerFired:
                return TimerFired(rng.choice([*self.timers, f"offer:{self.offer()}", "wrap:nobody", "?"]))
            case events.Asked:
                return Asked(f"r{len(self.inputs)}", "tester", self.command())
        return Restarted()

    def command(self) -> Command:
        rng = self.rng
        agent = rng.choice(AGENTS)
        match rng.choices(list(ASKED_OFTEN), list(ASKED_OFTEN.values()))[0]:
            case events.SignIn:
                return SignIn(agent, rng.choice(("p" + agent[1:], rng.choice(PHONES))))
            case events.SetStatus:
                status = rng.choice([*Status, *[Status.AVAILABLE] * 6])
                return SetStatus(agent, status, "break" if status is Status.NOT_READY else None)
            case events.RejectOffer:
                offer = self.offer()
                return RejectOffer(self.pending.get(offer, agent), offer)
            case events.Dispose:
                found = self.center.state.agents.get(agent)
                held = found and (found.visit or (found.wrap_up and found.wrap_up.visit))
                return Dispose(agent, held or "c0.1", rng.choice(("done", "done", "nonsense")))
            case events.EndWrapUp:
                return EndWrapUp(agent)
        site = rng.choice(SITES)
        return ApplySite(version_of(site), rng.choice((site_json(site), site_json(site), "{}")))

    def contact(self, new: float = 0.0) -> str:
        if self.rng.random() < new:
            self.contacts += 1
            self.known.append(f"c{self.contacts}")
            return self.known[-1]
        alive = list(self.center.state.contacts)
        return self.rng.choice(alive if alive and self.rng.random() < 0.85 else self.known)

    def offer(self, of: VisitState | None = None) -> str:
        """Mostly the last one of a visit, which is in the state `of` if it is told; else any there ever was."""
        visits = [v for v in self.center.state.visits.values() if of is None or v.state is of]
        last = [visit.offer.offer for visit in visits if visit.offer]
        return self.rng.choice(last if last and self.rng.random() < 0.85 else self.offers)

    def queued(self) -> Event:
        rng = self.rng
        contact = self.contact()
        outside = [c.contact for c in self.center.state.contacts.values() if c.visit is None]
        if outside and rng.random() < 0.7:
            contact = rng.choice(outside)
        ticket = rng.random() < 0.15
        return VisitQueued(
            contact,
            rng.choice(QUEUES),
            "fa",
            rng.choice((0, 0, 0, 5, -5)),
            rng.choice((f"{contact}.1", f"{contact}.7", "x", f"{contact}.²")) if ticket else None,
            self.now_us - rng.randrange(900) * S if ticket else None,
        )

    def found_ended(self) -> Event:
        rng = self.rng
        native = rng.random() < 0.4
        return FoundEnded(
            self.contact(new=0.2),
            "2100",
            self.now_us - rng.randrange(200) * S,
            self.now_us - rng.randrange(-5, 100) * S,
            rng.choice((None, 0, 30 * S)),
            native,
            "a1" if native else None,
            rng.randrange(40) if native else 0,
        )

    # ---- what is known from facts alone

    def note(self, step: Step) -> None:
        for fact in step.facts:
            for each in fields(fact):
                if each.name in ("wait_us", "talk_us", "hold_us", "acw_us"):
                    _holds(getattr(fact, each.name) >= 0, f"{fact} lasts a negative time")
            match fact:
                case ContactBegan():
                    self.begun[fact.contact] += 1
                case ContactEnded():
                    self.ended[fact.contact] += 1
                    _holds(
                        self.ended[fact.contact] == self.begun[fact.contact], f"{fact.contact} ended twice"
                    )
                    _holds(fact.at_us >= fact.began_us, f"{fact.contact} ended before it began")
                case OfferMade():
                    _holds(fact.visit not in self.pending.values(), f"{fact.visit} is offered twice")
                    self.pending[fact.offer] = fact.visit
                    self.offers.append(fact.offer)
                case OfferEnded():
                    late = fact.state is OfferState.ACCEPTED
                    _holds(fact.offer in self.pending or late, f"{fact.offer} ended twice")
                    self.pending.pop(fact.offer, None)
                case AgentChanged():
                    self.note_activity(fact)
        for effect in step.effects:
            if isinstance(effect, RingAgent):
                self.rung[effect.offer] += 1
                _holds(self.rung[effect.offer] == 1, f"{effect.offer} was rung twice")

    def note_activity(self, fact: AgentChanged) -> None:
        old = self.activities.get(fact.agent, Activity.IDLE)
        allowed = fact.activity is old or fact.activity in ACTIVITY[old]
        _holds(allowed, f"{fact.agent} went from {old} to {fact.activity}")
        self.activities[fact.agent] = fact.activity
        if fact.agent not in self.center.state.agents:
            del self.activities[fact.agent]

    # ---- what must hold after every step

    def check(self, step: Step) -> None:
        self.check_answers(step)
        self.check_agents()
        self.check_visits()
        self.check_counts()
        self.check_rings()
        self.check_lines()
        self.check_choices(step)
        _holds(self.center.state.timers == self.timers, "timers asked for are others than those counted on")

    def check_answers(self, step: Step) -> None:
        answers = [e for e in step.effects if isinstance(e, Granted | Refused)]
        asked = isinstance(self.inputs[-1][1], Asked)
        _holds(len(answers) == asked, f"{len(answers)} answers")

    def check_agents(self) -> None:
        state = self.center.state
        phones = Counter(agent.phone for agent in state.agents.values() if agent.phone is not None)
        _holds(all(n == 1 for n in phones.values()), "two agents sit at one phone")
        for name, agent in state.agents.items():
            held = [agent.offer, agent.visit, agent.wrap_up]
            _holds(sum(each is not None for each in held) <= 1, f"{name} holds more than one thing")
            if agent.offer is not None:
                offer = state.visits[agent.offer.rpartition(".")[0]].offer
                _holds(offer is not None and offer.agent == name, f"{name} holds an offer of another")
            if agent.visit is not None:
                visit = state.visits[agent.visit]
                _holds(visit.state is VisitState.TALKING, f"{name} talks with nobody")
                _holds(visit.offer is not None and visit.offer.agent == name, f"{name} talks for another")
            _holds(agent.busy or agent.next_status is None, f"{name} has a next status and no work")
            _holds(name in self.center.site.agents or agent.busy, f"{name} is a ghost")

    def check_visits(self) -> None:
        state = self.center.state
        for name, visit in state.visits.items():
            _holds(state.contacts[visit.contact].visit == name, f"{name} belongs to nobody")
            pending = visit.offer is not None and visit.offer.state is OfferState.PENDING
            _holds(
                pending is (visit.state is VisitState.OFFERED), f"{name} is {visit.state} without its offer"
            )
            if visit.offer is not None and pending:
                _holds(
                    state.agents[visit.offer.agent].offer == visit.offer.offer, f"{name}: a one-sided offer"
                )
                _holds(self.pending.get(visit.offer.offer) == name, f"{name}: an offer that was not told")
            if visit.offer is not None and visit.state is VisitState.TALKING:
                _holds(state.agents[visit.offer.agent].visit == name, f"{name} talks with nobody")
        _holds(
            len(self.pending) == sum(v.state is VisitState.OFFERED for v in state.visits.values()), "offers"
        )

    def check_counts(self) -> None:
        """O = A + B + F + C + waiting, and every contact is either here or ended."""
        state = self.center.state
        waits = (VisitState.WAITING, VisitState.OFFERED)
        waiting = Counter(visit.queue for visit in state.visits.values() if visit.state in waits)
        for queue in {*self.measures.queues, *waiting}:
            counts = self.measures.since(queue, 0)
            _holds(
                counts.open == waiting[queue], f"{queue}: {counts.open} by counting, {waiting[queue]} wait"
            )
        for contact, begun in self.begun.items():
            here = contact in state.contacts
            _holds(begun == self.ended[contact] + here, f"{contact} is neither here nor ended")

    def check_rings(self) -> None:
        rules = self.center.rules
        for visit in self.center.state.visits.values():
            if visit.state is VisitState.OFFERED and visit.offer is not None:
                at_us = self.center.state.timers.get(f"offer:{visit.offer.offer}")
                _holds(
                    at_us is not None and (at_us >= self.now_us or self.asleep),
                    f"{visit.offer.offer} rings for ever",
                )
                limit_us = rules.card_wait_us + 15 * S + rules.ring_grace_us
                _holds(at_us is not None and at_us <= visit.offer.made_us + limit_us, "rings too long")
                waits_for_card = f"card:{visit.offer.offer}" in self.center.state.timers
                _holds(visit.offer.asked is not waits_for_card, f"{visit.offer.offer} waits for nothing")

    def check_lines(self) -> None:
        """The indexes are what anybody would work out from the state; nobody who fits is left waiting."""
        state, roster = self.center.state, self.center.roster
        lines = Lines()
        for visit in self.waiting():
            lines.stand(visit)
        for agent in self.free():
            lines.free(agent)
        mine = self.center._lines
        _holds({q: line for q, line in mine._lines.items() if line} == lines._lines, "the lines are wrong")
        _holds(mine._free == lines._free, "the free agents are wrong")
        for visit in self.waiting():
            able = roster.able.get(visit.queue, frozenset())
            _holds(not able & mine._free.keys(), f"{visit.visit} waits although {able & mine._free.keys()}")
        _holds(load(dump(state)) == state, "a snapshot comes back changed")

    def check_choices(self, step: Step) -> None:
        """Rules R1 and R4, for every single offer made in this step."""
        roster = self.center.roster
        for fact in step.facts:
            visit = self.center.state.visits.get(fact.visit) if isinstance(fact, OfferMade) else None
            if visit is None or not isinstance(fact, OfferMade) or visit.state is not VisitState.OFFERED:
                continue
            agent = self.center.state.agents[fact.agent]
            for other in self.waiting():
                if other.queue in roster.queues_of.get(agent.agent, ()):
                    _holds(place_of(visit) < place_of(other), f"{visit.visit} went before {other.visit}")
            for free in self.free():
                if free.agent in roster.able.get(visit.queue, ()):
                    _holds(
                        _turn_of(agent, roster) < _turn_of(free, roster), f"{agent.agent} before {free.agent}"
                    )

    def compare(self, event: Event, step: Step) -> None:
        """A center that was brought back from a snapshot does the same from then on."""
        assert self.twin is not None
        _holds(self.twin.handle(event, self.now_us) == step, "a restored center does otherwise")
        _holds(digest(self.twin.state) == self.digest, "a restored center is another")

    def waiting(self) -> list[Visit]:
        return [visit for visit in self.center.state.visits.values() if can_be_offered(visit)]

    def free(self) -> list[Agent]:
        state = self.center.state
        return [a for n, a in state.agents.items() if n in self.center.site.agents and is_free(a, state)]


def _turn_of(agent: Agent, roster: Roster) -> tuple[int, int]:
    return agent.idle_since_us, roster.order[agent.agent]


def _holds(true: bool, otherwise: str) -> None:
    if not true:
        raise Broken(otherwise)
