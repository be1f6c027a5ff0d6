"""Nodes that speak and listen: say, menu, codes, collect, language, hangup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from acd.common.document import wrong
from acd.site import Id, Language
from ivr.flow.base import (
    Code,
    Edge,
    EndKey,
    Filled,
    Key,
    Name,
    NodeModel,
    Spoken,
    Tries,
    Trying,
    Wait,
    named,
    ways_of,
)

DigitCount = Annotated[int, Field(ge=1, le=32)]
Entry = Literal["digits", "amount", "date", "national_id", "card"]

_BOUNDS: dict[Entry, tuple[int, int]] = {
    "digits": (1, 32),
    "amount": (1, 12),
    "date": (8, 8),
    "national_id": (8, 10),
    "card": (16, 16),
}


class SayNode(NodeModel):
    """Says something and goes on. A key ends it early, and counts for a menu right behind it."""

    kind: Literal["say"]
    prompt: Spoken
    next: Id
    skippable: bool = True

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "next", waits=False)


class MenuNode(Trying):
    """A choice by one key."""

    kind: Literal["menu"]
    keys: Annotated[dict[Key, Id], Field(min_length=1)]
    wait_s: Wait = 5

    def edges(self) -> Iterator[Edge]:
        for key, target in self.keys.items():
            yield Edge(("keys", key), target, waits=True)
        yield from ways_of(self, "after_tries", waits=True)


class CodesNode(Trying):
    """A choice by a short code: a menu whose choices may have several digits.

    A code counts as soon as no longer one begins with it; else when nothing more is keyed for `next_key_s`, or after
    the key #.
    """

    kind: Literal["codes"]
    codes: Annotated[dict[Code, Id], Field(min_length=1, max_length=500)]
    wait_s: Wait = 5
    next_key_s: Wait = 3

    def edges(self) -> Iterator[Edge]:
        for code, target in self.codes.items():
            yield Edge(("codes", code), target, waits=True)
        yield from ways_of(self, "after_tries", waits=True)


class CollectNode(Trying):
    """Digits from the caller, checked by their `type` and kept as the variable `into`.

    `amount`: money in `unit`, kept in rial, within `at_least` and `at_most`. `date`: eight digits, year first,
    Jalali or Gregorian, kept as 2026-11-22. `national_id`, `card`: their check digit must be right.

    `secret` ones (by default national IDs and cards) never leave the script but in a question to a service. Of a
    card, `<into>_last4` may be said and seen. `confirm`: it is read back and the caller says whether it is right.
    """

    kind: Literal["collect"]
    into: Name
    type: Entry = "digits"
    max_digits: DigitCount | None = None
    min_digits: DigitCount | None = None
    at_least: Annotated[int, Field(ge=0)] | None = None
    at_most: Annotated[int, Field(ge=0)] | None = None
    unit: Literal["rial", "toman"] = "rial"
    calendar: Literal["any", "jalali", "gregorian"] = "any"
    first_key_s: Wait = 5
    next_key_s: Wait = 3
    end_key: EndKey = "#"
    secret: bool | None = None
    confirm: bool = False
    read_back: Spoken = named("read-back")
    next: Id

    local_slots: ClassVar[Mapping[str, frozenset[str]]] = {"read_back": frozenset({"value"})}

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "digits" and self.max_digits is None:
            raise wrong("nobody knows how many digits to expect", "add a line `max_digits: …`")
        if self.type not in ("digits", "amount") and (self.max_digits or self.min_digits):
            raise wrong(f"the length of a {self.type} is known", "remove max_digits and min_digits")
        least, most = self.bounds
        if least > most:
            raise wrong("min_digits is more than max_digits", "make it smaller")
        if self.type != "amount" and (self.at_least is not None or self.at_most is not None):
            raise wrong("at_least and at_most are of amounts", "write `type: amount`, or remove them")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise wrong("at_least is more than at_most", "make it smaller")
        if self.confirm and self.is_secret and self.type != "card":
            raise wrong("what is secret cannot be read back", "remove `confirm`, or write `secret: false`")
        return self

    @property
    def bounds(self) -> tuple[int, int]:
        """The fewest and the most digits."""
        least, most = _BOUNDS[self.type]
        return self.min_digits or least, self.max_digits or most

    @property
    def is_secret(self) -> bool:
        return self.secret if self.secret is not None else self.type in ("national_id", "card")

    def unsaid(self) -> frozenset[str]:
        return frozenset() if self.confirm else frozenset({"read_back"})

    @property
    def spoken(self) -> str:
        """The kind that says the value."""
        if self.type == "amount":
            return "money" if self.unit == "rial" else "toman"
        return {"date": "date", "card": "card"}.get(self.type, "digits")

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "next", "after_tries", waits=True)

    def fills(self) -> Iterator[Filled]:
        yield Filled(("into",), self.into, self.spoken, self.is_secret)
        if self.type == "card":
            yield Filled(("into",), last4(self.into))

    def fills_on(self, edge: Edge) -> bool:
        return edge.path[0] == "next"


def last4(name: str) -> str:
    """The variable that holds the last four digits of the card in `name`."""
    return f"{name}_last4"


class LanguageNode(NodeModel):
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
        yield from ways_of(self, "next", waits=self.always)


class HangupNode(NodeModel):
    """The end, after a last word if there is one."""

    kind: Literal["hangup"]
    prompt: Spoken | None = None

    def edges(self) -> Iterator[Edge]:
        yield from ()

    @property
    def may_end(self) -> bool:
        return True
