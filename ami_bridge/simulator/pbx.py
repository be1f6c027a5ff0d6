"""`Simulator`: the PBX as one thing to start, call and stop, with its own count of what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from .ami import AmiServer
from .callers import CallerScript, CallOutcome, Left, behave, outcome
from .channel import RING
from .dialplan import INBOUND, serve_caller
from .errors import SimulatorError
from .exchange import Exchange
from .line import Line
from .phones import Phone
from .settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class SimulatorAddresses:
    ami_host: str
    ami_port: int


@dataclass(frozen=True, slots=True)
class Counters:
    """Calls since the start. `offered` is all of them; `talking` and `present` are now.

    `answered` had an agent, `fallback` of these by Asterisk's own queue; `abandoned` left without one; `ended`
    were ended by the PBX without one (a menu's own end).
    """

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    ended: int = 0
    fallback: int = 0
    talking: int = 0
    present: int = 0


class Simulator:
    """A PBX on the wire: manager (server) and FastAGI (client) as Asterisk 22 with our dialplan.

    `clock` gives wall time in seconds and must run with the loop's time. All chance comes from `rng`, so that the
    same seed gives the same calls. Runs on any loop that has `create_server` and `create_connection`.
    """

    def __init__(self, settings: SimulatorSettings, clock: Callable[[], float], rng: Random) -> None:
        self.exchange = Exchange(settings, clock, rng)
        self._settings = settings
        self._ami = AmiServer(self.exchange)
        self._ami_port = settings.ami_port
        self._tasks: set[asyncio.Task[Any]] = set()
        self._running: dict[str, Line] = {}
        self._offered = self._answered = self._abandoned = self._ended = self._fallback = 0
        self._failures: list[BaseException] = []

    # ---- life

    async def start(self) -> SimulatorAddresses:
        """Listens for managers. Raises OSError when the port is taken."""
        self._ami_port = await self._ami.start(self._ami_port)
        return SimulatorAddresses(self._settings.ami_host, self._ami_port)

    async def stop(self) -> None:
        """Ends everything at once. Raises SimulatorError when a call failed by a fault of the simulator."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ami.close()
        if self._failures:
            raise SimulatorError(
                f"A call failed inside the simulator: {self._failures[0]!r}"
            ) from self._failures[0]

    # ---- calls

    async def call(self, script: CallerScript) -> CallOutcome:
        """One call, now, to its end."""
        loop = asyncio.get_running_loop()
        line = self._arrive(script)
        self._offered += 1
        self._running[line.channel.uniqueid] = line
        caller = self._start(behave(line, script), "caller")
        try:
            await serve_caller(self.exchange, line)
            await caller
        finally:
            caller.cancel()
            del self._running[line.channel.uniqueid]
            # Cancelled in mid-call: what the channel would have written is not, but it is no longer there.
            self.exchange.closed(line)
        result = outcome(line, loop.time())
        self._count(result)
        return result

    def begin(self, script: CallerScript) -> asyncio.Task[CallOutcome]:
        """The same in the background; `stop` ends it."""
        return self._start(self.call(script), "call")

    async def play(self, scripts: Iterable[CallerScript], until_s: float | None = None) -> None:
        """Lets callers arrive at their times, counted from now; returns after the last, or `until_s` from now."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for script in scripts:
            if until_s is not None and script.arrive_s > until_s:
                break
            await asyncio.sleep(max(0.0, began + script.arrive_s - loop.time()))
            self.begin(script)

    async def drain(self) -> None:
        """Returns when every call that was begun is over."""
        while calls := [task for task in self._tasks if task.get_name() == "simulator call"]:
            await asyncio.wait(calls)

    def _arrive(self, script: CallerScript) -> Line:
        line = self.exchange.new_line(self._settings.trunk, INBOUND, script.dialled, state=RING)
        line.speaks_s = script.speaks_s
        channel = line.channel
        channel.dialled = script.dialled
        channel.caller_number, channel.caller_name = script.caller.number, script.caller.name
        channel.presentation = script.caller.presentation
        return line

    def _count(self, result: CallOutcome) -> None:
        if result.answered_by is not None:
            self._answered += 1
            self._fallback += result.fallback
        elif result.left is Left.ABANDONED:
            self._abandoned += 1
        else:
            self._ended += 1

    def counters(self) -> Counters:
        """The PBX's own count. A call in progress counts as offered, and as talking while it does."""
        stories = [line.story for line in self._running.values()]
        return Counters(
            offered=self._offered,
            answered=self._answered + sum(story.talk_began_s is not None for story in stories),
            abandoned=self._abandoned,
            ended=self._ended,
            fallback=self._fallback,
            talking=sum(story.talking for story in stories),
            present=len(stories),
        )

    # ---- phones

    def phone(self, name: str) -> Phone:
        """A phone of the settings. Raises UnknownPhone."""
        return self.exchange.phone(name)

    def register(self, name: str, registered: bool = True) -> None:
        """A phone comes, or is unplugged: managers see its device state change."""
        phone = self.exchange.phone(name)
        phone.registered = registered
        self.exchange.phone_changed(phone)

    # ---- faults

    def drop_ami(self) -> None:
        """Cut every manager link; calls go on."""
        self._ami.drop()

    def freeze_ami(self, frozen: bool = True) -> None:
        """The manager says and hears nothing, then everything at once."""
        self._ami.freeze(frozen)

    async def close_ami(self) -> None:
        """Nobody can reach the manager until `open_ami`."""
        await self._ami.close()

    async def open_ami(self) -> None:
        """Listens again at the same port."""
        await self._ami.start(self._ami_port)

    # ---- tasks

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=f"simulator {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)
