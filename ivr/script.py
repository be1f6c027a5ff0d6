"""A flow as a script: each reply of the caller gives the next verb.

Pure: a flow runs the same on a phone, in a terminal and in a test. The script never raises on a reply,
whatever it is, and never leaves a caller in silence:

- three strikes at a menu lead to a person (`after_tries`, or the flow's `person`);
- a caller lost in the menus is taken to the person after `MOST_STEPS` steps; one whom even that does not help
  hears an apology, then the call ends;
- a key pressed during an announcement counts for the menu right behind it.

What each kind of node does is in `ivr.steps`; here is the way from node to node and from flow to flow. A called
flow without a person of its own leaves its caller to the person of the flow that called it.

A position is the way to a node: `verify/ask_pin` is the node `ask_pin` of the flow that the node `verify` calls.
Values are not carried over when a caller is re-attached by another process; a caller who then comes to a node that
needs one begins the flow anew, rather than hearing that their balance is unknown.
"""

from __future__ import annotations

from collections.abc import Generator

from acd.verbs import Begun, Digits, Hangup, Key, Position, Reply, Say, Sounds, Verb
from ivr.flow import (
    AnyNode,
    BranchNode,
    CodesNode,
    Flow,
    HoursNode,
    LanguageNode,
    MenuNode,
    QueueNode,
    ReturnNode,
    SubNode,
    variables_in,
    version_of,
)
from ivr.say import cannot_connect
from ivr.steps import steps_of
from ivr.steps.walk import (
    ALL_KEYS,
    DEEPEST,
    CallOver,
    Lost,
    PersonWanted,
    Returned,
    Shared,
    Steps,
    Surroundings,
    Walk,
)

__all__ = ["ALL_KEYS", "DEEPEST", "MOST_STEPS", "STEPS_TO_PERSON", "FlowScript", "Surroundings"]

MOST_STEPS = 200
STEPS_TO_PERSON = 50

_PASSED_THROUGH = (HoursNode, BranchNode, SubNode, ReturnNode)
_KEEPS_KEY = (*_PASSED_THROUGH, MenuNode, CodesNode, LanguageNode)


class _ValuesLost(Exception):
    """A node needs values that were lost with the process that had them."""


class FlowScript:
    """One call's walk through a flow (`acd.verbs.Script`)."""

    def __init__(
        self,
        flow: Flow,
        around: Surroundings,
        language: str,
        *,
        language_known: bool = False,
        node: str | None = None,
        version: str | None = None,
    ) -> None:
        """`node`: where to go on, for a caller who was here before. `language_known`: nobody needs to ask."""
        self._flow = flow
        self._version = version or version_of(flow)
        self._shared = Shared(around, language, language_known, resumed=node is not None)
        self._way_in = node.split("/") if node is not None else [flow.start]
        self._here = "/".join(self._way_in)
        self._passed: list[str] = []
        self._walks: list[Walk] = []
        self._walks_before: list[Walk] = []
        self._values_lost = node is not None
        self._steps_left = MOST_STEPS
        self._sent_to_person = False
        self._ending = False
        self._running: Generator[Verb, Reply, None] | None = None

    @property
    def position(self) -> Position:
        return Position(self._flow.flow, self._version, self._here, self._shared.language)

    @property
    def passed(self) -> tuple[str, ...]:
        """The nodes that the last reply led through, in order, the one of its verb last."""
        return tuple(self._passed)

    def next(self, reply: Reply) -> Verb:
        """The next verb for any reply, also one that does not fit the verb before it."""
        self._passed.clear()
        if self._ending:
            return Hangup()
        self._steps_left -= 1
        if not isinstance(reply, Digits | Key):
            self._shared.late_key = ""  # there was time in between in which nobody listened
        try:
            if self._running is None or isinstance(reply, Begun):
                self._running = self._begun_anew()
                return next(self._running)
            if self._steps_left < 0:
                return self._running.throw(Lost())
            return self._running.send(reply)
        except StopIteration:
            self._ending = True
            return Hangup()

    # From flow to flow -------------------------------------------------------------------------------------

    def _begun_anew(self) -> Generator[Verb, Reply, None]:
        if self._running is not None:
            self._running.close()
            self._way_in = self._here.split("/")
        self._walks_before, self._walks = self._walks, []
        return self._call()

    def _call(self) -> Generator[Verb, Reply, None]:
        last_words: Sounds | None = None
        try:
            try:
                yield from self._within(self._walk_of(self._flow))
            except _ValuesLost:
                self._values_lost = False
                self._way_in, self._walks, self._walks_before = [], [], []
                yield from self._within(self._walk_of(self._flow))
        except CallOver as over:
            last_words = over.last_words
        except (Lost, PersonWanted):
            last_words = None
        self._ending = True
        if last_words is None:  # also at a return where nobody called
            last_words = (self._shared.around.sound(cannot_connect(self._shared.language)),)
        if last_words:
            yield Say(last_words)

    def _walk_of(self, flow: Flow) -> Walk:
        """The walk of a flow at this depth: the one before, if the caller is only set on their way again."""
        depth = len(self._walks)
        start = self._way_in.pop(0) if self._way_in else flow.start
        if depth < len(self._walks_before) and self._walks_before[depth].flow is flow:
            before = self._walks_before[depth]
            before.node = start
            return before
        return Walk(flow, self._shared, start)

    def _within(self, walk: Walk) -> Generator[Verb, Reply, Returned]:
        """From node to node until the flow returns."""
        depth = len(self._walks)
        self._walks.append(walk)
        name, person = walk.node, walk.flow.person
        while True:
            try:
                going = yield from self._at(walk, name)
            except PersonWanted:
                del self._walks[depth + 1 :]
                if person is None:
                    raise
                going = person
            except Lost:
                del self._walks[depth + 1 :]
                if person is None or self._sent_to_person:
                    raise
                self._sent_to_person, self._steps_left = True, STEPS_TO_PERSON
                going = person
            if isinstance(going, Returned):
                del self._walks[depth:]
                return going
            name = going

    def _at(self, walk: Walk, name: str) -> Steps:
        """One node's steps."""
        self._steps_left -= 1
        node = walk.flow.nodes.get(name)
        if node is None or self._steps_left < 0:
            raise Lost
        walk.node = name
        self._here = "/".join(each.node for each in self._walks)
        self._passed.append(self._here)
        on_the_way = isinstance(node, SubNode) and bool(self._way_in)
        if self._values_lost and not on_the_way and _needs_more(walk, node):
            raise _ValuesLost
        self._forget_at(node)
        if isinstance(node, LanguageNode) and self._shared.language_known and not node.always:
            return node.next
        return (yield from steps_of(walk, node, lambda: self.position, self._sub))

    def _forget_at(self, node: AnyNode) -> None:
        """What is only for the first node behind it."""
        if not isinstance(node, _KEEPS_KEY):
            self._shared.ahead = None
        if not isinstance(node, (*_PASSED_THROUGH, QueueNode)):
            self._shared.resumed = False
        if not isinstance(node, SubNode):
            self._way_in.clear()

    def _sub(self, walk: Walk, node: SubNode) -> Steps:
        flow = self._shared.around.flows.get(node.flow)
        if flow is None or len(self._walks) >= DEEPEST:
            raise Lost
        inner = self._walk_of(flow)
        _hand_over(walk, node, inner)
        returned = yield from self._within(inner)
        for mine, theirs in node.keep.items():
            if theirs in flow.returns:
                walk.put(mine, inner.values.get(theirs), inner.kinds.get(theirs, "digits"))
        return node.ways.get(returned.outcome or "", node.next)


def _hand_over(walk: Walk, node: SubNode, inner: Walk) -> None:
    """What the called flow takes. A value alone (`$amount`) stays what it is; secrets are not handed over."""
    for name in inner.flow.takes:
        text = node.args.get(name)
        if text is None:
            continue
        alone = variables_in(text)
        if alone and text == f"${alone[0]}":
            inner.put(name, walk.values.get(alone[0]), walk.kinds.get(alone[0], "digits"))
        else:
            inner.put(name, walk.fill(text, secrets=False), "digits")


def _needs_more(walk: Walk, node: AnyNode) -> bool:
    return bool(walk.flow.names_read(node, walk.language) - set(walk.values) - set(walk.secrets))
