"""What a visit needs of an agent, step by step, worked out once from what the queue's author wrote.

A `Need` is one way to be able to help: all of its skills, its expression, one of its people. A `Requirement` is a
choice of needs: whoever meets one of them may answer. Everything the center indexes and explains is per distinct
requirement, so that a thousand queues that ask for the same thing cost as much as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from acd.common.expression import Expression, ExpressionError, Value
from acd.site_queue import AGENT_NAMES, CONTACT_NAMES, People, Queue, Relaxation
from acd.types import US_PER_S, AgentId, SkillId

if TYPE_CHECKING:
    from acd.site import Agent


@dataclass(frozen=True, slots=True)
class Need:
    """All that is said must hold: each skill at its level, the expression over the agent, being one of `only`."""

    skills: tuple[tuple[SkillId, int], ...] = ()
    agents_if: str = ""
    only: tuple[AgentId, ...] = ()

    def __str__(self) -> str:
        said = [f"{skill}>={level}" for skill, level in self.skills]
        if self.agents_if:
            said.append(f"({self.agents_if})")
        if self.only:
            said.append(" or ".join(self.only) if len(self.only) == 1 else f"one of {', '.join(self.only)}")
        return ", ".join(said) or "anybody"


Requirement = tuple[Need, ...]
"""Who meets one of these may answer; the order says which counts for levels and ranks when several are met."""


def said(requirement: Requirement) -> str:
    """The requirement in words, the same for the same one: `cards>=3, fa>=1 | sara`."""
    return " | ".join(str(need) for need in requirement)


def skills_of(requirement: Requirement) -> tuple[SkillId, ...]:
    """The skills it asks for, each once, in order."""
    return tuple(dict.fromkeys(skill for need in requirement for skill, _ in need.skills))


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The requirement from a wait of `after_us` on (and in words), and the points that all steps so far add."""

    after_us: int
    requirement: Requirement
    priority: int
    words: str


@dataclass(frozen=True, slots=True)
class VariantPlan:
    """`rule` None: for every contact that no variant before it takes. `steps`: the first one begins at 0."""

    rule: Expression | None
    steps: tuple[StepPlan, ...]


def plan_of(queue: Queue) -> tuple[VariantPlan, ...]:
    """The queue's variants in their order, and last the queue's own requirement."""
    own = _Asked(queue.requires, queue.requires_any, queue.agents_if or "")
    variants = [
        VariantPlan(
            Expression.parse(variant.if_, CONTACT_NAMES),
            _steps(
                _Asked(
                    own.requires if variant.requires is None else variant.requires,
                    own.any_of if variant.requires_any is None else variant.requires_any,
                    own.agents_if if variant.agents_if is None else variant.agents_if,
                ),
                variant.priority,
                queue.relax,
            ),
        )
        for variant in queue.variants
    ]
    return (*variants, VariantPlan(None, _steps(own, 0, queue.relax)))


def need_of(people: People) -> Need:
    return Need(_sorted(people.requires), people.agents_if or "", people.agents)


@dataclass(frozen=True, slots=True)
class _Asked:
    requires: Mapping[SkillId, int]
    any_of: Sequence[Mapping[SkillId, int]]
    agents_if: str

    def relaxed(self, levels: Mapping[SkillId, int]) -> _Asked:
        """Other minimum levels where these skills are asked for; 0 takes the skill out, a new one is asked for."""
        in_any = {skill for some in self.any_of for skill in some}
        new = {skill: level for skill, level in levels.items() if skill not in in_any}
        return _Asked(
            _with_levels({**self.requires, **new}, levels),
            tuple(_with_levels(some, levels) for some in self.any_of),
            self.agents_if,
        )

    def requirement(self, more: Iterable[Need]) -> Requirement:
        ways = self.any_of or ({},)
        own = (Need(_sorted({**self.requires, **way}), self.agents_if) for way in ways)
        return tuple(dict.fromkeys((*own, *more)))


def _with_levels(skills: Mapping[SkillId, int], levels: Mapping[SkillId, int]) -> dict[SkillId, int]:
    out = {skill: levels.get(skill, level) for skill, level in skills.items()}
    return {skill: level for skill, level in out.items() if level > 0}


def _sorted(skills: Mapping[SkillId, int]) -> tuple[tuple[SkillId, int], ...]:
    return tuple(sorted(skills.items()))


def _steps(asked: _Asked, priority: int, relax: Sequence[Relaxation]) -> tuple[StepPlan, ...]:
    more: list[Need] = []
    steps = [_step(0, asked.requirement(more), priority)]
    for step in relax:
        asked = asked.relaxed(step.requires)
        more += [need_of(people) for people in step.add]
        priority += step.priority
        steps.append(_step(int(step.after_s * US_PER_S), asked.requirement(more), priority))
    return tuple(steps)


def _step(after_us: int, requirement: Requirement, priority: int) -> StepPlan:
    return StepPlan(after_us, requirement, priority, said(requirement))


def meets(agent_id: AgentId, agent: Agent, requirement: Requirement) -> bool:
    """Whether this agent, as the site describes them, may answer it."""
    return any(meets_need(agent_id, agent, need) for need in requirement)


def meets_need(agent_id: AgentId, agent: Agent, need: Need) -> bool:
    if need.only and agent_id not in need.only:
        return False
    for skill, level in need.skills:
        has = agent.skills.get(skill)
        if has is None or has.level < level:
            return False
    return not need.agents_if or holds_of(agent_id, agent, need.agents_if)


@lru_cache(maxsize=4096)
def _agent_rule(text: str) -> Expression:
    return Expression.parse(text, AGENT_NAMES)


def holds_of(agent_id: AgentId, agent: Agent, text: str) -> bool:
    """Whether an expression over the agent holds; one that has no value for this agent does not."""
    skills: dict[str, Value] = {skill: each.level for skill, each in agent.skills.items()}
    ranks: dict[str, Value] = {skill: each.rank for skill, each in agent.skills.items()}
    attributes: dict[str, Value] = dict(agent.attributes)
    described: dict[str, Value] = {
        "id": agent_id,
        "team": agent.team or "",
        "skills": skills,
        "ranks": ranks,
        "attributes": attributes,
    }
    try:
        return _agent_rule(text).holds({"agent": described})
    except ExpressionError:
        return False


def levels_and_rank(agent_id: AgentId, agent: Agent, requirement: Requirement) -> tuple[int, int]:
    """How good (sum of levels) and how willingly used (largest rank) the agent is for the first need they meet.

    Who may answer without any of the skills, named in a relaxation, has level 0 and comes after every rank.
    """
    for need in requirement:
        if meets_need(agent_id, agent, need):
            if not need.skills:
                return 0, 1_000 if need.only else 1
            skills = [agent.skills[skill] for skill, _ in need.skills]
            return sum(skill.level for skill in skills), max(skill.rank for skill in skills)
    return 0, 1_000
