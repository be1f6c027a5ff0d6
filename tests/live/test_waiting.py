"""Waiting callers on a real Asterisk: keys in line, announcements that never delay a connect, several phones at once.

Before the session stands a center that only remembers; the menus are written here. What is measured: the time from
the center's wish to the agent's INVITE, by SIPp's clock, and what Asterisk says on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from acd.effects import StopRing
from acd.events import CallerLeft, OfferAnswered, OfferFailed, OfferRang, TalkEnded, VisitLeft
from acd.types import LeftFor, RingFailure, VisitState
from acd.verbs import LeaveLine, LineLeft, Pause, Say, Transfer, Transferred, Verb, WaitInLine
from ami_bridge.recovery import KnownCall
from ami_bridge.session import SessionSettings
from tests.ami_bridge.rig import Verbs
from tests.live.bridge import House, house, tone
from tests.live.center import PARTS
from tests.live.sipp import Answer, Refuse

pytestmark = [pytest.mark.needs(*PARTS), pytest.mark.asyncio(loop_scope="module")]

CONNECT_LIMIT_S = 0.2


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


async def test_music_sounds_whenever_nothing_else_does(at: House) -> None:
    """By Asterisk's own word: after a sound, and after a ring that nobody answered."""
    heard: list[str] = []
    for event in ("MusicOnHoldStart", "MusicOnHoldStop"):
        at.bridge.ami.pyst2.register_event(event, lambda _, __, event=event: heard.append(event))
    waits = line(Say((tone(at.place.folder, 0.3),)), Pause(60.0, keys="1"), LeaveLine(LeftFor.MENU))
    with (
        at.place.phones(Refuse.busy(), "busy"),
        at.caller(waits, keys=[(2_500, "1")]) as caller,
    ):
        contact, visit = await at.standing()
        await asyncio.sleep(0.8)
        assert heard == ["MusicOnHoldStart", "MusicOnHoldStop", "MusicOnHoldStart"]
        at.ring(contact, visit, ["busy-1"])
        await at.center.told(OfferFailed)
        await asyncio.sleep(0.3)
        assert heard[-1] == "MusicOnHoldStart"
        await at.center.told(VisitLeft)
        await caller.finished()


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


async def test_a_round_that_rings_while_we_end_is_found_again_with_its_winner() -> None:
    """Asterisk rings on without us; who comes next sees which of the phones was answered."""
    async with house() as at:
        with (
            at.place.phones(Answer(after_ms=None), "silent") as silent,
            at.place.phones(Answer(after_ms=1500), "patient") as patient,
            at.caller(line(), talk_ms=6_000) as caller,
        ):
            contact, visit = await at.standing()
            at.ring(contact, visit, ["silent-1", "patient-1"])
            await at.center.told(OfferRang, 2)
            await at.bridge.stop(0.0)
            at.known[contact] = KnownCall(
                VisitState.OFFERED, f"{visit}.1", {"silent-1": f"{visit}.1", "patient-1": f"{visit}.2"}
            )
            [lifted] = await patient.heard("ANSWER")
            await asyncio.sleep(0.5)  # nobody of us is there to be told
            at.bridge = at.again()
            await at.bridge.start()
            answered = await at.center.told(OfferAnswered)
            at.known[contact] = KnownCall(VisitState.TALKING, answered.offer)
            assert answered.offer == f"{visit}.2"
            assert answered.answered_us is not None
            assert abs(answered.answered_us - lifted.at_us) < 400_000
            assert len(silent.moments()) == 2, "the other was cancelled by Asterisk"
            await caller.finished()
        told = [type(event).__name__ for event in at.center.events]
        assert told.count("OfferAnswered") == 1
        assert "OfferFailed" not in told


# ---- outside numbers ---------------------------------------------------------------------------------------


async def test_a_caller_is_connected_with_an_outside_number_that_is_allowed(at: House) -> None:
    with (
        at.place.phones(Answer(after_ms=200, talk_ms=300), "patient") as outside,
        at.caller(Transfer("09121234567"), Transfer("02188776655")) as caller,
    ):
        [rang] = await outside.heard("RING")
        done = await caller.finished()
    assert rang.who == "02188776655"
    assert (done.succeeded, done.failed) == (1, 0), done.errors
    assert at.scripts[0].heard == [Transferred(False), Transferred(True)]
    assert at.bridge.counters.transfers_refused == 1
