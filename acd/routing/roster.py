"""Who can answer what, by what a site says of its agents: indexed by skill, and worked out once per requirement."""

from __future__ import annotations

from collections.abc import Mapping

from acd.routing.needs import Need, Requirement, holds_of, levels_and_rank, meets_need
from acd.site import Agent, Site
from acd.types import AgentId, SkillId


class Roster:
    """`order`: place in center.yaml, the last tie-breaker between agents."""

    def __init__(self, site: Site) -> None:
        self.agents: Mapping[AgentId, Agent] = site.agents
        self.order: dict[AgentId, int] = {agent_id: at for at, agent_id in enumerate(site.agents)}
        self._with_skill: dict[SkillId, list[AgentId]] = {}
        for agent_id, agent in site.agents.items():
            for skill in agent.skills:
                self._with_skill.setdefault(skill, []).append(agent_id)
        self._by_rule: dict[str, frozenset[AgentId]] = {}
        self._able: dict[Need, frozenset[AgentId]] = {}

    def able(self, requirement: Requirement) -> frozenset[AgentId]:
        """The agents who meet it, signed in or not."""
        if len(requirement) == 1:
            return self._able_for(requirement[0])
        return frozenset().union(*(self._able_for(need) for need in requirement))

    def levels_and_rank(self, agent_id: AgentId, requirement: Requirement) -> tuple[int, int]:
        return levels_and_rank(agent_id, self.agents[agent_id], requirement)

    def _able_for(self, need: Need) -> frozenset[AgentId]:
        if need not in self._able:
            candidates = self._candidates(need)
            self._able[need] = frozenset(a for a in candidates if meets_need(a, self.agents[a], need))
        return self._able[need]

    def _candidates(self, need: Need) -> frozenset[AgentId] | list[AgentId]:
        """Few, and everybody who meets the need among them."""
        if need.only:
            return [agent_id for agent_id in need.only if agent_id in self.agents]
        if need.skills:
            return min((self._with_skill.get(skill, []) for skill, _ in need.skills), key=len)
        return self._holding(need.agents_if) if need.agents_if else frozenset(self.agents)

    def _holding(self, rule: str) -> frozenset[AgentId]:
        """An expression is worked out once for each agent, and then is an index like a skill."""
        if rule not in self._by_rule:
            holding = (agent_id for agent_id, agent in self.agents.items() if holds_of(agent_id, agent, rule))
            self._by_rule[rule] = frozenset(holding)
        return self._by_rule[rule]
