"""What one caller's session needs of the rest: the center, the manager link, its deadlines, and who is on the line."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from acd.common.number import Number
from acd.events import CallArrived, Event
from acd.ticket import Ticket
from acd.types import ContactId

_T = TypeVar("_T")


class CenterDoor(Protocol):
    """What a session needs of the engine."""

    def post(self, event: Event) -> None: ...

    def arrive(self, event: CallArrived, caller: Number) -> None: ...

    def now_us(self) -> int: ...


class Switch(Protocol):
    """What a session needs of the manager link; everything may raise AmiError."""

    @property
    def up(self) -> bool: ...

    async def control_playback_stop(self, channel: str) -> None: ...

    async def hangup(self, channel: str) -> None: ...

    async def is_alive(self, channel: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Every deadline of a call. `gone_wait_s`: how long a hang-up waits for Asterisk's word that the caller is
    really gone, since a transfer reads the same. `play_limit_s`: the longest a sound may play. `keys_slice_s`: keys
    of a waiting caller are awaited in pieces this long, which the manager link can cut short at any moment; while it
    is down, in pieces of `keys_slice_alone_s`, so that a connect never depends on it. `legs_end_wait_s`: how long the
    end of a round waits for the manager's word on each phone.

    `messages`: Asterisk's name of the folder that messages are recorded in; "" records none. `transfer_endpoint`:
    the trunk's endpoint that outside numbers are dialled by, `transfer_allowed`: how those numbers may begin; none by
    default.
    """

    music: str = "default"
    predial: str = "pasokh-predial^agent^1"
    talk: str = "pasokh-talk^s^1"
    stop_again_s: float = 0.05
    gone_wait_s: float = 0.5
    play_limit_s: float = 120.0
    keys_slice_s: float = 5.0
    keys_slice_alone_s: float = 0.5
    legs_end_wait_s: float = 0.1
    messages: str = ""
    transfer_endpoint: str = ""
    transfer_allowed: tuple[str, ...] = ()


@dataclass(slots=True)
class SessionCounters:
    """What went another way than planned, for the metrics."""

    sounds_missing: int = 0
    stops_lost: int = 0
    late_answers: int = 0
    ticket_too_long: int = 0
    answers_missing: int = 0
    messages_lost: int = 0
    transfers_refused: int = 0
    waiting_scripts_stopped: int = 0


@dataclass(slots=True)
class Caller:
    """Who is on the line, as the dialplan said: contact id, dialled number, caller, how often attached; and when
    the call came, for one whom nobody of us had before."""

    contact: ContactId
    dialled: str
    number: Number
    token: str | None
    attach: int
    ticket: Ticket | None
    began_us: int | None = None


def spawn(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    return asyncio.get_running_loop().create_task(work)


async def drop(*tasks: asyncio.Task[Any]) -> None:
    """End helpers of one wait and take in how they ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
