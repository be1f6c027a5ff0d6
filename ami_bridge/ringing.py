"""Ringing agents' phones inside the caller's own session: one phone, or several of which the first to answer wins.

One `Dial` is one round. Asterisk itself stops the other phones when one answers, and all of them when the caller
leaves. The center counts on exactly one word for each offer: that it was answered (the rest of the round is then over
without a word), or why not. A phone that is busy or declines is told as early as the manager link tells it; the rest
when Dial has returned, which is also all there is when that link is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from acd.effects import RingAgent, StopRing
from acd.events import OfferAnswered, OfferFailed, TalkEnded
from acd.types import ContactId, EndedBy, OfferId, RingFailure

from .agi import NO_LIMIT, AgiSession
from .carried import CarriedTicket
from .channels import Channels, phone_of
from .doors import CenterDoor, SessionCounters, SessionSettings, Switch, drop, spawn
from .ends import instant_us
from .errors import AgiFailed, AmiError
from .voice import Voice

OUTCOME: Final = "${DIALSTATUS}|${HANGUPCAUSE}|${PA_TALK}|${DIALEDPEERNAME}"
LONGEST_DIAL: Final = 1800
"""Bytes of phones in one Dial; AGI takes no command over 2000."""
_EARLY: Final = frozenset({RingFailure.BUSY, RingFailure.REJECTED, RingFailure.UNREACHABLE})


@dataclass(slots=True)
class Ring:
    """One phone that is, or shall be, rung. `told`: the center has had its word. `why`: how its leg ended."""

    effect: RingAgent
    withdrawn: bool = False
    told: bool = False
    over: bool = False
    why: RingFailure | None = None

    @property
    def offer(self) -> OfferId:
        return self.effect.offer


def fitting(rings: Collection[Ring]) -> int:
    """How many of these fit into one Dial."""
    used = 0
    for count, ring in enumerate(rings):
        used += len(f"PJSIP/{ring.effect.phone}&")
        if used > LONGEST_DIAL:
            return count
    return len(rings)


@dataclass(slots=True)
class Ringer:
    """`round`: the phones that ring now."""

    contact: ContactId
    agi: AgiSession
    voice: Voice
    carried: CarriedTicket
    center: CenterDoor
    switch: Switch
    channels: Channels
    settings: SessionSettings
    counters: SessionCounters
    round: Sequence[Ring] = ()
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    # From the center and from Asterisk ---------------------------------------------------------------------

    def stop(self, effect: StopRing) -> None:
        for ring in self.round:
            if ring.offer == effect.offer:
                ring.withdrawn = True
        self._news.set()

    def leg_ended(self, offer: OfferId, why: RingFailure | None) -> None:
        """A phone of the round rings no more. `why` None: only Dial can tell."""
        ring = next((ring for ring in self.round if ring.offer == offer), None)
        if ring is None or len(self.round) == 1:
            return  # of a single phone, its Dial returns at once and tells more exactly
        ring.over, ring.why = True, why
        if self.channels.winner(self.contact) is None and (ring.withdrawn or why in _EARLY):
            self._tell(ring, why)
        self._news.set()

    # The round ---------------------------------------------------------------------------------------------

    def refuse(self, rings: Iterable[Ring]) -> None:
        """These shall not ring any more."""
        for ring in rings:
            ring.withdrawn = True
            self._tell(ring, None)

    async def ring(self, rings: Sequence[Ring]) -> bool:
        """Dial these phones; True when somebody talked with the caller, who is still there."""
        self.refuse(ring for ring in rings if ring.withdrawn)
        going = [ring for ring in rings if not ring.withdrawn]
        if not going:
            await self.voice.music()
            return False
        first = going[0].effect
        self.round = going
        await self.carried.write(offer=first.offer, agent=first.agent, offered_us=first.offered_us)
        self.voice.quiet = True
        self.channels.dialling(self.contact, {ring.effect.phone: ring.offer for ring in going})
        withdrawing = spawn(self._withdraw_when_told())
        try:
            ring_s = max(1, round(max(ring.effect.ring_timeout_s for ring in going)))
            phones = "&".join(f"PJSIP/{ring.effect.phone}" for ring in going)
            routines = f"b({self.settings.predial})U({self.settings.talk})"
            await self.agi.exec("Dial", f"{phones},{ring_s},g{routines}", deadline_s=NO_LIMIT)
            outcome = await self.agi.get_full_variable(OUTCOME)
            talked = await self._report((outcome or "").split("|"))
        except AgiFailed:
            for ring in going:
                self._tell(ring, RingFailure.UNREACHABLE)
            talked = False
        finally:
            await drop(withdrawing)
        self.round = ()
        self.channels.dialled(self.contact)
        await self.voice.music()
        return talked

    def _tell(self, ring: Ring, why: RingFailure | None) -> None:
        if not ring.told:
            ring.told = True
            failure = RingFailure.WITHDRAWN if ring.withdrawn else why or RingFailure.UNREACHABLE
            self.center.post(OfferFailed(ring.offer, failure))

    async def _report(self, outcome: Sequence[str]) -> bool:
        status, cause, talk_at, peer = (*outcome, "", "", "", "")[:4]
        if status != "ANSWER":
            await self._until_legs_ended()
            for ring in self.round:
                self._tell(ring, self._failure(ring, status, cause))
            return False
        winner = self.channels.winner(self.contact)
        if winner is None:  # the manager link was down: learned only now
            self.counters.late_answers += 1
            winner = self._winner(peer)
            self.center.post(OfferAnswered(winner, instant_us(talk_at)))
        self.center.post(TalkEnded(winner, EndedBy.AGENT))
        return True

    def _winner(self, peer: str) -> OfferId:
        """Whose phone it was, by the channel that answered; a phone that forwards has another's name."""
        phone = phone_of(peer)
        by_phone = [ring for ring in self.round if ring.effect.phone == phone]
        left = [ring for ring in self.round if not ring.over]
        return (by_phone or left or list(self.round))[0].offer

    def _failure(self, ring: Ring, status: str, cause: str) -> RingFailure:
        if len(self.round) == 1:
            return failure(status, cause)
        if ring.over:
            return ring.why or RingFailure.NO_ANSWER
        if self.switch.up and self.channels.leg(ring.offer) is None:
            return RingFailure.UNREACHABLE  # no call to it could be made, so nobody told of one
        return failure(status, "")

    async def _until_legs_ended(self) -> None:
        """The manager's word on the last phones may come just after Dial's own reply."""
        if len(self.round) == 1 or not self.switch.up:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.legs_end_wait_s):
                while not all(ring.over or ring.told for ring in self.round):
                    self._news.clear()
                    await self._news.wait()

    async def _withdraw_when_told(self) -> None:
        """Hang up phones whose offer the center has taken back; repeated, as a leg may not be known yet."""
        while True:
            while not any(ring.withdrawn and not ring.over for ring in self.round):
                self._news.clear()
                await self._news.wait()
            for ring in [ring for ring in self.round if ring.withdrawn and not ring.over]:
                await self._hang_up(ring)
            await asyncio.sleep(self.settings.stop_again_s)
            self._give_up_on_phones_never_called()

    async def _hang_up(self, ring: Ring) -> None:
        leg = self.channels.leg(ring.offer)
        if leg is not None and not leg.answered:
            with suppress(AmiError):
                await self.switch.hangup(leg.channel)

    def _give_up_on_phones_never_called(self) -> None:
        """Where others of the round ring and one does not, Asterisk could make no call to it."""
        if any(self.channels.leg(ring.offer) is not None for ring in self.round):
            for ring in self.round:
                if ring.withdrawn and self.channels.leg(ring.offer) is None:
                    self._tell(ring, None)


def failure(status: str, cause: str) -> RingFailure:
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
