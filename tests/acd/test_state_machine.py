"""Hypothesis plays the world: what happens, in any order, doubled, late and for nobody; every step is checked as in
the random worlds (invariants I1 to I5 among it), and what breaks is cut down to the shortest story that shows it.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from acd.events import (
    AcceptOffer,
    Asked,
    CallArrived,
    CallerLeft,
    CardShown,
    Event,
    FinishWork,
    MenuEnded,
    OfferAnswered,
    OfferFailed,
    OfferRang,
    PageClosed,
    PageOpened,
    PhoneChanged,
    Restarted,
    SessionLost,
    SetStatus,
    SignIn,
    TalkEnded,
    TaskArrived,
    VisitLeft,
    VisitQueued,
)
from acd.types import EndedBy, Kind, LeftFor, PhoneState, RingFailure, Status
from tests.acd.random_world import QUEUES, SITES, RandomWorld

AGENTS = st.sampled_from(("a1", "a2", "a3", "a4", "a5"))
MOST_OFFERS = 6


class Center(RuleBasedStateMachine):
    """A shift of five agents. Offers are named by their number, so that late and unknown ones come by themselves."""

    contacts = Bundle("contacts")

    @initialize(site=st.sampled_from((0, 3, 4)), ready=st.sets(AGENTS, max_size=3))
    def opens(self, site: int, ready: set[str]) -> None:
        self.world = RandomWorld(0)
        self.world.apply(SITES[site])
        self.happened: list[Event] = []
        self.world.ready(*sorted(ready), page=True)

    def happens(self, event: Event) -> None:
        self.happened.append(event)
        self.world.do(event)

    def command(self, command: object) -> None:
        self.happens(Asked(f"r{len(self.world.inputs)}", "tester", command))  # type: ignore[arg-type]

    @rule(target=contacts, number=st.integers(1, 8), token=st.sampled_from((None, "t", "u")))
    def a_caller_arrives(self, number: int, token: str | None) -> str:
        self.happens(CallArrived(f"c{number}", "2100", token))
        return f"c{number}"

    @rule(contact=contacts, queue=st.sampled_from(QUEUES), priority=st.sampled_from((0, 0, 5)))
    def is_queued(self, contact: str, queue: str, priority: int) -> None:
        self.happens(VisitQueued(contact, queue, "fa", priority))

    @rule(target=contacts, number=st.integers(1, 5), kind=st.sampled_from((Kind.TASK, Kind.CALLBACK)))
    def work_arrives(self, number: int, kind: Kind) -> str:
        self.happens(TaskArrived(f"t{number}", kind, "main"))
        return f"t{number}"

    @rule(
        contact=contacts,
        visit=st.integers(1, 3),
        number=st.integers(1, MOST_OFFERS),
        what=st.integers(0, 6),
        data=st.data(),
    )
    def an_offer_goes_on(self, contact: str, visit: int, number: int, what: int, data: st.DataObject) -> None:
        offer = f"{contact}.{visit}.{number}"
        agent = data.draw(AGENTS)
        match what:
            case 0:
                self.happens(OfferRang(offer))
            case 1:
                self.happens(CardShown(offer))
            case 2 | 3:
                self.happens(OfferAnswered(offer))
            case 4:
                self.happens(OfferFailed(offer, data.draw(st.sampled_from(list(RingFailure)))))
            case 5:
                self.happens(TalkEnded(offer, EndedBy.AGENT))
            case _:
                self.command(AcceptOffer(agent, offer))

    @rule(data=st.data())
    def the_ring_that_is_out_is_answered(self, data: st.DataObject) -> None:
        pending = [
            offer.offer for visit in self.world.center.state.visits.values() for offer in visit.pending
        ]
        if pending:
            self.happens(OfferAnswered(data.draw(st.sampled_from(pending))))

    @rule(contact=consumes(contacts), how=st.sampled_from((CallerLeft, MenuEnded)))
    def is_over(self, contact: str, how: type[CallerLeft | MenuEnded]) -> None:
        self.happens(how(contact))

    @rule(contact=contacts, why=st.sampled_from(list(LeftFor)))
    def leaves_the_line(self, contact: str, why: LeftFor) -> None:
        self.happens(VisitLeft(contact, why))

    @rule(contact=contacts)
    def the_session_is_lost(self, contact: str) -> None:
        self.happens(SessionLost(contact))

    @rule(agent=AGENTS, status=st.sampled_from(list(Status)))
    def an_agent_chooses(self, agent: str, status: Status) -> None:
        self.command(SignIn(agent, "p" + agent[1:]))
        self.command(SetStatus(agent, status, "break" if status is Status.NOT_READY else None))

    @rule(agent=AGENTS)
    def work_is_done(self, agent: str) -> None:
        found = self.world.center.state.agents.get(agent)
        for visit in found.tasks if found is not None else ():
            return self.command(FinishWork(agent, visit))
        return self.command(FinishWork(agent, "c1.1"))

    @rule(agent=AGENTS, state=st.sampled_from(list(PhoneState)))
    def a_phone_changes(self, agent: str, state: PhoneState) -> None:
        self.happens(PhoneChanged("p" + agent[1:], state))

    @rule(agent=AGENTS, how=st.sampled_from((PageOpened, PageClosed)))
    def a_page_changes(self, agent: str, how: type[PageOpened | PageClosed]) -> None:
        self.happens(how(agent))

    @rule(seconds=st.sampled_from((0.05, 3.0, 20.0, 100.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(back=st.integers(1, 8))
    def something_comes_twice(self, back: int) -> None:
        if back <= len(self.happened):
            self.world.do(self.happened[-back])

    @rule()
    def we_died_and_are_back(self) -> None:
        self.happens(Restarted())

    @rule(site=st.sampled_from((0, 3, 4)))
    def the_site_changes(self, site: int) -> None:
        self.world.apply(SITES[site])

    @invariant()
    def whoever_left_is_gone(self) -> None:
        """The rest is checked by the world after every single step."""
        assert not [
            visit
            for visit in self.world.center.state.visits.values()
            if visit.contact not in self.world.center.state.contacts
        ]

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.drain()
            assert self.world.center.state.visits == {}


TestCenter = Center.TestCase
TestCenter.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
