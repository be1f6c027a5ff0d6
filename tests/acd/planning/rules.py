"""The routing rules R1 to R7 once more, in the plainest way: what the real center is held against.

Slow and simple on purpose: at each instant it looks at everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from acd.planning.worlds import RosterAgent, TraceCall

END, SHIFT, GIVE_UP, ARRIVAL = range(4)


@dataclass
class _Agent:
    roster: RosterAgent
    order: int
    there: bool = False
    call: int | None = None
    until_us: int = 0
    idle_since_us: int = 0
    came: bool = False
    went: bool = False

    @property
    def free(self) -> bool:
        return self.there and self.call is None


def by_the_rules(
    calls: Sequence[TraceCall], roster: Sequence[RosterAgent], strategy: str
) -> list[tuple[str, int, str]]:
    """For each call: outcome, wait in microseconds, agent. Who waits for ever is left out of `abandoned`: `waiting`."""
    primary = strategy == "primary-first"
    agents = [_Agent(agent, at) for at, agent in enumerate(roster)]
    waiting: list[int] = []
    arrived: set[int] = set()
    ends: list[tuple[str, int, str]] = [("waiting", 0, "")] * len(calls)
    begin_us = min(0, min((call.arrival_us for call in calls), default=0))

    def login(agent: _Agent) -> int:
        return begin_us if agent.roster.login_us is None else agent.roster.login_us

    def rank(agent: _Agent, at: int) -> int | None:
        return (agent.roster.skills or {}).get(calls[at].kind)

    def give(agent: _Agent, at: int, now_us: int) -> None:
        ends[at] = ("answered", now_us - calls[at].arrival_us, agent.roster.name)
        agent.call, agent.until_us = at, now_us + calls[at].handle_us
        if at in waiting:
            waiting.remove(at)

    def take(agent: _Agent, now_us: int) -> None:
        fit = [at for at in waiting if rank(agent, at) is not None]
        if agent.free and fit:
            best = min(
                fit,
                key=lambda at: (
                    rank(agent, at) if primary else 0,
                    -calls[at].priority,
                    calls[at].arrival_us,
                    at,
                ),
            )
            give(agent, best, now_us)

    while True:
        coming: list[tuple[int, int, int]] = []
        for agent in agents:
            if agent.call is not None:
                coming.append((agent.until_us, END, agent.order))
            if not agent.came:
                coming.append((login(agent), SHIFT, agent.order))
            elif not agent.went and agent.roster.logout_us is not None:
                coming.append((agent.roster.logout_us, SHIFT, agent.order))
        for at in waiting:
            patience_us = calls[at].patience_us
            if patience_us is not None:
                coming.append((calls[at].arrival_us + patience_us, GIVE_UP, at))
        coming += [(call.arrival_us, ARRIVAL, at) for at, call in enumerate(calls) if at not in arrived]
        if not coming:
            return ends
        now_us, what, order = min(coming)
        if what == END:
            agent = agents[order]
            agent.call, agent.idle_since_us = None, now_us
            take(agent, now_us)
        elif what == SHIFT and not agents[order].came:
            agent = agents[order]
            agent.came = agent.there = True
            agent.idle_since_us = now_us
            take(agent, now_us)
        elif what == SHIFT:
            agents[order].went, agents[order].there = True, False
        elif what == GIVE_UP:
            waiting.remove(order)
            ends[order] = ("abandoned", now_us - calls[order].arrival_us, "")
        else:
            arrived.add(order)
            idle = [agent for agent in agents if agent.free and rank(agent, order) is not None]
            if not idle:
                waiting.append(order)
                continue
            give(
                min(idle, key=lambda a: (rank(a, order) if primary else 0, a.idle_since_us, a.order)),
                order,
                now_us,
            )
