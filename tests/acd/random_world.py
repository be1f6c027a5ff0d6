"""A center in a random world: everything that can happen, also twice, late, early, out of order and for nobody.

The same seed gives the same world. After each step everything that must always hold is checked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from random import Random
from typing import get_args

from acd import events, waiting
from acd.center import Center, Step
from acd.effects import Granted, Refused, RingAgent
from acd.events import (
    AcceptOffer,
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
    FinishWork,
    FoundEnded,
    Held,
    MenuEnded,
    MenuStep,
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
    TaskArrived,
    TaskWithdrawn,
    TimerFired,
    Unheld,
    VisitLeft,
    VisitQueued,
)
from acd.facts import AgentChanged, ContactBegan, ContactEnded, OfferEnded, OfferMade
from acd.routing.choice import key_of
from acd.routing.needs import meets
from acd.site import Ranking, site_json, version_of
from acd.state import Agent, Visit, digest, dump, load
from acd.transitions import ACTIVITY
from acd.turn import can_be_offered, presence_and_kinds
from acd.types import (
    Activity,
    EndedBy,
    Kind,
    LeftFor,
    OfferState,
    PhoneState,
    RingFailure,
    Status,
    VisitState,
)
from tests.acd.worlds import S, World, site_of

SITES = (
    site_of(
        {
            "main": {"busy_backoff_s": 0},
            "loans": {"requires": {"x": 5}, "rona_misses": 2, "priority": 3, "wrap_up_s": 0},
            "both": {"requires": {"x": 2, "y": 3}, "disposition_required": True, "dispositions": ["done"]},
            "small": {"capacity": 2, "requires": {"y": 1}, "ring_timeout_s": 4},
            "other": {"requires": {"z": 1}, "max_wait_s": 300},
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
RICH = site_of(
    {
        "main": {
            "relax": [
                {"after_s": 2, "add": [{"agents": ["a4", "a6"]}]},
                {"after_s": 9, "requires": {"x": 0}, "priority": 4},
            ],
            "requires": {"x": 5},
            "ring_at_once": 3,
            "max_wait_s": 60,
            "overflow": {"max_wait": {"queue": "loans"}, "full": "voicemail"},
            "capacity": 9,
        },
        "loans": {
            "requires_any": [{"x": 9}, {"y": 2}],
            "agent_choice": "best-skill",
            "preferred_wait_s": 20,
            "same_agent_within_s": 600,
            "regain_place_within_s": 300,
            "variants": [
                {"if": "contact.segment == 'gold'", "requires_any": [], "agents_if": "agent.id != 'a1'"}
            ],
            "wrap_up_s": 0,
        },
        "both": {
            "agents_if": "agent.skills.x > 2",
            "agent_choice": "round-robin",
            "reserve": {"people": {"agents": ["a3", "a4"]}, "open_below": 0.6, "close_above": 0.9},
            "target_s": 5,
            "ring_at_once": 2,
        },
        "small": {
            "join_needs": "signed_in",
            "stay_needs": "available",
            "empty_after_s": 5,
            "agent_choice": "fewest-contacts",
            "requires": {"y": 1},
            "overflow": {"empty": {"queue": "main"}},
        },
        "other": {"agent_choice": "primary-first", "requires": {"x": 1}, "rona_misses": 2},
    },
    {"a1": {"x": 5, "y": 3}, "a2": {"x": 4}, "a3": {"y": 9, "x": 2}, "a4": {}, "a5": {"x": 9, "y": 9}},
    ranking={"by": "relative", "pass_limit_s": 45},
)
SITES += (
    RICH,
    RICH.model_copy(update={"ranking": Ranking(by="ageing", ageing_per_min=3), "tasks_during_calls": True}),
)
AGENTS = ("a1", "a2", "a3", "a4", "a5", "a6", "nobody")
PHONES = ("p1", "p2", "p3", "p4", "p5", "p6", "p9")
QUEUES = ("main", "loans", "both", "small", "other")
EVENTS: tuple[type, ...] = get_args(events.Event)

OFTEN = {
    CallArrived: 8, VisitQueued: 12, CallerLeft: 3, MenuEnded: 1, SessionLost: 2, CustomerFound: 2,
    OfferRang: 4, OfferAnswered: 9, OfferFailed: 5, TalkEnded: 6, Held: 4, Unheld: 4, PhoneChanged: 4,
    PageOpened: 4, PageClosed: 3, CardShown: 4, Asked: 22, TimerFired: 1, Restarted: 1.5, FoundEnded: 4,
    TaskArrived: 3, TaskWithdrawn: 1, VisitLeft: 3, MenuStep: 1,
}  # fmt: skip
ASKED_OFTEN = {
    SignIn: 5,
    SetStatus: 14,
    RejectOffer: 2,
    Dispose: 3,
    EndWrapUp: 4,
    ApplySite: 3,
    AcceptOffer: 3,
    FinishWork: 3,
}


class Broken(AssertionError):
    """Something that must always hold did not."""


class RandomWorld(World):
    """Steps by `go`. `digest` names the state it came to."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        super().__init__(SITES[self.rng.choice((0, 3, 4))])
        self.seed = seed
        self.contacts = 0
        self.known: list[str] = ["c0"]
        self.offers: list[str] = ["c0.1.1"]
        self.pending: dict[str, tuple[str, str]] = {}
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
            out += [
                OfferFailed(o.offer, rng.choice(list(RingFailure)))
                for o in visit.round
                if o.asked and not o.reported
            ]
            if not visit.attached:
                out.append(VisitQueued(visit.contact, visit.queue))
            if visit.pending:
                offer = rng.choice(visit.pending).offer
                out += [CardShown(offer), OfferRang(offer), OfferAnswered(offer)]
                if visit.kind is not Kind.CALL:
                    out.append(self.asked(AcceptOffer(visit.pending[0].agent, offer)))
            elif visit.offer is not None and visit.state is VisitState.TALKING:
                offer = visit.offer.offer
                if visit.kind is not Kind.CALL:
                    out.append(self.asked(FinishWork(visit.offer.agent, visit.visit)))
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
            out += [self.asked(command) for command in commands]
            if agent.phone is not None and state.phones.get(agent.phone) not in (None, PhoneState.FREE):
                out.append(PhoneChanged(agent.phone, PhoneState.FREE))
        return out

    def asked(self, command: Command) -> Event:
        return Asked(f"r{len(self.inputs)}", "tester", command)

    def made(self, kind: type) -> Event:
        rng = self.rng
        match kind:
            case events.CallArrived:
                began_us = rng.choice((None, None, 0, self.now_us - 9 * S, self.now_us + 9 * S))
                token = rng.choice(("token", "other", None))
                return CallArrived(self.contact(new=0.8), "2100", token, rng.choice((1, 1, 2)), began_us)
            case events.TaskArrived:
                since_us = rng.choice((None, None, self.now_us - 90 * S))
                kind_ = rng.choice((Kind.TASK, Kind.TASK, Kind.CALLBACK, Kind.CALL))
                return TaskArrived(
                    self.contact(new=0.9),
                    kind_,
                    rng.choice(QUEUES),
                    rng.choice(("k1", None)),
                    rng.choice(("gold", None)),
                    preferred_agent=rng.choice((None, "a2", "nobody")),
                    entered_us=since_us,
                )
            case events.TaskWithdrawn:
                tasks = [c.contact for c in self.center.state.contacts.values() if c.kind is not Kind.CALL]
                return TaskWithdrawn(rng.choice([*tasks, self.contact()]))
            case events.VisitLeft:
                return VisitLeft(self.contact(), rng.choice(list(LeftFor)))
            case events.MenuStep:
                return MenuStep(self.contact(), "bank", "v1", "main")
            case events.VisitQueued:
                return self.queued()
            case events.CustomerFound:
                return CustomerFound(
                    self.contact(),
                    rng.choice(("k1", None)),
                    rng.choice(("gold", "x", None)),
                    preferred_agent=rng.choice((None, "a1", "a5", "nobody")),
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
                return RejectOffer(self.pending.get(offer, ("", agent))[1], offer)
            case events.Dispose:
                found = self.center.state.agents.get(agent)
                held = found and (
                    found.visit or (found.wrap_up and found.wrap_up.visit) or next(iter(found.tasks), None)
                )
                return Dispose(agent, held or "c0.1", rng.choice(("done", "done", "nonsense")))
            case events.EndWrapUp:
                return EndWrapUp(agent)
            case events.AcceptOffer:
                offer = self.offer()
                return AcceptOffer(self.pending.get(offer, ("", agent))[1], offer)
            case events.FinishWork:
                held_by = self.center.state.agents.get(agent)
                return FinishWork(agent, next(iter(held_by.tasks if held_by else ()), "c0.1"))
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
        last = [offer.offer for visit in visits for offer in visit.round]
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
                    agents = [agent for visit, agent in self.pending.values() if visit == fact.visit]
                    _holds(fact.agent not in agents, f"{fact.visit} is offered twice to {fact.agent}")
                    self.pending[fact.offer] = (fact.visit, fact.agent)
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
            for held_out in (*([agent.offer] if agent.offer else []), *agent.task_offers):
                pending = state.visits[held_out.rpartition(".")[0]].pending
                mine = [offer for offer in pending if offer.offer == held_out and offer.agent == name]
                _holds(len(mine) == 1, f"{name} holds an offer of another")
            capacity = self.center.site.agents[name].capacity.task if name in self.center.site.agents else 50
            _holds(
                len(agent.tasks) + len(agent.task_offers) <= max(capacity, 1), f"{name} has too many tasks"
            )
            for task in agent.tasks:
                _holds(state.visits[task].state is VisitState.TALKING, f"{name} holds a task that is none")
            if agent.visit is not None:
                visit = state.visits[agent.visit]
                _holds(visit.state is VisitState.TALKING, f"{name} talks with nobody")
                _holds(visit.offer is not None and visit.offer.agent == name, f"{name} talks for another")
            _holds(agent.busy or agent.next_status is None, f"{name} has a next status and no work")
            at_work = agent.busy or agent.tasks or agent.task_offers
            _holds(name in self.center.site.agents or at_work, f"{name} is a ghost")

    def check_visits(self) -> None:
        state = self.center.state
        for name, visit in state.visits.items():
            _holds(state.contacts[visit.contact].visit == name, f"{name} belongs to nobody")
            pending = visit.pending
            _holds(
                bool(pending) is (visit.state is VisitState.OFFERED), f"{name} is {visit.state} without offer"
            )
            accepted = [offer for offer in visit.round if offer.state is OfferState.ACCEPTED]
            _holds(
                len(accepted) == (visit.state is VisitState.TALKING),
                f"{name} was accepted {len(accepted)} times",
            )
            for offer in pending:
                agent = state.agents[offer.agent]
                _holds(offer.offer in (agent.offer, *agent.task_offers), f"{name}: a one-sided offer")
                _holds(
                    self.pending.get(offer.offer) == (name, offer.agent),
                    f"{name}: an offer that was not told",
                )
            if visit.offer is not None and visit.state is VisitState.TALKING:
                agent = state.agents[visit.offer.agent]
                _holds(name in (agent.visit, *agent.tasks), f"{name} talks with nobody")
        _holds(len(self.pending) == sum(len(v.pending) for v in state.visits.values()), "offers")

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
            waits_for_card = f"card:{visit.visit}" in self.center.state.timers
            for offer in visit.pending:
                at_us = self.center.state.timers.get(f"offer:{offer.offer}")
                _holds(
                    at_us is not None and (at_us >= self.now_us or self.asleep),
                    f"{offer.offer} rings for ever",
                )
                limit_us = rules.card_wait_us + 15 * S + rules.ring_grace_us
                _holds(at_us is not None and at_us <= offer.made_us + limit_us, "rings too long")
                if visit.kind is Kind.CALL:
                    _holds(offer.asked is not waits_for_card, f"{offer.offer} waits for nothing")

    def check_lines(self) -> None:
        """Nobody who is free is left beside somebody they could answer; a center made anew has the same lines."""
        turn = self.center.turn(self.now_us)
        free = self.free()
        for visit in self.waiting() if any(kinds for _, kinds in free) else ():
            requirement = waiting.requirement_of(turn, visit)
            for agent, kinds in free:
                able = meets(agent.agent, self.center.site.agents[agent.agent], requirement)
                _holds(
                    not (able and visit.kind in kinds), f"{visit.visit} waits although {agent.agent} is free"
                )
        state = self.center.state
        if len(self.inputs) % 10 == 0:
            _holds(load(dump(state)) == state, "a snapshot comes back changed")
            again = Center(load(dump(state)), self.center.rules).lines
            mine = self.center.lines
            places = {v: (p.name, q, place) for v, (p, q, _, place) in mine._standing.items()}
            anew = {v: (p.name, q, place) for v, (p, q, _, place) in again._standing.items()}
            _holds(places == anew, "the lines are wrong")
            counts = {q: set(v) for q, v in mine.in_line.items() if v}
            _holds(
                counts == {q: set(v) for q, v in again.in_line.items() if v},
                "the counts of the lines are wrong",
            )
            for requirement, pool in again._pools.items():
                known = mine._pools[requirement]
                _holds(
                    (pool.present, pool.waiting) == (known.present, known.waiting),
                    f"{pool.name} is miscounted",
                )

    def check_choices(self, step: Step) -> None:
        """Whom an agent takes, and who gets a visit, for every single offer made in this step."""
        turn = self.center.turn(self.now_us)
        site, roster = self.center.site, self.center.lines.roster
        for fact in step.facts:
            visit = self.center.state.visits.get(fact.visit) if isinstance(fact, OfferMade) else None
            if visit is None or not isinstance(fact, OfferMade) or visit.state is not VisitState.OFFERED:
                continue
            agent = self.center.state.agents[fact.agent]
            first = visit.round[0].agent == agent.agent
            if (
                visit.kind is Kind.CALL
                and first
                and fact.why.startswith(turn.queue(visit.queue).agent_choice)
            ):
                for other in self.waiting():
                    asks = waiting.requirement_of(turn, other)
                    if other.kind is visit.kind and meets(agent.agent, site.agents[agent.agent], asks):
                        _holds(
                            self.rank(visit) < self.rank(other), f"{visit.visit} went before {other.visit}"
                        )
            choice = turn.queue(visit.queue).agent_choice
            if choice in ("round-robin", "least-occupied") or fact.why.startswith("preferred"):
                continue
            asks = waiting.requirement_of(turn, visit)
            for free, kinds in self.free():
                if visit.kind in kinds and meets(free.agent, site.agents[free.agent], asks):
                    mine, theirs = (key_of(choice, each, asks, roster) for each in (agent, free))
                    _holds(mine < theirs, f"{agent.agent} before {free.agent}")

    def rank(self, visit: Visit) -> tuple[float, ...]:
        """Whom an agent takes first, written down anew: the smaller goes first."""
        ranking = self.center.site.ranking
        waited_s = (self.now_us - visit.place_us) / S
        if ranking.pass_limit_s is not None and waited_s >= ranking.pass_limit_s:
            return (0, visit.place_us, visit.order)
        target_s = self.center.site.queues[visit.queue].target_s
        points = {
            "priority": float(visit.priority),
            "ageing": visit.priority + ranking.ageing_per_min * waited_s / 60,
            "relative": 100 * waited_s / target_s + visit.priority,
        }[ranking.by]
        return (1, round(-points, 6), visit.place_us, visit.order)

    def compare(self, event: Event, step: Step) -> None:
        """A center that was brought back from a snapshot does the same from then on."""
        assert self.twin is not None
        _holds(self.twin.handle(event, self.now_us) == step, "a restored center does otherwise")
        _holds(digest(self.twin.state) == self.digest, "a restored center is another")

    def waiting(self) -> list[Visit]:
        return [visit for visit in self.center.state.visits.values() if can_be_offered(visit)]

    def free(self) -> list[tuple[Agent, frozenset[Kind]]]:
        turn = self.center.turn(self.now_us)
        agents = [
            agent for name, agent in self.center.state.agents.items() if name in self.center.site.agents
        ]
        return [(agent, presence_and_kinds(turn, agent)[1]) for agent in agents]


def _holds(true: bool, otherwise: str) -> None:
    if not true:
        raise Broken(otherwise)
