"""A flow as a script: each reply of the caller gives the next verb.

Pure: a flow runs the same on a phone, in a terminal and in a test. The script never raises on a reply,
whatever it is, and never leaves a caller in silence:

- three strikes at a menu lead to a person (`after_tries`, or the flow's `person`);
- a caller lost in the menus is taken to the person after `MOST_STEPS` steps; one whom even that does not help
  hears an apology, then the call ends;
- a key pressed during an announcement counts for the menu right behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from acd.common.hours import is_open
from acd.common.text import clean_label
from acd.site import Site
from acd.verbs import (
    Answer,
    Ask,
    Begun,
    Collect,
    Digits,
    Hangup,
    Key,
    LineLeft,
    Position,
    Reply,
    Say,
    Set,
    Sounds,
    Verb,
    WaitInLine,
)
from ivr.flow import (
    AnyNode,
    AskNode,
    CollectNode,
    Flow,
    HangupNode,
    HoursNode,
    LanguageNode,
    MenuNode,
    Prompt,
    QueueNode,
    SayNode,
    SetNode,
    fill,
    version_of,
)
from ivr.phrase import Phrase, SoundOf
from ivr.say import cannot_connect

ALL_KEYS = "0123456789*#"
MOST_STEPS = 200
STEPS_TO_PERSON = 50
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a script knows besides its flow. `hours`: the opening hours of the number that was dialled."""

    site: Site
    sound: SoundOf
    now_utc: Callable[[], datetime]
    hours: str | None = None


class _LostError(Exception):
    """The walk leads nowhere: an unknown node, or too many steps."""


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
        self._around = around
        self._language = language
        self._language_known = language_known
        self._resumed = node is not None
        self._node = node if node is not None else flow.start
        self._version = version or version_of(flow)
        self._values: dict[str, str] = {}
        self._strikes = 0
        self._ahead: str | None = None
        self._steps_left = MOST_STEPS
        self._sent_to_person = False
        self._ending = False
        self._passed: list[str] = []

    @property
    def passed(self) -> tuple[str, ...]:
        """The nodes that the last `next` came to, in order, also those that neither speak nor listen."""
        return tuple(self._passed)

    @property
    def position(self) -> Position:
        return Position(self._flow.flow, self._version, self._node, self._language)

    def next(self, reply: Reply) -> Verb:
        """The next verb for any reply, also one that does not fit the verb before it."""
        self._passed.clear()
        if self._ending:
            return Hangup()
        try:
            self._step()
            if isinstance(reply, Begun):
                return self._enter(self._node)
            return self._heard(self._at(self._node), reply)
        except _LostError:
            return self._rescue()

    # Walking -----------------------------------------------------------------------------------------------

    def _enter(self, name: str) -> Verb:
        """Go to a node, and on through those that neither speak nor listen."""
        while True:
            self._step()
            node = self._at(name)
            self._node, self._strikes = name, 0
            self._passed.append(name)
            if isinstance(node, HoursNode):
                name = node.open if self._is_open(node) else node.closed
            elif isinstance(node, LanguageNode) and self._language_known and not node.always:
                name = node.next
            else:
                return self._begin(node)

    def _begin(self, node: AnyNode) -> Verb:
        """The first verb of a node."""
        ahead, self._ahead = self._ahead, None
        resumed, self._resumed = self._resumed, False
        match node:
            case SayNode():
                return Say(self._sounds(node.prompt), ALL_KEYS if node.skippable else "")
            case MenuNode():
                return self._heard(node, Digits(ahead, True)) if ahead else self._ask_key(node)
            case LanguageNode():
                return self._heard(node, Digits(ahead, True)) if ahead else self._ask_language(node)
            case CollectNode():
                return self._ask_digits(node)
            case QueueNode():
                return self._queue(node, welcome=not resumed)
            case AskNode():
                args = {name: fill(value, self._values) for name, value in node.args.items()}
                return Ask(node.what, args, node.deadline_s)
            case SetNode() if node.name is not None and node.value is not None:
                return Set(node.name, clean_label(fill(node.value, self._values), _LONGEST_VALUE))
            case HangupNode():
                return self._end(self._sounds(node.prompt)) if node.prompt is not None else Hangup()
            case _:
                raise _LostError

    def _heard(self, node: AnyNode, reply: Reply) -> Verb:
        """What a reply means at a node. One that does not fit counts as silence."""
        match node:
            case SayNode():
                self._ahead = reply.key if isinstance(reply, Key) else None
                return self._enter(node.next)
            case MenuNode():
                return self._chosen(node, _keys_of(reply))
            case LanguageNode():
                return self._language_chosen(node, _keys_of(reply))
            case CollectNode():
                return self._collected(node, _keys_of(reply))
            case QueueNode():
                return self._left_line(node, reply)
            case AskNode():
                return self._answered(node, reply)
            case SetNode():
                return self._enter(node.next)
            case _:
                return Hangup()

    def _step(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise _LostError

    def _at(self, name: str) -> AnyNode:
        try:
            return self._flow.nodes[name]
        except KeyError:
            raise _LostError from None

    def _rescue(self) -> Verb:
        """To the person, once; then an apology and the end."""
        if self._sent_to_person or self._flow.person is None:
            return self._apologise()
        self._sent_to_person = True
        self._steps_left = STEPS_TO_PERSON
        try:
            return self._enter(self._flow.person)
        except _LostError:
            return self._apologise()

    def _apologise(self) -> Verb:
        return self._end((self._around.sound(cannot_connect(self._language)),))

    def _end(self, last_word: Sounds) -> Verb:
        self._ending = True
        return Say(last_word)

    # Menus and digits --------------------------------------------------------------------------------------

    def _chosen(self, node: MenuNode, keys: str) -> Verb:
        target = node.keys.get(keys[:1])
        if target is not None:
            return self._enter(target)
        if self._strike(node):
            return self._enter_person(node.after_tries)
        return self._ask_key(node, node.no_match if keys else node.no_input)

    def _ask_key(self, node: MenuNode, first: Prompt | None = None) -> Verb:
        sounds = (*self._sounds(first), *self._sounds(node.prompt))
        return Collect(sounds, max_digits=1, first_key_s=node.wait_s, end_key="")

    def _language_chosen(self, node: LanguageNode, keys: str) -> Verb:
        language = node.keys.get(keys[:1])
        if language is None:
            self._strikes += 1
            if self._strikes < node.tries:
                return self._ask_language(node)
        else:
            self._language = language
        self._language_known = True
        return self._enter(node.next)

    def _ask_language(self, node: LanguageNode) -> Verb:
        sounds = [sound for language in node.keys.values() for sound in self._sounds(node.prompt, language)]
        return Collect(tuple(dict.fromkeys(sounds)), max_digits=1, first_key_s=node.wait_s, end_key="")

    def _collected(self, node: CollectNode, keys: str) -> Verb:
        digits = keys.removesuffix(node.end_key) if node.end_key else keys
        if digits.isascii() and digits.isdigit() and node.bounds[0] <= len(digits) <= node.bounds[1]:
            self._values[node.into] = digits
            return self._enter(node.next)
        if self._strike(node):
            return self._enter_person(node.after_tries)
        return self._ask_digits(node, node.no_match if keys else node.no_input)

    def _ask_digits(self, node: CollectNode, first: Prompt | None = None) -> Verb:
        return Collect(
            (*self._sounds(first), *self._sounds(node.prompt)),
            max_digits=node.bounds[1],
            first_key_s=node.first_key_s,
            next_key_s=node.next_key_s,
            end_key=node.end_key,
            secret=node.is_secret,
        )

    def _strike(self, node: MenuNode | CollectNode) -> bool:
        """Count a failure; whether it was the last one allowed."""
        self._strikes += 1
        return self._strikes >= node.tries

    def _enter_person(self, after_tries: str | None) -> Verb:
        target = after_tries or self._flow.person
        if target is None:
            raise _LostError
        return self._enter(target)

    # Lines and answers -------------------------------------------------------------------------------------

    def _queue(self, node: QueueNode, *, welcome: bool) -> Verb:
        queue = next((queue for language, queue in node.queue.items() if language == self._language), None)
        if queue is None:
            raise _LostError
        return WaitInLine(
            queue,
            self._language,
            node.priority,
            self._sounds(node.welcome) if welcome else (),
            self._sounds(node.comfort),
            node.comfort_every_s if node.comfort is not None else None,
        )

    def _left_line(self, node: QueueNode, reply: Reply) -> Verb:
        if isinstance(reply, LineLeft) and reply.answered:
            return self._enter(node.after) if node.after is not None else Hangup()
        return self._enter(node.unavailable) if node.unavailable is not None else self._apologise()

    def _answered(self, node: AskNode, reply: Reply) -> Verb:
        values = reply.values if isinstance(reply, Answer) else None
        if values is None:
            return self._enter(node.otherwise)
        for variable, kept in node.keep.items():
            self._values[variable] = values.get(kept.field, "")
        return self._enter(node.answers.get(values.get(node.field, ""), node.otherwise))

    # What is said, and when it is --------------------------------------------------------------------------

    def _sounds(self, prompt: Prompt | None, language: str | None = None) -> Sounds:
        parts = self._flow.parts(prompt, language or self._language) if prompt is not None else ()
        return tuple(self._around.sound(part) for part in parts if isinstance(part, Phrase))

    def _is_open(self, node: HoursNode) -> bool:
        """Unknown hours count as open: a caller is rather let wait than turned away."""
        site = self._around.site
        hours = site.hours.get(node.hours or self._around.hours or "")
        if hours is None:
            return True
        return is_open(hours, self._around.now_utc(), site.time_zone, site.holidays, site.country)


def _keys_of(reply: Reply) -> str:
    if isinstance(reply, Digits):
        return reply.digits
    return reply.key if isinstance(reply, Key) else ""
