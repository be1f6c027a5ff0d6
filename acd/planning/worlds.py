"""The sites that are simulated: one made of a trace's types and a roster, or a center.yaml made ready for it.

Ids of a site are ASCII words; what a trace and a roster call their things need not be. So here everybody gets a number
for an id, in the order of the file, and keeps the name for people to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from acd.planning.errors import PlanningError
from acd.planning.simulate import Call, Shift, World
from acd.site import Agent, AgentSkill, Label, Phone, Site
from acd.types import US_PER_S

Strategy = Literal["longest-idle", "primary-first"]
STRATEGIES: tuple[Strategy, ...] = ("longest-idle", "primary-first")

_ANY_LEVEL = 10
_RANKS = 100


@dataclass(frozen=True, slots=True)
class TraceCall:
    """A line of the trace; `line` counts from 1, with the header. `patience_us` None: endless."""

    line: int
    name: str
    kind: str
    arrival_us: int
    handle_us: int
    patience_us: int | None
    priority: int


@dataclass(frozen=True, slots=True)
class RosterAgent:
    """An agent of the roster: skill to rank (1 = primary); None for skills: those of center.yaml. Times None: always
    there."""

    name: str
    skills: Mapping[str, int] | None
    login_us: int | None = None
    logout_us: int | None = None


def world_of_roster(calls: Sequence[TraceCall], roster: Sequence[RosterAgent], strategy: Strategy) -> World:
    """One queue for each type of the trace, which needs the skill of the same name, at any level."""
    kinds = {kind: f"q{at}" for at, kind in enumerate(dict.fromkeys(call.kind for call in calls))}
    ranks = {rank for agent in roster for rank in (agent.skills or {}).values()}
    if len(ranks) > _RANKS:
        raise PlanningError(
            f"The roster has {len(ranks)} different ranks, more than {_RANKS}; give 1 for primary, 2 for the next."
        )
    place = {rank: at for at, rank in enumerate(sorted(ranks), start=1)}
    site = Site.model_validate(
        {
            "name": _label("simulated"),
            "time_zone": "UTC",
            "skills": {queue: {"label": _label(queue)} for queue in kinds.values()},
            "queues": {
                queue: {
                    "label": _label(queue),
                    "requires": {queue: 1},
                    "short_abandon_s": 0,
                    "wrap_up_s": 0,
                    **({"agent_choice": strategy} if strategy != "longest-idle" else {}),
                }
                for queue in kinds.values()
            },
            **({"work_choice": strategy} if strategy != "longest-idle" else {}),
            "agents": {
                f"a{at}": {
                    "label": _label(f"a{at}"),
                    "phone": f"p{at}",
                    "skills": {
                        kinds[skill]: {"level": _ANY_LEVEL, "rank": place[rank]}
                        for skill, rank in (agent.skills or {}).items()
                        if skill in kinds
                    },
                }
                for at, agent in enumerate(roster)
            },
            "phones": {f"p{at}": _phone(at) for at in range(len(roster))},
        }
    )
    return World(
        site,
        _shifts(roster, [f"a{at}" for at in range(len(roster))], _begin_us(calls), 0),
        [_call(call, kinds[call.kind], 0) for call in calls],
    )


def world_of_center(
    site: Site,
    file: str,
    calls: Sequence[TraceCall],
    roster: Sequence[RosterAgent] | None = None,
    day: date | None = None,
) -> World:
    """A center.yaml with the trace's types for names of queues. Without a roster its agents are always there.

    Everything that decides stays as it is written; only what the trace already holds (wrap-up is in the handle time)
    or cannot hold (phones that are shared or fail, codes to be chosen) is put aside, and opening hours unless it is
    said which `day` it is. Raises PlanningError for a type that is no queue, or an agent nobody knows the skills of.
    """
    for call in calls:
        if call.kind not in site.queues:
            raise PlanningError(
                f'The type "{call.kind[:40]}" of call "{call.name[:40]}" (line {call.line} of the trace) is no queue '
                f"of {file}; name it as one of {', '.join(site.queues) or 'its queues'}."
            )
    origin_us = 0
    if day is not None:
        origin_us = round(datetime.combine(day, time(), ZoneInfo(site.time_zone)).timestamp()) * US_PER_S
    here = [RosterAgent(name, None) for name in site.agents] if roster is None else roster
    ids = [agent.name if agent.name in site.agents else f"roster-{at}" for at, agent in enumerate(here)]
    people = {
        id_: _person(site, file, agent).model_copy(update={"phone": f"p{at}"})
        for at, (id_, agent) in enumerate(zip(ids, here, strict=True))
    }
    plain: dict[str, object] = {"wrap_up_s": 0.0, "dispositions": (), "disposition_required": False}
    if day is None:
        plain["hours"] = None
    queues = {name: queue.model_copy(update=plain) for name, queue in site.queues.items()}
    phones = {f"p{at}": Phone.model_validate(_phone(at)) for at in range(len(here))}
    return World(
        site.model_copy(update={"agents": people, "queues": queues, "phones": phones}),
        _shifts(here, ids, _begin_us(calls), origin_us),
        [_call(call, call.kind, origin_us) for call in calls],
        origin_us,
    )


def _person(site: Site, file: str, agent: RosterAgent) -> Agent:
    """The agent with the roster's skills, each at the level that center.yaml knows, or the highest."""
    known = site.agents.get(agent.name)
    if agent.skills is None:
        if known is None:
            raise PlanningError(
                f'The agent "{agent.name[:40]}" of the roster has no skills, and {file} does not know them; '
                "give them skills in the roster."
            )
        return known
    levels = {name: skill.level for name, skill in known.skills.items()} if known else {}
    skills = {
        name: AgentSkill(level=levels.get(name, _ANY_LEVEL), rank=min(max(1, rank), 100))
        for name, rank in agent.skills.items()
    }
    if known is not None:
        return known.model_copy(update={"skills": skills})
    return Agent(label=Label.model_validate(_label("roster")), skills={}).model_copy(
        update={"skills": skills}
    )


def _shifts(roster: Sequence[RosterAgent], ids: Sequence[str], begin_us: int, origin_us: int) -> list[Shift]:
    return [
        Shift(
            agent.name,
            id_,
            f"p{at}",
            origin_us + (begin_us if agent.login_us is None else agent.login_us),
            None if agent.logout_us is None else origin_us + agent.logout_us,
            always=agent.login_us is None,
        )
        for at, (agent, id_) in enumerate(zip(roster, ids, strict=True))
    ]


def _begin_us(calls: Sequence[TraceCall]) -> int:
    """Since when those are there who are always there."""
    return min(0, min((call.arrival_us for call in calls), default=0))


def _call(call: TraceCall, queue: str, origin_us: int) -> Call:
    return Call(
        call.name,
        call.kind,
        queue,
        origin_us + call.arrival_us,
        call.handle_us,
        call.patience_us,
        call.priority,
    )


def _label(text: str) -> dict[str, str]:
    return {"fa": text, "en": text}


def _phone(at: int) -> dict[str, str]:
    return {"kind": "static", "contact": f"sip:p{at}@192.0.2.1:5060"}
