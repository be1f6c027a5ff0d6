"""A flow without a phone: the real script, a caller who is a person at a keyboard or lines of a test.

`Call.run` does what a session does with a script's verbs, but for `Hands`, which give the caller's keys and the
world's answers, and it tells everything that happens as a list of moments: what was heard (as text), pressed, asked
and gone to. Pure: a terminal and a test differ in their hands only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Protocol, assert_never
from zoneinfo import ZoneInfo

from acd.common.hours import Holidays, Hours, parse_day
from acd.common.text import ascii_digits
from acd.site import Number, Site
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
    Script,
    Set,
    Sounds,
    Transfer,
    Transferred,
    Verb,
    WaitInLine,
)
from ivr.flow import Flow, version_of
from ivr.library import Flows
from ivr.phrase import Phrase
from ivr.script import FlowScript

MOST_VERBS = 2_000
MOST_WHILE_WAITING = 100
DIALLED = "100"
_DAYS = ("sat", "sun", "mon", "tue", "wed", "thu", "fri")
_AT = re.compile(r"(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?:[T ]+(\d{1,2}):(\d{2}))?\Z")

# What is supposed of the call ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a try-out supposes. `at`: an aware instant. `holiday`, `open`: as the calendar says unless given.
    `dialled`: which number of the site, the first that has this flow unless given. `language`: that of the caller,
    if it is known before they choose."""

    at: datetime
    dialled: str | None = None
    caller: str | None = None
    language: str | None = None
    holiday: bool | None = None
    open: bool | None = None
    customer: Mapping[str, str] = field(default_factory=dict)


def bare_site(flow: Flow) -> Site:
    """A site for a flow alone: the queues it names, office hours, an open day and no agents."""
    label = {"fa": "نمونه", "en": "Sample"}
    office = {day: ["08:00-17:00"] for day in _DAYS[:5]} | {"thu": ["08:00-13:00"]}
    always = {day: ["00:00-24:00"] for day in _DAYS}
    hours = {getattr(node, "hours", None) for node in flow.nodes.values()} - {None}
    return Site.model_validate(
        {
            "name": label,
            "time_zone": "Asia/Tehran",
            "queues": {queue: {"label": label, "requires": {}} for queue in sorted(queues_of(flow))},
            "numbers": {DIALLED: {"flow": flow.flow, "hours": "office"}},
            "hours": {name: {"weekly": office} for name in sorted({"office", *map(str, hours)})}
            | {"always": {"weekly": always, "closed_on_holidays": False}},
        }
    )


def queues_of(flow: Flow) -> frozenset[str]:
    """Every queue that a flow may hand a caller to."""
    found: set[str] = set()
    for node in flow.nodes.values():
        queue = getattr(node, "queue", None)
        found |= {str(each) for each in (queue.values() if isinstance(queue, dict) else [queue]) if each}
    return frozenset(found)


def parse_at(written: str, time_zone: str) -> datetime:
    """`2026-12-01T10:00` or `1405-09-10 10:00` on the site's clocks; without a time: noon. ValueError for others."""
    found = _AT.match(ascii_digits(written.strip()))
    if found is None:
        raise ValueError(f"{written!r} is not a day and time")
    day = parse_day(found[1])
    hour, minute = (int(found[2]), int(found[3])) if found[2] else (12, 0)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def staged(site: Site, flow: Flow, around: Circumstances) -> tuple[Site, str]:
    """The site as it is supposed to be, and the number that was dialled."""
    dialled = around.dialled or next(
        (n for n, each in site.numbers.items() if each.flow == flow.flow), DIALLED
    )
    numbers = dict(site.numbers)
    before = numbers.get(dialled)
    hours = before.hours if before is not None else next(iter(site.hours), None)
    numbers[dialled] = Number(flow=flow.flow, hours=hours, language=before.language if before else None)
    changes: dict[str, object] = {"numbers": numbers, "holidays": _holidays(site, around)}
    if around.open is not None:
        spans = ["00:00-24:00"] if around.open else []
        weekly = dict.fromkeys(_DAYS, spans)
        whole = Hours.model_validate({"weekly": weekly, "closed_on_holidays": False})
        changes["hours"] = dict.fromkeys(site.hours, whole)
    return site.model_copy(update=changes), dialled


def _holidays(site: Site, around: Circumstances) -> Holidays:
    if around.holiday is None:
        return site.holidays
    day = around.at.astimezone(ZoneInfo(site.time_zone)).date()
    add = {*site.holidays.add} - {day}
    remove = {*site.holidays.remove} - {day}
    (add if around.holiday else remove).add(day)
    return Holidays(calendar=site.holidays.calendar, add=tuple(sorted(add)), remove=tuple(sorted(remove)))


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

    def in_line(self, verb: WaitInLine) -> LineLeft | Press | None:
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
            node = self._flow.nodes.get(name)
            self._note(Went(name, node.kind if node is not None else ""))
        if not self.path or self.path[-1] != self._name(at):
            self._note(Went(self._name(at), ""))

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
        waiting: Reply = Begun()
        for _ in range(MOST_WHILE_WAITING):
            chosen = self._hands.in_line(verb)
            if isinstance(chosen, Press):
                if verb.waiting is None:
                    self._note(Pressed(chosen.key))
                    continue
                waiting, left = self._press_in_line(verb.waiting, waiting, chosen.key)
                if left is None:
                    continue
                chosen = left
            self._note(Stood(verb.queue, verb.priority, chosen))
            if chosen is None:
                raise StopError("queue")
            return chosen
        raise StopError("endless")

    def _press_in_line(self, script: Script, reply: Reply, key: str) -> tuple[Reply, LineLeft | None]:
        """Let the waiting script speak until it takes the key; what it then does."""
        taken = False
        for _ in range(MOST_WHILE_WAITING):
            verb = script.next(reply)
            match verb:
                case Say() | Pause():
                    if isinstance(verb, Say):
                        self._hear(verb.sounds, waiting=True)
                    if not taken and key in verb.keys:
                        self._note(Pressed(key))
                        reply, taken = Key(key), True
                    elif taken and isinstance(verb, Pause):
                        return Done(), None
                    else:
                        reply = Done()
                case Ask():
                    answer = self._hands.answer(verb)
                    self._note(Asked(verb.what, verb.args, answer))
                    reply = Answer(answer)
                case LeaveLine():
                    return Done(), LineLeft(False, verb.why.value)
                case _:
                    return Done(), None
        return reply, None

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
