"""How many agents: the fewest with whom the service level is reached, by Erlang A, or C where nobody gives up.

The service level here is `service_level_offered`: answered within the target, of all who called. It grows with every
agent, so the fewest are found by halving. The formulas' own limits are the plan's limits: one kind of call, equal
agents, a steady state; nobody blocked, nobody calling again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from acd.planning.erlang import AGENTS_LIMIT, Demand, Figures, figures_a
from acd.planning.errors import PlanningError

_FEWER, _MORE = 2, 3


@dataclass(frozen=True, slots=True)
class Goal:
    """`service_level` of 1, within `target_s`. `shrinkage`: the share of paid time in which an agent is not there."""

    service_level: float
    target_s: float = 20
    shrinkage: float = 0

    def __post_init__(self) -> None:
        if not 0 < self.service_level < 1:
            raise PlanningError(
                f"A service level of {self.service_level:g} cannot be planned for; "
                "give one above 0 and below 1, such as 0.8."
            )
        if not 0 <= self.shrinkage < 1:
            raise PlanningError(
                f"A shrinkage of {self.shrinkage:g} leaves nobody; give a share from 0 to below 1, such as 0.3."
            )

    def scheduled(self, agents: int) -> int:
        """How many must be on the plan, that `agents` are there."""
        return math.ceil(agents / (1 - self.shrinkage) - 1e-9)


@dataclass(frozen=True, slots=True)
class Staffing:
    """`figures`: of the fewest agents who reach the goal. `around`: of two fewer to three more."""

    method: str
    load_erl: float
    figures: Figures
    scheduled: int
    around: tuple[Figures, ...]


def fewest(demand: Demand, goal: Goal) -> Figures:
    """The figures of the fewest agents who reach the goal. Raises PlanningError if 100 000 are too few."""
    few, many = 0, max(1, math.ceil(demand.load_erl))
    while (reached := figures_a(demand, many, goal.target_s)).in_target < goal.service_level:
        if many == AGENTS_LIMIT:
            raise PlanningError(
                f"{AGENTS_LIMIT} agents do not reach the goal; plan for fewer calls at a time."
            )
        few, many = many, min(AGENTS_LIMIT, many + max(1, many // 8))
    while many - few > 1:
        middle = (few + many) // 2
        found = figures_a(demand, middle, goal.target_s)
        if found.in_target < goal.service_level:
            few = middle
        else:
            many, reached = middle, found
    return reached


def staff(demand: Demand, goal: Goal) -> Staffing:
    best = fewest(demand, goal)
    numbers = range(max(1, best.agents - _FEWER), best.agents + _MORE + 1)
    return Staffing(
        "erlang-c" if demand.patience_s is None else "erlang-a",
        demand.load_erl,
        best,
        goal.scheduled(best.agents),
        tuple(figures_a(demand, n, goal.target_s) for n in numbers),
    )
