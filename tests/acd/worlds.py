"""What the tests of the center stand on: small sites, and a center on a clock that a test moves by hand."""

from __future__ import annotations

from typing import Any, TypeVar

from acd.center import Center, Step
from acd.effects import CancelTimer, Effect, Granted, Refused, RingAgent, StartTimer
from acd.events import (
    ApplySite,
    Asked,
    CallArrived,
    CallerLeft,
    CardShown,
    Command,
    Dispose,
    EndWrapUp,
    Event,
    MenuEnded,
    OfferAnswered,
    OfferFailed,
    PageOpened,
    RejectOffer,
    SetStatus,
    SignIn,
    TalkEnded,
    TimerFired,
    VisitQueued,
)
from acd.facts import Fact, SiteChanged
from acd.kpi.measures import Measures
from acd.site import Site, site_json, version_of
from acd.state import Agent, Visit, activity_of
from acd.turn import DEFAULT_RULES, Rules
from acd.types import US_PER_S, Activity, EndedBy, RingFailure, Status, TimerId, VisitState

MORNING_US = 1_795_000_500 * US_PER_S  # in the middle of a quarter of an hour
S = US_PER_S

_F = TypeVar("_F")


def label(text: str) -> dict[str, str]:
    return {"fa": text, "en": text}


def site_of(
    queues: dict[str, dict[str, Any]] | None = None,
    agents: dict[str, dict[str, int]] | None = None,
    *,
    phones: tuple[str, ...] | None = None,
    **more: Any,
) -> Site:
    """A site: queues with their settings (`requires` included), agents with their skills' levels.

    Agent `a1` has the phone `p1`, unless `phones` says which there are.
    """
    queues = {"main": {}} if queues is None else queues
    agents = {"a1": {}, "a2": {}} if agents is None else agents
    requires = [skill for queue in queues.values() for skill in queue.get("requires", {})]
    requires += [s for queue in queues.values() for some in queue.get("requires_any", ()) for s in some]
    skills = {*requires, *(skill for levels in agents.values() for skill in levels)}
    names = tuple("p" + agent[1:] for agent in agents) if phones is None else phones
    return Site.model_validate(
        {
            "name": label("مرکز"),
            "time_zone": "Asia/Tehran",
            "skills": {skill: {"label": label(skill)} for skill in sorted(skills)},
            "queues": {
                name: {"label": label(name), "requires": {}} | queue for name, queue in queues.items()
            },
            "agents": {name: {"label": label(name), "skills": levels} for name, levels in agents.items()},
            "phones": {name: {"kind": "static", "contact": f"sip:{name}@192.0.2.9:5060"} for name in names},
            "not_ready_reasons": {"break": label("break"), "lunch": label("lunch")},
            "dispositions": {"done": label("done"), "again": label("again")},
            "segments": {"gold": {"label": label("gold"), "priority": 5}},
        }
        | more
    )


class World:
    """A center, what it asked for and what it told so far, and a clock. Timers fire when time passes them.

    What one call of `do` (or of what stands on it) led to is in `step`; all of it in `effects` and `facts`.
    """

    def __init__(
        self, site: Site | None = None, rules: Rules = DEFAULT_RULES, now_us: int = MORNING_US
    ) -> None:
        self.center = Center.new(site or site_of(), now_us, rules)
        self.now_us = now_us
        self.step = Step((), ())
        self.inputs: list[tuple[int, Event]] = []
        self.effects: list[Effect] = []
        self.facts: list[Fact] = []
        self.measures = Measures()
        self.measures.use(self.center.site)
        self.timers: dict[TimerId, int] = {}

    # ---- inputs

    def do(self, event: Event) -> Step:
        self.inputs.append((self.now_us, event))
        self.step = step = self.center.handle(event, self.now_us)
        self.effects += step.effects
        self.facts += step.facts
        if any(isinstance(fact, SiteChanged) for fact in step.facts):
            self.measures.use(self.center.site)
        self.measures.fold(step.facts)
        if isinstance(event, TimerFired) and step.ignored not in ("timer_unknown", "timer_early"):
            self.timers.pop(event.timer, None)
        for effect in step.effects:
            if isinstance(effect, StartTimer):
                self.timers[effect.timer] = effect.at_us
            elif isinstance(effect, CancelTimer):
                del self.timers[effect.timer]
        return step

    def wait(self, seconds: float) -> None:
        """Let time pass; timers fire in their order, exactly on time."""
        until_us = self.now_us + round(seconds * S)
        while self.timers and min(self.timers.values()) <= until_us:
            timer = min(self.timers, key=lambda name: (self.timers[name], name))
            self.now_us = max(self.now_us, self.timers.pop(timer))
            self.do(TimerFired(timer))
        self.now_us = until_us

    def ask(self, command: Command) -> str | None:
        """The reason of a refusal; None when it was granted. There is exactly one answer."""
        request = f"r{len(self.inputs)}"
        step = self.do(Asked(request, "tester", command))
        (answer,) = (e for e in step.effects if isinstance(e, Granted | Refused))
        assert answer.request == request
        return answer.reason if isinstance(answer, Refused) else None

    # ---- agents

    def ready(self, *agents: str, page: bool = False) -> None:
        """Sign in at the phone of the same number and say Available, a second apart."""
        for agent in agents:
            assert self.ask(SignIn(agent, "p" + agent[1:])) is None
            if page:
                self.do(PageOpened(agent))
            assert self.ask(SetStatus(agent, Status.AVAILABLE)) is None
            self.wait(1)

    def status(self, agent: str, status: Status, reason: str | None = None) -> str | None:
        return self.ask(SetStatus(agent, status, reason))

    def dispose(self, agent: str, visit: str, code: str = "done") -> str | None:
        return self.ask(Dispose(agent, visit, code))

    def end_wrap_up(self, agent: str) -> str | None:
        return self.ask(EndWrapUp(agent))

    def agent(self, name: str) -> Agent:
        return self.center.state.agents[name]

    def activity(self, name: str) -> Activity:
        return activity_of(self.agent(name), self.center.state)

    # ---- callers

    def call(self, contact: str, queue: str = "main", priority: int = 0) -> str:
        """A caller arrives and is handed over to the queue at once: the id of the visit."""
        self.do(CallArrived(contact, "2100", f"token-{contact}"))
        self.do(VisitQueued(contact, queue, "fa", priority))
        return f"{contact}.1"

    def leave(self, contact: str) -> Step:
        return self.do(CallerLeft(contact))

    def menu_end(self, contact: str) -> Step:
        return self.do(MenuEnded(contact))

    def visit(self, visit: str) -> Visit:
        return self.center.state.visits[visit]

    def state_of(self, visit: str) -> VisitState | None:
        found = self.center.state.visits.get(visit)
        return found.state if found is not None else None

    def serving(self, visit: str) -> str | None:
        """The agent whom the visit is offered to, or who talks with it."""
        found = self.visit(visit)
        serving = found.state in (VisitState.OFFERED, VisitState.TALKING)
        return found.offer.agent if serving and found.offer else None

    # ---- offers

    def answer(self, visit: str) -> str:
        """The agent it is offered to lifts the receiver: who that was."""
        offer = self.visit(visit).offer
        assert offer is not None
        self.do(OfferAnswered(offer.offer))
        return offer.agent

    def miss(self, visit: str, why: RingFailure = RingFailure.NO_ANSWER) -> Step:
        offer = self.visit(visit).offer
        assert offer is not None
        return self.do(OfferFailed(offer.offer, why))

    def show(self, visit: str) -> Step:
        offer = self.visit(visit).offer
        assert offer is not None
        return self.do(CardShown(offer.offer))

    def reject(self, visit: str) -> str | None:
        offer = self.visit(visit).offer
        assert offer is not None
        return self.ask(RejectOffer(offer.agent, offer.offer))

    def hang_up(self, visit: str, by: EndedBy = EndedBy.AGENT) -> Step:
        offer = self.visit(visit).offer
        assert offer is not None
        return self.do(TalkEnded(offer.offer, by))

    def apply(self, site: Site) -> str | None:
        return self.ask(ApplySite(version_of(site), site_json(site)))

    # ---- what came of it

    def rings(self) -> list[tuple[str, str]]:
        """Every ring so far: visit and agent."""
        return [(e.visit, e.agent) for e in self.effects if isinstance(e, RingAgent)]

    def told(self, kind: type[_F]) -> list[_F]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def asked(self, kind: type[_F]) -> list[_F]:
        return [effect for effect in self.effects if isinstance(effect, kind)]
