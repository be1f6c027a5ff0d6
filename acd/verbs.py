"""What a call's script may ask of the session that performs it, and what it hears back.

A script is pure: `next(reply)` gives the next verb, so the same flow runs on a phone, in a terminal and in a test.
Sounds are names as Asterisk takes them: without extension, absolute or relative to its sounds folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from acd.types import LeftFor, QueueId

Sounds = tuple[str, ...]

# Verbs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Play sounds in order. A key of `keys` ends it at once and is the reply (`Key`); else the reply is `Done`."""

    sounds: Sounds
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Collect:
    """Play sounds, then take up to `max_digits` keys; keys may begin while it plays. The reply is `Digits`.

    `end_key` "": there is none, and every key is a digit. `secret`: the digits are for the script alone, never for
    a log, record or trace.
    """

    sounds: Sounds
    max_digits: int
    first_key_s: float = 5.0
    next_key_s: float = 3.0
    end_key: str = "#"
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a customer store, a service or the center (`what`). The reply is `Answer`.

    Awaited at most `deadline_s`, with music.
    """

    what: str
    args: Mapping[str, str]
    deadline_s: float = 2.0


@dataclass(frozen=True, slots=True)
class WaitInLine:
    """Stand in a queue until an agent has answered and the talk is over. The reply is `LineLeft`.

    `welcome` is played once on entering, `comfort` every `comfort_every_s`; both are cut short for an agent.
    `waiting` is what the caller hears and may press meanwhile: a script of `Say`, `Ask`, `Pause` and at most one
    `LeaveLine`; its `Hangup` means music alone from then on.
    """

    queue: QueueId
    language: str
    priority: int = 0
    welcome: Sounds = ()
    comfort: Sounds = ()
    comfort_every_s: float | None = None
    waiting: Script | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Music for a while. A key of `keys` ends it and is the reply (`Key`); else the reply is `Done`."""

    seconds: float
    keys: str = ""


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """Play sounds, then record the caller: a voicemail, or the free words of a survey. `name` is that of the
    message within the contact. The reply is `Recorded`."""

    sounds: Sounds
    name: str
    longest_s: float = 120.0
    silence_s: float = 4.0
    end_keys: str = "#"


@dataclass(frozen=True, slots=True)
class LeaveLine:
    """Only of a waiting script: the caller leaves the line by their own choice. The reply of the script that waits
    is `LineLeft` with this `why`."""

    why: LeftFor


@dataclass(frozen=True, slots=True)
class Transfer:
    """Dial an outside number that the site allows; the reply, when that talk is over, is `Transferred`."""

    number: str
    ring_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Set:
    """A plain value on the caller's channel, `PASOKH_<name>`, for dialplans. The reply is `Done`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """The end of the script: the call is complete."""


Verb = Say | Collect | Ask | Pause | RecordMessage | WaitInLine | LeaveLine | Transfer | Set | Hangup

# Replies ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begun:
    """The first reply of every script; also of one that goes on at a node after a re-attach."""


@dataclass(frozen=True, slots=True)
class Done:
    pass


@dataclass(frozen=True, slots=True)
class Key:
    key: str


@dataclass(frozen=True, slots=True)
class Digits:
    """`complete`: ended by the end key or by reaching the most; else by a time-out."""

    digits: str
    complete: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """`values` None: no answer in time, or it failed; the script must go on without."""

    values: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class LineLeft:
    """`answered`: an agent talked with the caller, who is still there. Else `why`: the line could not be entered or
    kept (`full`, `closed`, `empty`, `max_wait`, `unknown_queue`), or the caller chose another way (a LeftFor); and
    `to`: the way out that the site says (`voicemail`, `callback`, `announcement`), "" if it says none."""

    answered: bool
    why: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """`seconds` 0: nothing was said."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Transferred:
    answered: bool


Reply = Begun | Done | Key | Digits | Answer | LineLeft | Recorded | Transferred


@dataclass(frozen=True, slots=True)
class Position:
    """Where in which flow a script stands: what the ticket needs to go on there."""

    flow: str
    version: str
    node: str
    language: str


class Script(Protocol):
    """One call's walk through a flow."""

    @property
    def position(self) -> Position: ...

    @property
    def passed(self) -> Sequence[str]:
        """The nodes that the last `next` led through, in order, also those that neither speak nor listen; the one
        of its verb last, if it is another one."""
        ...

    def next(self, reply: Reply) -> Verb:
        """The next verb. After `Hangup` it is not called again."""
        ...
