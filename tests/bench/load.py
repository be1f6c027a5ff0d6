"""A center under a steady load: every agent talks, so many wait, and for each talk that ends one caller comes."""

from __future__ import annotations

import time
from random import Random

from acd.center import Center
from acd.effects import RingAgent
from acd.events import (
    Asked,
    CallArrived,
    CallerLeft,
    Event,
    MenuEnded,
    OfferAnswered,
    SetStatus,
    SignIn,
    TalkEnded,
    VisitQueued,
)
from acd.site import Site
from acd.types import US_PER_S, EndedBy, Status, VisitState

BEGAN_US = 1_795_000_000 * US_PER_S


def site_of(agents: int, queues: int, skills_each: int, seed: int = 1) -> Site:
    """As many skills as queues, each queue asking for its own; every agent has some of them, by chance."""
    rng = Random(seed)
    skills = [f"s{number}" for number in range(queues)]
    label = {"fa": "نام", "en": "name"}
    return Site.model_validate(
        {
            "name": label,
            "time_zone": "Asia/Tehran",
            "skills": {skill: {"label": label} for skill in skills},
            "queues": {
                f"q{number}": {"label": label, "requires": {f"s{number}": 3}, "wrap_up_s": 0}
                for number in range(queues)
            },
            "agents": {
                f"a{number}": {
                    "label": label,
                    "skills": {skill: rng.randint(3, 9) for skill in rng.sample(skills, skills_each)},
                }
                for number in range(agents)
            },
            "phones": {
                f"p{number}": {"kind": "static", "contact": f"sip:p{number}@192.0.2.9:5060"}
                for number in range(agents)
            },
        }
    )


class Load:
    """Callers and agents around one center. `took_ns`: of each event, how long the center took."""

    def __init__(self, agents: int, queues: int, waiting: int, skills_each: int = 5) -> None:
        self.now_us = BEGAN_US
        self.center = Center.new(site_of(agents, queues, skills_each), self.now_us)
        self.took_ns: list[int] = []
        self._rng = Random(2)
        self._queues = queues
        self._came = 0
        self._talks: list[str] = []
        self._waiting: list[str] = []
        for number in range(agents):
            self.do(Asked(f"i{number}", "bench", SignIn(f"a{number}", f"p{number}")))
            self.do(Asked(f"s{number}", "bench", SetStatus(f"a{number}", Status.AVAILABLE)))
        while len(self._waiting) < waiting:
            self.come()

    def do(self, event: Event) -> None:
        self.now_us += 1_000
        began_ns = time.perf_counter_ns()
        step = self.center.handle(event, self.now_us)
        self.took_ns.append(time.perf_counter_ns() - began_ns)
        for effect in step.effects:
            if isinstance(effect, RingAgent):
                self._talks.append(effect.offer)
                self.do(OfferAnswered(effect.offer))

    def come(self) -> None:
        self._came += 1
        contact = f"c{self._came}"
        self.do(CallArrived(contact, "2100", None))
        self.do(VisitQueued(contact, f"q{self._rng.randrange(self._queues)}"))
        if self._waits(contact):
            self._waiting.append(contact)

    def turn(self) -> None:
        """A talk ends and its agent takes the next; two callers come, and one of those who wait gives up."""
        talk = self._any(self._talks)
        self.do(TalkEnded(talk, EndedBy.AGENT))
        self.do(MenuEnded(talk.rsplit(".", 2)[0]))
        self.come()
        self.come()
        while not self._waits(contact := self._any(self._waiting)):
            pass
        self.do(CallerLeft(contact))

    def run(self, turns: int) -> list[int]:
        """How long each event of so many turns took, in nanoseconds."""
        self.took_ns = []
        for _ in range(turns):
            self.turn()
        return self.took_ns

    def _waits(self, contact: str) -> bool:
        found = self.center.state.contacts.get(contact)
        return (
            found is not None
            and found.visit is not None
            and self.center.state.visits[found.visit].state is VisitState.WAITING
        )

    def _any(self, some: list[str]) -> str:
        """One of them by chance, taken out."""
        at = self._rng.randrange(len(some))
        some[at], some[-1] = some[-1], some[at]
        return some.pop()
