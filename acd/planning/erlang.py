"""The formulas of Erlang: one kind of call, n equal agents, calls that come at random, times that are exponential.

B: a caller who finds everybody busy is lost (M/M/n/n). C: waits without end (M/M/n). A: waits and gives up, with
exponential patience (M/M/n+M; Palm 1943, after Mandelbaum and Zeltyn, "The Palm/Erlang-A queue"). All are exact
sums of positive terms, so nothing cancels out and a thousand agents are as safe as ten.

Where A comes from. With rates per second `c` of calls, `m` of one agent's work, `g` of giving up, the state "all n
busy, j waiting" has the weight w(j) = Π(i=1..j) c / (n·m + i·g) of "all n busy, nobody waiting", which Erlang B
gives. Who comes there waits for j + 1 departures of rates n·m + i·g, i = 0..j: a sum V for which e^(-g·V) is
Beta(n·m/g, j + 1). From this follow, for one who comes there:

- answered in the end:      n·m / (n·m + (j + 1)·g)
- their wait, if answered:  Σ(i=1..j+1) 1 / (n·m + i·g)
- answered within T:        the first, times P(N <= j) of a negative binomial N (the incomplete beta function)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from acd.planning.errors import PlanningError

_NEGLIGIBLE = 1e-17
_TERMS_LIMIT = 500_000
AGENTS_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the agents: calls per hour, mean handle time, mean patience (None: nobody gives up)."""

    calls_per_h: float
    handle_s: float
    patience_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("calls_per_h", "handle_s", "patience_s"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise PlanningError(f"{name} is {value:g}, but must be above 0; give it as a plain number.")

    @property
    def load_erl(self) -> float:
        """Mean number of agents at work if nobody was lost."""
        return self.calls_per_h / 3600 * self.handle_s


@dataclass(frozen=True, slots=True)
class Figures:
    """What n agents reach in the long run. All but the seconds are shares of 1.

    `p_wait`: has to wait at all. `abandon_rate`: gives up (under Erlang B: is lost at once). `asa_s`: mean wait of
    the answered. `wait_all_s`: mean wait of everybody. `in_target`: answered within the target, of all offered.
    `occupancy`: of an agent's time at work. Without a steady state (Erlang C, load >= agents) the waits are infinite.
    """

    agents: int
    p_wait: float
    abandon_rate: float
    asa_s: float
    wait_all_s: float
    in_target: float
    occupancy: float


def erlang_b(agents: int, load_erl: float) -> float:
    """The share of callers who find all `agents` busy and are lost; `load_erl` in erlang, 0 agents lose all."""
    _check_agents(agents)
    lost = 1.0
    for n in range(1, agents + 1):
        lost = load_erl * lost / (n + load_erl * lost)
    return lost


def erlang_c(agents: int, load_erl: float) -> float:
    """The share of callers who have to wait; 1 when the load is more than the agents can ever work off."""
    if load_erl >= agents:
        return 1.0
    lost = erlang_b(agents, load_erl)
    return agents * lost / (agents - load_erl * (1 - lost))


def figures_b(demand: Demand, agents: int) -> Figures:
    """No line at all: who finds everybody busy is lost."""
    lost = erlang_b(agents, demand.load_erl)
    occupancy = demand.load_erl * (1 - lost) / agents if agents else 0.0
    return Figures(agents, 0.0, lost, 0.0, 0.0, 1 - lost, occupancy)


def figures_c(demand: Demand, agents: int, target_s: float) -> Figures:
    """A line in which nobody gives up."""
    _check_target(target_s)
    load = demand.load_erl
    p_wait = erlang_c(agents, load)
    if load >= agents:
        return Figures(agents, 1.0, 0.0, math.inf, math.inf, 0.0, 1.0 if agents else 0.0)
    spare_per_s = (agents - load) / demand.handle_s
    wait_s = p_wait / spare_per_s
    in_target = 1 - p_wait * math.exp(-spare_per_s * target_s)
    return Figures(agents, p_wait, 0.0, wait_s, wait_s, in_target, load / agents)


def figures_a(demand: Demand, agents: int, target_s: float) -> Figures:
    """A line in which callers give up after exponential patience with the demand's mean."""
    _check_target(target_s)
    if demand.patience_s is None:
        return figures_c(demand, agents, target_s)
    calls, patience_s = demand.calls_per_h / 3600, demand.patience_s
    if agents == 0:
        return Figures(0, 1.0, 1.0, 0.0, patience_s, 0.0, 0.0)
    work, give_up = agents / demand.handle_s, 1 / patience_s
    logs, top = _log_weights(calls, work, give_up)
    in_time = _InTarget(work, give_up, target_s)
    arrived = answered = lost = waited_s = within = 0.0
    later_s = 0.0  # Σ 1 / (work + i·give_up) over those ahead and oneself
    for j, log in enumerate(logs):
        weight = math.exp(log - top)
        served = weight * work / (work + (j + 1) * give_up)
        later_s += 1 / (work + (j + 1) * give_up)
        arrived += weight
        answered += served
        lost += weight * (j + 1) * give_up / (work + (j + 1) * give_up)
        waited_s += served * later_s
        within += served * in_time.next()
    all_busy = erlang_b(agents, demand.load_erl)
    norm = (1 - all_busy) * math.exp(-top) + all_busy * arrived
    p_wait, answered, abandon, waited_s, within = (
        all_busy * x / norm for x in (arrived, answered, lost, waited_s, within)
    )
    at_once = (1 - all_busy) * math.exp(-top) / norm
    return Figures(
        agents=agents,
        p_wait=p_wait,
        abandon_rate=abandon,
        asa_s=waited_s / (at_once + answered),
        wait_all_s=abandon * patience_s,
        in_target=min(1.0, at_once + within),
        occupancy=min(1.0, demand.load_erl * (1 - abandon) / agents),
    )


def _check_agents(agents: int) -> None:
    if not 0 <= agents <= AGENTS_LIMIT:
        raise PlanningError(f"{agents} agents are not planned for; give a number from 0 to {AGENTS_LIMIT}.")


def _check_target(target_s: float) -> None:
    if not 0 <= target_s < math.inf:
        raise PlanningError(f"The target is {target_s:g} s, but must not be negative; give it in seconds.")


def _log_weights(calls: float, work: float, give_up: float) -> tuple[list[float], float]:
    """Logarithms of the weights w(j), as far as they count, and the greatest of them."""
    logs = [0.0]
    top = log = 0.0
    while True:
        ratio = calls / (work + len(logs) * give_up)
        log += math.log(ratio)
        top = max(top, log)
        logs.append(log)
        # what follows is less than a geometric series of this ratio
        if ratio < 1 and log - top - math.log1p(-ratio) < math.log(_NEGLIGIBLE):
            return logs, top
        if len(logs) > _TERMS_LIMIT:
            raise PlanningError(
                "With so many calls for so few agents and so long a patience the line has no end that can be "
                "summed; give a shorter patience or more agents."
            )


class _InTarget:
    """P(N <= j) for j = 0, 1, 2 …: answered within the target, of those who are answered and came behind j others.

    N is negative binomial: P(N = b) = x^a·(1-x)^b·Γ(a+b) / (Γ(a)·b!), a = n·m/g + 1, x = e^(-g·T). Summed from the
    complement: the j-th value is 1 - Σ(b<=j). In logarithms, for x^a alone may be too small for a float.
    """

    def __init__(self, work: float, give_up: float, target_s: float) -> None:
        self._a = work / give_up + 1
        self._less = -math.expm1(-give_up * target_s)
        self._log = -(work + give_up) * target_s
        self._sum = 0.0
        self._b = 0

    def next(self) -> float:
        self._sum += math.exp(self._log)
        self._b += 1
        if self._less > 0:
            self._log += math.log(self._less * (self._a + self._b - 1) / self._b)
        else:
            self._log = -math.inf
        return max(0.0, 1 - self._sum)
