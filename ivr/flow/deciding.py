"""Nodes that neither speak nor listen: hours, branch, set, sub, return."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from acd.common.document import Path, wrong
from acd.site import Id
from ivr.flow.base import (
    ChannelVariable,
    Condition,
    Edge,
    Filled,
    Name,
    NodeModel,
    Read,
    Value,
    When,
    conditions_of_cases,
    edges_of_cases,
    ways_of,
)


class HoursNode(NodeModel):
    """Open or closed by opening hours of the site: those named, else those of the number that was dialled.
    `holiday`: where to go when it is closed on one of the site's holidays (default: `closed`)."""

    kind: Literal["hours"]
    hours: Id | None = None
    open: Id
    closed: Id
    holiday: Id | None = None

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "open", "closed", "holiday", waits=False)


class BranchNode(NodeModel):
    """The first case whose condition holds. One that has no value (a fact is not known) does not hold."""

    kind: Literal["branch"]
    when: Annotated[tuple[When, ...], Field(min_length=1, max_length=20)]
    otherwise: Id

    def edges(self) -> Iterator[Edge]:
        yield from edges_of_cases(self.when)
        yield from ways_of(self, "otherwise", waits=False)

    def conditions(self) -> Iterator[tuple[Path, str]]:
        yield from conditions_of_cases(self.when)


class SetNode(NodeModel):
    """`let` fills variables of the flow by expressions; `name` and `value` put a text on the caller's channel as
    `PASOKH_<name>`, for dialplans. An expression without a value leaves its variable as it was."""

    kind: Literal["set"]
    let: dict[Name, Condition] = Field(default={})
    name: ChannelVariable | None = None
    value: Value | None = None
    next: Id

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if (self.name is None) != (self.value is None):
            raise wrong("name and value belong together", "write both, or neither")
        if self.name is None and not self.let:
            raise wrong("the node sets nothing", "add `let: {variable: expression}`, or name and value")
        return self

    def edges(self) -> Iterator[Edge]:
        yield from ways_of(self, "next", waits=False)

    def conditions(self) -> Iterator[tuple[Path, str]]:
        for name, text in self.let.items():
            yield ("let", name), text

    def reads(self) -> Iterator[Read]:
        if self.value is not None:
            yield Read(("value",), self.value, "channel")

    def fills(self) -> Iterator[Filled]:
        for name in self.let:
            yield Filled(("let", name), name, "number")

    def filled_before(self, path: Path) -> frozenset[str]:
        names = list(self.let)
        return frozenset(names if path[0] == "value" else names[: names.index(str(path[1]))])


class SubNode(NodeModel):
    """Another flow, with `args` for what it `takes`, until its `return`. `keep` takes over what it `returns`:
    `{mine: theirs}`. `ways` chooses by the outcome of the return; others go `next`."""

    kind: Literal["sub"]
    flow: Id
    args: dict[Name, Value] = Field(default={})
    keep: dict[Name, Name] = Field(default={})
    ways: dict[Name, Id] = Field(default={})
    next: Id

    def edges(self) -> Iterator[Edge]:
        for outcome, target in self.ways.items():
            yield Edge(("ways", outcome), target)
        yield from ways_of(self, "next", waits=False)

    def reads(self) -> Iterator[Read]:
        for arg, value in self.args.items():
            yield Read(("args", arg), value, "argument")

    def fills(self) -> Iterator[Filled]:
        for name in self.keep:
            yield Filled(("keep", name), name)


class ReturnNode(NodeModel):
    """The end of a flow that another one called; in a flow that nobody called, the end of the call."""

    kind: Literal["return"]
    outcome: Name | None = None

    def edges(self) -> Iterator[Edge]:
        yield from ()

    @property
    def may_end(self) -> bool:
        return True
