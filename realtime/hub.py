"""The wall: one state, numbered differences, the same frame for everybody.

`WallPublisher` stands beside the center (on the leader): facts make it look, at most every `interval_s`;
what differs goes out with the next number. `WallHub` serves sockets, on the leader and on every other
process: there it follows the bus and builds the same state from the same numbers. Whoever misses a number
takes the whole again: a socket that is behind, a client that resumes, a hub behind a lossy bus.

A hub ticks only as long as its publisher does, so a wall without a center goes stale by itself instead of
showing old figures as new ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from acd.facts import Fact
from acd.ports import Bus
from acd.site import Site
from acd.view import SiteView
from realtime import wallboard, wire
from realtime.outlet import Outlet
from realtime.reasons import Json
from realtime.settings import SocketSettings
from realtime.wire import Encoded

log = logging.getLogger(__name__)

TOPIC = "wall"
KEY = "wall:snapshot"
TOO_SLOW = (1013, "too slow")


class Watched(Protocol):
    """What the publisher looks at. `acd.engine.Engine` is one."""

    @property
    def site(self) -> Site: ...

    def view(self) -> SiteView: ...

    def now_us(self) -> int: ...


@dataclass(eq=False, slots=True)
class Watcher:
    """One wall's socket. `seq`: what it was sent last. `behind_since`: loop time, None while it keeps up."""

    outlet: Outlet
    seq: int = 0
    behind_since: float | None = None


class WallHub:
    """Sockets of walls on this process. `watchers` counts them; `skipped` what slow ones were spared."""

    def __init__(self, settings: SocketSettings) -> None:
        self._settings = settings
        self._watchers: set[Watcher] = set()
        self._state: Json | None = None
        self._epoch = ""
        self._seq = 0
        self._at_us = 0
        self._ring: deque[tuple[int, Encoded]] = deque(maxlen=settings.ring_messages)
        self._ring_bytes = 0
        self._snapshot: Encoded | None = None
        self.skipped = 0
        self.closed_slow = 0
        self.messages = 0

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    @property
    def state(self) -> Json | None:
        """What walls show now; None while nothing was heard from the center. Not to be changed."""
        return self._state

    @property
    def position(self) -> tuple[str, int]:
        """Epoch and number of the state."""
        return self._epoch, self._seq

    # ---- from the publisher ------------------------------------------------------------------------------

    def begin(self, epoch: str, seq: int, at_us: int, state: Json) -> None:
        """Take a whole state, and bring everybody to it."""
        self._epoch, self._seq, self._at_us, self._state = epoch, seq, at_us, state
        self._snapshot = None
        self._ring.clear()
        self._ring_bytes = 0
        for watcher in list(self._watchers):
            self._catch_up(watcher)

    async def change(self, seq: int, at_us: int, state: Json, message: Encoded) -> None:
        """Take the next state, of which `message` is the difference, and send that to everybody."""
        self._seq, self._at_us, self._state = seq, at_us, state
        self._snapshot = None
        self._remember(seq, message)
        await self._to_all(message, seq)

    async def tick(self, at_us: int, message: Encoded) -> None:
        self._at_us = at_us
        await self._to_all(message, None)

    # ---- sockets -----------------------------------------------------------------------------------------

    def join(self, outlet: Outlet, epoch: str | None = None, seq: int | None = None) -> Watcher:
        """A socket that has said hello, or what it knows already. It is sent what it lacks."""
        watcher = Watcher(outlet)
        self._watchers.add(watcher)
        outlet.when_writable(lambda: self._caught_up(watcher))
        missed = self._since(epoch, seq)
        if missed is None:
            self._catch_up(watcher)
        else:
            watcher.seq = self._seq
            for message in missed or [wire.tick(self._epoch, self._seq, self._at_us)]:
                if not outlet.writable:
                    self._fall_behind(watcher)
                    break
                outlet.write(message)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def _since(self, epoch: str | None, seq: int | None) -> list[Encoded] | None:
        """The differences after `seq`; None: they are not kept, the whole must be sent."""
        if seq is None or epoch != self._epoch or self._state is None or seq > self._seq:
            return None
        first = self._ring[0][0] if self._ring else self._seq + 1
        if seq + 1 < first:
            return None
        return [message for number, message in self._ring if number > seq]

    def _remember(self, seq: int, message: Encoded) -> None:
        if len(self._ring) == self._ring.maxlen:
            self._ring_bytes -= len(self._ring.popleft()[1].text)
        self._ring.append((seq, message))
        self._ring_bytes += len(message.text)
        while self._ring_bytes > self._settings.ring_bytes:
            self._ring_bytes -= len(self._ring.popleft()[1].text)

    async def _to_all(self, message: Encoded, seq: int | None) -> None:
        now = asyncio.get_running_loop().time()
        for number, watcher in enumerate(list(self._watchers)):
            self._to_one(watcher, message, seq, now)
            if number % 200 == 199:
                await asyncio.sleep(0)

    def _to_one(self, watcher: Watcher, message: Encoded, seq: int | None, now: float) -> None:
        if watcher not in self._watchers or (seq is not None and watcher.seq >= seq):
            return  # gone, or it joined meanwhile and has this already
        if watcher.behind_since is not None and watcher.outlet.writable:
            self._catch_up(watcher)
        elif watcher.outlet.writable:
            watcher.outlet.write(message)
            watcher.seq = seq if seq is not None else watcher.seq
            self.messages += 1
        else:
            self.skipped += 1
            self._fall_behind(watcher)
            if watcher.behind_since is not None and now - watcher.behind_since > self._settings.slow_s:
                self._watchers.discard(watcher)
                self.closed_slow += 1
                watcher.outlet.close(*TOO_SLOW)

    def _fall_behind(self, watcher: Watcher) -> None:
        if watcher.behind_since is None:
            watcher.behind_since = asyncio.get_running_loop().time()

    def _caught_up(self, watcher: Watcher) -> None:
        if watcher.behind_since is not None and watcher in self._watchers:
            self._catch_up(watcher)

    def _catch_up(self, watcher: Watcher) -> None:
        """Give the newest whole state: one encoding, shared by all who need it now."""
        if self._state is None:
            return
        if not watcher.outlet.writable:
            self._fall_behind(watcher)
            return
        if self._snapshot is None:
            self._snapshot = wire.snapshot(self._epoch, self._seq, self._at_us, self._state)
        watcher.behind_since = None
        watcher.seq = self._seq
        watcher.outlet.write(self._snapshot)
        self.messages += 1


class WallPublisher:
    """Looks at the center and tells its hub and the bus. `run` is its task; `facts` makes it an Audience."""

    def __init__(self, watched: Watched, hub: WallHub, bus: Bus, settings: SocketSettings) -> None:
        self._watched = watched
        self._hub = hub
        self._bus = bus
        self._settings = settings
        self._dirty = asyncio.Event()
        self._epoch = ""
        self._seq = 0
        self._state: Json = {}
        self._lately = wallboard.Lately()
        self._serving = wallboard.Serving()
        self._outgoing: deque[bytes] = deque(maxlen=64)
        self._carried = asyncio.Event()

    def facts(self, facts: Sequence[Fact]) -> None:
        self._dirty.set()

    async def run(self) -> None:
        """Publishes until cancelled. The epoch is the time it began: center time never runs back."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(), name="wall publisher")
            group.create_task(self._carry(), name="wall to the bus")

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        begun_us = self._watched.now_us()
        self._epoch, self._seq = f"{begun_us:x}", 1
        self._state = self._look()
        self._hub.begin(self._epoch, self._seq, begun_us, self._state)
        self._carried.set()
        said = loop.time()
        while True:
            await self._something()
            at_us, state = self._watched.now_us(), self._look()
            patch = wallboard.difference(self._state, state)
            if patch is not None:
                self._seq += 1
                self._state = state
                message = wire.delta(self._epoch, self._seq, at_us, patch)
                await self._hub.change(self._seq, at_us, state, message)
                self._send(message)
                said = loop.time()
            elif loop.time() - said >= self._settings.quiet_s - 0.001:
                message = wire.tick(self._epoch, self._seq, at_us)
                await self._hub.tick(at_us, message)
                self._send(message)
                said = loop.time()
            await asyncio.sleep(self._settings.interval_s)

    def _send(self, message: Encoded) -> None:
        self._outgoing.append(message.text)
        self._carried.set()

    async def _carry(self) -> None:
        """Brings messages to the bus, apart from the walls of this process: a slow bus must not hold them up.

        The whole goes first and at least every `refresh_s`: who hears a number can read the whole before it.
        """
        loop = asyncio.get_running_loop()
        kept = None
        while True:
            await self._carried.wait()
            self._carried.clear()
            if kept is None or loop.time() - kept >= self._settings.refresh_s:
                whole = wire.snapshot(self._epoch, self._seq, self._watched.now_us(), self._state)
                await self._bus.put(KEY, whole.text, self._settings.snapshot_ttl_s)
                kept = loop.time()
            while self._outgoing:
                await self._bus.publish(TOPIC, self._outgoing.popleft())

    async def _something(self) -> None:
        """Returns when facts came, or after `refresh_s` without any."""
        try:
            async with asyncio.timeout(self._settings.refresh_s):
                await self._dirty.wait()
        except TimeoutError:
            return
        self._dirty.clear()

    def _look(self) -> Json:
        view = self._watched.view()
        self._lately.note(view.at_us, view.total.waiting)
        site = self._watched.site
        serving = self._serving.of(site, view.reserves_open)
        return {**wallboard.wall_state(site, view, serving), "lately": self._lately.state()}


class WallFollower:
    """Keeps the hub of a process without a center at what the leader publishes. `run` is its task.

    The whole is kept at most `refresh_s` old; a hole that it does not close yet is closed by the next one.
    """

    def __init__(self, hub: WallHub, bus: Bus, settings: SocketSettings) -> None:
        self._hub = hub
        self._bus = bus
        self._settings = settings

    async def run(self) -> None:
        messages = self._bus.subscribe(TOPIC)
        await self._ask_again()
        async for text in messages:
            message = wire.decode(text)
            if message is not None and not await self._take(message, text):
                await self._ask_again()

    async def _take(self, message: Json, text: bytes) -> bool:
        """False: something was missed, or this is another life of the leader."""
        epoch, seq = self._hub.position
        state, number, at_us = self._hub.state, message.get("seq"), message.get("at")
        if state is None or message.get("epoch") != epoch:
            return False
        if not isinstance(number, int) or not isinstance(at_us, int):
            return True
        if message.get("type") == "tick":
            if number == seq:
                await self._hub.tick(at_us, wire.framed(text))
            return number <= seq
        patch = message.get("patch")
        if number <= seq or not isinstance(patch, dict):
            return True  # it was in the whole already
        if number != seq + 1:
            return False
        await self._hub.change(number, at_us, wallboard.apply(state, patch), wire.framed(text))
        return True

    async def _ask_again(self) -> None:
        text = await self._bus.get(KEY)
        whole = wire.decode(text) if text is not None else None
        if whole is None:
            return
        epoch, seq, at_us, state = (whole.get(key) for key in ("epoch", "seq", "at", "state"))
        if not (isinstance(epoch, str) and isinstance(seq, int) and isinstance(at_us, int)):
            return
        if isinstance(state, dict) and _age(epoch, seq) > _age(*self._hub.position):
            self._hub.begin(epoch, seq, at_us, state)


def _age(epoch: str, seq: int) -> tuple[int, str, int]:
    """Orders positions: epochs are hexadecimal instants, so a frozen leader that wakes up is not believed."""
    return len(epoch), epoch, seq
