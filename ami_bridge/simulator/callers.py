"""Callers: what one does, told as a script, and seeded crowds of them.

A script says when the caller calls, which keys they press, how long they wait and talk. What became of it is a
`CallOutcome`: the caller's own view, which proves the product's counts from outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from .line import Heard, Line


@dataclass(frozen=True, slots=True)
class CallerId:
    """What the trunk says of a caller. An empty number is what a withheld one may look like (presentation 67)."""

    number: str = field(default="", repr=False)
    name: str = field(default="", repr=False)

    @property
    def presentation(self) -> int:
        return 0 if self.number else 67


ANONYMOUS = CallerId("anonymous", "Anonymous")
"""A withheld number as SIP writes it (`sip:anonymous@anonymous.invalid`); Asterisk 22 hands it on like this."""


@dataclass(frozen=True, slots=True)
class KeyPress:
    """A key, `after_s` seconds after the channel next listens for keys; `at_once`: after the key before it."""

    key: str
    after_s: float = 0.5
    at_once: bool = False


def typed(keys: str, first_after_s: float = 0.5, next_after_s: float = 0.2) -> tuple[KeyPress, ...]:
    """Keys typed in one go, as for an account number."""
    return tuple(
        KeyPress(key, next_after_s if place else first_after_s, at_once=place > 0)
        for place, key in enumerate(keys)
    )


@dataclass(frozen=True, slots=True)
class CallerScript:
    """One call. Times in seconds.

    `arrive_s`: when, from the start of the play. `patience_s`: they leave when nobody has answered by then;
    `talk_s`: they hang up so long after an agent answered; `hang_up_at_s`: they hang up then, whatever happens.
    None is never. `speaks_s`: how long they speak when they are recorded.
    """

    dialled: str
    caller: CallerId = ANONYMOUS
    keys: tuple[KeyPress, ...] = ()
    patience_s: float | None = None
    talk_s: float | None = None
    hang_up_at_s: float | None = None
    speaks_s: float = 0.0
    arrive_s: float = 0.0


class Left(StrEnum):
    """How a call ended: the caller left before or after a talk, the agent ended it, or the PBX did."""

    ABANDONED = "abandoned"
    CALLER = "caller"
    AGENT = "agent"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What the caller's side saw. `wait_s`: from the call to the answer, or to its end; `talk_s`: in all talks.

    `answered_by`: the phone of the first agent; `rung`: the phones in the order they rang; `attaches`: how often
    the dialplan asked one of us for the call; `fallback`: whether it ended in Asterisk's own queue.
    """

    contact: str
    answered_by: str | None
    wait_s: float
    talk_s: float
    heard: tuple[Heard, ...]
    left: Left
    rung: tuple[str, ...]
    attaches: int
    fallback: bool


async def behave(line: Line, script: CallerScript) -> None:
    """Does what the script says with a live call, until the call is over."""
    loop = asyncio.get_running_loop()
    story = line.story
    began = story.began_s
    keys = list(script.keys)
    listened = 0
    key_at: float | None = None
    while not line.over:
        now = loop.time()
        if keys and key_at is None and line.listening > listened:
            listened = line.listening
            key_at = now + keys[0].after_s
        if keys and key_at is not None and now >= key_at:
            line.press(keys.pop(0).key)
            key_at = now + keys[0].after_s if keys and keys[0].at_once else None
            continue
        leave_at = _leaves_at(line, script, began)
        if leave_at is not None and now >= leave_at and not line.hung_up:
            story.caller_left = True
            line.ask_hangup(cause=16 if story.talking and not story.fallback else None)
        await line.changed(
            min((at for at in (key_at, leave_at) if at is not None and at > now), default=None)
        )


def _leaves_at(line: Line, script: CallerScript, began: float) -> float | None:
    if line.hung_up:
        return None
    story = line.story
    times = [] if script.hang_up_at_s is None else [began + script.hang_up_at_s]
    if story.talk_began_s is None:
        if script.patience_s is not None:
            times.append(began + script.patience_s)
    elif script.talk_s is not None:
        times.append(story.talk_began_s + script.talk_s)
    return min(times, default=None)


def outcome(line: Line, ended_s: float) -> CallOutcome:
    story = line.story
    answered_s = ended_s if story.talk_began_s is None else story.talk_began_s
    if story.caller_left:
        left = Left.ABANDONED if story.talk_began_s is None else Left.CALLER
    else:
        left = Left.AGENT if story.agent_left else Left.SYSTEM
    return CallOutcome(
        contact=line.channel.get("PASOKH_ID"),
        answered_by=story.answered_by,
        wait_s=answered_s - story.began_s,
        talk_s=story.talked_s,
        heard=tuple(story.heard),
        left=left,
        rung=tuple(story.rung),
        attaches=story.attaches,
        fallback=story.fallback,
    )


def random_callers(
    rng: Random,
    *,
    calls_per_s: float,
    numbers: Sequence[str],
    callers: Sequence[CallerId],
    keys: Mapping[str, float],
    patience_s: float = 60.0,
    talk_s: float = 30.0,
    key_after_s: tuple[float, float] = (0.5, 2.0),
) -> Iterator[CallerScript]:
    """Callers without end: Poisson arrivals, exponential patience and talk of these means.

    `keys`: what they press, one key for each menu, with its weight (`{"1": 3, "12": 1, "": 0.5}`).
    """
    at = 0.0
    choices, weights = list(keys), list(keys.values())
    while True:
        at += rng.expovariate(calls_per_s)
        pressed = rng.choices(choices, weights)[0]
        yield CallerScript(
            dialled=rng.choice(numbers),
            caller=rng.choice(callers),
            keys=tuple(KeyPress(key, rng.uniform(*key_after_s)) for key in pressed),
            patience_s=1.0 + rng.expovariate(1 / patience_s),
            talk_s=1.0 + rng.expovariate(1 / talk_s),
            arrive_s=at,
        )
