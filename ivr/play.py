"""A flow without a phone: the real script, a caller who is a person at a keyboard or lines of a test.

`Call.run` does what a session does with a script's verbs, but for `Hands`, which give the caller's keys and the
world's answers, and it tells everything that happens as a list of moments: what was heard (as text), pressed, asked
and gone to. Pure: a terminal and a test differ in their hands only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol, assert_never

from acd.site import Site
from acd.verbs import (
    Answer,
    Ask,
    Begun,
    Collect,
    Digits,
    Done,
    Hangup,
    Key,
    LeaveLine,
    LineLeft,
    Pause,
    Position,
    Recorded,
    RecordMessage,
    Reply,
    Say,
    Set,
    Sounds,
    Transfer,
    Transferred,
    Verb,
    WaitInLine,
)
from ivr.flow import Flow, SubNode, version_of
from ivr.library import Flows
from ivr.phrase import Phrase
from ivr.script import FlowScript
from ivr.supposed import Circumstances, staged

MOST_VERBS = 2_000
MOST_WHILE_WAITING = 100

# What happens ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Went:
    """The script came to a node."""

    node: str
    kind: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that was said; `key`: the name of its recording, if it has one."""

    language: str
    text: str
    key: str | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Pressed:
    """`keys` "": nothing, until the time was over. Secret keys are dots."""

    keys: str


@dataclass(frozen=True, slots=True)
class Asked:
    """`answer` None: none in time. Values that hold secret digits are dots."""

    what: str
    args: Mapping[str, str]
    answer: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Noted:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Stood:
    """In line; `left`: how it ended, None for a caller who is still there when the trial ends."""

    queue: str
    priority: int
    left: LineLeft | None


@dataclass(frozen=True, slots=True)
class Spoke:
    """A message of the caller was recorded."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Dialled:
    number: str
    answered: bool | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How the trial ended: `hangup` (the flow's end), `left` (the caller hung up), `queue` and `transfer` (they are
    with somebody else now), `listening` (nobody presses keys any more), `endless`."""

    how: str


Moment = Went | Heard | Pressed | Asked | Noted | Stood | Spoke | Dialled | Ended


@dataclass(frozen=True, slots=True)
class Press:
    """A key while waiting in line."""

    key: str


@dataclass(frozen=True, slots=True)
class Stay:
    """Waiting on in line for so long, listening."""

    seconds: float


class StopError(Exception):
    """Raised by hands: the trial ends here. `how`: one of `Ended.how`."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Hands(Protocol):
    """The caller, and the world around the call. Each may raise StopError."""

    def keys(self, verb: Collect | Pause) -> str:
        """What is pressed when asked; "" for nothing until the time is over."""
        ...

    def during(self, verb: Say) -> str:
        """What is pressed while something is said that may be cut short; "" for nothing."""
        ...

    def answer(self, verb: Ask) -> Mapping[str, str] | None: ...

    def in_line(self, verb: WaitInLine) -> LineLeft | Press | Stay | None:
        """None: the trial ends with the caller in line."""
        ...

    def speaks_s(self, verb: RecordMessage) -> float: ...

    def transferred(self, verb: Transfer) -> bool | None:
        """Whether somebody answered; None: the trial ends with the caller there."""
        ...


class Ear:
    """Gives each phrase a name as if it were a sound, and the phrase back for the name."""

    def __init__(self) -> None:
        self._phrases: dict[str, Phrase] = {}

    def sound(self, phrase: Phrase) -> str:
        name = f"{phrase.language}:{phrase.text}"
        self._phrases[name] = phrase
        return name

    def heard(self, sounds: Sounds, *, waiting: bool = False) -> Iterable[Heard]:
        for name in sounds:
            phrase = self._phrases.get(name) or Phrase("", name)
            yield Heard(phrase.language, phrase.text, phrase.key, waiting)


# The call --------------------------------------------------------------------------------------------------


class Call:
    """One trial of a flow. `moments` is all that happened, in order; `tell` hears each as it happens."""

    def __init__(
        self,
        flow: Flow,
        site: Site,
        around: Circumstances,
        hands: Hands,
        tell: Callable[[Moment], None] = lambda _: None,
        others: Mapping[str, Flow] = MappingProxyType({}),
    ) -> None:
        """`others`: the flows that this one may call, by name."""
        self.moments: list[Moment] = []
        self._flow = flow
        self._others = others
        self._hands = hands
        self._tell = tell
        self._ear = Ear()
        self._typed_ahead = ""
        self._secrets: list[str] = []
        self._time = timedelta()
        self._at = around.at
        staged_site, dialled = staged(site, flow, around)
        self._script = script_of(flow, staged_site, dialled, around, self._ear, self.now_utc, others)
        self._seen = 0

    def now_utc(self) -> datetime:
        """The supposed clock, which goes on while something waits."""
        return self._at + self._time

    def run(self) -> Ended:
        """Play the call to its end."""
        reply: Reply = Begun()
        try:
            for _ in range(MOST_VERBS):
                verb = self._script.next(reply)
                self._follow()
                if isinstance(verb, Hangup):
                    return self._end("hangup")
                reply = self._perform(verb)
        except StopError as stop:
            return self._end(stop.how)
        return self._end("endless")

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(moment.node for moment in self.moments if isinstance(moment, Went))

    @property
    def language(self) -> str:
        return self._script.position.language

    def _note(self, moment: Moment) -> None:
        self.moments.append(moment)
        self._tell(moment)

    def _end(self, how: str) -> Ended:
        ended = Ended(how)
        self._note(ended)
        return ended

    def _follow(self) -> None:
        """Note the nodes that the script has come to."""
        at = self._script.position
        for name in self._script.passed:
            self._note(Went(name, self._kind(name)))
        if not self.path or self.path[-1] != self._name(at):
            self._note(Went(self._name(at), ""))

    def _kind(self, name: str) -> str:
        """The kind of a node; `verify/ask_pin` is a node of the flow that `verify` calls."""
        flow: Flow | None = self._flow
        kind = ""
        for step in name.split("/"):
            node = flow.nodes.get(step) if flow is not None else None
            if node is None:
                return ""
            kind = node.kind
            flow = self._others.get(node.flow) if isinstance(node, SubNode) else None
        return kind

    def _name(self, at: Position) -> str:
        return at.node if at.flow == self._flow.flow else f"{at.flow}/{at.node}"

    def _hear(self, sounds: Sounds, *, waiting: bool = False) -> None:
        for heard in self._ear.heard(sounds, waiting=waiting):
            self._note(heard)

    def _perform(self, verb: Verb) -> Reply:
        match verb:
            case Say():
                return self._say(verb)
            case Collect():
                self._hear(verb.sounds)
                return self._collect(verb)
            case Ask():
                answer = self._hands.answer(verb)
                self._note(Asked(verb.what, self._masked(verb.args), answer))
                return Answer(answer)
            case Pause():
                return self._pause(verb)
            case RecordMessage():
                self._hear(verb.sounds)
                seconds = self._hands.speaks_s(verb)
                self._note(Spoke(verb.name, seconds))
                return Recorded(verb.name, seconds)
            case WaitInLine():
                return self._wait_in_line(verb)
            case Transfer():
                return self._transfer(verb)
            case Set():
                self._note(Noted(verb.name, verb.value))
                return Done()
            case Hangup() | LeaveLine():
                raise StopError("hangup")
            case _:
                assert_never(verb)

    def _say(self, verb: Say) -> Reply:
        self._hear(verb.sounds)
        key = self._typed_ahead[:1] or (self._hands.during(verb)[:1] if verb.keys else "")
        if key and key in verb.keys:
            self._typed_ahead = self._typed_ahead[1:]
            self._note(Pressed(key))
            return Key(key)
        return Done()

    def _collect(self, verb: Collect) -> Reply:
        """As a session does: further keys than were asked for count for the next question."""
        typed = self._typed_ahead or self._hands.keys(verb)
        most = verb.max_digits
        end = typed.find(verb.end_key) if verb.end_key else -1
        taken = typed[: min(most, end + 1)] if 0 <= end <= most else typed[:most]
        ended = bool(verb.end_key) and taken.endswith(verb.end_key)
        self._typed_ahead = typed[len(taken) :]
        digits = taken.removesuffix(verb.end_key) if ended else taken
        complete = ended or len(taken) >= most
        if verb.secret and digits:
            self._secrets.append(digits)
        self._note(Pressed("•" * len(digits) if verb.secret else taken))
        if not complete:
            self._pass(verb.next_key_s if digits else verb.first_key_s)
        return Digits(digits, complete)

    def _pause(self, verb: Pause) -> Reply:
        key = self._typed_ahead[:1] or self._hands.keys(verb)[:1]
        self._typed_ahead = self._typed_ahead[1:]
        if key and key in verb.keys:
            self._note(Pressed(key))
            return Key(key)
        self._pass(verb.seconds)
        return Done()

    def _wait_in_line(self, verb: WaitInLine) -> Reply:
        self._hear(verb.welcome, waiting=True)
        line = _Line(verb)
        for _ in range(MOST_WHILE_WAITING):
            chosen = self._hands.in_line(verb)
            left = self._in_line(line, chosen) if isinstance(chosen, Press | Stay) else chosen
            if left is None and chosen is not None:
                continue
            self._note(Stood(verb.queue, verb.priority, left))
            if left is None:
                raise StopError("queue")
            return left
        raise StopError("endless")

    def _in_line(self, line: _Line, chosen: Press | Stay) -> LineLeft | None:
        """Go on with what the caller hears in line until they have pressed, or waited; how they left it, if so."""
        until = self._time + timedelta(seconds=chosen.seconds if isinstance(chosen, Stay) else 0)
        key = chosen.key if isinstance(chosen, Press) else None
        if line.verb.waiting is None:
            self._stay_with_comfort(line.verb, until)
            return None
        for _ in range(MOST_WHILE_WAITING):
            verb = line.next()
            if isinstance(verb, Say):
                self._hear(verb.sounds, waiting=True)
            if isinstance(verb, LeaveLine):
                return LineLeft(False, verb.why.value)
            if isinstance(verb, Hangup):  # music alone from here on
                self._time = max(self._time, until)
                return None
            if isinstance(verb, Ask):
                answer = self._hands.answer(verb)
                self._note(Asked(verb.what, self._masked(verb.args), answer))
                line.reply = Answer(answer)
            elif key is not None and isinstance(verb, Say | Pause) and key in verb.keys:
                self._note(Pressed(key))
                line.reply, key = Key(key), None
            elif isinstance(verb, Pause) and key is None:
                left_s = verb.seconds - line.waited_s
                if self._time + timedelta(seconds=left_s) > until:
                    line.stay(verb, line.waited_s + (until - self._time).total_seconds())
                    self._time = until
                    return None
                self._pass(left_s)
                line.reply = Done()
            else:
                line.reply = Done()
        return None

    def _stay_with_comfort(self, verb: WaitInLine, until: timedelta) -> None:
        every_s = verb.comfort_every_s
        while every_s and self._time + timedelta(seconds=every_s) <= until:
            self._pass(every_s)
            self._hear(verb.comfort, waiting=True)
        self._time = max(self._time, until)

    def _transfer(self, verb: Transfer) -> Reply:
        answered = self._hands.transferred(verb)
        self._note(Dialled(verb.number, answered))
        if answered is None:
            raise StopError("transfer")
        return Transferred(answered)

    def _pass(self, seconds: float) -> None:
        self._time += timedelta(seconds=seconds)

    def _masked(self, args: Mapping[str, str]) -> Mapping[str, str]:
        return {
            name: "•" * len(value) if any(secret in value for secret in self._secrets) else value
            for name, value in args.items()
        }


@dataclass(slots=True)
class _Line:
    """Where the script of a waiting caller stands. `waited_s`: how much of the present pause is over."""

    verb: WaitInLine
    reply: Reply = field(default_factory=Begun)
    pause: Pause | None = None
    waited_s: float = 0.0

    def next(self) -> Verb:
        if self.pause is not None:
            verb, self.pause = self.pause, None
            return verb
        self.waited_s = 0.0
        assert self.verb.waiting is not None
        return self.verb.waiting.next(self.reply)

    def stay(self, verb: Pause, waited_s: float) -> None:
        self.pause, self.waited_s = verb, waited_s


def script_of(
    flow: Flow,
    site: Site,
    dialled: str,
    around: Circumstances,
    ear: Ear,
    now_utc: Callable[[], datetime],
    others: Mapping[str, Flow] = MappingProxyType({}),
) -> FlowScript:
    """The script that a session would get for this call."""
    every = {**others, flow.flow: flow}
    flows = Flows(site, every, {name: version_of(each) for name, each in every.items()})
    language = around.language or around.customer.get("language")
    return flows.script_for(dialled, None, language, sound=ear.sound, now_utc=now_utc)
