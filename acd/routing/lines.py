"""The waiting visits of each queue in the order in which they are served, and the agents who are free.

Derived from the state and thrown away with it; `Lines` only saves looking at everybody for each event.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from acd.routing.roster import Roster
from acd.state import Agent, Visit
from acd.types import AgentId, QueueId, VisitId

Place = tuple[int, int, int, VisitId]
"""Higher priority first, then the earlier arrival; `order` breaks a tie in the same microsecond."""


def place_of(visit: Visit) -> Place:
    return (-visit.priority, visit.entered_us, visit.order, visit.visit)


class Lines:
    """Who waits where, and who is free."""

    def __init__(self) -> None:
        self._lines: dict[QueueId, list[Place]] = {}
        self._places: dict[VisitId, tuple[QueueId, Place]] = {}
        self._free: dict[AgentId, int] = {}

    def stand(self, visit: Visit) -> None:
        """Put the visit in its place, or move it there when its priority has changed."""
        self.leave(visit.visit)
        place = place_of(visit)
        insort(self._lines.setdefault(visit.queue, []), place)
        self._places[visit.visit] = (visit.queue, place)

    def leave(self, visit: VisitId) -> None:
        if (found := self._places.pop(visit, None)) is not None:
            queue, place = found
            line = self._lines[queue]
            del line[bisect_left(line, place)]

    def free(self, agent: Agent) -> None:
        self._free[agent.agent] = agent.idle_since_us

    def occupy(self, agent: AgentId) -> None:
        self._free.pop(agent, None)

    def is_free(self, agent: AgentId) -> bool:
        return agent in self._free

    def longest_idle(self, queue: QueueId, roster: Roster) -> AgentId | None:
        """The free agent who meets the queue's requirement and has been idle longest (rule R1)."""
        able = roster.able.get(queue, frozenset())
        candidates = [(since, roster.order[a], a) for a, since in self._free.items() if a in able]
        return min(candidates)[2] if candidates else None

    def next_for(self, queues: Iterable[QueueId]) -> VisitId | None:
        """Of those waiting in these queues: the highest priority, then the earliest arrival (rule R4)."""
        heads = [line[0] for queue in queues if (line := self._lines.get(queue))]
        return min(heads)[3] if heads else None

    def waiting(self, queue: QueueId) -> int:
        return len(self._lines.get(queue, ()))
