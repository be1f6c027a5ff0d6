"""What a node's steps work with: the flow they are in, its variables, how things are said, and where one may go.

A node's steps are a generator: it yields verbs, hears replies, and returns the name of the next node (or how a
called flow ended). Everything that leaves the node another way is one of three exceptions, caught by `ivr.script`:
the call is over, the caller needs a person, or the walk is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from acd.common.expression import ExpressionError, Value
from acd.common.hours import is_holiday, is_open
from acd.site import Site
from acd.verbs import Ask, Reply, Say, Sounds, Verb
from ivr.flow import Flow, Keep, Prompt, Slot, expression, fill
from ivr.phrase import Phrase, SoundOf
from ivr.say.slots import speak
from ivr.steps import questions

ALL_KEYS = "0123456789*#"
DEEPEST = 4
"""How many flows may be within each other, the first one included."""

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a script knows besides its flow. `hours`: the opening hours of the number that was dialled. `flows`:
    those that may be called, as they were when the call began."""

    site: Site
    sound: SoundOf
    now_utc: Callable[[], datetime]
    hours: str | None = None
    flows: Mapping[str, Flow] = field(default_factory=dict)

    def local_now(self) -> datetime:
        return self.now_utc().astimezone(ZoneInfo(self.site.time_zone))

    def is_holiday(self) -> bool:
        return is_holiday(self.local_now().date(), self.site.holidays, self.site.country)

    def is_open(self, hours: str | None) -> bool:
        """Unknown hours count as open: a caller is rather let wait than turned away."""
        found = self.site.hours.get(hours or self.hours or "")
        if found is None:
            return True
        site = self.site
        return is_open(found, self.now_utc(), site.time_zone, site.holidays, site.country)


@dataclass(frozen=True, slots=True)
class Returned:
    """A called flow is at its end."""

    outcome: str | None


Steps: TypeAlias = Generator[Verb, Reply, str | Returned]
Told: TypeAlias = Mapping[str, tuple[str, str]]
"""Values that only one prompt may say: by name, the kind that says it and the value."""


class CallOver(Exception):
    """The call ends, after these last words."""

    def __init__(self, last_words: Sounds = ()) -> None:
        super().__init__("The call is over.")
        self.last_words = last_words


class PersonWanted(Exception):
    """The caller cannot help themselves: to the nearest flow's person."""


class Lost(Exception):
    """The walk leads nowhere: an unknown node, or too many steps."""


@dataclass(slots=True)
class Shared:
    """What all flows of one call share. `ahead`: a key pressed before its menu. `resumed`: the first node since the
    caller was re-attached, who has heard the welcome. `queue`: the line they stood in last. `late_key`: an end key that
    an entry did not need, since it was long enough; many press it all the same."""

    around: Surroundings
    language: str
    language_known: bool = False
    ahead: str | None = None
    resumed: bool = False
    recordings: int = 0
    queue: str | None = None
    late_key: str = ""


@dataclass(slots=True)
class Walk:
    """One flow being walked. `values` are seen by expressions and prompts; `secrets` only by questions to services;
    `kinds` is how each value is said when a prompt does not tell."""

    flow: Flow
    shared: Shared
    node: str
    values: dict[str, Value] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    @property
    def around(self) -> Surroundings:
        return self.shared.around

    @property
    def language(self) -> str:
        return self.shared.language

    # Speaking ----------------------------------------------------------------------------------------------

    def sounds(self, prompt: Prompt | None, language: str | None = None, told: Told | None = None) -> Sounds:
        """The sounds of a prompt, with the values of its slots."""
        if prompt is None:
            return ()
        spoken = language or self.language
        said: list[str] = []
        for part in self.flow.parts(prompt, spoken):
            phrases = (part,) if isinstance(part, Phrase) else self._slot(part, spoken, told or {})
            said += [self.around.sound(phrase) for phrase in phrases]
        return tuple(said)

    def _slot(self, slot: Slot, language: str, told: Told) -> tuple[Phrase, ...]:
        kind, text = told.get(slot.name) or (
            self.kinds.get(slot.name, "digits"),
            as_text(self.values.get(slot.name)),
        )
        return speak(slot.kind or kind, text, language)

    # Values ------------------------------------------------------------------------------------------------

    def put(self, name: str, value: Value, kind: str, *, secret: bool = False) -> None:
        """Fill a variable; None empties it."""
        self.values.pop(name, None)
        self.secrets.pop(name, None)
        if secret:
            self.secrets[name] = as_text(value)
        elif value is not None:
            self.values[name], self.kinds[name] = value, kind

    def keep(self, keep: Keep, fields: Mapping[str, str]) -> None:
        """Take over fields of an answer. What does not fit its kind is not known."""
        for name, kept in keep.items():
            text = fields.get(kept.field)
            match kept.kind:
                case "number":
                    self.put(name, questions.number_of(text or ""), "number")
                case "flag":
                    self.put(name, {"true": True, "false": False}.get(text or ""), "digits")
                case "text":
                    self.put(name, text, "digits")

    def fill(self, text: str, *, secrets: bool) -> str:
        """`text` with its `$names` replaced; with `secrets` only for a question to a service."""
        known = {name: as_text(value) for name, value in self.values.items()}
        return fill(text, {**known, **self.secrets} if secrets else known)

    # Going on ----------------------------------------------------------------------------------------------

    def take_ahead(self) -> str:
        ahead, self.shared.ahead = self.shared.ahead, None
        return ahead or ""

    def is_late_key(self, keys: str, complete: bool) -> bool:
        """Whether this is only the end key of the entry before, which then must not count for what is asked now."""
        late, self.shared.late_key = self.shared.late_key, ""
        return bool(late) and complete and keys in ("", late)

    def person_unless(self, target: str | None) -> str:
        """That node, or the flow's person."""
        if target is None:
            raise PersonWanted
        return target

    def finish(self, last_word: Prompt, target: str | None) -> Steps:
        """A word, then on; or the end of the call if there is no way on."""
        if target is None:
            raise CallOver(self.sounds(last_word))
        yield Say(self.sounds(last_word))
        return target


def as_text(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float() | str():
            return str(value)
        case _:
            return ""


def known_facts(
    walk: Walk, texts: tuple[str, ...], answer: Mapping[str, str] | None = None
) -> Generator[Verb, Reply, dict[str, Value]]:
    """What these expressions read, asked for where it must be: only what they name, each once."""
    read = {path for text in texts for path in expression(text).paths}
    names = {path[0] for path in read}
    known: dict[str, Value] = {"values": dict(walk.values), "now": _now(walk.around)}
    if answer is not None:
        known["answer"] = dict(answer)
    if "caller" in names:
        reply = yield Ask(questions.CALLER, {}, questions.FACTS_DEADLINE_S)
        known["caller"] = _caller(questions.answered(reply))
    if "customer" in names:
        reply = yield Ask(questions.CUSTOMER, {}, questions.FACTS_DEADLINE_S)
        known["customer"] = _texts_and_flags(questions.answered(reply))
    queues: dict[str, Value] = {}
    for queue in sorted({path[1] for path in read if path[0] == "queues" and len(path) > 1}):
        reply = yield Ask(questions.QUEUE, {"queue": queue}, questions.FACTS_DEADLINE_S)
        queues[queue] = questions.facts(questions.answered(reply), questions.FIELDS[questions.QUEUE])
    known["queues"] = queues
    return known


def holds(text: str, known: Mapping[str, Value]) -> bool:
    """Whether a condition is true. One that has no value is not."""
    try:
        return expression(text).holds(known)
    except ExpressionError:
        return False


def _caller(fields: Mapping[str, str]) -> dict[str, Value]:
    """The number itself is no fact that a flow may judge by."""
    if not fields:
        return {}
    withheld = fields.get("withheld") == "true"
    return {"known": not withheld, "withheld": withheld, "country": fields.get("country", "")}


def _texts_and_flags(fields: Mapping[str, str]) -> dict[str, Value]:
    wanted = questions.FIELDS[questions.CUSTOMER]
    flags: dict[str, Value] = {"true": True, "false": False}
    said = {name: flags.get(text, text) for name, text in fields.items() if name in wanted}
    return {"known": False, "verified": False, **said}


def _now(around: Surroundings) -> dict[str, Value]:
    now = around.local_now()
    return {
        "hour": now.hour,
        "minute": now.minute,
        "weekday": _WEEKDAYS[now.weekday()],
        "date": now.date().isoformat(),
        "time": f"{now:%H:%M}",
        "holiday": around.is_holiday(),
    }
