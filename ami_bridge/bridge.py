"""The bridge to one Asterisk: sessions of callers, the manager link, and the agents' phones.

Implements `acd.ports.Telephony`. A new caller's session gets its script from `script_for`, which the composition
root passes in, so that this room need not know any menu.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from acd.common.number import Number
from acd.effects import (
    KeepPlace,
    LeaveLine,
    RefuseLine,
    RingAgent,
    SetFallbackMember,
    StopRing,
    TelephonyEffect,
)
from acd.errors import Overloaded
from acd.ports import Answers
from acd.ticket import Ticket, TicketError, decode
from acd.types import ContactId, PhoneId

from .agi import AgiSession
from .ami import Ami, AmiSettings, AmiStatus
from .channels import CallerGone, Channels, LegEnded
from .ends import Ends, instant_us
from .errors import AmiActionError, AmiError
from .fastagi import FastAgiServer, FastAgiSettings
from .recovery import Known, Recovery
from .session import Caller, CallSession, CenterDoor, ScriptFor, SessionCounters, SessionSettings
from .signature import CallRequest
from .wire import AmiMessage

FALLBACK = "pasokh-fallback"


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """`resync_every_s`: how often Asterisk's channels are compared with ours, for events that were lost.
    `ends_every_s`: the pause between two batches of rows that are removed from Asterisk's database."""

    agi: FastAgiSettings
    ami: AmiSettings
    session: SessionSettings = field(default_factory=SessionSettings)
    resync_every_s: float = 30.0
    ends_every_s: float = 1.0


@dataclass(frozen=True, slots=True)
class BridgeDoors:
    """What the composition root passes in. `number_of`: what Asterisk wrote of the caller, as a number and its
    keyed token. `known`: what the center believes about calls, for the comparison after a restart."""

    center: CenterDoor
    answers: Answers
    script_for: ScriptFor
    number_of: Callable[[str | None], tuple[Number, str | None]]
    known: Callable[[], Known]
    phones: Callable[[], Iterable[PhoneId]]
    broken: Callable[[str, Exception], None]


class Bridge:
    """One Asterisk's calls."""

    def __init__(self, settings: BridgeSettings, doors: BridgeDoors, random: Random) -> None:
        self.settings = settings
        self.counters = SessionCounters()
        self._doors = doors
        self._channels = Channels()
        self._sessions: dict[ContactId, CallSession] = {}
        self._members: asyncio.Queue[SetFallbackMember] = asyncio.Queue()
        self._members_follow = False
        self._tasks: list[asyncio.Task[None]] = []
        self.ami = Ami(
            settings.ami,
            random=random,
            on_event=self._on_event,
            on_up=self._on_up,
            on_down=lambda reason: self._forget_members(),
            on_error=lambda error: doors.broken("manager link", error),
        )
        self.agi = FastAgiServer(
            settings.agi,
            self._call,
            clock=lambda: doors.center.now_us() / 1e6,
            on_error=lambda hint, error: doors.broken(f"session {hint}", error),
        )
        self.ends = Ends(self.ami, settings.ends_every_s)
        self.recovery = Recovery(self.ami, self._channels, self.ends, doors.center.post, doors.known)

    # Life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen for callers and begin to connect to the manager. Raises OSError when the port is taken."""
        await self.agi.start()
        self.ami.start()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._keep_members(), name="fallback-members"),
            loop.create_task(self._resync_now_and_then(), name="resync"),
        ]

    async def stop(self, grace_s: float) -> None:
        """No new callers; those in line are left to Asterisk's music, and to whoever comes next."""
        await self.agi.stop(grace_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ends.close()
        await self.ami.stop()

    @property
    def calls(self) -> int:
        return len(self._sessions)

    # Telephony ---------------------------------------------------------------------------------------------

    def perform(self, effect: TelephonyEffect) -> None:
        match effect:
            case KeepPlace() | RingAgent() | RefuseLine() | LeaveLine() | StopRing():
                session = self._sessions.get(effect.contact)
                if session is not None:
                    session.perform(effect)
                elif isinstance(effect, StopRing):
                    self.recovery.stop_ring(effect.offer)
            case SetFallbackMember():
                if self._members_follow:
                    self._members.put_nowait(effect)

    # Members of Asterisk's own queue -----------------------------------------------------------------------

    async def _keep_members(self) -> None:
        """One after the other, as their order matters; what a broken link loses, the next one makes good."""
        while True:
            member = await self._members.get()
            await self.ami.wait_up()
            try:
                await self._set_member(member)
            except AmiError as error:
                self._doors.broken("fallback queue", error)

    def _forget_members(self) -> None:
        self._members_follow = False
        while not self._members.empty():
            self._members.get_nowait()

    async def _compare_members(self) -> None:
        """Asterisk's members become those the center wants; agents may have come and gone while we were away."""
        self._forget_members()
        self._members_follow = True
        wanted = {
            f"PJSIP/{phone}": SetFallbackMember(agent, phone, paused)
            for agent, (phone, paused) in self._doors.known().members.items()
        }
        for event in await self.ami.queue_status(FALLBACK):
            if event.event != "QueueMember":
                continue
            interface = event.get("Location") or event.get("Interface")
            want = wanted.get(interface)
            if want is None or want.agent != event.get("Name"):
                await self.ami.queue_remove(FALLBACK, interface)
            elif want.paused == (event.get("Paused") == "1"):
                del wanted[interface]
        for member in wanted.values():
            await self._set_member(member)

    async def _set_member(self, member: SetFallbackMember) -> None:
        interface = f"PJSIP/{member.phone}"
        if member.paused is None:
            await self.ami.queue_remove(FALLBACK, interface)
        elif not await self.ami.queue_add(
            FALLBACK, interface, member_name=member.agent, paused=member.paused
        ):
            await self.ami.queue_pause(interface, member.paused, queue=FALLBACK)

    # A caller ----------------------------------------------------------------------------------------------

    async def _call(self, agi: AgiSession, request: CallRequest) -> None:
        contact = request.contact or agi.uniqueid
        number, token = self._doors.number_of(agi.env.get("agi_callerid"))
        ticket, began_us = None, None
        if request.attach > 1:
            ticket = await self._ticket(agi, contact)
            began_us = None if ticket else instant_us(await agi.get_full_variable("${PA_BEGAN}") or "")
        older = self._sessions.get(contact)  # nothing is awaited between this and taking the call
        if older is not None:
            if not older.agi.ended.is_set():
                return  # one caller, one session: whoever is second goes, the first still holds the call
            older.give_way()
        caller = Caller(contact, request.number, number, token, request.attach, ticket, began_us)
        session = CallSession(
            agi=agi,
            caller=caller,
            script=self._doors.script_for(request.number, ticket),
            center=self._doors.center,
            switch=_Switch(self.ami),
            channels=self._channels,
            answers=self._doors.answers,
            settings=self.settings.session,
            counters=self.counters,
        )
        self._channels.caller(agi.uniqueid, contact)
        self._sessions[contact] = session
        try:
            await session.run()
        except Overloaded:
            return  # counted by the engine
        finally:
            if session.gone.is_set():
                self.ends.has_row(contact)
            if self._sessions.get(contact) is session:
                del self._sessions[contact]
                if not session.lost:  # else the caller lives, perhaps in talk: their end is still watched for
                    self._channels.forget(contact)

    async def _ticket(self, agi: AgiSession, contact: ContactId) -> Ticket | None:
        text = await agi.get_full_variable("${PASOKH_TICKET}")
        if not text:
            return None
        try:
            ticket = decode(text)
        except TicketError as error:
            self._doors.broken(f"ticket of {contact}", error)
            return None
        return ticket if ticket.contact == contact else None

    # Asterisk's word ---------------------------------------------------------------------------------------

    def _on_event(self, message: AmiMessage) -> None:
        for meaning in self._channels.read(message):
            match meaning:
                case CallerGone(contact):
                    self._caller_gone(contact)
                case LegEnded(contact, offer, why):
                    if (session := self._sessions.get(contact)) is not None:
                        session.leg_ended(offer, why)
                case _:
                    self._doors.center.post(meaning)

    def _caller_gone(self, contact: ContactId) -> None:
        if (session := self._sessions.get(contact)) is not None:
            session.gone.set()
        else:
            self._channels.forget(contact)
            self.recovery.orphan_gone(contact)

    async def _on_up(self) -> None:
        await self.recovery.compare(self._sessions.keys(), self._doors.phones())
        try:
            await self._compare_members()
        except AmiActionError as error:  # a queue that is missing must not cost us the link
            self._doors.broken("fallback queue", error)

    async def _resync_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.settings.resync_every_s)
            if self.ami.state.status is AmiStatus.UP:
                try:
                    await self.recovery.compare(self._sessions.keys(), self._doors.phones())
                except AmiError as error:
                    self._doors.broken("comparison with Asterisk", error)


@dataclass(frozen=True, slots=True)
class _Switch:
    """The manager link as one session needs it."""

    ami: Ami

    @property
    def up(self) -> bool:
        return self.ami.state.status is AmiStatus.UP

    async def control_playback_stop(self, channel: str) -> None:
        await self.ami.control_playback_stop(channel)

    async def hangup(self, channel: str) -> None:
        await self.ami.hangup(channel)

    async def is_alive(self, channel: str) -> bool:
        try:
            return bool(await self.ami.status(channel=channel))
        except AmiActionError:
            return False
