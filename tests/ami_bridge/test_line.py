"""Waiting is a script: what it asks is done, any ring cuts it short, and after a ring that failed it goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from acd.effects import KeepPlace, LeaveLine, RefuseLine, StopRing
from acd.events import MenuStep, OfferFailed, TalkEnded, VisitLeft, VisitQueued
from acd.ticket import Ticket
from acd.types import LeftFor, RingFailure
from acd.verbs import Answer, Ask, Done, Hangup, Key, LineLeft, Pause, Reply, Say, Verb
from acd.verbs import LeaveLine as LeaveLineVerb
from ami_bridge.errors import AmiDown

from .house import CONTACT, LINE, OFFER, PLACE, RING, TICKET_LINE, VISIT, House, ticket_of
from .rig import CHANNEL, AsteriskChannel, Verbs

CALLBACK = LeaveLineVerb(LeftFor.CALLBACK)
OUT = LeaveLine(CONTACT, VISIT, "sales", "max_wait", "voicemail")


def waiting(*verbs: Verb) -> Verbs:
    return Verbs(*verbs, node="waiting")


async def in_line(house: House, script: Verbs, *keeps: str) -> AsteriskChannel:
    """A caller who waits by this script; these lines are answered by the test."""
    caller = AsteriskChannel()
    caller.keeps = (*caller.keeps, *keeps)
    await house.begin(replace(LINE, waiting=script), caller=caller)
    await house.center.told(VisitQueued)
    house.session.perform(PLACE)
    return caller


# ---- what it may ask ---------------------------------------------------------------------------------------


async def test_a_pause_is_music_until_a_key(house: House) -> None:
    script = waiting(Say(("position",), keys="1"), Pause(30.0, keys="12"))
    caller = await in_line(house, script, "WAIT FOR DIGIT")
    assert (await caller.asked("STREAM FILE")).split()[2:4] == ["position", '"1"']
    await caller.asked("SET MUSIC")
    assert await caller.asked("WAIT FOR DIGIT") == "WAIT FOR DIGIT 5000"
    caller.reply("200 result=57")  # 9 is no key of this pause
    await caller.asked("WAIT FOR DIGIT")
    caller.reply("200 result=50")
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    assert script.heard == [Done(), Key("2")]


async def test_a_pause_without_keys_asks_nothing_of_asterisk(house: House) -> None:
    script = waiting(Pause(0.02), Say(("later",)))
    caller = await in_line(house, script)
    await caller.asked("STREAM FILE later ")
    assert not any(line.startswith("WAIT") for line in caller.lines)
    assert script.heard == [Done()]


async def test_without_the_manager_keys_are_awaited_in_short_pieces(house: House) -> None:
    house.manager.up = False
    caller = await in_line(house, waiting(Pause(30.0, keys="1")), "WAIT FOR DIGIT")
    assert await caller.asked("WAIT FOR DIGIT") == "WAIT FOR DIGIT 500"
    house.manager.fault = AmiDown("down")
    house.session.perform(RING)
    caller.reply("200 result=0")
    await caller.asked("EXEC Dial")


async def test_a_question_is_asked_with_music(house: House) -> None:
    house.answers.values = {"position": "3"}
    script = waiting(Say(("hello",)), Ask("line", {}))
    caller = await in_line(house, script)
    await caller.asked("STREAM FILE")
    await caller.asked("SET MUSIC")
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    assert script.heard == [Done(), Answer({"position": "3"})]


async def test_after_its_end_there_is_music_alone(house: House) -> None:
    script = waiting(Say(("once",)))
    caller = await in_line(house, script)
    await caller.asked("STREAM FILE once ")
    await caller.asked("SET MUSIC")
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    assert script.heard == [Done()]


async def test_the_welcome_comes_before_it(house: House) -> None:
    caller = AsteriskChannel()
    line = replace(LINE, welcome=("welcome",), waiting=waiting(Say(("position",))))
    await house.begin(line, caller=caller)
    await house.center.told(VisitQueued)
    house.session.perform(PLACE)
    assert (await caller.asked("STREAM FILE")).split()[2] == "welcome"
    assert (await caller.asked("STREAM FILE")).split()[2] == "position"


class Hasty(Verbs):
    """Never waits."""

    def next(self, reply: Reply) -> Verb:
        self.heard.append(reply)
        return Ask("line", {})


async def test_a_script_that_never_waits_is_ended_and_holds_nobody_up(house: House) -> None:
    script = Hasty()
    caller = await in_line(house, script)
    async with asyncio.timeout(5):
        while not house.counters.waiting_scripts_stopped:  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0)
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    assert len(script.heard) < 200


# ---- a ring cuts it short ----------------------------------------------------------------------------------


async def test_an_announcement_that_a_ring_cut_is_heard_again_from_that_sound_on(house: House) -> None:
    script = waiting(Say(("one", "two", "three")), Pause(60.0))
    caller = await in_line(house, script, "STREAM FILE two")
    await caller.asked("STREAM FILE two")
    house.session.perform(RING)
    await house.manager.until(house.manager.stops, 2)
    caller.reply("200 result=0 endpos=800")
    await caller.asked("EXEC Dial")
    assert set(house.manager.stops) == {CHANNEL}
    caller.dialled("NOANSWER")
    await house.center.told(OfferFailed)
    await caller.asked("SET MUSIC")
    await caller.asked("STREAM FILE two")
    caller.reply("200 result=0 endpos=8000")
    await caller.asked("STREAM FILE three")
    assert script.heard == []


async def test_a_pause_that_a_ring_cut_goes_on_for_its_rest(house: House) -> None:
    caller = await in_line(house, waiting(Pause(4.0, keys="1")), "WAIT FOR DIGIT")
    await caller.asked("WAIT FOR DIGIT")
    house.session.perform(RING)
    await house.manager.until(house.manager.stops, 1)
    caller.reply("200 result=1000")
    await caller.asked("EXEC Dial")
    caller.dialled("BUSY", "17")
    rest = await caller.asked("WAIT FOR DIGIT")
    assert 3000 < int(rest.split()[-1]) <= 4000


async def test_a_question_that_a_ring_cut_is_asked_again(house: House) -> None:
    house.answers.never = True
    caller = await in_line(house, waiting(Ask("line", {}, deadline_s=60.0)))
    async with asyncio.timeout(2):
        await house.answers.asked.wait()
    house.answers.asked.clear()
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    assert house.answers.cancelled.is_set()
    caller.dialled("NOANSWER")
    async with asyncio.timeout(2):
        await house.answers.asked.wait()
    assert house.counters.answers_missing == 0


async def test_a_key_in_the_same_instant_as_a_ring_waits_for_the_ring_s_end(house: House) -> None:
    script = waiting(Pause(30.0, keys="1"), CALLBACK)
    caller = await in_line(house, script, "WAIT FOR DIGIT")
    await caller.asked("WAIT FOR DIGIT")
    house.session.perform(RING)
    caller.reply("200 result=49")
    await caller.asked("EXEC Dial")
    caller.dialled("NOANSWER")
    await house.center.told(OfferFailed)
    assert (await house.center.told(VisitLeft)).why is LeftFor.CALLBACK


# ---- ways out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", list(LeftFor))
async def test_a_caller_leaves_by_a_key(house: House, why: LeftFor) -> None:
    caller = await in_line(house, waiting(Pause(30.0, keys="1"), LeaveLineVerb(why)), "WAIT FOR DIGIT")
    await caller.asked("WAIT FOR DIGIT")
    caller.reply("200 result=49")
    assert await house.center.told(VisitLeft) == VisitLeft(CONTACT, why)
    await caller.ended()
    assert house.script.heard == [LineLeft(False, why.value)]
    last = [ticket_of(line) for line in caller.lines if line.startswith(TICKET_LINE)][-1]
    assert (last.visit, last.queue) == (None, None)


async def test_a_ring_for_who_has_left_never_rings(house: House) -> None:
    """The center may have chosen an agent before it heard of the leaving."""
    caller = await in_line(house, waiting(CALLBACK), 'SET VARIABLE DIALSTATUS ""')
    await house.center.told(VisitLeft)
    await caller.asked('SET VARIABLE DIALSTATUS ""')
    house.session.perform(RING)
    caller.reply("200 result=1")
    await caller.ended()
    assert not any(line.startswith("EXEC") for line in caller.lines)


async def test_a_ring_for_an_old_visit_is_not_rung_in_the_next_one(house: House) -> None:
    caller = AsteriskChannel()
    caller.keeps = (*caller.keeps, "STREAM FILE")
    await house.begin(replace(LINE, waiting=waiting(CALLBACK)), Say(("sorry",)), LINE, caller=caller)
    await house.center.told(VisitQueued)
    house.session.perform(PLACE)
    await caller.asked("STREAM FILE sorry")
    house.session.perform(RING)
    caller.reply("200 result=0 endpos=1")
    await house.center.told(VisitQueued, 2)
    house.session.perform(replace(PLACE, visit="second"))
    house.session.perform(replace(RING, visit="second", offer="new", phone="p2"))
    assert "PJSIP/p2," in await caller.asked("EXEC Dial")
    assert await house.center.told(OfferFailed) == OfferFailed(OFFER, RingFailure.WITHDRAWN)


async def test_the_site_takes_a_caller_out(house: House) -> None:
    caller = await in_line(house, waiting(Say(("long",))), "STREAM FILE")
    await caller.asked("STREAM FILE")
    house.session.perform(replace(OUT, visit="another"))  # not theirs
    house.session.perform(OUT)
    await house.manager.until(house.manager.stops, 1)
    caller.reply("200 result=0 endpos=800")
    await caller.ended()
    assert house.script.heard == [LineLeft(False, "max_wait", "voicemail")]


async def test_taken_out_while_a_phone_rings_waits_for_the_ring_s_end(house: House) -> None:
    caller = await in_line(house, waiting(Hangup()))
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    house.session.perform(OUT)
    caller.dialled("NOANSWER")
    await caller.ended()
    assert house.script.heard == [LineLeft(False, "max_wait", "voicemail")]


async def test_a_talk_is_a_talk_even_if_the_site_took_them_out_meanwhile(house: House) -> None:
    caller = await in_line(house, waiting(Hangup()))
    house.session.perform(RING)
    await caller.asked("EXEC Dial")
    house.hear("DialBegin", "DialEnd")
    house.session.perform(OUT)
    caller.dialled("ANSWER", "16")
    await house.center.told(TalkEnded)
    await caller.ended()
    assert house.script.heard == [LineLeft(answered=True)]


async def test_who_is_not_let_in_hears_why_and_where_to(house: House) -> None:
    caller = await house.begin(LINE)
    await house.center.told(VisitQueued)
    house.session.perform(RefuseLine(CONTACT, "sales", "closed", "voicemail"))
    await caller.ended()
    assert house.script.heard == [LineLeft(False, "closed", "voicemail")]


# ---- another queue -----------------------------------------------------------------------------------------

MOVED = KeepPlace(CONTACT, "sys-1.1.2", "backup", 5_000_000, 3)


async def test_a_caller_who_is_moved_stays_in_line_with_a_new_ticket(house: House) -> None:
    script = waiting(Pause(30.0, keys="1"), CALLBACK)
    caller = await in_line(house, script, "WAIT FOR DIGIT")
    await caller.asked("WAIT FOR DIGIT")
    house.session.perform(MOVED)
    await house.manager.until(house.manager.stops, 1)
    caller.reply("200 result=1000")
    ticket = ticket_of(await caller.asked(TICKET_LINE))
    assert (ticket.visit, ticket.queue, ticket.entered_us) == ("sys-1.1.2", "backup", 5_000_000)
    await caller.asked("WAIT FOR DIGIT")
    assert script.heard == []


async def test_a_ring_of_the_queue_before_is_not_rung(house: House) -> None:
    caller = await in_line(house, waiting(Say(("long",))), "STREAM FILE")
    await caller.asked("STREAM FILE")
    house.session.perform(RING)
    house.session.perform(MOVED)
    house.session.perform(replace(RING, visit="sys-1.1.2", offer="sys-1.1.2.1", phone="p2"))
    caller.reply("200 result=0 endpos=800")
    assert "PJSIP/p2," in await caller.asked("EXEC Dial")
    assert await house.center.told(OfferFailed) == OfferFailed(OFFER, RingFailure.WITHDRAWN)


async def test_who_was_moved_and_comes_back_stands_in_the_queue_they_were_moved_to(house: House) -> None:
    house.ticket = Ticket(
        CONTACT, 7, "flow", "v1", "node", "fa", visit="sys-1.1.2", queue="backup", entered_us=5_000_000
    )
    await house.begin(LINE, caller=AsteriskChannel(attach=2))
    queued = await house.center.told(VisitQueued)
    assert queued == VisitQueued(CONTACT, "backup", "fa", 0, "sys-1.1.2", 5_000_000)
    assert not any(isinstance(event, MenuStep) for event in house.center.events)


async def test_a_stop_of_a_ring_that_waits_its_turn_is_told(house: House) -> None:
    caller = await in_line(house, waiting(Say(("long",))), "STREAM FILE")
    await caller.asked("STREAM FILE")
    house.session.perform(RING)
    house.session.perform(StopRing(CONTACT, OFFER))
    caller.reply("200 result=0 endpos=800")
    assert await house.center.told(OfferFailed) == OfferFailed(OFFER, RingFailure.WITHDRAWN)
