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
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from acd.common.document import DocumentError, Loaded, Path, Problem, Written, load_document, nearest, wrong
from acd.common.hours import Holidays, Hours, knows_country
from acd.common.text import clean_label
from acd.errors import JournalError

__all__ = [
    "Agent",
    "AgentSkill",
    "Holidays",
    "Hours",
    "Label",
    "Language",
    "Number",
    "Phone",
    "Queue",
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

Language = Literal["fa", "en"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}\Z")
_DIALLED = re.compile(r"\+?[0-9]{1,20}\Z")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}\Z")
_SIP = re.compile(r"sips?:[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?\Z")
_SECRET_FILE = re.compile(r"[A-Za-z0-9_./-]{1,255}\Z")


def _check_id(value: str) -> str:
    if not _ID.match(value):
        raise wrong(
            f'"{value[:40]}" cannot be an id',
            "use 1 to 32 of a-z, A-Z, 0-9, - and _, beginning with a letter or digit",
        )
    return value


def _check_dialled(value: str) -> str:
    if not _DIALLED.match(value):
        raise wrong(
            f'"{value[:40]}" cannot be dialled', "use digits only, with + in front if the trunk sends it"
        )
    return value


def _check_host(value: str) -> str:
    if not _HOST.match(value):
        raise wrong(f'"{value[:40]}" is not a host', "write a name such as sip.example.org or an address")
    return value


def _check_sip(value: str) -> str:
    if not _SIP.match(value):
        raise wrong(f'"{value[:40]}" is not a SIP address', "write it as sip:1001@192.0.2.10:5060")
    return value


def _check_secret_file(value: str) -> str:
    if not _SECRET_FILE.match(value):
        raise wrong(
            "this is not the name of a file", "name the file that holds the secret, not the secret itself"
        )
    return value


def _check_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong(f'"{value[:40]}" is not a time zone', "write it as Asia/Tehran") from None
    return value


def _check_country(value: str) -> str:
    if not knows_country(value):
        raise wrong(f'"{value[:40]}" is not a country with a calendar', "write two capital letters, as IR")
    return value


def _check_label_text(value: str) -> str:
    cleaned = clean_label(value)
    if not cleaned:
        raise wrong("the text is empty", "write what people shall see")
    return cleaned


def _level_alone(value: object) -> object:
    """`loans: 7` means `loans: {level: 7}`."""
    if isinstance(value, AgentSkill | dict):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(f'"{str(value)[:40]}" is not a level', "write a whole number from 1 to 10")
    return {"level": value}


Id = Annotated[Written, AfterValidator(_check_id)]
Dialled = Annotated[Written, AfterValidator(_check_dialled)]
Host = Annotated[Written, AfterValidator(_check_host)]
SecretFile = Annotated[Written, AfterValidator(_check_secret_file)]
LabelText = Annotated[Written, AfterValidator(_check_label_text)]
Level = Annotated[int, Field(ge=1, le=10)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Priority = Annotated[int, Field(ge=-100, le=100)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(_Model):
    """What people see, in both languages; at most 80 characters each, free of control characters."""

    fa: LabelText
    en: LabelText

    def text(self, language: str) -> str:
        return self.fa if language == "fa" else self.en


class Skill(_Model):
    label: Label


class Team(_Model):
    label: Label


class Segment(_Model):
    """A kind of customer; its priority is added to that of the queue."""

    label: Label
    priority: Priority = 0


class Queue(_Model):
    """A line: whom it needs (`requires`: skill to minimum level), how it offers, what it is measured by.

    `target_s` and `short_abandon_s` are the limits of the service level; `rona_misses` is how many offers
    in a row an agent may let ring out before they get no more; after a busy or unreachable phone an agent is
    passed over for `busy_backoff_s` or `unreachable_backoff_s`. `capacity` is how many may wait, None for
    any number; `announce_s` is how often a waiting caller hears their position, None for never.
    """

    label: Label
    requires: dict[Id, Level]
    priority: Priority = 0
    target_s: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 20
    short_abandon_s: Seconds = 5
    ring_timeout_s: Annotated[float, Field(ge=1, le=120, allow_inf_nan=False)] = 15
    rona_misses: Annotated[int, Field(ge=1, le=20)] = 1
    wrap_up_s: Seconds = 30
    busy_backoff_s: Seconds = 5
    unreachable_backoff_s: Seconds = 30
    dispositions: tuple[Id, ...] = ()
    disposition_required: bool = False
    capacity: Annotated[int, Field(ge=1, le=100_000)] | None = None
    music: Id = "default"
    announce_s: Annotated[float, Field(ge=5, le=3_600, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _required_disposition_exists(self) -> Self:
        if self.disposition_required and not self.dispositions:
            raise wrong("a disposition is required but none is listed", "list them under dispositions")
        return self


class AgentSkill(_Model):
    """How well (level, higher is better) and how willingly used (rank, 1 is primary) a skill is."""

    level: Level = 5
    rank: Annotated[int, Field(ge=1, le=100)] = 1


class Agent(_Model):
    """A person who takes calls. `phone` is where they sign in unless they choose another."""

    label: Label
    skills: dict[Id, Annotated[AgentSkill, BeforeValidator(_level_alone)]] = {}
    team: Id | None = None
    phone: Id | None = None


class Phone(_Model):
    """A device an agent signs in at. Its id is the name of its endpoint in Asterisk.

    A desk phone or a browser registers with the secret in `secret_file`; a static one has a fixed `contact`
    and does not register. `auto_answer` says that the device can be told to answer by itself.
    """

    kind: Literal["desk", "browser", "static"]
    label: Label | None = None
    contact: Annotated[Written, AfterValidator(_check_sip)] | None = None
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


class Trunk(_Model):
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


class Number(_Model):
    """A number that callers dial: the flow that answers it, its opening hours and language."""

    flow: Id
    language: Language | None = None
    hours: Id | None = None
    label: Label | None = None


class Site(_Model):
    """One center. Keys of the dicts are ids; those of `numbers` are dialled, as the trunk sends them."""

    name: Label
    time_zone: Annotated[str, AfterValidator(_check_time_zone)]
    country: Annotated[str, AfterValidator(_check_country)] = "IR"
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
    not_ready_reasons: dict[Id, Label] = {}
    dispositions: dict[Id, Label] = {}

    @classmethod
    def from_json(cls, text: str) -> Site:
        """The site that `site_json` wrote. Raises JournalError if it is not one."""
        try:
            return cls.model_validate_json(text)
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
        for skill in queue.requires:
            yield ("queues", name, "requires", skill), "skill", "skills", site.skills
        for at in range(len(queue.dispositions)):
            yield ("queues", name, "dispositions", at), "disposition", "dispositions", site.dispositions
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


def _at(site: Site, path: Path) -> object:
    section, name, attribute, *rest = path
    value = getattr(getattr(site, str(section))[name], str(attribute))
    for step in rest:
        value = value[step]
    return value


def _doubts(loaded: Loaded[Site]) -> Iterator[Problem]:
    """What works but is probably not meant."""
    site = loaded.model
    for name, queue in site.queues.items():
        if all(skill in site.skills for skill in queue.requires) and not _servers(site, queue):
            yield loaded.tree.problem(
                ("queues", name),
                f'no agent has the skills that the queue "{name}" requires',
                "give them to an agent, or lower its minimum levels",
                severity="warning",
                at_key=True,
            )
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


def _servers(site: Site, queue: Queue) -> list[str]:
    return [
        name
        for name, agent in site.agents.items()
        if all(
            skill in agent.skills and agent.skills[skill].level >= level
            for skill, level in queue.requires.items()
        )
    ]
