"""Nodes that ask others: ask, lookup, authenticate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from acd.common.document import Path, wrong
from acd.site import Id
from ivr.flow.base import (
    Deadline,
    Edge,
    EndKey,
    Filled,
    Keep,
    Name,
    NodeModel,
    Read,
    Service,
    Spoken,
    Stray,
    Tries,
    Value,
    Wait,
    When,
    conditions_of_cases,
    edges_of_cases,
    named,
    ways_of,
)


def _filled_by(keep: Keep) -> Iterator[Filled]:
    for name, kept in keep.items():
        yield Filled(("keep", name), name, "number" if kept.kind == "number" else "digits")


class AskNode(NodeModel):
    """A question to a customer store, a service or the center; the answer's `field` chooses the way.

    `keep` puts fields of the answer into variables: `{variable: field}`. No answer in time, or one that is
    not listed, goes `otherwise`.
    """

    kind: Literal["ask"]
    what: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,63}$")]
    args: dict[Name, Value] = Field(default={})
    deadline_s: Deadline = 2
    field: Name = "result"
    answers: dict[Value, Id] = Field(default={})
    otherwise: Id
    keep: Keep = Field(default={})

    @model_validator(mode="after")
    def _names_who_is_verified(self) -> Self:
        if self.what == "verified" and not self.args.get("customer"):
            raise wrong(
                "nobody is named who was verified", "add `customer: …`; a calling number proves nothing"
            )
        return self

    def edges(self) -> Iterator[Edge]:
        for answer, target in self.answers.items():
            yield Edge(("answers", answer), target)
        yield from ways_of(self, "otherwise", waits=False)

    def reads(self) -> Iterator[Read]:
        for arg, value in self.args.items():
            yield Read(("args", arg), value, "question")

    def fills(self) -> Iterator[Filled]:
        yield from _filled_by(self.keep)

    def fills_on(self, edge: Edge) -> bool:
        return edge.path[0] == "answers"


class LookupNode(NodeModel):
    """A question to a service of pasokh.toml. `prompt` is said first, so that nobody waits in silence.

    The first case of `when` that holds over the `answer` wins; else `found`. `not_found` and `failed` (no answer
    in `deadline_s`, or the service is down) go to the flow's person unless they are written.
    """

    kind: Literal["lookup"]
    service: Service
    args: dict[Name, Value] = Field(default={})
    deadline_s: Deadline = 3
    prompt: Spoken | None = None
    keep: Keep = Field(default={})
    when: Annotated[tuple[When, ...], Field(max_length=20)] = ()
    found: Id
    not_found: Id | None = None
    failed: Id | None = None

    def edges(self) -> Iterator[Edge]:
        yield from edges_of_cases(self.when)
        yield from ways_of(self, "found", "not_found", "failed", waits=False)

    def conditions(self) -> Iterator[tuple[Path, str]]:
        yield from conditions_of_cases(self.when)

    def reads(self) -> Iterator[Read]:
        for arg, value in self.args.items():
            yield Read(("args", arg), value, "question")

    def fills(self) -> Iterator[Filled]:
        yield from _filled_by(self.keep)

    def fills_on(self, edge: Edge) -> bool:
        return edge.path[0] in ("found", "when")

    def failures(self) -> Iterator[Stray]:
        yield Stray("not_found", "is not found")
        yield Stray("failed", "gets no answer from the service")


Factor = Literal["customer_number", "national_id", "card", "card_last4", "birth_year", "pin", "code"]

FACTOR_DIGITS: dict[Factor, tuple[int, int]] = {
    "customer_number": (4, 20),
    "national_id": (8, 10),
    "card": (16, 16),
    "card_last4": (4, 4),
    "birth_year": (4, 4),
    "pin": (4, 12),
    "code": (4, 8),
}
"""The fewest and the most digits of each."""

IDENTITIES: frozenset[Factor] = frozenset({"customer_number", "national_id", "card"})
"""They say who is calling; the others prove it."""


class AuthenticateNode(NodeModel):
    """The caller proves who they are: `ask` lists what is keyed, in this order, such as `[national_id, card_last4]`
    or `[customer_number, pin]`. A `code` is sent to the customer once the factors before it are keyed. All of it
    is secret. The caller's own number never proves anything.

    `prompts` replaces the built-in question of a factor. After `attempts` wrong ones: `failed`. The service counts
    failures over all calls and may say that the customer is `locked`. Ways that are not written go to the person.
    """

    kind: Literal["authenticate"]
    ask: Annotated[tuple[Factor, ...], Field(min_length=1, max_length=4)]
    prompts_: dict[Factor, Spoken] = Field(default={}, alias="prompts")
    no_input: Spoken = named("no-input")
    no_match: Spoken = named("no-match")
    wrong: Spoken = named("not-verified")
    locked_prompt: Spoken = named("locked")
    attempts: Annotated[int, Field(ge=1, le=5)] = 3
    tries: Tries = 3
    first_key_s: Wait = 10
    next_key_s: Wait = 4
    end_key: EndKey = "#"
    deadline_s: Deadline = 5
    keep: Keep = Field(default={})
    verified: Id
    failed: Id | None = None
    locked: Id | None = None
    unavailable: Id | None = None

    @model_validator(mode="after")
    def _asks_each_once(self) -> Self:
        if len(set(self.ask)) < len(self.ask):
            raise wrong("something is asked twice", "list it once")
        if not set(self.ask) - IDENTITIES:
            raise wrong("nothing that is asked is a proof", "add pin, code, card_last4 or birth_year")
        if self.ask[0] == "code":
            raise wrong("a code can only be sent to a known customer", "ask for national_id before it")
        return self

    @property
    def method(self) -> str:
        """The proofs, joined by +: what pasokh.toml calls the way of proving."""
        return "+".join(factor for factor in self.ask if factor not in IDENTITIES)

    def question(self, factor: Factor) -> Spoken:
        return self.prompts_.get(factor) or named(f"ask-{factor.replace('_', '-')}")

    def prompts(self) -> Iterator[tuple[Path, Spoken]]:
        for path, prompt in super().prompts():
            yield ("prompts", *path[1:]) if path[0] == "prompts_" else path, prompt
        for factor in self.ask:
            if factor not in self.prompts_:
                yield ("ask",), self.question(factor)

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "verified", "failed", "locked", "unavailable", waits=True)

    def fills(self) -> Iterator[Filled]:
        yield from _filled_by(self.keep)

    def fills_on(self, edge: Edge) -> bool:
        return edge.path[0] == "verified"

    def failures(self) -> Iterator[Stray]:
        yield Stray("person", f"keys nothing usable {self.tries} times", waits=True)
        yield Stray("failed", f"cannot prove who they are in {self.attempts} attempts", waits=True)
        yield Stray("locked", "is locked out", waits=True)
        yield Stray("unavailable", "cannot be judged now", waits=True)
