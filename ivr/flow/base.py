"""What every node of a flow is made of: words, prompts with slots, ways out, what is read and filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from acd.common.document import Path, Written, nearest, wrong
from acd.common.expression import Expression, ExpressionError
from acd.site import Id
from ivr.phrase import Phrase
from ivr.say.slots import KINDS as SPOKEN_KINDS

RESERVED_VARIABLES = frozenset({"ID", "TICKET", "TOOK", "DONE", "LEADER"})
"""`PASOKH_<name>` of these belong to the dialplan and the session; no flow may set them."""

NAMES = ("answer", "caller", "customer", "now", "queues", "values")
"""What a flow's expressions may read; `docs/flows.md` lists the fields."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_JOINTS = " .,;:!?،؛؟"
"""Marks that end what stands before a slot or after it; a voice would say them."""

_SLOT = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]{0,31})\s*(?::\s*([a-z_]+)\s*)?\}")


def variables_in(text: str) -> tuple[str, ...]:
    """The names after each `$` in a value such as `loan-$number`."""
    return tuple(_VARIABLE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `$name` replaced; a name without a value becomes nothing."""
    return _VARIABLE.sub(lambda found: values.get(found[1], ""), text)


@lru_cache(maxsize=1_000)
def expression(text: str) -> Expression:
    """The parsed condition of a node. Raises ExpressionError, which a loaded flow has proved not to happen."""
    return Expression.parse(text, NAMES)


def _condition(text: str) -> str:
    try:
        expression(text)
    except ExpressionError as error:
        message, _, fix = str(error).rstrip(".").partition("; ")
        raise wrong(
            message[:1].lower() + message[1:], fix or "write one such as `values.amount > 1000`"
        ) from None
    return text


def _spoken_text(value: str) -> str:
    text = " ".join(_CONTROL.sub(" ", value).split())
    if not text:
        raise wrong("the text is empty", "write what the caller shall hear")
    for found in _SLOT.finditer(text):
        if found[2] is not None and found[2] not in SPOKEN_KINDS:
            meant = nearest(found[2], SPOKEN_KINDS)
            fix = f'write "{meant}"' if meant else f"use one of {', '.join(SPOKEN_KINDS)}"
            raise wrong(f'the slot {found[0]} has the unknown kind "{found[2]}"', fix)
    if set(_SLOT.sub("", text)) & {"{", "}"}:
        raise wrong("the text has a brace that belongs to no slot", "write slots as {name} or {name:money}")
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
Code = Annotated[Written, Field(pattern=r"^[0-9*]{1,8}$")]
EndKey = Annotated[Written, Field(pattern=r"^[0-9*#]?$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,31}$")]
ChannelVariable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,31}$"), AfterValidator(_free_variable)]
Recording = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Service = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
Wait = Annotated[float, Field(ge=1, le=60, allow_inf_nan=False)]
Deadline = Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)]
Tries = Annotated[int, Field(ge=1, le=9)]
Value = Annotated[Written, Field(max_length=200)]
Condition = Annotated[Written, AfterValidator(_condition)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


@dataclass(frozen=True, slots=True)
class Slot:
    """A value within a prompt. `kind`: how it is spoken; None: as what it was filled with."""

    name: str
    kind: str | None


@lru_cache(maxsize=4_096)
def parts_of(text: str, language: str, key: str | None) -> tuple[Phrase | Slot, ...]:
    """A text taken apart at its slots. Its n-th piece is recorded as `<key>-<n>`; a text without slots as `key`."""
    pieces: list[str | Slot] = []
    at = 0
    for found in _SLOT.finditer(text):
        pieces += [text[at : found.start()], Slot(found[1], found[2])]
        at = found.end()
    pieces.append(text[at:])
    if len(pieces) == 1:
        return (Phrase(language, text, key),)
    parts: list[Phrase | Slot] = []
    count = 0
    for piece in pieces:
        if isinstance(piece, Slot):
            parts.append(piece)
        elif any(letter.isalnum() for letter in piece):
            count += 1
            said = piece.strip().lstrip(_JOINTS)
            parts.append(Phrase(language, said, f"{key}-{count}" if key is not None else None))
    return tuple(parts)


class Prompt(Model):
    """What is said, by language. `recorded` names the recording that wins over the synthetic voice.

    Instead of texts, `use` names one of the flow's own prompts, or one that every flow has (`ivr.flow.spoken`).
    A text may hold slots: `{name}` and `{name:kind}` say a value.
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

    def slots(self, language: str) -> frozenset[Slot]:
        """The values that its text in `language` says."""
        return frozenset(Slot(found[1], found[2]) for found in _SLOT.finditer(self.text(language) or ""))


Spoken = Annotated[Prompt, BeforeValidator(_key_name)]


def named(name: str) -> Prompt:
    """The prompt of that name, as a default of a field."""
    return Prompt(use=name)


@dataclass(frozen=True, slots=True)
class Edge:
    """One way out of a node: where it stands in the node, and whether a caller had time to act before taking it."""

    path: Path
    target: str
    waits: bool = False


ReadFor = Literal["channel", "question", "argument"]


@dataclass(frozen=True, slots=True)
class Read:
    """A text with `$names`: its place in the node, and where it goes: onto the channel (others see it), into a
    question to a service, or into another flow."""

    path: Path
    text: str
    for_: ReadFor


@dataclass(frozen=True, slots=True)
class Filled:
    """A variable that a node fills. `spoken`: the kind it is said by. `secret`: for services alone."""

    path: Path
    name: str
    spoken: str = "digits"
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Stray:
    """Callers for whom a node goes wrong. `way`: the field that leads them; `who`: which callers they are ("fails 3
    times"). `waits`: whether they had time to act."""

    way: str
    who: str
    waits: bool = False


class NodeModel(Model):
    """What the checks and the drawing ask of every node; each kind answers what it has."""

    local_slots: ClassVar[Mapping[str, frozenset[str]]] = MappingProxyType({})
    """By field: names that only this node's own prompt may say, such as the number a callback goes to."""

    def edges(self) -> Iterator[Edge]:
        """Every way out that is written down: by default those of the fields that are ids of nodes."""
        raise NotImplementedError

    def prompts(self) -> Iterator[tuple[Path, Prompt]]:
        """Everything the node says, with its place in the node."""
        silent = self.unsaid()
        yield from ((path, prompt) for path, prompt in _prompts_in(self, ()) if path[0] not in silent)

    def unsaid(self) -> frozenset[str]:
        """Fields with prompts that this node, as it is written, never says."""
        return frozenset()

    def failures(self) -> Iterator[Stray]:
        """Callers for whom the node goes wrong, whether or not it has a way for them."""
        yield from ()

    def strays(self) -> Iterator[Stray]:
        """Those of them for whom it has none, and who therefore go to the flow's person."""
        return (failure for failure in self.failures() if getattr(self, failure.way, None) is None)

    @property
    def may_end(self) -> bool:
        """Whether the call, or the caller's way through this flow, may come to its end here."""
        return False

    def fills_on(self, edge: Edge) -> bool:
        """Whether the variables that it fills are filled for those who leave by this edge."""
        return True

    def conditions(self) -> Iterator[tuple[Path, str]]:
        """Its expressions, with their places."""
        yield from ()

    def reads(self) -> Iterator[Read]:
        yield from ()

    def fills(self) -> Iterator[Filled]:
        yield from ()

    def filled_before(self, path: Path) -> frozenset[str]:
        """Variables that this node has itself filled when it comes to what stands there."""
        return frozenset()


def _prompts_in(model: Model, at: Path) -> Iterator[tuple[Path, Prompt]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Prompt):
            yield (*at, name), value
        elif isinstance(value, Model):
            yield from _prompts_in(value, (*at, name))
        elif isinstance(value, tuple):
            yield from ((((*at, name, n)), item) for n, item in enumerate(value) if isinstance(item, Prompt))
        elif isinstance(value, dict):
            yield from ((((*at, name, n)), item) for n, item in value.items() if isinstance(item, Prompt))


def ways_of(node: NodeModel, *names: str, waits: bool) -> Iterator[Edge]:
    """The edges that stand in these fields, as far as they are written."""
    for name in names:
        target = getattr(node, name)
        if target is not None:
            yield Edge((name,), target, waits)


class Trying(NodeModel):
    """Nodes that wait for keys. After `tries` failures: `after_tries`, or the flow's `person`. `barge_in`: keys
    count while the prompt still plays."""

    prompt: Spoken
    no_input: Spoken = named("no-input")
    no_match: Spoken = named("no-match")
    tries: Tries = 3
    after_tries: Id | None = None
    barge_in: bool = True

    def failures(self) -> Iterator[Stray]:
        yield Stray("after_tries", f"fails {self.tries} times", waits=True)


class When(Model):
    """One case: where to go if this holds."""

    if_: Condition = Field(alias="if")
    then: Id


class Kept(Model):
    """A field of an answer, and as what it is kept: a text, a number, or a flag (true or false)."""

    field: Name
    kind: Literal["text", "number", "flag"] = "text"


def _field_name(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


Keep = dict[Name, Annotated[Kept, BeforeValidator(_field_name)]]


def one_queue(value: object) -> object:
    """`queue: cards` means the same queue in every language."""
    return value if isinstance(value, dict) else {"fa": value, "en": value}


def edges_of_cases(cases: tuple[When, ...], waits: bool = False) -> Iterator[Edge]:
    for at, case in enumerate(cases):
        yield Edge(("when", at, "then"), case.then, waits)


def conditions_of_cases(cases: tuple[When, ...]) -> Iterator[tuple[Path, str]]:
    for at, case in enumerate(cases):
        yield ("when", at, "if"), case.if_
