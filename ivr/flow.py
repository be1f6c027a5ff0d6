"""A flow as data: what a caller hears, what their keys mean, where they come out.

A flow is a set of nodes, each of one `kind`, that name each other. What is said is written beside it in
each of the flow's languages. The models refuse what is wrong within one node; `ivr.check` refuses what is
wrong between them. Adding a kind means: a model here (with its `edges` and `prompts`), a case in
`ivr.script`, and nothing else.

    flow: support
    languages: [fa, en]
    start: hello
    person: people
    nodes:
      hello:  {kind: say, prompt: {fa: "سلام.", en: "Hello."}, next: people}
      people: {kind: queue, queue: cards}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from acd.common.document import Path, Written, nearest, wrong
from acd.site import Id, Label, Language
from ivr.phrase import Phrase

RESERVED_VARIABLES = frozenset({"ID", "TICKET", "TOOK", "DONE", "LEADER"})
"""`PASOKH_<name>` of these belong to the dialplan and the session; no flow may set them."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


def variables_in(text: str) -> tuple[str, ...]:
    """The names after each `$` in a value such as `loan-$number`."""
    return tuple(_VARIABLE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `$name` replaced; a name without a value becomes nothing."""
    return _VARIABLE.sub(lambda found: values.get(found[1], ""), text)


def _spoken_text(value: str) -> str:
    text = " ".join(_CONTROL.sub(" ", value).split())
    if not text:
        raise wrong("the text is empty", "write what the caller shall hear")
    return text


def _key_name(value: object) -> object:
    """`prompt: welcome` means the named prompt."""
    return {"use": value} if isinstance(value, str) else value


def _free_variable(value: str) -> str:
    if value in RESERVED_VARIABLES:
        raise wrong(f"the variable {value} belongs to the call center itself", "choose another name")
    return value


SpokenText = Annotated[Written, Field(max_length=2_000), AfterValidator(_spoken_text)]
Key = Annotated[Written, Field(pattern=r"^[0-9*#]$")]
EndKey = Annotated[Written, Field(pattern=r"^[0-9*#]?$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]
ChannelVariable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,31}$"), AfterValidator(_free_variable)]
Recording = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Wait = Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)]
Tries = Annotated[int, Field(ge=1, le=9)]
Value = Annotated[Written, Field(max_length=200)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Prompt(_Model):
    """What is said, by language. `recorded` names the recording that wins over the synthetic voice.

    Instead of texts, `use` names one of the flow's own prompts.
    """

    fa: SpokenText | None = None
    en: SpokenText | None = None
    recorded: Recording | None = None
    use: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.use is None and self.fa is None and self.en is None:
            raise wrong("the prompt has no text", 'write it as {fa: "…", en: "…"}')
        if self.use is not None and (self.fa or self.en or self.recorded):
            raise wrong("the prompt both names another and has texts", "keep one of the two")
        return self

    def text(self, language: str) -> str | None:
        return {"fa": self.fa, "en": self.en}.get(language)


Spoken = Annotated[Prompt, BeforeValidator(_key_name)]


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a node: where it stands in the node, and whether a caller had time to act before
    taking it."""

    path: Path
    target: str
    waits: bool = False


class _Node(_Model):
    def edges(self) -> Iterator[Edge]:
        """Every way out that is written down."""
        raise NotImplementedError

    def prompts(self) -> Iterator[tuple[Path, Prompt]]:
        """Everything the node says, with its place in the node."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Prompt):
                yield (name,), value


class SayNode(_Node):
    """Says something and goes on. A key ends it early, and counts for a menu right behind it."""

    kind: Literal["say"]
    prompt: Spoken
    next: Id
    skippable: bool = True

    def edges(self) -> Iterator[Edge]:
        yield Edge(("next",), self.next)


class _Trying(_Node):
    """Nodes that wait for keys. After `tries` failures: `after_tries`, or the flow's `person`."""

    prompt: Spoken
    no_input: Spoken
    no_match: Spoken
    tries: Tries = 3
    after_tries: Id | None = None


class MenuNode(_Trying):
    """A choice by one key."""

    kind: Literal["menu"]
    keys: Annotated[dict[Key, Id], Field(min_length=1)]
    wait_s: Wait = 5

    def edges(self) -> Iterator[Edge]:
        for key, target in self.keys.items():
            yield Edge(("keys", key), target, waits=True)
        if self.after_tries is not None:
            yield Edge(("after_tries",), self.after_tries, waits=True)


class CollectNode(_Trying):
    """Digits from the caller, kept as the variable `into`. Secret ones never leave the script but by an
    `ask`."""

    kind: Literal["collect"]
    into: Name
    max_digits: Annotated[int, Field(ge=1, le=32)]
    min_digits: Annotated[int, Field(ge=1, le=32)] = 1
    first_key_s: Wait = 5
    next_key_s: Wait = 3
    end_key: EndKey = "#"
    secret: bool = False
    next: Id

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.min_digits > self.max_digits:
            raise wrong("min_digits is more than max_digits", "make it smaller")
        return self

    def edges(self) -> Iterator[Edge]:
        yield Edge(("next",), self.next, waits=True)
        if self.after_tries is not None:
            yield Edge(("after_tries",), self.after_tries, waits=True)


class LanguageNode(_Node):
    """The choice of a language. The prompt is said in each language in turn, in the order of the keys.

    Passed over when the number or the customer already tells the language, unless `always`. A caller who
    chooses nothing in `tries` goes on in the language they have.
    """

    kind: Literal["language"]
    prompt: Spoken
    keys: Annotated[dict[Key, Language], Field(min_length=2)]
    wait_s: Wait = 4
    tries: Tries = 2
    always: bool = False
    next: Id

    def edges(self) -> Iterator[Edge]:
        yield Edge(("next",), self.next, waits=self.always)


class HoursNode(_Node):
    """Open or closed by opening hours of the site: those named, else those of the number that was dialled."""

    kind: Literal["hours"]
    hours: Id | None = None
    open: Id
    closed: Id

    def edges(self) -> Iterator[Edge]:
        yield Edge(("open",), self.open)
        yield Edge(("closed",), self.closed)


def _one_queue(value: object) -> object:
    """`queue: cards` means the same queue in every language."""
    return value if isinstance(value, dict) else {"fa": value, "en": value}


class QueueNode(_Node):
    """Hands the caller over to a queue. `queue` is one id, or one for each language: `{fa: cards, en:
    english}`.

    `after`: where a caller goes who is still there when the talk is over (default: the call ends).
    `unavailable`: where they go when the line could not be entered (default: an apology, then the call ends).
    """

    kind: Literal["queue"]
    queue: Annotated[dict[Language, Id], BeforeValidator(_one_queue)]
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    welcome: Spoken | None = None
    comfort: Spoken | None = None
    comfort_every_s: Annotated[float, Field(ge=5, le=3_600, allow_inf_nan=False)] = 30
    after: Id | None = None
    unavailable: Id | None = None

    def edges(self) -> Iterator[Edge]:
        if self.after is not None:
            yield Edge(("after",), self.after, waits=True)
        if self.unavailable is not None:
            yield Edge(("unavailable",), self.unavailable)


class AskNode(_Node):
    """A question to a customer store, a service or the center; the answer's `field` chooses the way.

    `keep` puts fields of the answer into variables: `{variable: field}`. No answer in time, or one that is
    not listed, goes `otherwise`.
    """

    kind: Literal["ask"]
    what: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    args: dict[Name, Value] = {}
    deadline_s: Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)] = 2
    field: Name = "result"
    answers: dict[Value, Id] = {}
    otherwise: Id
    keep: dict[Name, Name] = {}

    def edges(self) -> Iterator[Edge]:
        for answer, target in self.answers.items():
            yield Edge(("answers", answer), target)
        yield Edge(("otherwise",), self.otherwise)


class SetNode(_Node):
    """Puts a value on the caller's channel as `PASOKH_<name>`, for dialplans."""

    kind: Literal["set"]
    name: ChannelVariable
    value: Value
    next: Id

    def edges(self) -> Iterator[Edge]:
        yield Edge(("next",), self.next)


class HangupNode(_Node):
    """The end, after a last word if there is one."""

    kind: Literal["hangup"]
    prompt: Spoken | None = None

    def edges(self) -> Iterator[Edge]:
        yield from ()


AnyNode = (
    SayNode | MenuNode | CollectNode | LanguageNode | HoursNode | QueueNode | AskNode | SetNode | HangupNode
)
KINDS = ("ask", "collect", "hangup", "hours", "language", "menu", "queue", "say", "set")


def _known_kind(value: object) -> object:
    if not isinstance(value, dict):
        return value
    kind = value.get("kind")
    if kind is None:
        raise wrong("the node has no kind", f"add a line `kind: …` with one of {', '.join(KINDS)}")
    if kind not in KINDS:
        meant = nearest(str(kind), KINDS)
        fix = f'write "{meant}"' if meant else f"use one of {', '.join(KINDS)}"
        raise wrong(f'the kind "{str(kind)[:40]}" is not known', fix)
    return value


Node = Annotated[Annotated[AnyNode, Field(discriminator="kind")], BeforeValidator(_known_kind)]


class Flow(_Model):
    """A whole flow. `languages`: those every prompt has, the default first. `person`: where a caller goes who
    cannot help themselves (three strikes, or lost in the menus)."""

    flow: Id
    label: Label | None = None
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = ("fa", "en")
    start: Id
    person: Id | None = None
    prompts: dict[Recording, Prompt] = {}
    nodes: Annotated[dict[Id, Node], Field(min_length=1)]

    def phrase(self, prompt: Prompt, language: str) -> Phrase | None:
        """What `prompt` says in `language`, or in the flow's first language that has it; None if in none."""
        said = self.prompts.get(prompt.use) if prompt.use is not None else prompt
        if said is None:
            return None
        for candidate in (language, *self.languages):
            if (text := said.text(candidate)) is not None:
                return Phrase(candidate, text, said.recorded or prompt.use)
        return None

    def phrases(self) -> frozenset[Phrase]:
        """Everything that can be said in this flow, in all its languages."""
        found = (
            self.phrase(prompt, language)
            for node in self.nodes.values()
            for _, prompt in node.prompts()
            for language in self.languages
        )
        return frozenset(phrase for phrase in found if phrase is not None)


def version_of(flow: Flow) -> str:
    """12 hexadecimal digits that name this content: the beginning of SHA-256 over its canonical JSON."""
    data = flow.model_dump(mode="json")
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
