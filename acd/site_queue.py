"""A queue as its author writes it: whom it needs, how that may relax, who is chosen, who is let in, when one leaves.

What it needs can be said in three ways that all must hold: `requires` (skills with minimum levels, all of them),
`requires_any` (at least one of these sets of skills) and `agents_if` (an expression over the agent alone). A
`variant` replaces them for contacts of which its own expression holds, chosen once when the visit begins. `relax`
steps then ask for less, or let more people answer, as the wait grows; the place in line stays the same.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from acd.common.document import Written, nearest, wrong
from acd.common.expression import Expression, ExpressionError
from acd.site_words import Id, Label, Level, Model, Priority, Seconds

AGENT_NAMES = ("agent",)
"""`agent.id`, `agent.team`, `agent.skills.<skill>` (level), `agent.ranks.<skill>`, `agent.attributes.<name>`."""

CONTACT_NAMES = ("contact",)
"""`contact.kind`, `.dialled`, `.language`, `.segment` ("" for none), `.known` (whether a customer was found), `.value`
(of the customer; 0 for none), `.priority` (what the flow asked for)."""


def _check(text: str, names: tuple[str, ...], example: str) -> str:
    try:
        expression = Expression.parse(text, names)
        if not expression.names:
            expression.holds({})
    except ExpressionError as error:
        raise wrong(str(error).rstrip("."), f"write one over `{names[0]}`, such as {example}") from None
    for path in sorted(expression.paths):
        if path[0] == names[0] and len(path) > 1 and path[1] not in _FIELDS[path[0]]:
            meant = nearest(path[1], _FIELDS[path[0]])
            fix = f'write "{meant}"' if meant else f"use one of {', '.join(_FIELDS[path[0]])}"
            raise wrong(f'"{names[0]}" has no "{path[1]}"', fix)
    return text


_FIELDS = {
    "agent": ("attributes", "id", "ranks", "skills", "team"),
    "contact": ("dialled", "kind", "known", "language", "priority", "segment", "value"),
}


def _agent_rule(text: str) -> str:
    return _check(text, AGENT_NAMES, "agent.team == 'experts'")


def _contact_rule(text: str) -> str:
    return _check(text, CONTACT_NAMES, "contact.segment == 'gold'")


AgentRule = Annotated[Written, AfterValidator(_agent_rule)]
ContactRule = Annotated[Written, AfterValidator(_contact_rule)]
Skills = dict[Id, Level]
AtLeast = Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]

AgentChoice = Literal[
    "longest-idle",
    "best-skill",
    "primary-first",
    "least-occupied",
    "fewest-contacts",
    "round-robin",
    "ordered",
]

Presence = Literal["nobody", "signed_in", "available", "reachable", "idle"]
"""Who must be there, each one more than the one before: anybody or nobody; somebody signed in who fits; one whose
status is Available, also when they talk; one whose phone can be reached and who answers it; one who is free now."""


class People(Model):
    """A set of agents: those who meet all that is said. `agents` names them one by one."""

    requires: Skills = {}
    agents_if: AgentRule | None = None
    agents: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _says_whom(self) -> Self:
        if not self.requires and self.agents_if is None and not self.agents:
            raise wrong("this names nobody in particular", "add requires, agents_if or agents")
        return self


class Relaxation(Model):
    """From a wait of `after_s` on: other minimum levels (0: the skill is not needed any more), more people (`add`),
    more priority. Steps add up."""

    after_s: AtLeast
    requires: dict[Id, Annotated[int, Field(ge=0, le=10)]] = {}
    add: tuple[People, ...] = ()
    priority: Priority = 0


class Variant(Model):
    """Another requirement for contacts of which `if` holds; what it leaves out stays as the queue has it."""

    if_: ContactRule = Field(alias="if")
    requires: Skills | None = None
    requires_any: tuple[Skills, ...] | None = None
    agents_if: AgentRule | None = None
    priority: Priority = 0


class OverflowQueue(Model):
    queue: Id


def _known_way(value: object) -> object:
    if isinstance(value, str) and value not in ("voicemail", "callback", "announcement"):
        raise wrong(
            f'"{value[:40]}" is no way out of a line',
            "write voicemail, callback, announcement, or a queue as {queue: …}",
        )
    return value


OverflowTo = Annotated[
    OverflowQueue | Literal["voicemail", "callback", "announcement"], BeforeValidator(_known_way)
]
"""Another queue, in the same step and with the same age; or the way of that name out of the flow's queue node."""


class Overflow(Model):
    """Where those go who are not let in, or do not stay in line; None: where the flow says."""

    full: OverflowTo | None = None
    closed: OverflowTo | None = None
    empty: OverflowTo | None = None
    max_wait: OverflowTo | None = None


class Reserve(Model):
    """People who are opened to the queue while its projected service level is below `open_below`, and given back
    when it is above `close_above`."""

    people: People
    open_below: Share
    close_above: Share

    @model_validator(mode="after")
    def _has_a_gap(self) -> Self:
        if self.close_above <= self.open_below:
            raise wrong("close_above is not above open_below", "leave a gap, such as 0.75 and 0.85")
        return self


class Queue(Model):
    """A line: whom it needs, how it offers, what it is measured by.

    `target_s` and `short_abandon_s` are the limits of the service level; `rona_misses` is how many offers
    in a row an agent may let ring out before they get no more; after a busy or unreachable phone an agent is
    passed over for `busy_backoff_s` or `unreachable_backoff_s`; `wrap_up_s` null lasts until the agent is done.

    Who is rung: `agent_choice`, at `ring_at_once` phones together (the first answer has the caller). A preferred
    agent (the customer's own, or who talked with this caller within `same_agent_within_s`) is waited for
    `preferred_wait_s`. A caller who was cut off and is back within `regain_place_within_s` has the old place.

    Who is let in and stays: `capacity` is how many may wait; `join_needs` and `stay_needs` who must be there, and
    `empty_after_s` for how long nobody has to be before those in line leave; `max_wait_s`; `hours`, and what
    becomes of those in line `at_closing`. `announce_s` is how often a waiting caller hears their position.
    """

    label: Label
    requires: Skills
    requires_any: tuple[Skills, ...] = ()
    agents_if: AgentRule | None = None
    variants: tuple[Variant, ...] = ()
    relax: tuple[Relaxation, ...] = ()
    priority: Priority = 0
    agent_choice: AgentChoice = "longest-idle"
    ring_at_once: Annotated[int, Field(ge=1, le=20)] = 1
    preferred_wait_s: Seconds = 0
    same_agent_within_s: Seconds = 0
    regain_place_within_s: Seconds = 0
    target_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 20
    short_abandon_s: Seconds = 5
    ring_timeout_s: Annotated[float, Field(ge=1, le=120, allow_inf_nan=False)] = 15
    rona_misses: Annotated[int, Field(ge=1, le=20)] = 1
    wrap_up_s: Seconds | None = 30
    busy_backoff_s: Seconds = 5
    unreachable_backoff_s: Seconds = 30
    dispositions: tuple[Id, ...] = ()
    disposition_required: bool = False
    capacity: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_wait_s: AtLeast | None = None
    join_needs: Presence = "nobody"
    stay_needs: Presence = "nobody"
    empty_after_s: Annotated[float, Field(ge=1, le=3_600, allow_inf_nan=False)] = 15
    hours: Id | None = None
    at_closing: Literal["serve", "overflow"] = "serve"
    overflow: Overflow = Overflow()
    reserve: Reserve | None = None
    music: Id = "default"
    announce_s: Annotated[float, Field(ge=5, le=3_600, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _required_disposition_exists(self) -> Self:
        if self.disposition_required and not self.dispositions:
            raise wrong("a disposition is required but none is listed", "list them under dispositions")
        return self

    @model_validator(mode="after")
    def _steps_follow_each_other(self) -> Self:
        times = [step.after_s for step in self.relax]
        if times != sorted(set(times)):
            raise wrong(
                "the steps of relax do not follow each other in time", "order them by after_s, each once"
            )
        return self
