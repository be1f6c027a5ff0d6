"""The sites that are simulated: one made of a trace's types and a roster, or a center.yaml made ready for it.

Ids of a site are ASCII words; what a trace and a roster call their things need not be. So here everybody gets a number
for an id, in the order of the file, and keeps the name for people to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from acd.planning.simulate import Call, Shift, World
from acd.site import Site

Strategy = Literal["longest-idle", "primary-first"]
STRATEGIES: tuple[Strategy, ...] = ("longest-idle", "primary-first")

_ANY_LEVEL = 10


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
    begin_us = _begin_us(calls)
    shifts = [
        Shift(
            agent.name,
            f"a{at}",
            f"p{at}",
            begin_us if agent.login_us is None else agent.login_us,
            agent.logout_us,
        )
        for at, agent in enumerate(roster)
    ]
    return World(site, shifts, [_call(call, kinds[call.kind]) for call in calls])


def _begin_us(calls: Sequence[TraceCall]) -> int:
    """Since when those are there who are always there."""
    return min(0, min((call.arrival_us for call in calls), default=0))


def _call(call: TraceCall, queue: str) -> Call:
    return Call(call.name, call.kind, queue, call.arrival_us, call.handle_us, call.patience_us, call.priority)


def _label(text: str) -> dict[str, str]:
    return {"fa": text, "en": text}


def _phone(at: int) -> dict[str, str]:
    return {"kind": "static", "contact": f"sip:p{at}@192.0.2.1:5060"}
