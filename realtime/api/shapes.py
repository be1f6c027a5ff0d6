"""The shapes of answers about waiting, alarms and tasks, as OpenAPI tells them.

What is unknown is left out of an answer. Instants end in `_us` (microseconds since 1970, UTC); labels have `fa` and
`en`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class LabelShape(BaseModel):
    fa: str
    en: str


class WaitRangeShape(BaseModel):
    """Seconds: as good as never less, most likely, as good as never more."""

    low: int
    likely: int
    high: int


class WhyNotShape(BaseModel):
    """Why one agent does not get it. With `missing_skill`: which, the level needed and the one they have."""

    agent: str
    name: LabelShape | None = None
    reason: Literal[
        "missing_skill", "not_named", "rule", "signed_out", "not_ready", "not_responding", "phone_unreachable",
        "phone_busy", "back_off", "ringing", "in_talk", "wrap_up", "no_capacity", "no_page", "free", "has_it",
    ]  # fmt: skip
    skill: str | None = None
    skill_label: LabelShape | str | None = None
    needed: int | None = None
    has: int | None = None


class WaitingShape(BaseModel):
    """Why a visit waits now. `able`: agents who meet what it asks for; `present`: how many of them are at least
    `signed_in`, `available`, `reachable`, `idle`. `next_step_us`: when it asks for something else. `agents`: those
    who do not get it, nearest first."""

    visit: str
    queue: str
    state: str
    waiting_since_us: int
    requirement: str
    requirement_label: LabelShape
    step: int
    priority: int
    ahead: int
    able: int
    present: dict[str, int]
    attached: bool
    agents: list[WhyNotShape]
    cause: str | None = None
    waits_for: str | None = None
    next_step_us: int | None = None
    expected_wait_s: WaitRangeShape | None = None


class StretchShape(BaseModel):
    """A part of a wait with one cause: `nobody_fits`, `nobody_signed_in`, `nobody_available`, `nobody_reachable`,
    `all_busy`, `offered`, `not_in_line` (the last ring was not over yet, or the session was away), `not_recorded`."""

    from_us: int
    to_us: int
    cause: str
    requirement: str
    requirement_label: LabelShape
    step: int
    priority: int


class PastOfferShape(BaseModel):
    """`chosen`: the `rule` that chose this agent (the queue's choice, or `preferred`) and the figures it went by.
    `state`: how it ended; `why`: why the phone was not answered. Left out: it is still out."""

    offer: str
    agent: str
    name: LabelShape | None = None
    made_at_us: int
    ended_at_us: int | None = None
    state: str | None = None
    why: str | None = None
    chosen: dict[str, int | float | str] | None = None


class PastWaitShape(BaseModel):
    visit: str
    queue: str
    began_at_us: int
    to_us: int
    outcome: str | None = None
    stretches: list[StretchShape]
    offers: list[PastOfferShape]


class WhyShape(BaseModel):
    """`now`: only while it waits or is being answered."""

    contact: str
    now: WaitingShape | None = None
    visits: list[PastWaitShape]


class InLineShape(WaitingShape):
    contact: str
    kind: str


class LinesShape(BaseModel):
    """By queue, those who wait longest."""

    queues: dict[str, list[InLineShape]]


class AlarmShape(BaseModel):
    """`missing`: each way to be able to answer, as the center writes it."""

    alarm: str
    kind: Literal["unroutable"]
    queues: list[str]
    missing: list[str]
    missing_labels: list[LabelShape]
    since_us: int


class AlarmsShape(BaseModel):
    alarms: list[AlarmShape]


class TaskMadeShape(BaseModel):
    contact: str


class TaskShape(BaseModel):
    contact: str
    visit: str
    kind: Literal["task", "callback"]
    queue: str
    state: Literal["waiting", "offered", "held"]
    entered_us: int
    priority: int
    requirement: str
    agent: str | None = None
    customer: str | None = None
    note: str | None = None


class TasksShape(BaseModel):
    tasks: list[TaskShape]
