"""Standing in line: what the caller hears and may press meanwhile, until somebody talks with them or they leave.

Waiting is a script too. Whatever it does, a ring cuts it short at once; when nobody answered, it goes on where it was,
as if nothing had been: the ring costs the caller neither the announcement nor the pause. What the center says is
looked at between any two steps: another place (the ticket is written anew), a way out of the line, phones to ring.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from acd import effects, verbs
from acd.effects import KeepPlace, RefuseLine, RingAgent
from acd.events import VisitLeft, VisitQueued
from acd.ports import Answers
from acd.types import ContactId, OfferId
from acd.verbs import Ask, Begun, Done, Hangup, Key, LineLeft, Pause, Reply, Say, Sounds, Verb, WaitInLine

from .agi import AgiSession, digit_of
from .asking import ask
from .carried import CarriedTicket
from .doors import CenterDoor, SessionCounters, drop, spawn
from .ringing import Ring, Ringer, fitting
from .voice import Voice

STEPS_AT_ONCE: Final = 100
STEPS_A_SECOND: Final = 20
"""A waiting script may be as hasty as that; one that never waits would hold up every other call."""


@dataclass(slots=True)
class Line:
    """One caller's stays in line, one after the other. The center's words are taken at any moment."""

    contact: ContactId
    agi: AgiSession
    voice: Voice
    ringer: Ringer
    carried: CarriedTicket
    center: CenterDoor
    answers: Answers
    counters: SessionCounters
    _place: KeepPlace | None = None
    _written: KeepPlace | None = None
    _out: RefuseLine | effects.LeaveLine | None = None
    _rings: deque[Ring] = field(default_factory=deque)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    # From the center ---------------------------------------------------------------------------------------

    def keep(self, place: KeepPlace) -> None:
        self._place = place
        self._news.set()

    def refuse(self, effect: RefuseLine) -> None:
        if self._place is None:
            self._out = effect
            self._news.set()

    def leave(self, effect: effects.LeaveLine) -> None:
        if self._place is not None and self._place.visit == effect.visit:
            self._out = effect
            self._news.set()

    def ring(self, effect: RingAgent) -> None:
        self._rings.append(Ring(effect))
        self._news.set()

    def stop_ring(self, offer: OfferId) -> None:
        for ring in self._rings:
            if ring.offer == offer:
                ring.withdrawn = True

    # The stay ----------------------------------------------------------------------------------------------

    async def stand(self, verb: WaitInLine, old: VisitQueued | None) -> LineLeft:
        """From asking for a place to the end of the stay. `old`: the place that a re-attached caller's ticket kept;
        they have heard the welcome."""
        self._place = self._written = self._out = None
        await self.voice.music()
        self.center.post(old or VisitQueued(self.contact, verb.queue, verb.language, verb.priority))
        while self._place is None:
            if self._out is not None:
                return LineLeft(False, self._out.why, self._out.to)
            await self._until_called(None)
        left = await self._wait(_Waiting(verb, verb.welcome if old is None else ()))
        self.ringer.refuse(self._rings)
        self._rings.clear()
        self._place = None
        await self._forget_talk()
        return left

    async def _forget_talk(self) -> None:
        """On the channel too, or our death would take the next wait for a finished talk."""
        for name in ("DIALSTATUS", "PA_TALK"):
            await self.agi.set_variable(name, "")
        await self.carried.clear_place()

    async def _wait(self, script: _Waiting) -> LineLeft:
        loop = asyncio.get_running_loop()
        began, steps = loop.time(), 0
        verb = script.next(Begun())
        while True:
            if (left := await self._attend()) is not None:
                return left
            steps += 1
            if steps > STEPS_AT_ONCE + STEPS_A_SECOND * (loop.time() - began):
                self.counters.waiting_scripts_stopped += 1
                steps, verb = 0, Hangup()
            match verb:
                case verbs.LeaveLine():
                    self.center.post(VisitLeft(self.contact, verb.why))
                    return LineLeft(False, verb.why.value)
                case Say() | Pause() | Ask():
                    done = await self._do(verb)
                    verb = done if isinstance(done, Say | Pause | Ask) else script.next(done)
                case _:  # its end, or what nobody can do while waiting
                    await self.voice.music()
                    await self._until_called(None)

    async def _attend(self) -> LineLeft | None:
        """Do what the center has said meanwhile; how the stay ended, if it did."""
        while True:
            if (place := self._place) is not self._written and place is not None:
                await self.carried.write_place(place)
                self._written = place
            elif self._out is not None:
                return LineLeft(False, self._out.why, self._out.to)
            elif self._rings:
                if await self._ring():
                    return LineLeft(answered=True)
            else:
                return None

    async def _ring(self) -> bool:
        """All phones that shall ring now, together; those of a place that the caller has left shall not."""
        for ring in self._rings:
            ring.withdrawn |= self._place is None or ring.effect.visit != self._place.visit
        count = max(1, fitting(self._rings))
        return await self.ringer.ring([self._rings.popleft() for _ in range(count)])

    # The waiting script's steps ----------------------------------------------------------------------------

    async def _do(self, verb: Say | Pause | Ask) -> Reply | Say | Pause | Ask:
        """The reply; or, when the center called, what is left to be done of the step."""
        match verb:
            case Say():
                return await self._say(verb)
            case Pause():
                return await self._pause(verb)
            case Ask():
                await self.voice.music()
                heard = await ask(
                    self.agi, self.answers, self.contact, verb, self.counters, self._until_center_calls()
                )
                return heard if heard is not None else verb

    async def _say(self, verb: Say) -> Reply | Say:
        for at, sound in enumerate(verb.sounds):
            playing = self.voice.stream(sound, verb.keys)
            if key := digit_of(await self.voice.cut_by(playing, self._until_center_calls())):
                return Key(key)
            if self._called:
                return replace(verb, sounds=verb.sounds[at:])
        return Done()

    async def _pause(self, verb: Pause) -> Reply | Pause:
        """Music. Without keys nobody listens, so nothing is asked of Asterisk at all."""
        await self.voice.music()
        loop = asyncio.get_running_loop()
        end = loop.time() + verb.seconds
        while (rest_s := end - loop.time()) > 0:
            if verb.keys:
                wait_ms = max(1, round(min(rest_s, self.voice.slice_s) * 1000))
                listening = self.agi.wait_for_digit(wait_ms)
                key = digit_of(await self.voice.cut_by(listening, self._until_center_calls()))
                if key and key in verb.keys:
                    return Key(key)
            else:
                await self._until_called(rest_s)
            if self._called:
                return replace(verb, seconds=max(0.0, end - loop.time()))
        return Done()

    # Waiting for the center --------------------------------------------------------------------------------

    @property
    def _called(self) -> bool:
        """Whether the center wants something of this stay; rings that come before its place are of another."""
        if self._place is None:
            return self._out is not None
        return bool(self._rings) or self._out is not None or self._place is not self._written

    async def _until_center_calls(self) -> None:
        while not self._called:
            self._news.clear()
            await self._news.wait()

    async def _until_called(self, timeout_s: float | None) -> None:
        """Returns also after `timeout_s`. Raises AgiEnded when the caller is gone."""
        if not self._called:
            called, ended = spawn(self._until_center_calls()), spawn(self.agi.ended.wait())
            try:
                await asyncio.wait({called, ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await drop(called, ended)
        if self.agi.ended.is_set():
            raise self.agi.end_reason()


@dataclass(slots=True)
class _Waiting:
    """The welcome, then the waiting script; where there is none, the comfort every so often."""

    verb: WaitInLine
    welcome: Sounds
    _begun: bool = False
    _paused: bool = False

    def next(self, reply: Reply) -> Verb:
        if self.welcome:
            sounds, self.welcome = self.welcome, ()
            return Say(sounds)
        if self.verb.waiting is not None:
            if not self._begun:
                self._begun, reply = True, Begun()
            return self.verb.waiting.next(reply)
        if not self.verb.comfort or self.verb.comfort_every_s is None:
            return Hangup()
        self._paused = not self._paused
        return Pause(self.verb.comfort_every_s) if self._paused else Say(self.verb.comfort)
