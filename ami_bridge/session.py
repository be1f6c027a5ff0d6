"""One caller's call: performs the verbs of its script and reports what happened.

Who holds the caller's AGI socket owns the caller, so everything about one caller happens in one `CallSession`.
Standing in line is `line`, ringing agents `ringing`, what the caller hears and presses `voice`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, assert_never

from acd import effects
from acd.effects import KeepPlace, RefuseLine, RingAgent, StopRing
from acd.events import CallArrived, CallerLeft, MenuEnded, MenuStep, SessionLost, VisitQueued
from acd.ports import Answers
from acd.ticket import Ticket
from acd.types import OfferId, RingFailure
from acd.verbs import (
    Ask,
    Begun,
    Collect,
    Done,
    Hangup,
    Key,
    LeaveLine,
    LineLeft,
    Pause,
    Position,
    Recorded,
    RecordMessage,
    Reply,
    Say,
    Script,
    Set,
    Transfer,
    Transferred,
    Verb,
    WaitInLine,
)

from .agi import NO_LIMIT, AgiSession
from .asking import ask
from .carried import CarriedTicket
from .channels import Channels
from .doors import Caller, CenterDoor, SessionCounters, SessionSettings, Switch
from .errors import AgiEnded, AgiFailed, AmiError
from .line import Line
from .ringing import Ringer
from .voice import Voice

__all__ = [
    "CallEffect",
    "CallSession",
    "Caller",
    "CenterDoor",
    "ScriptFor",
    "SessionCounters",
    "SessionSettings",
    "Switch",
]

CallEffect = KeepPlace | RefuseLine | effects.LeaveLine | RingAgent | StopRing

_OUTSIDE: Final = re.compile(r"\+?[0-9]{3,15}")


@dataclass(slots=True)
class CallSession:
    """Runs one call. `perform` takes the center's effects at any moment; `run` is the call. `gone`: the caller
    has hung up; `lost`: the session ended without that."""

    agi: AgiSession
    caller: Caller
    script: Script
    center: CenterDoor
    switch: Switch
    channels: Channels
    answers: Answers
    settings: SessionSettings
    counters: SessionCounters
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False
    _carried: CarriedTicket = field(init=False)
    _voice: Voice = field(init=False)
    _ringer: Ringer = field(init=False)
    _line: Line = field(init=False)
    _here: tuple[str, str, str] | None = None

    def __post_init__(self) -> None:
        contact = self.caller.contact
        self._carried = CarriedTicket(self.agi, self.caller.ticket or Ticket(contact), self.counters)
        self._voice = Voice(self.agi, self.switch, self.settings, self.counters)
        self._ringer = Ringer(
            contact, self.agi, self._voice, self._carried, self.center, self.switch, self.channels,
            self.settings, self.counters,
        )  # fmt: skip
        self._line = Line(
            contact,
            self.agi,
            self._voice,
            self._ringer,
            self._carried,
            self.center,
            self.answers,
            self.counters,
        )

    # From the center, and from Asterisk --------------------------------------------------------------------

    def perform(self, effect: CallEffect) -> None:
        match effect:
            case KeepPlace():
                self._line.keep(effect)
            case RefuseLine():
                self._line.refuse(effect)
            case effects.LeaveLine():
                self._line.leave(effect)
            case RingAgent():
                self._line.ring(effect)
            case StopRing():
                self._line.stop_ring(effect.offer)
                self._ringer.stop(effect)
            case _:
                assert_never(effect)

    def leg_ended(self, offer: OfferId, why: RingFailure | None) -> None:
        self._ringer.leg_ended(offer, why)

    # The call ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """From taking the call to its end, whichever it is. Raises Overloaded before the call is taken: Asterisk then
        keeps the caller and asks again."""
        contact = self.caller.contact
        self.center.arrive(
            CallArrived(
                contact, self.caller.dialled, self.caller.token, self.caller.attach, self.caller.began_us
            ),
            self.caller.number,
        )
        try:
            await self.agi.set_variable("PASOKH_TOOK", "1")
            await self._follow_script()
        except AgiEnded:
            await self._ended()
        except BaseException:
            self._lose()
            raise

    async def _follow_script(self) -> None:
        reply: Reply = Begun()
        while not isinstance(verb := self.script.next(reply), Hangup):
            await self._keep_node()
            reply = await self._do(verb)
        self._tell_nodes()
        await self.agi.set_variable("PASOKH_DONE", "1")
        self.center.post(MenuEnded(self.caller.contact))

    async def _do(self, verb: Verb) -> Reply:
        match verb:
            case Say():
                key = await self._voice.say(verb.sounds, verb.keys)
                return Key(key) if key else Done()
            case Pause():
                key = await self._voice.pause(verb.seconds, verb.keys)
                return Key(key) if key else Done()
            case Collect():
                return await self._voice.collect(verb)
            case Ask():
                await self._voice.music()
                answer = await ask(self.agi, self.answers, self.caller.contact, verb, self.counters)
                assert answer is not None
                return answer
            case RecordMessage():
                return Recorded(verb.name, await self._voice.record(self.caller.contact, verb))
            case WaitInLine():
                return await self._wait_in_line(verb)
            case Transfer():
                return Transferred(await self._transfer(verb))
            case Set():
                await self.agi.set_variable(f"PASOKH_{verb.name.upper()}", verb.value)
                return Done()
            case Hangup() | LeaveLine():
                raise AssertionError("ends the script, or the line, and is not performed")
            case _:
                assert_never(verb)

    async def _ended(self) -> None:
        """The channel was taken from us: the caller is gone, or only elsewhere (a redirect reads the same)."""
        gone = await self._is_gone()
        if gone and not self.lost:
            self.gone.set()
            self.center.post(CallerLeft(self.caller.contact))
        else:
            self._lose()

    def give_way(self) -> None:
        """The caller came in again while this session, already ended, still wonders whether they are gone: said at
        once, since said later it would take the caller from the new session."""
        self._lose()

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self.center.post(SessionLost(self.caller.contact))

    async def _is_gone(self) -> bool:
        """Whether the caller is surely gone. A ring that was out while nobody can say is left to the recovery,
        which reads from Asterisk whether it became a talk."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.gone_wait_s):
                await self.gone.wait()
                return True
        try:
            return not await self.switch.is_alive(self.agi.channel)
        except AmiError:
            return not self._ringer.round

    # In line -----------------------------------------------------------------------------------------------

    async def _wait_in_line(self, verb: WaitInLine) -> LineLeft:
        """A re-attached caller who goes on at the node where they stood in line stands there again, also in a queue
        that the center had moved them to."""
        ticket, old = self._carried.ticket, None
        stood = ticket.visit is not None and ticket.queue is not None
        if stood and (ticket.queue == verb.queue or self._is_where_ticket_was()):
            old = VisitQueued(
                self.caller.contact,
                ticket.queue or verb.queue,
                verb.language,
                verb.priority,
                ticket.visit,
                ticket.entered_us,
            )
        return await self._line.stand(verb, old)

    def _is_where_ticket_was(self) -> bool:
        old, at = self.caller.ticket, self.script.position
        return old is not None and (old.flow, old.node) == (at.flow, at.node)

    async def _keep_node(self) -> None:
        if self._tell_nodes():
            at = self.script.position
            await self._carried.write(
                flow=at.flow, flow_version=at.version, node=at.node, language=at.language
            )

    def _tell_nodes(self) -> bool:
        """Tell the nodes that the script came through; whether it is now at another one than before."""
        at, before = self.script.position, self._here
        for node in self._nodes_to_tell(at):
            here = (at.flow, at.version, node)
            if here != self._here:
                self._here = here
                self.center.post(MenuStep(self.caller.contact, at.flow, at.version, node))
        return self._here != before

    def _nodes_to_tell(self, at: Position) -> tuple[str, ...]:
        """The nodes since the last verb. The one where a re-attached caller goes on, and the way to it within called
        flows, were told before."""
        nodes, old = (*self.script.passed, at.node), self.caller.ticket
        if self._here is not None or old is None or old.node not in nodes:
            return nodes
        if (old.flow, old.flow_version) != (at.flow, at.version):
            return nodes
        self._here = (at.flow, at.version, old.node)
        return nodes[nodes.index(old.node) + 1 :]

    # Elsewhere ---------------------------------------------------------------------------------------------

    async def _transfer(self, verb: Transfer) -> bool:
        """Dial an outside number, if it may be dialled; True when somebody there has answered."""
        settings = self.settings
        allowed = verb.number.startswith(settings.transfer_allowed) and _OUTSIDE.fullmatch(verb.number)
        if not allowed or not settings.transfer_endpoint:
            self.counters.transfers_refused += 1
            return False
        self._voice.quiet = True
        ring_s = max(1, round(verb.ring_timeout_s))
        try:
            await self.agi.exec(
                "Dial", f"PJSIP/{verb.number}@{settings.transfer_endpoint},{ring_s},g", deadline_s=NO_LIMIT
            )
        except AgiFailed:
            return False
        answered = await self.agi.get_full_variable("${DIALSTATUS}") == "ANSWER"
        await self.agi.set_variable("DIALSTATUS", "")
        return answered


ScriptFor = Callable[[str, Ticket | None], Script]
