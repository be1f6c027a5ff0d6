"""center.yaml as types: one site with its numbers, queues, agents, phones and hours.

`load_site(text, file)` reads what a person wrote and raises everything that is wrong with it at once;
`read_site` also returns the warnings. Inside the house a site travels as `site_json(site)`: every default
written out and the order kept, because the order of queues and agents is part of what the center decides by,
and a replay from that text must give the same center. Dicts in these models are never changed after loading.

Ids (of queues, agents, phones …) are ASCII words: they go into the dialplan, the ticket and addresses.
What people see is a `Label`, in Persian and English.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from acd.common.document import DocumentError, Loaded, Path, Problem, Written, load_document, nearest, wrong
from acd.common.hours import Holidays, Hours
from acd.errors import JournalError
from acd.routing.needs import Requirement, meets, plan_of
from acd.site_queue import People, Queue
from acd.site_words import (
    Dialled,
    Host,
    Id,
    Label,
    Language,
    Level,
    Model,
    Priority,
    SecretFile,
    check_country,
    check_sip,
    check_time_zone,
)

__all__ = [
    "Agent",
    "AgentSkill",
    "Capacity",
    "Holidays",
    "Hours",
    "Id",
    "Label",
    "Language",
    "Number",
    "Phone",
    "Queue",
    "Ranking",
    "ReadSite",
    "Segment",
    "Site",
    "Skill",
    "Team",
    "Trunk",
    "check_site",
    "load_site",
    "read_site",
    "site_json",
    "version_of",
]


class Skill(Model):
    label: Label


class Team(Model):
    label: Label


class Segment(Model):
    """A kind of customer; its priority is added to that of the queue."""

    label: Label
    priority: Priority = 0


class AgentSkill(Model):
    """How well (level, higher is better) and how willingly used (rank, 1 is primary) a skill is."""

    level: Level = 5
    rank: Annotated[int, Field(ge=1, le=100)] = 1


def _level_alone(value: object) -> object:
    """`loans: 7` means `loans: {level: 7}`."""
    if isinstance(value, AgentSkill | dict):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(f'"{str(value)[:40]}" is not a level', "write a whole number from 1 to 10")
    return {"level": value}


class Capacity(Model):
    """How many contacts of each kind an agent may hold. Calls and callbacks share one telephone, so together they
    are never more than one."""

    call: Annotated[int, Field(ge=0, le=1)] = 1
    callback: Annotated[int, Field(ge=0, le=1)] = 1
    task: Annotated[int, Field(ge=0, le=50)] = 1


class Agent(Model):
    """A person who takes calls. `phone` is where they sign in unless they choose another; `attributes` are for
    `agents_if`."""

    label: Label
    skills: dict[Id, Annotated[AgentSkill, BeforeValidator(_level_alone)]] = {}
    team: Id | None = None
    phone: Id | None = None
    capacity: Capacity = Capacity()
    attributes: dict[Id, bool | int | str] = {}


class Phone(Model):
    """A device an agent signs in at. Its id is the name of its endpoint in Asterisk.

    A desk phone or a browser registers with the secret in `secret_file`; a static one has a fixed `contact`
    and does not register. `auto_answer` says that the device can be told to answer by itself.
    """

    kind: Literal["desk", "browser", "static"]
    label: Label | None = None
    contact: Annotated[Written, AfterValidator(check_sip)] | None = None
    secret_file: SecretFile | None = None
    auto_answer: bool = False

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.kind == "static" and self.contact is None:
            raise wrong("a static phone has no contact", "add a line `contact: sip:1001@192.0.2.10:5060`")
        if self.kind != "static" and self.contact is not None:
            raise wrong(
                f"a {self.kind} phone registers, so it has no fixed contact",
                "remove it, or write `kind: static`",
            )
        if self.kind != "static" and self.secret_file is None:
            raise wrong(f"a {self.kind} phone has no secret to register with", "add a line `secret_file: …`")
        return self


class Trunk(Model):
    """The way to the telephone network. `match` lists the addresses its calls come from (default: host)."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65_535)] = 5060
    transport: Literal["udp", "tcp", "tls"] = "udp"
    register_: bool = Field(default=False, alias="register")
    username: Annotated[Written, Field(pattern=r"^[A-Za-z0-9_.+@-]{1,64}$")] | None = None
    secret_file: SecretFile | None = None
    match: tuple[Annotated[Written, Field(pattern=r"^[A-Za-z0-9.:/-]{1,128}$")], ...] = ()
    codecs: tuple[Literal["alaw", "ulaw", "g722", "opus", "g729"], ...] = ("alaw", "ulaw")

    @model_validator(mode="after")
    def _can_register(self) -> Self:
        if self.register_ and (self.username is None or self.secret_file is None):
            raise wrong(
                "a trunk that registers needs a user name and a secret", "add username and secret_file"
            )
        return self


class Number(Model):
    """A number that callers dial: the flow that answers it, its opening hours and language."""

    flow: Id
    language: Language | None = None
    hours: Id | None = None
    label: Label | None = None


class ValuePoints(Model):
    """Customers whose value (as the customer store counts it) is `at_least` this much have so many points."""

    at_least: int
    points: Priority


class Ranking(Model):
    """Whom an agent takes first of those who wait for them, over all queues.

    `priority`: the highest priority, then the earliest arrival. `ageing`: priority points and `ageing_per_min` for
    each minute of waiting. `relative`: 100·wait/target of the queue, and priority points. Who has waited for
    `pass_limit_s` is passed over by nobody any more, whatever their points. `value_points`: points by customer value.
    """

    by: Literal["priority", "ageing", "relative"] = "priority"
    ageing_per_min: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)] = 1
    pass_limit_s: Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)] | None = None
    value_points: tuple[ValuePoints, ...] = ()

    def points_of(self, value: int | None) -> int:
        """Of the customer's value: those of the highest step it reaches."""
        reached = [step for step in self.value_points if value is not None and value >= step.at_least]
        return max(reached, key=lambda step: step.at_least).points if reached else 0


class Site(Model):
    """One center. Keys of the dicts are ids; those of `numbers` are dialled, as the trunk sends them."""

    name: Label
    time_zone: Annotated[str, AfterValidator(check_time_zone)]
    country: Annotated[str, AfterValidator(check_country)] = "IR"
    area_code: Annotated[Written, Field(pattern=r"^[0-9]{0,6}$")] = ""
    language: Language = "fa"
    skills: dict[Id, Skill] = {}
    queues: dict[Id, Queue] = {}
    teams: dict[Id, Team] = {}
    agents: dict[Id, Agent] = {}
    phones: dict[Id, Phone] = {}
    trunks: dict[Id, Trunk] = {}
    numbers: dict[Dialled, Number] = {}
    hours: dict[Id, Hours] = {}
    holidays: Holidays = Holidays()
    segments: dict[Id, Segment] = {}
    ranking: Ranking = Ranking()
    work_choice: Literal["longest-waiting", "primary-first"] = "longest-waiting"
    tasks_during_calls: bool = False
    not_ready_reasons: dict[Id, Label] = {}
    dispositions: dict[Id, Label] = {}

    @staticmethod
    def from_json(text: str) -> Site:
        """The site that `site_json` wrote. Raises JournalError if it is not one."""
        return _read_json(text)


@lru_cache(maxsize=8)
def _read_json(text: str) -> Site:
    """A site never changes once it is read, so the same text is the same site."""
    try:
        return Site.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the text"
        raise JournalError(
            f"A stored site cannot be read at {place} ({first['msg']}); apply center.yaml again."
        ) from None


def site_json(site: Site) -> str:
    """The site as one line of JSON: all defaults written out, order kept. Equal sites give equal text."""
    data = site.model_dump(mode="json", by_alias=True)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def version_of(site: Site) -> str:
    """16 hexadecimal digits that name this content: the beginning of SHA-256 over `site_json`."""
    return hashlib.sha256(site_json(site).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ReadSite:
    """A site that can be used, and what its author may still want to know."""

    site: Site
    warnings: tuple[Problem, ...]


def load_site(text: str | bytes, file: str) -> Site:
    """The site in a center.yaml. Raises DocumentError with every problem (and warning) if any is an error."""
    return read_site(text, file).site


def read_site(text: str | bytes, file: str) -> ReadSite:
    """The site in a center.yaml with its warnings. Raises DocumentError like `load_site`."""
    loaded = load_document(text, file, Site)
    problems = check_site(loaded)
    if any(problem.severity == "error" for problem in problems):
        raise DocumentError(problems)
    return ReadSite(loaded.model, tuple(problems))


def check_site(loaded: Loaded[Site]) -> list[Problem]:
    """What is wrong between the parts of a site: references to nothing, queues nobody can serve."""
    found = [*_unknown_references(loaded), *_doubts(loaded)]
    return sorted(found, key=lambda p: (p.line, p.column, p.message))


def _unknown_references(loaded: Loaded[Site]) -> Iterator[Problem]:
    site = loaded.model
    for path, kind, section, known in _references(site):
        word = str(path[-1]) if kind == "skill" else str(_at(site, path))
        if word in known:
            continue
        meant = nearest(word, known)
        define = f"define it under {section}"
        yield loaded.tree.problem(
            path,
            f'{path[0]}.{path[1]} names the {kind} "{word}", which is not defined',
            f'write "{meant}", or {define}' if meant else define,
            at_key=kind == "skill",
        )


def _references(site: Site) -> Iterator[tuple[Path, str, str, Iterable[str]]]:
    """Every place that names something else: path, kind, section where it is defined, what is known there."""
    for name, queue in site.queues.items():
        yield from _references_of_queue(site, ("queues", name), queue)
    for name, agent in site.agents.items():
        for skill in agent.skills:
            yield ("agents", name, "skills", skill), "skill", "skills", site.skills
        if agent.team is not None:
            yield ("agents", name, "team"), "team", "teams", site.teams
        if agent.phone is not None:
            yield ("agents", name, "phone"), "phone", "phones", site.phones
    for dialled, number in site.numbers.items():
        if number.hours is not None:
            yield ("numbers", dialled, "hours"), "opening hours", "hours", site.hours


_Reference = tuple[Path, str, str, Iterable[str]]


def _references_of_queue(site: Site, at: Path, queue: Queue) -> Iterator[_Reference]:
    def skills(path: Path, named: Iterable[str]) -> Iterator[_Reference]:
        for skill in named:
            yield (*path, skill), "skill", "skills", site.skills

    def people(path: Path, who: People) -> Iterator[_Reference]:
        yield from skills((*path, "requires"), who.requires)
        for number in range(len(who.agents)):
            yield (*path, "agents", number), "agent", "agents", site.agents

    yield from skills((*at, "requires"), queue.requires)
    for number, some in enumerate(queue.requires_any):
        yield from skills((*at, "requires_any", number), some)
    for number, variant in enumerate(queue.variants):
        yield from skills((*at, "variants", number, "requires"), variant.requires or ())
        for each, some in enumerate(variant.requires_any or ()):
            yield from skills((*at, "variants", number, "requires_any", each), some)
    for number, step in enumerate(queue.relax):
        yield from skills((*at, "relax", number, "requires"), step.requires)
        for each, who in enumerate(step.add):
            yield from people((*at, "relax", number, "add", each), who)
    if queue.reserve is not None:
        yield from people((*at, "reserve", "people"), queue.reserve.people)
    for number in range(len(queue.dispositions)):
        yield (*at, "dispositions", number), "disposition", "dispositions", site.dispositions
    if queue.hours is not None:
        yield (*at, "hours"), "opening hours", "hours", site.hours
    for why, to in queue.overflow:
        if to is not None and not isinstance(to, str):
            yield (*at, "overflow", why, "queue"), "queue", "queues", site.queues


def _at(site: Site, path: Path) -> object:
    value: object = site
    for step in path:
        if isinstance(value, dict):
            value = value[step]
        elif isinstance(value, tuple):
            value = value[int(step)]
        else:
            value = getattr(value, str(step))
    return value


def _doubts(loaded: Loaded[Site]) -> Iterator[Problem]:
    """What works but is probably not meant."""
    site = loaded.model
    for name, queue in site.queues.items():
        for at, said, requirement in _asked_of(queue):
            known = all(skill in site.skills for need in requirement for skill, _ in need.skills)
            if known and not any(
                meets(agent_id, agent, requirement) for agent_id, agent in site.agents.items()
            ):
                yield loaded.tree.problem(
                    ("queues", name, *at),
                    f'no agent has the skills that {said} of the queue "{name}" requires',
                    "give them to an agent, or lower its minimum levels",
                    severity="warning",
                    at_key=True,
                )
        yield from _overflows_in_a_ring(loaded, name)
    shared: dict[str, str] = {}
    for name, agent in site.agents.items():
        if agent.phone is None:
            continue
        first = shared.setdefault(agent.phone, name)
        if first != name:
            yield loaded.tree.problem(
                ("agents", name, "phone"),
                f'the agents "{first}" and "{name}" have the same phone, where only one can sign in',
                "give each a phone of their own if they work at the same hours",
                severity="warning",
            )
    for section, singular in (("numbers", "number"), ("queues", "queue")):
        if not getattr(site, section):
            yield loaded.tree.problem(
                (), f"the site has no {singular}", f"add one under {section}", severity="warning"
            )


def _asked_of(queue: Queue) -> Iterator[tuple[Path, str, Requirement]]:
    """The last, easiest requirement of each variant: who does not find anybody there never will."""
    for number, variant in enumerate(plan_of(queue)):
        last = variant.steps[-1].requirement
        if number == len(queue.variants):
            yield (), "the last step" if queue.relax else "every contact", last
        else:
            yield ("variants", number), f"variant {number + 1}", last


def _overflows_in_a_ring(loaded: Loaded[Site], name: str) -> Iterator[Problem]:
    """Queue after queue that sends on those it does not let in must come to an end."""
    site = loaded.model
    for why in ("full", "closed", "empty"):
        seen, here = [name], name
        while (to := getattr(site.queues[here].overflow, why)) is not None and not isinstance(to, str):
            here = to.queue
            if here == name:
                yield loaded.tree.problem(
                    ("queues", name, "overflow", why),
                    f"who is sent on from here when the queue is {why} comes back: {' → '.join([*seen, name])}",
                    "send them somewhere else at one of these queues",
                )
            if here in seen or here not in site.queues:
                break
            seen.append(here)
