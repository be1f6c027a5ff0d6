"""Who waits for whom: for each distinct requirement the visits in their order, and the agents who are free.

Derived from the state and thrown away with it. A change of one visit or one agent touches only the pools of the
requirements it has to do with, however many agents and visits there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sortedcontainers import SortedList

from acd.routing.choice import AgentKey, key_of
from acd.routing.needs import Requirement, said
from acd.routing.ranking import Place, Ranker
from acd.routing.roster import Roster
from acd.site_queue import AgentChoice
from acd.state import Agent, Visit
from acd.types import AgentId, Kind, Presence, QueueId, VisitId, WaitCause


class Order:
    """Waiting visits whose points grow alike, in the order in which they are served, and by age if that may matter."""

    __slots__ = ("by_age", "places", "rate")

    def __init__(self, rate: int, with_age: bool) -> None:
        self.rate = rate
        self.places: SortedList = SortedList()
        self.by_age: SortedList | None = SortedList() if with_age else None

    def add(self, place: Place) -> None:
        self.places.add(place)
        if self.by_age is not None:
            self.by_age.add(place[1:])

    def remove(self, place: Place) -> None:
        self.places.remove(place)
        if self.by_age is not None:
            self.by_age.remove(place[1:])


_FROM_THE_MOST = tuple(sorted(Presence, reverse=True))

_CAUSES = {
    Presence.NOBODY: WaitCause.NOBODY_SIGNED_IN,
    Presence.SIGNED_IN: WaitCause.NOBODY_AVAILABLE,
    Presence.AVAILABLE: WaitCause.NOBODY_REACHABLE,
    Presence.REACHABLE: WaitCause.ALL_BUSY,
    Presence.IDLE: WaitCause.ALL_BUSY,
}


class Pool:
    """One requirement: who can answer it, who of them is there and free, and who waits for them.

    `queues`: how many wait here in each. `watched`: those of them that let nobody stay when nobody is there.
    """

    def __init__(self, requirement: Requirement, roster: Roster) -> None:
        self.requirement = requirement
        self.name = said(requirement)
        self.able = roster.able(requirement)
        self.present = [0] * len(Presence)
        self.waiting = 0
        self.queues: dict[QueueId, int] = {}
        self.watched: set[QueueId] = set()
        self.orders: dict[tuple[Kind, int], Order] = {}
        self._roster = roster
        self._free: dict[Kind, dict[AgentId, Agent]] = {kind: {} for kind in Kind}
        self._benches: dict[tuple[Kind, AgentChoice], SortedList] = {}
        self._keys: dict[tuple[Kind, AgentChoice, AgentId], AgentKey] = {}

    def there(self, at_least: Presence) -> int:
        """How many who can answer are there, at least as much as that."""
        return sum(self.present[at_least:])

    def best_presence(self) -> Presence:
        present = self.present
        for presence in _FROM_THE_MOST:
            if present[presence]:
                return presence
        return Presence.NOBODY

    @property
    def cause(self) -> WaitCause | None:
        """Why those who wait here get nobody; None if nobody waits."""
        if not self.waiting:
            return None
        return _CAUSES[self.best_presence()] if self.able else WaitCause.NOBODY_FITS

    def free(self, kind: Kind, agent: Agent) -> None:
        self._free[kind][agent.agent] = agent
        for (of, choice), bench in self._benches.items():
            if of is kind:
                self._sit(bench, kind, choice, agent)

    def occupy(self, kind: Kind, agent: AgentId) -> None:
        if self._free[kind].pop(agent, None) is None:
            return
        for (of, choice), bench in self._benches.items():
            if of is kind:
                bench.remove((*self._keys.pop((kind, choice, agent)), agent))

    def is_free(self, kind: Kind, agent: AgentId) -> bool:
        return agent in self._free[kind]

    def any_free(self, kind: Kind) -> bool:
        return bool(self._free[kind])

    def count_free(self, kind: Kind) -> int:
        return len(self._free[kind])

    def free_agents(self, kind: Kind, choice: AgentChoice, after: int | None) -> Iterator[AgentId]:
        """The free agents in the order of the strategy. `after`: for round-robin, whose turn it was last."""
        bench = self._bench(kind, choice)
        if after is not None:
            at = bench.bisect_right((after, "\U0010ffff"))
            yield from (sitting[-1] for sitting in bench.islice(at))
            yield from (sitting[-1] for sitting in bench.islice(0, at))
        else:
            yield from (sitting[-1] for sitting in bench)

    def _bench(self, kind: Kind, choice: AgentChoice) -> SortedList:
        """Benches are set up when a strategy is first asked for, and kept in order from then on."""
        bench = self._benches.get((kind, choice))
        if bench is None:
            bench = self._benches[kind, choice] = SortedList()
            for agent in self._free[kind].values():
                self._sit(bench, kind, choice, agent)
        return bench

    def _sit(self, bench: SortedList, kind: Kind, choice: AgentChoice, agent: Agent) -> None:
        key = key_of(choice, agent, self.requirement, self._roster)
        self._keys[kind, choice, agent.agent] = key
        bench.add((*key, agent.agent))


class Lines:
    """Who waits where, who is there, and who is free. `changed`: pools to look at again, until somebody has."""

    def __init__(
        self, roster: Roster, ranker: Ranker, primary_first: bool, watched: frozenset[QueueId] = frozenset()
    ) -> None:
        self.roster = roster
        self.ranker = ranker
        self.changed: dict[str, Pool] = {}
        self.in_line: dict[QueueId, dict[VisitId, None]] = {}
        self._primary_first = primary_first
        self._watched = watched
        self._pools: dict[Requirement, Pool] = {}
        self._by_name: dict[str, Pool] = {}
        self._pools_of: dict[AgentId, list[Pool]] = {}
        self._seen: dict[AgentId, tuple[Agent, Presence, tuple[int, ...], frozenset[Kind]]] = {}
        self._standing: dict[VisitId, tuple[Pool, QueueId, Order, Place]] = {}

    # Pools -------------------------------------------------------------------------------------------------

    def pool(self, requirement: Requirement) -> Pool:
        pool = self._pools.get(requirement)
        if pool is None:
            pool = self._pools[requirement] = Pool(requirement, self.roster)
            self._by_name[pool.name] = pool
            for agent_id in sorted(pool.able, key=self.roster.order.__getitem__):
                self._pools_of.setdefault(agent_id, []).append(pool)
                self._join(pool, agent_id)
        return pool

    def named(self, name: str) -> Pool | None:
        return self._by_name.get(name)

    def known_pool(self, requirement: Requirement) -> Pool | None:
        """The pool, if anybody ever asked for it."""
        return self._pools.get(requirement)

    def pools_of(self, agent: AgentId) -> list[Pool]:
        return self._pools_of.get(agent, [])

    def _join(self, pool: Pool, agent_id: AgentId) -> None:
        agent, presence, _, kinds = self._seen.get(agent_id, (None, Presence.NOBODY, (), frozenset()))
        pool.present[presence] += 1
        if agent is not None:
            for kind in kinds:
                pool.free(kind, agent)

    # Agents ------------------------------------------------------------------------------------------------

    def see(self, agent: Agent, presence: Presence, kinds: frozenset[Kind]) -> None:
        """What this agent is doing now, and which kinds of contact may be offered to them."""
        marks = (agent.idle_since_us, agent.contacts, agent.busy_us) if kinds else ()
        seen = self._seen.get(agent.agent)
        if seen is not None and seen[1:] == (presence, marks, kinds) and seen[0] is agent:
            return
        self._seen[agent.agent] = (agent, presence, marks, kinds)
        was, were = (seen[1], seen[3]) if seen is not None else (Presence.NOBODY, frozenset())
        for pool in self._pools_of.get(agent.agent, ()):
            if was is not presence:
                pool.present[was] -= 1
                pool.present[presence] += 1
                self.changed[pool.name] = pool
            for kind in were:
                pool.occupy(kind, agent.agent)
            for kind in kinds:
                pool.free(kind, agent)

    def is_free(self, agent: AgentId) -> bool:
        """Whether anything at all may be offered to them."""
        seen = self._seen.get(agent)
        return seen is not None and bool(seen[3])

    def presence(self, agent: AgentId) -> Presence:
        seen = self._seen.get(agent)
        return seen[1] if seen is not None else Presence.NOBODY

    # Visits ------------------------------------------------------------------------------------------------

    def stand(self, visit: Visit, requirement: Requirement, target_us: int) -> None:
        """Put the visit in its place for this requirement, or move it there when something has changed."""
        pool = self.pool(requirement)
        rate = self.ranker.rate_of(target_us)
        place = self.ranker.place(visit, rate)
        standing = self._standing.get(visit.visit)
        if standing is not None:
            if standing[0] is pool and standing[3] == place and standing[2].rate == rate:
                return
            self.leave(visit.visit)
        order = pool.orders.get((visit.kind, rate))
        if order is None:
            order = pool.orders[visit.kind, rate] = Order(rate, self.ranker.pass_limit_us is not None)
        order.add(place)
        self._standing[visit.visit] = (pool, visit.queue, order, place)
        pool.waiting += 1
        pool.queues[visit.queue] = pool.queues.get(visit.queue, 0) + 1
        if visit.queue in self._watched:
            pool.watched.add(visit.queue)
        self.changed[pool.name] = pool

    def leave(self, visit: VisitId) -> None:
        if (found := self._standing.pop(visit, None)) is None:
            return
        pool, queue, order, place = found
        order.remove(place)
        pool.waiting -= 1
        pool.queues[queue] -= 1
        if not pool.queues[queue]:
            del pool.queues[queue]
        self.changed[pool.name] = pool

    def count(self, visit: VisitId, queue: QueueId, in_line: bool) -> None:
        """Whether the visit counts as in line: waiting, or being offered."""
        visits = self.in_line.setdefault(queue, {})
        if in_line:
            visits[visit] = None
        else:
            visits.pop(visit, None)

    def waiting(self, queue: QueueId) -> int:
        return len(self.in_line.get(queue, ()))

    def pool_where(self, visit: VisitId) -> Pool | None:
        found = self._standing.get(visit)
        return found[0] if found is not None else None

    def standing_in(self, pool: Pool) -> Iterator[VisitId]:
        """Those who wait for this requirement, order by order."""
        for key in sorted(pool.orders):
            yield from (place[3] for place in pool.orders[key].places)

    def ahead_of(self, visit: VisitId) -> int:
        """How many wait for the same requirement and go first by points; the next one has none."""
        found = self._standing.get(visit)
        return found[2].places.bisect_left(found[3]) if found is not None else 0

    # Choosing ----------------------------------------------------------------------------------------------

    def choose(self, visit: Visit, choice: AgentChoice, most: int, after: int | None) -> list[AgentId]:
        """The free agents this visit would go to, the best first, at most so many."""
        pool = self._standing[visit.visit][0]
        if not pool.any_free(visit.kind):
            return []
        preferred = visit.preferred
        if preferred is not None and pool.is_free(visit.kind, preferred):
            return [preferred]
        turn = after if choice == "round-robin" else None
        return list(islice(pool.free_agents(visit.kind, choice, turn), most))

    def next_for(self, agent: AgentId, now_us: int) -> VisitId | None:
        """Of all those waiting whom the agent may answer now, the one whose turn it is (rule R4 and its kin)."""
        seen = self._seen.get(agent)
        if seen is None or not seen[3]:
            return None
        best: tuple[object, ...] | None = None
        for pool in self._pools_of.get(agent, ()):
            if not pool.waiting:
                continue
            for (kind, rate), order in pool.orders.items():
                if kind in seen[3] and order.places:
                    key = self._key(agent, pool, rate, order, now_us)
                    if best is None or key < best:
                        best = key
        return None if best is None else str(best[-1])

    def _key(self, agent: AgentId, pool: Pool, rate: int, order: Order, now_us: int) -> tuple[object, ...]:
        limit_us = self.ranker.pass_limit_us
        if order.by_age is not None and limit_us is not None:
            oldest = order.by_age[0]
            if now_us - oldest[0] >= limit_us:
                return (0, 0, 0, *oldest)
        place = order.places[0]
        rank = self.roster.levels_and_rank(agent, pool.requirement)[1] if self._primary_first else 0
        return (1, rank, self.ranker.score_now(place, rate, now_us), *place[1:])

    def take_changed(self) -> Iterable[Pool]:
        changed, self.changed = self.changed, {}
        return changed.values()
