"""The states as tables. Everything that decides whether a step is allowed lives here.

A *visit* waits, is offered, is talked or leaves; an offer that fails puts it back in the same place in line.
An *offer* is pending until exactly one of its ends. A late answer is the one odd edge: the receiver may be lifted
in the same instant in which we call the offer timed out or rejected, and what people hear is true, so both may
still become `accepted`.

An agent's *activity* is derived (`acd.state.activity_of`), so its table does not drive anything: it says what may
follow what, and the simulation holds every change against it. The diagrams in ARCHITECTURE.md are drawn from
these tables by `python -m acd.transitions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from acd.errors import IllegalTransition
from acd.types import Activity, OfferState, VisitState

S = TypeVar("S", bound=StrEnum)

VISIT: Mapping[VisitState, frozenset[VisitState]] = {
    VisitState.WAITING: frozenset(
        {
            VisitState.OFFERED,
            VisitState.TALKING,
            VisitState.ABANDONED,
            VisitState.FLOWED_OUT,
            VisitState.CALLBACK,
        }
    ),
    VisitState.OFFERED: frozenset(
        {
            VisitState.WAITING,
            VisitState.TALKING,
            VisitState.ABANDONED,
            VisitState.FLOWED_OUT,
            VisitState.CALLBACK,
        }
    ),
    VisitState.TALKING: frozenset({VisitState.ANSWERED}),
    VisitState.ANSWERED: frozenset(),
    VisitState.ABANDONED: frozenset(),
    VisitState.FLOWED_OUT: frozenset(),
    VisitState.CALLBACK: frozenset(),
}

OFFER: Mapping[OfferState, frozenset[OfferState]] = {
    OfferState.PENDING: frozenset(OfferState) - {OfferState.PENDING},
    OfferState.ACCEPTED: frozenset(),
    OfferState.REJECTED: frozenset({OfferState.ACCEPTED}),
    OfferState.TIMED_OUT: frozenset({OfferState.ACCEPTED}),
    OfferState.CANCELLED: frozenset(),
    OfferState.RESCINDED: frozenset(),
    OfferState.FAILED: frozenset(),
}

_AFTER_WORK = frozenset({Activity.IDLE, Activity.RINGING, Activity.UNREACHABLE, Activity.ON_TASK})
_FREE = frozenset({Activity.RINGING, Activity.UNREACHABLE, Activity.ON_CALL})

ACTIVITY: Mapping[Activity, frozenset[Activity]] = {
    Activity.IDLE: _FREE,
    Activity.ON_TASK: _FREE | {Activity.IDLE},
    Activity.RINGING: _AFTER_WORK | {Activity.ON_CALL, Activity.WRAP_UP, Activity.NOT_RESPONDING},
    Activity.ON_CALL: _AFTER_WORK | {Activity.ON_HOLD, Activity.WRAP_UP, Activity.NOT_RESPONDING},
    Activity.ON_HOLD: _AFTER_WORK | {Activity.ON_CALL, Activity.WRAP_UP, Activity.NOT_RESPONDING},
    Activity.CONSULTING: frozenset(),
    Activity.WRAP_UP: _AFTER_WORK | {Activity.NOT_RESPONDING},
    Activity.NOT_RESPONDING: _AFTER_WORK | {Activity.ON_CALL},
    Activity.UNREACHABLE: _AFTER_WORK - {Activity.UNREACHABLE} | {Activity.ON_CALL},
}


def move(table: Mapping[S, frozenset[S]], old: S, new: S, what: str) -> S:
    """`new`, if the table allows it after `old`. Raises IllegalTransition, with nothing changed, if not."""
    if new not in table[old]:
        raise IllegalTransition(f"{what} cannot go from {old} to {new}.")
    return new


def diagram(title: str, table: Mapping[S, frozenset[S]]) -> str:
    """The table as a Mermaid state diagram."""
    lines = [f"%% {title}", "stateDiagram-v2"]
    for old, following in table.items():
        lines += [f"    {old} --> {new}" for new in sorted(following)]
        if not following and any(old in others for others in table.values()):
            lines.append(f"    {old} --> [*]")
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram("Visit", VISIT), diagram("Offer", OFFER), diagram("Agent's activity", ACTIVITY), sep="\n\n")
