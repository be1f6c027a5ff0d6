"""Which of the free agents gets a contact: one key per strategy, the smaller one goes first.

A key must not change while its agent is free, so that the free agents can be kept in order; what grows with time
(occupancy) is taken as it was when the agent became free.
"""

from __future__ import annotations

from acd.routing.needs import Requirement
from acd.routing.roster import Roster
from acd.site_queue import AgentChoice
from acd.state import Agent

AgentKey = tuple[int, ...]

FINE = 1_000_000


def key_of(choice: AgentChoice, agent: Agent, requirement: Requirement, roster: Roster) -> AgentKey:
    """The agent's key; the last part is the place in the roster, so that no two are equal."""
    order = roster.order[agent.agent]
    match choice:
        case "longest-idle":
            return (agent.idle_since_us, order)
        case "best-skill":
            level, _ = roster.levels_and_rank(agent.agent, requirement)
            return (-level, agent.idle_since_us, order)
        case "primary-first":
            _, rank = roster.levels_and_rank(agent.agent, requirement)
            return (rank, agent.idle_since_us, order)
        case "least-occupied":
            return (occupancy_ppm(agent), agent.idle_since_us, order)
        case "fewest-contacts":
            return (agent.contacts, agent.idle_since_us, order)
        case "round-robin" | "ordered":
            return (order,)


def occupancy_ppm(agent: Agent) -> int:
    """Handle time in millionths of handle time and idle time while Available, since the agent signed in."""
    return agent.busy_us * FINE // max(1, agent.busy_us + agent.idle_us)
