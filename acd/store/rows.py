"""Facts -> changes of rows. Pure; nothing here knows which database there is.

Every change names its row by the id in the fact and sets columns to values of the fact alone, so applying a
fact twice, or a whole stretch of facts again in the same order, leaves the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatch
from hashlib import sha256
from typing import get_args

from acd.facts import (
    AgentChanged,
    CardWasShown,
    ContactBegan,
    ContactEnded,
    ContactKnown,
    Disposed,
    Fact,
    MenuStepTaken,
    OfferEnded,
    OfferMade,
    OfferRinging,
    RequirementChanged,
    TalkOver,
    VisitAbandoned,
    VisitAnswered,
    VisitBegan,
    VisitCalledBack,
    VisitFlowedOut,
    VisitRefused,
    WaitCauseChanged,
    WaitEstimated,
    WrapUpOver,
)
from acd.types import ContactId, VisitState

Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class At:
    """An instant in a row, in microseconds of center time."""

    us: int


Values = Mapping[str, Value | At]


@dataclass(frozen=True, slots=True)
class CallerNoted:
    """The caller's number of a contact, which no fact carries. `e164` None: no number of the world's plan."""

    contact: ContactId
    kind: str
    e164: str | None


Entry = Fact | CallerNoted


@dataclass(frozen=True, slots=True)
class Change:
    """Set `values` in the row of `table` with this `key`. `insert`: make the row if it is not there."""

    table: str
    key: Values
    values: Values
    insert: bool = True

    @property
    def row(self) -> tuple[str, tuple[tuple[str, Value | At], ...]]:
        return self.table, tuple(sorted(self.key.items()))


def line_of(requirement: str) -> str:
    """The name of a requirement where it is a key: its words may be longer than a database's index bears."""
    return sha256(requirement.encode()).hexdigest()[:32]


def changes(entry: Entry) -> tuple[Change, ...]:
    """What one fact does to the rows, in order. Unrecorded facts (a change of site) give none."""
    return tuple(_changes(entry))


def merged(entries: Iterable[Entry]) -> list[Change]:
    """The changes of many facts, one for each row, in the order in which the rows were first named.

    Later values win. A row that is made and changed is made once.
    """
    rows: dict[object, Change] = {}
    for entry in entries:
        for change in _changes(entry):
            before = rows.get(change.row)
            rows[change.row] = change if before is None else _joined(before, change)
    return list(rows.values())


def _joined(before: Change, after: Change) -> Change:
    return Change(before.table, before.key, {**before.values, **after.values}, before.insert or after.insert)


_FACTS = frozenset(get_args(Fact))


@singledispatch
def _changes(entry: object) -> Iterable[Change]:
    if type(entry) in _FACTS:
        return []  # said while it is so, and kept by nobody: what stands in no table has no function below
    raise TypeError(f"{type(entry).__name__} is not a fact that records know.")


@_changes.register
def _caller_noted(entry: CallerNoted) -> Iterable[Change]:
    values = {"caller_kind": entry.kind, "caller_e164": entry.e164}
    return [Change("contact", {"id": entry.contact}, values, insert=False)]


@_changes.register
def _contact_began(fact: ContactBegan) -> Iterable[Change]:
    began = At(fact.at_us)
    return [
        Change(
            "contact",
            {"id": fact.contact},
            {"dialled": fact.dialled, "began_at": began, "kind": fact.kind.value},
        ),
        Change("leg", {"id": fact.contact}, {"contact": fact.contact, "party": "caller", "began_at": began}),
    ]


@_changes.register
def _contact_known(fact: ContactKnown) -> Iterable[Change]:
    values = {"customer": fact.customer, "segment": fact.segment}
    return [Change("contact", {"id": fact.contact}, values, insert=False)]


@_changes.register
def _contact_ended(fact: ContactEnded) -> Iterable[Change]:
    ended: Values = {"began_at": At(fact.began_us), "ended_at": At(fact.at_us)}
    return [
        Change("contact", {"id": fact.contact}, {**ended, "handled_by": fact.handled_by.value}),
        Change("leg", {"id": fact.contact}, {**ended, "contact": fact.contact, "party": "caller"}),
    ]


@_changes.register
def _menu_step_taken(fact: MenuStepTaken) -> Iterable[Change]:
    key: Values = {"contact": fact.contact, "at": At(fact.at_us), "node": fact.node}
    return [Change("menu_step", key, {"flow": fact.flow, "version": fact.version})]


@_changes.register
def _visit_began(fact: VisitBegan) -> Iterable[Change]:
    values: Values = {
        "contact": fact.contact,
        "queue": fact.queue,
        "began_at": At(fact.at_us),
        "priority": fact.priority,
        "kind": fact.kind.value,
        "segment": fact.segment,
        "skills": ",".join(fact.skills),
    }
    asked = (
        [_wait_step(fact.visit, fact.at_us, fact.requirement, 0, fact.priority)] if fact.requirement else []
    )
    return [Change("visit", {"id": fact.visit}, values), *asked]


@_changes.register
def _requirement_changed(fact: RequirementChanged) -> Iterable[Change]:
    return [_wait_step(fact.visit, fact.at_us, fact.requirement, fact.step, fact.priority)]


def _wait_step(visit: str, at_us: int, requirement: str, step: int, priority: int) -> Change:
    values: Values = {
        "requirement": requirement,
        "line": line_of(requirement),
        "step": step,
        "priority": priority,
    }
    return Change("wait_step", {"visit": visit, "at": At(at_us)}, values)


@_changes.register
def _wait_cause_changed(fact: WaitCauseChanged) -> Iterable[Change]:
    key: Values = {"line": line_of(fact.requirement), "at": At(fact.at_us)}
    return [Change("wait_cause", key, {"cause": None if fact.cause is None else fact.cause.value})]


@_changes.register
def _wait_estimated(fact: WaitEstimated) -> Iterable[Change]:
    return [Change("visit", {"id": fact.visit}, {"estimate_us": fact.likely_us}, insert=False)]


@_changes.register
def _visit_answered(fact: VisitAnswered) -> Iterable[Change]:
    values: Values = {
        **_visit_of(fact),
        "outcome": VisitState.ANSWERED.value,
        "wait_us": fact.wait_us,
        "agent": fact.agent,
        "offer": fact.offer,
        "answered_at": At(fact.at_us),
    }
    agents_leg: Values = {
        "contact": fact.contact,
        "party": "agent",
        "visit": fact.visit,
        "offer": fact.offer,
        "agent": fact.agent,
        "began_at": At(fact.at_us),
    }
    return [Change("visit", {"id": fact.visit}, values), Change("leg", {"id": fact.visit}, agents_leg)]


@_changes.register
def _visit_abandoned(fact: VisitAbandoned) -> Iterable[Change]:
    return [_unanswered(fact, VisitState.ABANDONED)]


@_changes.register
def _visit_flowed_out(fact: VisitFlowedOut) -> Iterable[Change]:
    return [_unanswered(fact, VisitState.FLOWED_OUT)]


@_changes.register
def _visit_called_back(fact: VisitCalledBack) -> Iterable[Change]:
    return [_unanswered(fact, VisitState.CALLBACK)]


@_changes.register
def _visit_refused(fact: VisitRefused) -> Iterable[Change]:
    key: Values = {"contact": fact.contact, "queue": fact.queue, "at": At(fact.at_us)}
    return [Change("refusal", key, {"why": fact.why})]


@_changes.register
def _talk_over(fact: TalkOver) -> Iterable[Change]:
    times: Values = {"talk_us": fact.talk_us, "hold_us": fact.hold_us, "ended_at": At(fact.at_us)}
    agent: Values = {} if fact.agent is None else {"agent": fact.agent}
    values: Values = {**_visit_of(fact), **times, **agent, "ended_by": fact.by.value}
    return [
        Change("visit", {"id": fact.visit}, values),
        Change("leg", {"id": fact.visit}, times, insert=False),
    ]


@_changes.register
def _wrap_up_over(fact: WrapUpOver) -> Iterable[Change]:
    return [Change("visit", {"id": fact.visit}, {**_visit_of(fact), "acw_us": fact.acw_us})]


@_changes.register
def _disposed(fact: Disposed) -> Iterable[Change]:
    return [Change("visit", {"id": fact.visit}, {"disposition": fact.code}, insert=False)]


@_changes.register
def _offer_made(fact: OfferMade) -> Iterable[Change]:
    values: Values = {
        "visit": fact.visit,
        "contact": fact.contact,
        "queue": fact.queue,
        "agent": fact.agent,
        "phone": fact.phone,
        "page_open": fact.page_open,
        "made_at": At(fact.at_us),
        "chosen": fact.why or None,
    }
    return [Change("offer", {"id": fact.offer}, values)]


@_changes.register
def _card_was_shown(fact: CardWasShown) -> Iterable[Change]:
    values: Values = {"shown_at": At(fact.at_us), "shown_before_ring": fact.before_ring}
    return [Change("offer", {"id": fact.offer}, values, insert=False)]


@_changes.register
def _offer_ringing(fact: OfferRinging) -> Iterable[Change]:
    return [Change("offer", {"id": fact.offer}, {"rang_at": At(fact.at_us)}, insert=False)]


@_changes.register
def _offer_ended(fact: OfferEnded) -> Iterable[Change]:
    values: Values = {
        "visit": fact.visit,
        "contact": fact.contact,
        "queue": fact.queue,
        "agent": fact.agent,
        "made_at": At(fact.made_us),
        "state": fact.state.value,
        "why": None if fact.why is None else fact.why.value,
        "ended_at": At(fact.at_us),
    }
    return [Change("offer", {"id": fact.offer}, values)]


@_changes.register
def _agent_changed(fact: AgentChanged) -> Iterable[Change]:
    values: Values = {
        "phone": fact.phone,
        "status": fact.status.value,
        "reason": fact.reason,
        "activity": fact.activity.value,
        "since_at": At(fact.since_us),
        "visit": fact.visit,
        "next_status": None if fact.next_status is None else fact.next_status.value,
        "next_reason": fact.next_reason,
    }
    return [Change("agent_state", {"agent": fact.agent, "at": At(fact.at_us)}, values)]


def _visit_of(
    fact: VisitAnswered | VisitAbandoned | VisitFlowedOut | VisitCalledBack | TalkOver | WrapUpOver,
) -> Values:
    return {"contact": fact.contact, "queue": fact.queue, "began_at": At(fact.began_us)}


def _unanswered(fact: VisitAbandoned | VisitFlowedOut | VisitCalledBack, outcome: VisitState) -> Change:
    values: Values = {
        **_visit_of(fact),
        "outcome": outcome.value,
        "wait_us": fact.wait_us,
        "ended_at": At(fact.at_us),
    }
    return Change("visit", {"id": fact.visit}, values)
