"""One caller's session on the wire, and the recording doors around it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from acd.common.number import parse_number
from acd.effects import KeepPlace, RingAgent
from acd.events import VisitQueued
from acd.ticket import Ticket, decode
from acd.verbs import Verb, WaitInLine
from ami_bridge.agi import AgiSession
from ami_bridge.channels import CallerGone, Channels, LegEnded
from ami_bridge.errors import AmiError
from ami_bridge.fastagi import FastAgiServer, FastAgiSettings
from ami_bridge.session import Caller, CallSession, SessionCounters, SessionSettings
from ami_bridge.signature import CallRequest
from ami_bridge.wire import AmiMessage

from .rig import CHANNEL, NOW_S, SECRET, Asked, AsteriskChannel, Center, Verbs

CONTACT, VISIT, OFFER = "sys-1.1", "sys-1.1.1", "sys-1.1.1.1"
LEG, LEG_CHANNEL = "sys-1.2", "PJSIP/p1-00000002"
LINE = WaitInLine("sales", "fa")
PLACE = KeepPlace(CONTACT, VISIT, "sales", 5_000_000, 3)
RING = RingAgent(CONTACT, VISIT, OFFER, "agent1", "p1", 7_000_000, 20.0)
TICKET_LINE = 'SET VARIABLE PASOKH_TICKET "'


@dataclass
class Manager:
    """The manager link as a session sees it; counts what it was asked."""

    alive: bool | AmiError = False
    fault: AmiError | None = None
    stops: list[str] = field(default_factory=list)
    hangups: list[str] = field(default_factory=list)
    alive_asked: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    up: bool = True

    async def control_playback_stop(self, channel: str) -> None:
        self._note(self.stops, channel)

    async def hangup(self, channel: str) -> None:
        self._note(self.hangups, channel)

    async def is_alive(self, channel: str) -> bool:
        assert channel == CHANNEL
        self.alive_asked += 1
        if isinstance(self.alive, AmiError):
            raise self.alive
        return self.alive

    def _note(self, where: list[str], channel: str) -> None:
        where.append(channel)
        self.news.set()
        if self.fault is not None:
            raise self.fault

    async def until(self, where: list[str], count: int) -> None:
        async with asyncio.timeout(2):
            while len(where) < count:
                self.news.clear()
                await self.news.wait()


class House:
    """A listener, one session per call, and the recording doors around it."""

    def __init__(self) -> None:
        self.center = Center()
        self.manager = Manager()
        self.channels = Channels()
        self.answers = Asked()
        self.counters = SessionCounters()
        self.settings = SessionSettings(stop_again_s=0.01, gone_wait_s=0.02)
        self.agi_settings = FastAgiSettings(secret=SECRET, port=0, hangup_grace_s=0.01)
        self.script = Verbs()
        self.ticket: Ticket | None = None
        self.faults: list[Exception] = []
        self._session: CallSession | None = None
        self._made = asyncio.Event()
        self._over = asyncio.Event()
        self._server: FastAgiServer | None = None
        self._callers: list[AsteriskChannel] = []

    @property
    def session(self) -> CallSession:
        assert self._session is not None
        return self._session

    async def _call(self, agi: AgiSession, request: CallRequest) -> None:
        caller = Caller(
            request.contact, request.number, parse_number("09121234567"), "token", request.attach, self.ticket
        )
        self._session = CallSession(
            agi=agi,
            caller=caller,
            script=self.script,
            center=self.center,
            switch=self.manager,
            channels=self.channels,
            answers=self.answers,
            settings=self.settings,
            counters=self.counters,
        )
        self.channels.caller(agi.uniqueid, request.contact)
        self._made.set()
        try:
            await self._session.run()
        finally:
            self._over.set()

    async def begin(
        self, *verbs: Verb, caller: AsteriskChannel | None = None, script: Verbs | None = None
    ) -> AsteriskChannel:
        """A caller who is taken and goes through these verbs."""
        self.script = script or Verbs(*verbs)
        if self._server is None:
            self._server = FastAgiServer(
                self.agi_settings,
                self._call,
                clock=lambda: float(NOW_S),
                on_error=lambda _where, error: self.faults.append(error),
            )
            await self._server.start()
        caller = caller or AsteriskChannel()
        self._callers.append(caller)
        await caller.call(self._server.address)
        async with asyncio.timeout(2):
            await self._made.wait()
        return caller

    async def in_line(self, line: WaitInLine = LINE, *more: Verb, keep: str = "") -> AsteriskChannel:
        """A caller who stands in line, with the place written."""
        caller = AsteriskChannel()
        if keep:
            caller.keeps = (*caller.keeps, keep)
        await self.begin(line, *more, caller=caller)
        await self.center.told(VisitQueued)
        self.session.perform(PLACE)
        assert ticket_of(await caller.asked(TICKET_LINE)).visit is None
        assert ticket_of(await caller.asked(TICKET_LINE)).visit == VISIT
        return caller

    async def ringing(self, *more: Verb) -> AsteriskChannel:
        """A caller for whom an agent's phone is rung."""
        caller = await self.in_line(LINE, *more)
        self.session.perform(RING)
        await caller.asked("EXEC Dial")
        return caller

    async def talking(self, *more: Verb) -> AsteriskChannel:
        caller = await self.ringing(*more)
        self.hear("DialBegin", "DialEnd")
        return caller

    def hear(self, *names: str) -> None:
        """Asterisk's events of the agent's leg, read as the bridge does."""
        for name in names:
            message = AmiMessage(
                {
                    "Event": name,
                    "Uniqueid": CONTACT,
                    "DestUniqueid": LEG,
                    "DestChannel": LEG_CHANNEL,
                    "DialStatus": "ANSWER",
                }
            )
            self.heard(message)

    def heard(self, message: AmiMessage) -> None:
        for meaning in self.channels.read(message):
            match meaning:
                case CallerGone():
                    raise AssertionError("the caller is still there")
                case LegEnded(_, offer, why):
                    self.session.leg_ended(offer, why)
                case _:
                    self.center.post(meaning)

    async def over(self) -> None:
        async with asyncio.timeout(2):
            await self._over.wait()

    async def stop(self) -> None:
        """As at SIGTERM, with no time left."""
        if self._server is not None:
            await self._server.stop(0.0)

    async def leave(self) -> None:
        for caller in self._callers:
            await caller.leave()
        await self.stop()


def ticket_of(line: str) -> Ticket:
    assert line.startswith(TICKET_LINE)
    return decode(line.removeprefix(TICKET_LINE)[:-1].replace('\\"', '"'))
