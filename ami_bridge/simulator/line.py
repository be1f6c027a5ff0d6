"""A channel that lives: what interrupts it, who waits on it, and the events it tells the manager.

One coroutine runs a channel's dialplan. All that may interrupt it (a key, a stop, a hang-up, a redirect, a line on
its AGI socket) leaves its mark here and wakes it; the coroutine looks at the marks before it waits again, so
nothing is lost and nothing needs a lock.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from . import channel as states
from .channel import Channel, cause_text


@dataclass(frozen=True, slots=True)
class Place:
    context: str
    exten: str = "s"


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound that was begun, at which loop time, and how long it was heard in seconds."""

    sound: str
    at_s: float
    heard_s: float


@dataclass(slots=True)
class Story:
    """What the caller's side saw. Times are loop time."""

    began_s: float
    answered_by: str | None = None
    talk_began_s: float | None = None
    talking: bool = False
    talked_s: float = 0.0
    heard: list[Heard] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)
    attaches: int = 0
    fallback: bool = False
    caller_left: bool = False
    agent_left: bool = False


class Emitter(Protocol):
    """Whoever carries an event to those who may read it."""

    def emit(self, event: str, privilege: str, headers: Mapping[str, str]) -> None: ...

    def closed(self, line: Line) -> None: ...


class Line:
    """`listening` counts how often the channel began to wait for a key; `speaks_s`: how long the caller speaks when
    they are recorded."""

    def __init__(self, pbx: Emitter, channel: Channel) -> None:
        self.channel = channel
        self.story = Story(channel.created_s)
        self.keys: deque[str] = deque()
        self.controls: deque[str] = deque()
        self.redirect: Place | None = None
        self.hung_up = False
        self.far_end_left = False
        self.over = False
        self.listening = 0
        self.speaks_s = 0.0
        self.partner: Line | None = None
        self._pbx = pbx
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def gone(self) -> bool:
        """Whether the running application must end: hung up, or redirected elsewhere."""
        return self.hung_up or self.redirect is not None

    # ---- what interrupts

    def press(self, key: str) -> None:
        """A key from the phone. Asterisk drops it when nothing reads keys just now."""
        self.keys.append(key)
        self.wake()

    def control(self, action: str) -> None:
        self.controls.append(action)
        self.wake()

    def redirect_to(self, place: Place) -> None:
        self.redirect = place
        self.wake()

    def ask_hangup(self, *, cause: int | None = None, technical: str = "") -> None:
        """The far end hangs up. `cause` None: it tells none, and the channel keeps what it has."""
        if self.hung_up or self.over:
            return
        self.hung_up = self.far_end_left = True
        extra = {}
        if cause is not None:
            self.channel.hangup_cause = cause
            extra["Cause"] = str(cause)
        if technical:
            self.channel.technical_cause = extra["TechCause"] = technical
        self.emit("HangupRequest", extra)
        self.wake()

    def soft_hangup(self, told_cause: int | None = None) -> None:
        """Somebody on our side hangs the channel up. `told_cause` is what the event says, if there is one."""
        if self.hung_up or self.over:
            return
        self.hung_up = True
        if told_cause is not None:
            self.emit("SoftHangupRequest", {"Cause": str(told_cause)})
        self.wake()

    def wake(self) -> None:
        self._notify()
        if self.partner is not None:
            self.partner._notify()

    def _notify(self) -> None:
        for waiter in self._waiters:
            _end(waiter)

    async def changed(self, until_s: float | None = None) -> None:
        """Returns when something happened to this line, or at loop time `until_s`."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.add(waiter)
        timer = None if until_s is None else loop.call_at(until_s, _end, waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()

    async def pause(self, seconds: float) -> bool:
        """Wait; False when the line was gone before."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not self.gone and loop.time() < end:
            await self.changed(end)
        return not self.gone

    def listen(self) -> None:
        """From here on keys and controls count; those that came before are lost, as in Asterisk."""
        self.keys.clear()
        self.controls.clear()
        self.listening += 1
        self.wake()

    # ---- what it tells

    def emit(self, event: str, extra: Mapping[str, str] | None = None, privilege: str = "call") -> None:
        self._pbx.emit(event, privilege, {**self.channel.headers(), **(extra or {})})

    def emit_with(
        self, event: str, dest: Line, extra: Mapping[str, str] | None = None, privilege: str = "call"
    ) -> None:
        self.emit(event, {**dest.channel.headers("Dest"), **(extra or {})}, privilege)

    def new_state(self, state: int) -> None:
        if self.channel.state != state:
            self.channel.state = state
            self.emit("Newstate")

    def answer(self) -> None:
        if self.channel.answered_s is None:
            self.channel.answered_s = asyncio.get_running_loop().time()
        self.new_state(states.UP)

    def music_on(self, music: str) -> None:
        if self.channel.music != music:
            self.channel.music = music
            self.emit("MusicOnHoldStart", {"Class": music})

    def music_off(self) -> None:
        if self.channel.music is not None:
            self.channel.music = None
            self.emit("MusicOnHoldStop")

    def end(self) -> None:
        """The channel is destroyed; whoever watches it learns so."""
        if self.over:
            return
        self.hung_up = self.over = True
        cause = self.channel.hangup_cause
        technical = {"TechCause": self.channel.technical_cause} if self.channel.technical_cause else {}
        self.emit("Hangup", {"Cause": str(cause), "Cause-txt": cause_text(cause), **technical})
        self._pbx.closed(self)
        self.wake()


def _end(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
