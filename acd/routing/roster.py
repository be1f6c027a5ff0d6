"""What a site says about who can answer what, worked out once per version of the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from acd.site import Agent, Queue, Site
from acd.types import AgentId, QueueId


def meets(agent: Agent, queue: Queue) -> bool:
    """Whether the agent has every skill the queue requires, at its minimum level or higher."""
    return all(
        skill in agent.skills and agent.skills[skill].level >= level
        for skill, level in queue.requires.items()
    )


@dataclass(frozen=True, slots=True)
class Roster:
    """`order`: place in center.yaml, the last tie-breaker between agents."""

    able: Mapping[QueueId, frozenset[AgentId]]
    queues_of: Mapping[AgentId, tuple[QueueId, ...]]
    order: Mapping[AgentId, int]


def roster_of(site: Site) -> Roster:
    able = {
        queue_id: frozenset(agent_id for agent_id, agent in site.agents.items() if meets(agent, queue))
        for queue_id, queue in site.queues.items()
    }
    queues_of = {
        agent_id: tuple(queue_id for queue_id in site.queues if agent_id in able[queue_id])
        for agent_id in site.agents
    }
    return Roster(able, queues_of, {agent_id: at for at, agent_id in enumerate(site.agents)})
