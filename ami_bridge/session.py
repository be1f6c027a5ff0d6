"""One caller's call: performs the verbs of its script, waits in line, dials the agent, reports what happened.

Who holds the caller's AGI socket owns the caller, so everything about one caller happens in one `CallSession`.
The agent's phone is rung by Dial inside the caller's own session: Asterisk itself then stops the ring when the
caller leaves, and our death leaves a talk untouched.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, assert_never

from acd.common.number import Number
from acd.effects import KeepPlace, RefuseLine, RingAgent, StopRing
from acd.events import (
    CallArrived,
    CallerLeft,
    Event,
    MenuEnded,
    OfferAnswered,
    OfferFailed,
    SessionLost,
    TalkEnded,
    VisitQueued,
)
from acd.ports import Answers
from acd.ticket import Ticket, TicketError, encode
from acd.types import ContactId, EndedBy, RingFailure
from acd.verbs import (
    Answer,
    Ask,
    Begun,
    Collect,
    Digits,
    Done,
    Hangup,
    Key,
    LeaveLine,
    LineLeft,
    Pause,
    RecordMessage,
    Reply,
    Say,
    Script,
    Set,
    Sounds,
    Transfer,
    Verb,
    WaitInLine,
)

from .agi import NO_LIMIT, AgiSession, digit_of
from .channels import Channels
from .ends import instant_us
from .errors import AgiEnded, AgiFailed, AmiError
from .wire import AgiReply

_T = TypeVar("_T")

ALL_KEYS = "0123456789*#"

CallEffect = KeepPlace | RefuseLine | RingAgent | StopRing


class CenterDoor(Protocol):
    """What a session needs of the engine."""

    def post(self, event: Event) -> None: ...

    def arrive(self, event: CallArrived, caller: Number) -> None: ...

    def now_us(self) -> int: ...


class Switch(Protocol):
    """What a session needs of the manager link; everything may raise AmiError."""

    async def control_playback_stop(self, channel: str) -> None: ...

    async def hangup(self, channel: str) -> None: ...

    async def is_alive(self, channel: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Every deadline of a call. `gone_wait_s`: how long a hang-up waits for Asterisk's word that the caller is
    really gone, since a transfer reads the same. `play_limit_s`: the longest a sound may play."""

    music: str = "default"
    predial: str = "pasokh-predial^agent^1"
    talk: str = "pasokh-talk^s^1"
    stop_again_s: float = 0.05
    gone_wait_s: float = 0.5
    play_limit_s: float = 120.0


@dataclass(slots=True)
class SessionCounters:
    """What went another way than planned, for the metrics."""

    sounds_missing: int = 0
    stops_lost: int = 0
    late_answers: int = 0
    ticket_too_long: int = 0
    answers_missing: int = 0


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


@dataclass(slots=True)
class _Ring:
    effect: RingAgent
    withdrawn: bool = False


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
    _ticket: Ticket = field(init=False)
    _place: KeepPlace | None = None
    _refused: bool = False
    _rings: deque[_Ring] = field(default_factory=deque)
    _ringing: _Ring | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _node: str | None = None
    _quiet: bool = False

    def __post_init__(self) -> None:
        self._ticket = self.caller.ticket or Ticket(self.caller.contact)

    # From the center ---------------------------------------------------------------------------------------

    def perform(self, effect: CallEffect) -> None:
        match effect:
            case KeepPlace():
                self._place = effect
            case RefuseLine():
                self._refused = True
            case RingAgent():
                self._rings.append(_Ring(effect))
            case StopRing():
                self._stop_ring(effect)
        self._news.set()

    def _stop_ring(self, effect: StopRing) -> None:
        for ring in [*self._rings, self._ringing]:
            if ring is not None and ring.effect.offer == effect.offer:
                ring.withdrawn = True

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
        await self.agi.set_variable("PASOKH_DONE", "1")
        self.center.post(MenuEnded(self.caller.contact))

    async def _do(self, verb: Verb) -> Reply:
        match verb:
            case Say():
                key = await self._say(verb.sounds, verb.keys)
                return Key(key) if key else Done()
            case Collect():
                return await self._collect(verb)
            case Ask():
                return await self._ask(verb)
            case WaitInLine():
                return await self._wait_in_line(verb)
            case Set():
                await self.agi.set_variable(f"PASOKH_{verb.name.upper()}", verb.value)
                return Done()
            case Pause() | RecordMessage() | Transfer():
                raise AssertionError("this verb is not performed yet")
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
            return self._ringing is None

    # Speaking and listening --------------------------------------------------------------------------------

    async def _say(self, sounds: Sounds, keys: str) -> str:
        """Play sounds in order; the key that ended them, or "". A missing sound is counted and passed over."""
        for sound in sounds:
            reply = await self._stream(sound, keys)
            if key := digit_of(reply):
                return key
        return ""

    async def _stream(self, sound: str, keys: str) -> AgiReply:
        self._quiet = True
        reply = await self.agi.stream_file(sound, keys, deadline_s=self.settings.play_limit_s)
        if reply.result == -1:
            self.counters.sounds_missing += 1
        return reply

    async def _collect(self, verb: Collect) -> Digits:
        """Keys count from the first sound on; nothing stands between the last sound and the waiting, since a key
        pressed in between would be lost."""
        digits = await self._say(verb.sounds, ALL_KEYS)
        wait_s = verb.next_key_s if digits else verb.first_key_s
        while len(digits) < verb.max_digits and not (verb.end_key and digits.endswith(verb.end_key)):
            key = digit_of(await self.agi.wait_for_digit(round(wait_s * 1000)))
            if not key:
                return Digits(digits, complete=False)
            digits += key
            wait_s = verb.next_key_s
        return Digits(digits.removesuffix(verb.end_key) if verb.end_key else digits, complete=True)

    async def _ask(self, verb: Ask) -> Answer:
        """An answer in time, or none; the caller's hang-up ends the waiting at once."""
        await self._music()
        asking = self._spawn(self.answers.answer(self.caller.contact, verb.what, verb.args))
        ended = self._spawn(self.agi.ended.wait())
        try:
            await asyncio.wait({asking, ended}, timeout=verb.deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if self.agi.ended.is_set():
                raise self.agi.end_reason()
            if not asking.done() or asking.exception() is not None:
                self.counters.answers_missing += 1
                return Answer(None)
            return Answer(asking.result())
        finally:
            await _drop(asking, ended)

    async def _music(self) -> None:
        """Music for a caller who waits; sounds and Dial have ended what the dialplan began."""
        if self._quiet:
            await self.agi.set_music(True, self.settings.music)
            self._quiet = False

    # In line -----------------------------------------------------------------------------------------------

    async def _wait_in_line(self, verb: WaitInLine) -> LineLeft:
        ticket = self._ticket
        again = ticket.queue == verb.queue and ticket.visit is not None
        self._place, self._refused = None, False
        await self._music()
        self.center.post(
            VisitQueued(
                self.caller.contact,
                verb.queue,
                verb.language,
                verb.priority,
                ticket.visit if again else None,
                ticket.entered_us if again else None,
            )
        )
        while self._place is None and not self._refused:
            await self._until_news(None)
        if self._place is None:
            return LineLeft(answered=False)
        await self._write_place(self._place)
        talked = await self._stand(verb, speak=not again)
        await self._leave_line()
        return LineLeft(answered=talked)

    async def _stand(self, verb: WaitInLine, speak: bool) -> bool:
        """Music and announcements until somebody has talked with the caller."""
        sounds = verb.welcome if speak else ()
        while True:
            if self._rings:
                if await self._ring(self._rings.popleft()):
                    return True
                continue
            if sounds:
                await self._announce(sounds)
                sounds = ()
                continue
            if not await self._until_news(verb.comfort_every_s if verb.comfort else None):
                sounds = verb.comfort

    async def _announce(self, sounds: Sounds) -> None:
        """Play to a waiting caller; an agent who is found cuts it short."""
        for sound in sounds:
            if self._rings:
                break
            playing = self._spawn(self._stream(sound, ""))
            news = self._spawn(self._until_ring())
            try:
                await asyncio.wait({playing, news}, return_when=asyncio.FIRST_COMPLETED)
                while not playing.done():
                    await self._stop_playing()
                    await asyncio.wait({playing}, timeout=self.settings.stop_again_s)
                playing.result()
            finally:
                await _drop(playing, news)
        if not self._rings:
            await self._music()

    async def _until_ring(self) -> None:
        while not self._rings and not self.agi.ended.is_set():
            self._news.clear()
            await self._news.wait()

    async def _stop_playing(self) -> None:
        try:
            await self.switch.control_playback_stop(self.agi.channel)
        except AmiError:
            self.counters.stops_lost += 1

    async def _until_news(self, timeout_s: float | None) -> bool:
        """Wait for an effect. False after `timeout_s`. Raises AgiEnded when the caller is gone."""
        if not self._news.is_set():
            news, ended = self._spawn(self._news.wait()), self._spawn(self.agi.ended.wait())
            try:
                await asyncio.wait({news, ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _drop(news, ended)
        if self.agi.ended.is_set():
            raise self.agi.end_reason()
        heard = self._news.is_set()
        self._news.clear()
        return heard

    # Ringing the agent -------------------------------------------------------------------------------------

    async def _ring(self, ring: _Ring) -> bool:
        """Dial the agent's phone; True when they talked and the caller is still there."""
        effect = ring.effect
        if ring.withdrawn:
            self.center.post(OfferFailed(effect.offer, RingFailure.WITHDRAWN))
            await self._music()
            return False
        await self._write_ticket(offer=effect.offer, agent=effect.agent, offered_us=effect.offered_us)
        self._ringing = ring
        self._quiet = True
        self.channels.dialling(self.caller.contact, effect.offer)
        withdrawing = self._spawn(self._withdraw_when_told(ring))
        try:
            ring_s = max(1, round(effect.ring_timeout_s))
            routines = f"b({self.settings.predial})U({self.settings.talk})"
            await self.agi.exec("Dial", f"PJSIP/{effect.phone},{ring_s},g{routines}", deadline_s=NO_LIMIT)
            outcome = await self.agi.get_full_variable("${DIALSTATUS}|${HANGUPCAUSE}|${PA_TALK}")
            talked = self._report(ring, (outcome or "").split("|"))
        except AgiFailed:
            self.center.post(OfferFailed(effect.offer, RingFailure.UNREACHABLE))
            talked = False
        finally:
            await _drop(withdrawing)
        self._ringing = None
        self.channels.dialled(self.caller.contact)
        await self._music()
        return talked

    def _report(self, ring: _Ring, outcome: list[str]) -> bool:
        offer = ring.effect.offer
        status, cause, talk_at = (*outcome, "", "", "")[:3]
        if status != "ANSWER":
            failure = RingFailure.WITHDRAWN if ring.withdrawn else _failure(status, cause)
            self.center.post(OfferFailed(offer, failure))
            return False
        if not self.channels.answered(offer):  # the manager link was down: learned only now
            self.counters.late_answers += 1
            self.center.post(OfferAnswered(offer, instant_us(talk_at)))
        self.center.post(TalkEnded(offer, EndedBy.AGENT))
        return True

    async def _withdraw_when_told(self, ring: _Ring) -> None:
        """Hang up the agent's ringing phone when the center takes the offer back; repeated, as a leg may not
        be known yet."""
        while not ring.withdrawn:
            self._news.clear()
            await self._news.wait()
        while True:
            leg = self.channels.leg(ring.effect.offer)
            if leg is not None and not leg.answered:
                with suppress(AmiError):
                    await self.switch.hangup(leg.channel)
            await asyncio.sleep(self.settings.stop_again_s)

    async def _leave_line(self) -> None:
        """Forget the talk on the channel, or our death would take the next wait for a finished talk."""
        for name in ("DIALSTATUS", "PA_TALK"):
            await self.agi.set_variable(name, "")
        await self._write_ticket(
            visit=None, queue=None, entered_us=None, priority=None, offer=None, agent=None, offered_us=None
        )

    # The ticket --------------------------------------------------------------------------------------------

    async def _keep_node(self) -> None:
        position = self.script.position
        if position.node != self._node:
            self._node = position.node
            await self._write_ticket(
                flow=position.flow,
                flow_version=position.version,
                node=position.node,
                language=position.language,
            )

    async def _write_place(self, place: KeepPlace) -> None:
        await self._write_ticket(
            visit=place.visit,
            queue=place.queue,
            entered_us=place.entered_us,
            priority=place.priority,
            offer=None,
            agent=None,
            offered_us=None,
        )

    async def _write_ticket(self, **changes: Any) -> None:
        ticket = self._ticket.next(**changes)
        try:
            text = encode(ticket)
        except TicketError:
            self.counters.ticket_too_long += 1
            raise
        await self.agi.set_variable("PASOKH_TICKET", text)
        self._ticket = ticket

    @staticmethod
    def _spawn(work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        return asyncio.get_running_loop().create_task(work)


def _failure(status: str, cause: str) -> RingFailure:
    """DIALSTATUS and the cause of the phone's hang-up; 21 is a call that the person declined.

    A ring that was never answered leaves the cause of the ring before it, so there it says nothing.
    """
    match status:
        case "BUSY":
            return RingFailure.BUSY
        case "NOANSWER":
            return RingFailure.NO_ANSWER
        case _:
            return RingFailure.REJECTED if cause == "21" else RingFailure.UNREACHABLE


async def _drop(*tasks: asyncio.Task[Any]) -> None:
    """End helpers of one wait and take in how they ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


ScriptFor = Callable[[str, Ticket | None], Script]
