"""A caller's channel as Asterisk holds it, on the wire, and a center that only remembers what it was told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from acd.common.number import Number
from acd.events import CallArrived, Event, MenuStep
from acd.verbs import Begun, Hangup, Position, Reply, Verb
from ami_bridge.ringing import OUTCOME
from ami_bridge.signature import sign

SECRET = "a secret of the dialplan"
NOW_S = 1_700_000_000
CHANNEL = "PJSIP/trunk-00000001"
_NAME = re.compile(r'^(SET VARIABLE|EXEC) "(\w+)"')
"""Names come quoted; tests read better without."""

E = TypeVar("E", bound=Event)


class AsteriskChannel:
    """One AGI() of the dialplan: answers what it is asked, keeps back what a test wants to answer itself."""

    def __init__(self, contact: str = "sys-1.1", *, uniqueid: str = "", attach: int = 1) -> None:
        self.contact = contact
        self.uniqueid = uniqueid or contact
        self.attach = attach
        self.lines: list[str] = []
        self.keeps: tuple[str, ...] = ("EXEC Dial",)
        self.replies: dict[str, list[str]] = {}
        self.values: dict[str, str] = {}
        self.closed = asyncio.Event()
        self._seen = 0
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def call(self, address: tuple[str, int]) -> None:
        """Connect and send the opening lines."""
        reader, self._writer = await asyncio.open_connection(*address)
        number = "+982191000000"
        sig = sign(number=number, uniqueid=self.contact, time_s=NOW_S, attach=self.attach, secret=SECRET)
        query = f"number={number}&contact={self.contact}&t={NOW_S}&attach={self.attach}&sig={sig}"
        opening = (
            f"agi_network: yes\nagi_network_script: call?{query}\nagi_channel: {CHANNEL}\n"
            f"agi_uniqueid: {self.uniqueid}\nagi_callerid: 09121234567\n\n"
        )
        self._writer.write(opening.encode())
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while data := await reader.readline():
                line = _NAME.sub(r"\1 \2", data.decode().removesuffix("\n"))
                self.lines.append(line)
                self._news.set()
                if not line.startswith(self.keeps):
                    self.reply(self._answer(line))
        self.closed.set()
        self._news.set()

    def _answer(self, line: str) -> str:
        for start, replies in self.replies.items():
            if line.startswith(start) and replies:
                return replies.pop(0)
        if line.startswith("GET FULL VARIABLE"):
            expression = line.split(" ", 3)[3].strip('"')
            value = self.values.get(expression)
            return "200 result=0" if value is None else f"200 result=1 ({value})"
        return "200 result=1" if line.startswith("SET VARIABLE") else "200 result=0"

    async def asked(self, start: str) -> str:
        """The next line, after those looked at before, that begins so."""
        async with asyncio.timeout(2):
            while True:
                while self._seen < len(self.lines):
                    line = self.lines[self._seen]
                    self._seen += 1
                    if line.startswith(start):
                        return line
                assert not self.closed.is_set(), f"the session ended without {start}: {self.lines}"
                self._news.clear()
                await self._news.wait()

    def reply(self, text: str) -> None:
        assert self._writer is not None
        self._writer.write(text.encode() + b"\n")

    def dialled(self, status: str, cause: str = "", talk: str = "", peer: str = "") -> None:
        """The Dial that was kept back has returned, so."""
        self.values[OUTCOME] = f"{status}|{cause}|{talk}|{peer}"
        self.reply("200 result=0")

    def take_away(self, reply: str | None = None) -> None:
        """The channel leaves AGI(): its caller hung up, or was sent elsewhere."""
        if reply is not None:
            self.reply(reply)
        self.reply("HANGUP")
        self.close()

    def close(self) -> None:
        assert self._writer is not None
        self._writer.close()

    async def leave(self) -> None:
        """Close, and wait until nothing of it runs."""
        if self._writer is None or self._reading is None:
            return
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        async with asyncio.timeout(2):
            await self._reading

    async def ended(self) -> None:
        async with asyncio.timeout(2):
            await self.closed.wait()


class Center:
    """The engine's door: keeps events, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.callers: list[Number] = []
        self.full: Exception | None = None
        self._news = asyncio.Event()

    def post(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    def arrive(self, event: CallArrived, caller: Number) -> None:
        if self.full is not None:
            raise self.full
        self.callers.append(caller)
        self.post(event)

    def now_us(self) -> int:
        return NOW_S * 1_000_000

    async def told(self, kind: type[E], number: int = 1) -> E:
        """The n-th event of this kind."""
        async with asyncio.timeout(2):
            while True:
                found = [event for event in self.events if isinstance(event, kind)]
                if len(found) >= number:
                    return found[number - 1]
                self._news.clear()
                await self._news.wait()

    def kinds(self) -> list[str]:
        """What was told, but for the steps in the menu, which every call has."""
        return [type(event).__name__ for event in self.events if not isinstance(event, MenuStep)]


class Verbs:
    """A script that wants these verbs, whatever it hears, and keeps what it heard."""

    def __init__(self, *verbs: Verb, node: str = "node") -> None:
        self.heard: list[Reply] = []
        self._verbs = list(verbs)
        self._node = node

    @property
    def position(self) -> Position:
        return Position("flow", "v1", self._node, "fa")

    @property
    def passed(self) -> Sequence[str]:
        return ()

    def next(self, reply: Reply) -> Verb:
        if not isinstance(reply, Begun):
            self.heard.append(reply)
        return self._verbs.pop(0) if self._verbs else Hangup()


@dataclass(slots=True)
class Asked:
    """The answers of a customer store that a test opens and shuts."""

    values: Mapping[str, str] | None = None
    never: bool = False
    broken: bool = False
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, contact: str, what: str, args: Mapping[str, str]) -> Mapping[str, str] | None:
        self.asked.set()
        try:
            if self.broken:
                raise LookupError("the store is broken")
            if self.never:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return self.values
