"""The doors of the engine: what it needs from the rooms around it. `pasokh/app.py` joins them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from acd.common.number import Number
from acd.effects import ScreenEffect, TelephonyEffect
from acd.facts import Fact
from acd.types import ContactId


class Clock(Protocol):
    """Center time: UTC microseconds read from the wall once, carried on by the loop's monotonic clock."""

    def now_us(self) -> int: ...


class Telephony(Protocol):
    """Moves calls. Never blocks: what an effect leads to comes back as an event."""

    def perform(self, effect: TelephonyEffect) -> None: ...


class Screens(Protocol):
    """Shows to agents. Never blocks; an agent without a page is no error."""

    def perform(self, effect: ScreenEffect) -> None: ...


class Lookup(Protocol):
    """Finds out who is calling. Never blocks; posts `CustomerFound` when it knows."""

    def begin(self, contact: ContactId, caller: Number) -> None: ...

    def forget(self, contact: ContactId) -> None: ...


class Answers(Protocol):
    """Answers a script's `Ask`."""

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None: ...


class Records(Protocol):
    """Keeps what happened, off the call path. Both calls only take in; writing is done in batches.

    The same fact may come again after a restart (the journal is replayed) and must be kept once.
    """

    def note_caller(self, contact: ContactId, caller: Number) -> None: ...

    def take(self, facts: Sequence[Fact]) -> None: ...


class Audience(Protocol):
    """Whoever shows what happened: told of every step's facts, in order, right after its effects."""

    def facts(self, facts: Sequence[Fact]) -> None: ...


class Journal(Protocol):
    """Keeps inputs, one line each, before their effects are performed."""

    def append(self, line: bytes) -> None: ...


class Bus(Protocol):
    """Carries bytes between processes of one site: in process, or Redis.

    Nothing on it is the truth: a message may be lost, and whoever notices asks again.
    """

    async def publish(self, topic: str, message: bytes) -> None: ...

    def subscribe(self, topic: str) -> AsyncIterator[bytes]: ...

    async def put(self, key: str, value: bytes, ttl_s: float) -> None: ...

    async def get(self, key: str) -> bytes | None: ...

    async def close(self) -> None: ...
