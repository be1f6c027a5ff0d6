"""Waiting callers on a real Asterisk: keys in line, announcements that never delay a connect, several phones at once.

Before the session stands a center that only remembers; the menus are written here. What is measured: the time from
the center's wish to the agent's INVITE, by SIPp's clock, and what Asterisk says on the wire.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time_ns

import pytest
import pytest_asyncio

from acd.common.number import Number, parse_number
from acd.effects import KeepPlace, RingAgent, StopRing
from acd.events import CallerLeft, OfferAnswered, OfferFailed, OfferRang, TalkEnded, VisitLeft, VisitQueued
from acd.ticket import Ticket
from acd.types import LeftFor, RingFailure
from acd.verbs import LeaveLine, LineLeft, Pause, Say, Script, Verb, WaitInLine
from ami_bridge.ami import AmiSettings
from ami_bridge.bridge import Bridge, BridgeDoors, BridgeSettings
from ami_bridge.fastagi import FastAgiSettings
from ami_bridge.recovery import Known
from ami_bridge.session import SessionSettings
from tests.ami_bridge.rig import Asked, Center, Verbs
from tests.live.center import PARTS, Keys, Place, premises
from tests.live.sipp import Answer, Callers, Refuse

pytestmark = [pytest.mark.needs(*PARTS), pytest.mark.asyncio(loop_scope="module")]

CONNECT_LIMIT_S = 0.2


class WallCenter(Center):
    """The recording center by the wall's clock."""

    def now_us(self) -> int:
        return time_ns() // 1000


@dataclass
class House:
    """A bridge before a real Asterisk, and the verbs of the next caller."""

    place: Place
    bridge: Bridge
    center: WallCenter
    verbs: list[Verb]
    scripts: list[Verbs] = field(default_factory=list)

    async def standing(self) -> tuple[str, str]:
        """Contact and visit of the caller who asked for a place last; they have one now."""
        number = sum(isinstance(event, VisitQueued) for event in self.center.events) or 1
        queued = await self.center.told(VisitQueued, number)
        visit = f"{queued.contact}.1"
        self.bridge.perform(KeepPlace(queued.contact, visit, queued.queue, self.center.now_us(), 0))
        return queued.contact, visit

    def ring(self, contact: str, visit: str, phones: Sequence[str], ring_s: float = 10.0) -> int:
        """All of them in one step; the instant by the wall's clock, in microseconds."""
        at_us = time_ns() // 1000
        for number, phone in enumerate(phones, start=1):
            self.bridge.perform(
                RingAgent(contact, visit, f"{visit}.{number}", f"a{number}", phone, at_us, ring_s)
            )
        return at_us

    def caller(self, *verbs: Verb, keys: Keys = (), talk_ms: int | None = None) -> Callers:
        self.verbs[:] = verbs
        return self.place.callers(["09121110001"], keys=keys, talk_ms=talk_ms)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    async with premises("") as place:
        to, center, verbs = place.settings.asterisk, WallCenter(), list[Verb]()
        scripts: list[Verbs] = []

        def script_for(number: str, ticket: Ticket | None) -> Script:
            scripts.append(Verbs(*verbs))
            return scripts[-1]

        def number_of(written: str | None) -> tuple[Number, str | None]:
            return parse_number(written), None

        def broken(where: str, error: Exception) -> None:
            raise AssertionError(f"{where}: {error!r}")

        bridge = Bridge(
            BridgeSettings(
                FastAgiSettings(secret=place.settings.secret("agi"), port=to.agi_port),
                AmiSettings(to.ami_user, place.settings.secret("ami"), host=to.ami_host, port=to.ami_port),
                SessionSettings(messages=str(to.messages)),
            ),
            BridgeDoors(
                center=center,
                answers=Asked({"position": "1"}),
                script_for=script_for,
                number_of=number_of,
                known=lambda: Known(center.now_us(), {}),
                phones=lambda: (),
                broken=broken,
            ),
            Random(1),
        )
        await bridge.start()
        try:
            await bridge.ami.wait_up()
            yield House(place, bridge, center, verbs, scripts)
        finally:
            await bridge.stop(1.0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def only_house() -> AsyncIterator[House]:
    """One Asterisk for all of these, as each takes two seconds to boot."""
    async with house() as at:
        yield at


@pytest.fixture
def at(only_house: House) -> House:
    only_house.center.events.clear()
    only_house.scripts.clear()
    return only_house


def tone(folder: Path, seconds: float) -> str:
    """A sound of this length, as Asterisk names it."""
    path = folder / f"tone-{seconds:g}.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x00\x08\x00\xf8" * round(seconds * 4000))
    return str(path.with_suffix(""))


def line(*verbs: Verb) -> WaitInLine:
    return WaitInLine("cards", "fa", waiting=Verbs(*verbs))


# ---- a connect never waits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", ["announcement", "announcement with keys", "pause with keys", "music"])
async def test_whatever_a_caller_waits_by_the_agent_s_phone_rings_at_once(at: House, doing: str) -> None:
    long = tone(at.place.folder, 20.0)
    by: dict[str, tuple[Verb, ...]] = {
        "announcement": (Say((long,)),),
        "announcement with keys": (Say((long,), keys="12"),),
        "pause with keys": (Pause(30.0, keys="12"),),
        "music": (),
    }
    with at.place.phones(Answer(talk_ms=200)) as phones, at.caller(line(*by[doing])) as caller:
        contact, visit = await at.standing()
        await asyncio.sleep(0.3)  # in the middle of what it is, which nobody tells
        asked_us = at.ring(contact, visit, ["c1-phone"])
        [rang] = await phones.heard("RING")
        await at.center.told(TalkEnded)
        await caller.finished()
    late_s = (rang.at_us - asked_us) / 1e6
    print(f"{doing}: {late_s * 1000:.1f} ms from the wish to the INVITE")
    assert late_s < CONNECT_LIMIT_S
    assert at.bridge.counters.stops_lost == 0


async def test_after_a_ring_that_failed_the_announcement_goes_on_and_music_sounds(at: House) -> None:
    long = tone(at.place.folder, 20.0)
    with (
        at.place.phones(Refuse.busy(), "busy"),
        at.place.phones(Answer(talk_ms=200)) as phones,
        at.caller(line(Pause(0.2), Say((long,)))) as caller,
    ):
        contact, visit = await at.standing()
        await asyncio.sleep(0.6)
        at.ring(contact, visit, ["busy-1"])
        assert (await at.center.told(OfferFailed)).why is RingFailure.BUSY
        assert await application(at, contact) == "AGI"
        at.ring(contact, visit, ["c1-phone"])
        await phones.heard("RING")
        await at.center.told(TalkEnded)
        await caller.finished()
    assert at.scripts[0].heard == [LineLeft(answered=True)]


async def application(at: House, contact: str) -> str:
    channels = await at.bridge.ami.status(["PASOKH_ID"])
    return next(channel.application for channel in channels if channel.uniqueid == contact)


# ---- keys in line ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["info", "rfc2833"])
async def test_a_key_in_line_takes_the_caller_out_of_it(at: House, by: str) -> None:
    waits = line(Pause(30.0, keys="2"), LeaveLine(LeftFor.CALLBACK))
    at.verbs[:] = [waits, Say((tone(at.place.folder, 0.2),))]
    callers = at.place.callers(["09121110001"], keys=[(700, "2")], keys_by=by)  # type: ignore[arg-type]
    with callers:
        await at.standing()
        left = await at.center.told(VisitLeft)
        done = await callers.finished()
    assert left.why is LeftFor.CALLBACK
    assert (done.succeeded, done.failed) == (1, 0), done.errors
    assert at.scripts[0].heard[0] == LineLeft(False, "callback")


async def test_keys_are_heard_while_the_manager_is_away() -> None:
    """And a ring that comes then waits half a second at most."""
    async with house() as at:
        with at.place.phones(Answer(talk_ms=200)) as phones, at.caller(line(Pause(30.0, keys="2"))) as caller:
            contact, visit = await at.standing()
            await at.bridge.ami.stop()
            await asyncio.sleep(0.1)
            asked_us = at.ring(contact, visit, ["c1-phone"])
            [rang] = await phones.heard("RING", timeout_s=8)
            await at.center.told(TalkEnded)
            await caller.finished()
        late_s = (rang.at_us - asked_us) / 1e6
        print(f"without the manager: {late_s * 1000:.0f} ms")
        assert late_s < SessionSettings().keys_slice_s + 0.5


# ---- several phones ----------------------------------------------------------------------------------------


async def test_two_phones_ring_one_answers_and_the_other_is_cancelled(at: House) -> None:
    with (
        at.place.phones(Answer(after_ms=300, talk_ms=300)) as quick,
        at.place.phones(Answer(after_ms=None), "silent") as slow,
        at.caller(line()) as caller,
    ):
        contact, visit = await at.standing()
        at.ring(contact, visit, ["silent-1", "c1-phone"])
        rang = [(await quick.heard("RING"))[0], (await slow.heard("RING"))[0]]
        assert (await at.center.told(OfferAnswered)).offer == f"{visit}.2"
        [cancelled] = await slow.heard("CANCEL")
        [answered] = await quick.heard("ANSWER")
        assert (await at.center.told(TalkEnded)).offer == f"{visit}.2"
        await caller.finished()
    print(f"rings apart: {abs(rang[0].at_us - rang[1].at_us) / 1000:.1f} ms")
    print(f"cancelled after the answer: {(cancelled.at_us - answered.at_us) / 1000:.1f} ms")
    told = [type(event).__name__ for event in at.center.events]
    assert "OfferFailed" not in told
    assert told.count("OfferRang") == 2


async def test_each_phone_of_a_round_has_its_own_reason(at: House) -> None:
    with (
        at.place.phones(Refuse.busy(), "busy"),
        at.place.phones(Refuse.reject(), "rejects"),
        at.place.phones(Answer(after_ms=None), "silent"),
        at.caller(line(), talk_ms=3_000) as caller,
    ):
        contact, visit = await at.standing()
        at.ring(contact, visit, ["busy-1", "rejects-1", "silent-1", "no-such-phone"], ring_s=1.0)
        await at.center.told(OfferFailed, 4)
        await caller.finished()
    whys = {event.offer: event.why for event in at.center.events if isinstance(event, OfferFailed)}
    assert whys == {
        f"{visit}.1": RingFailure.BUSY,
        f"{visit}.2": RingFailure.REJECTED,
        f"{visit}.3": RingFailure.NO_ANSWER,
        f"{visit}.4": RingFailure.UNREACHABLE,
    }


async def test_one_ring_of_a_round_is_taken_back_and_the_other_goes_on(at: House) -> None:
    with (
        at.place.phones(Answer(after_ms=None), "silent") as silent,
        at.place.phones(Answer(after_ms=700, talk_ms=200)) as own,
        at.caller(line()) as caller,
    ):
        contact, visit = await at.standing()
        at.ring(contact, visit, ["silent-1", "c1-phone"])
        await at.center.told(OfferRang, 2)
        at.bridge.perform(StopRing(contact, f"{visit}.1"))
        assert await at.center.told(OfferFailed) == OfferFailed(f"{visit}.1", RingFailure.WITHDRAWN)
        await silent.heard("CANCEL")
        assert (await at.center.told(OfferAnswered)).offer == f"{visit}.2"
        await at.center.told(TalkEnded)
        await own.heard("ANSWER")
        await caller.finished()


async def test_a_caller_who_leaves_cancels_every_phone(at: House) -> None:
    with (
        at.place.phones(Answer(after_ms=None), "silent") as silent,
        at.caller(line(), talk_ms=1_000) as caller,
    ):
        contact, visit = await at.standing()
        at.ring(contact, visit, ["silent-1", "silent-2"])
        await at.center.told(CallerLeft)
        cancelled = await silent.heard("CANCEL", 2)
        left = (await caller.finished()).of("BYE_SENT")
    late = [(moment.at_us - left[0].at_us) / 1000 for moment in cancelled]
    print(f"cancelled after the caller left: {late} ms")
    assert max(late) < 500


async def test_eight_phones_answer_at_once_and_one_wins(at: House) -> None:
    names = [f"{kind}{n}-phone" for kind in "cl" for n in range(1, 5)]
    with at.place.phones(Answer(after_ms=200, talk_ms=400)) as phones, at.caller(line()) as caller:
        contact, visit = await at.standing()
        at.ring(contact, visit, names)
        await phones.heard("RING", 8)
        won = await at.center.told(OfferAnswered)
        assert (await at.center.told(TalkEnded)).offer == won.offer
        await caller.finished()
        await at.place.until_no_channels()
    answers = [event for event in at.center.events if isinstance(event, OfferAnswered)]
    assert len(answers) == 1
    assert not any(isinstance(event, OfferFailed) for event in at.center.events)
