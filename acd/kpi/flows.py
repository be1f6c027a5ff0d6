"""Folding facts into what callers do in the menus: per flow, version, day and node, so that it is seen where they
give up.

A caller is in one node at a time: the last one that the session told of. They *entered* it; they *left* it when
they came to another one, or were answered there by a person; if their call *ended* in it, they either gave up or
were done, and which of the two the node's kind says (`Figures.dropped`): an end in a menu is a caller lost, an end
in a farewell is not. Nodes that neither speak nor listen (hours, branches) are told too, in the order of the way
through them, so that it is seen where callers went.

The node `verify/ask_pin` is within the flow that the node `verify` calls: who is in it is in both. A caller who
goes from one of its nodes to another stays in `verify`.

The day is the site's, and a step belongs to the day in which the caller took it, also when it ends after midnight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from acd import facts
from acd.types import US_PER_S, ContactId

DAYS_KEPT = 14
OPEN_MOST = 50_000

ENDS_WELL = frozenset({"hangup", "voicemail", "callback", "survey", "transfer"})
"""Kinds of nodes in which a call may end without anybody having been lost."""


@dataclass(slots=True)
class NodeCounts:
    """`ended`: calls that ended in this node without a talk. Who is in it now: entered - left - ended."""

    entered: int = 0
    left: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """A node as people read it. `dropped`: callers who gave up there; `left`: those who went on, or were done."""

    entered: int
    left: int
    dropped: int

    @property
    def inside(self) -> int:
        """How many are there now."""
        return max(0, self.entered - self.left - self.dropped)


@dataclass(slots=True)
class Step:
    """Where an open contact is. `answered`: a person has talked with them there."""

    day: str
    flow: str
    version: str
    node: str
    answered: bool = False


Days = dict[str, dict[str, dict[str, dict[str, NodeCounts]]]]


@dataclass(slots=True)
class FlowDays:
    """The last two weeks; older days are asked of the records. `days`: flow, version, day (2026-12-01), node.

    `open`: contacts on their way. `since_us`: the first step that was ever counted here, None before it.
    """

    zone: str = "UTC"
    since_us: int | None = None
    days: Days = field(default_factory=dict)
    open: dict[ContactId, Step] = field(default_factory=dict)

    def fold(self, fact: facts.Fact) -> None:
        match fact:
            case facts.MenuStepTaken():
                self._step(fact)
            case facts.VisitAnswered():
                if (step := self.open.get(fact.contact)) is not None:
                    step.answered = True
            case facts.ContactEnded():
                if (step := self.open.pop(fact.contact, None)) is not None:
                    self._close(step)
            case _:
                pass

    def of(self, flow: str, version: str, since: date | None = None) -> dict[str, NodeCounts]:
        """The counts of each node of one version, summed over the days from `since` on."""
        total: dict[str, NodeCounts] = {}
        for day, nodes in self.days.get(flow, {}).get(version, {}).items():
            if since is not None and day < since.isoformat():
                continue
            for node, counts in nodes.items():
                sum_ = total.setdefault(node, NodeCounts())
                sum_.entered += counts.entered
                sum_.left += counts.left
                sum_.ended += counts.ended
        return total

    def days_of(self, flow: str, version: str) -> tuple[str, ...]:
        return tuple(sorted(self.days.get(flow, {}).get(version, {})))

    def versions(self, flow: str) -> frozenset[str]:
        """Versions that somebody was in, in the days that are kept."""
        return frozenset(self.days.get(flow, {}))

    def _step(self, fact: facts.MenuStepTaken) -> None:
        if self.since_us is None:
            self.since_us = fact.at_us
        before = self.open.pop(fact.contact, None)
        if before is None and len(self.open) >= OPEN_MOST:  # those whose end was never told
            del self.open[next(iter(self.open))]
        step = Step(self._day(fact.at_us), fact.flow, fact.version, fact.node)
        stays = _common(before, step)
        if before is not None and stays:
            step.day = (
                before.day
            )  # so that who is within a called flow over midnight leaves it where they entered
        if before is not None:
            for node in _around(before.node)[stays:]:
                self._counts(before, node).left += 1
        for node in _around(step.node)[stays:]:
            self._counts(step, node).entered += 1
        self.open[fact.contact] = step

    def _close(self, step: Step) -> None:
        for node in _around(step.node):
            counts = self._counts(step, node)
            if step.answered:
                counts.left += 1
            else:
                counts.ended += 1

    def _counts(self, step: Step, node: str) -> NodeCounts:
        versions = self.days.setdefault(step.flow, {})
        days = versions.setdefault(step.version, {})
        if step.day not in days:
            days[step.day] = {}
            self._forget_old(step.day)
        nodes = self.days.setdefault(step.flow, {}).setdefault(step.version, {}).setdefault(step.day, {})
        return nodes.setdefault(node, NodeCounts())

    def _forget_old(self, newest: str) -> None:
        """Days before those that are kept, and then versions and flows that nobody was in since."""
        first = date.fromisoformat(newest).toordinal() - DAYS_KEPT
        for flow, versions in list(self.days.items()):
            for version, days in list(versions.items()):
                for day in [each for each in days if date.fromisoformat(each).toordinal() <= first]:
                    del days[day]
                if not days:
                    del versions[version]
            if not versions:
                del self.days[flow]

    def _day(self, at_us: int) -> str:
        return (
            datetime.fromtimestamp(at_us / US_PER_S, UTC).astimezone(ZoneInfo(self.zone)).date().isoformat()
        )


def _around(node: str) -> list[str]:
    """`a/b` is in `a` and in itself."""
    steps = node.split("/")
    return ["/".join(steps[: n + 1]) for n in range(len(steps))]


def _common(before: Step | None, step: Step) -> int:
    """How many of the nodes around a caller stay the same; the innermost is always entered anew."""
    if before is None or (before.flow, before.version) != (step.flow, step.version):
        return 0
    old, new = _around(before.node), _around(step.node)
    same = next(
        (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    return min(same, len(new) - 1)


def figures(counts: Mapping[str, NodeCounts], kinds: Mapping[str, str]) -> dict[str, Figures]:
    """Counts as people read them; `kinds`: the kind of each node, as the flow says. A node that the flow does not
    have is left out."""
    return {
        node: Figures(each.entered, each.left + each.ended, 0)
        if kinds[node] in ENDS_WELL
        else Figures(each.entered, each.left, each.ended)
        for node, each in counts.items()
        if node in kinds
    }
