"""Several phones at once: one Dial, one word for each offer, one winner, and only that leg is stopped that shall be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.effects import RingAgent, StopRing
from acd.events import OfferAnswered, OfferFailed, OfferRang, TalkEnded
from acd.types import EndedBy, RingFailure
from ami_bridge.errors import AmiDown
from ami_bridge.ringing import LONGEST_DIAL
from ami_bridge.wire import AmiMessage

from .house import CONTACT, RING, TICKET_LINE, VISIT, House, ticket_of
from .rig import NOW_S, AsteriskChannel

PHONES = ("p1", "p2", "p3")


def offer(phone: str) -> str:
    return f"{VISIT}.{phone[1:]}"


def leg(phone: str) -> str:
    return f"PJSIP/{phone}-0000000{phone[1:]}"


RINGS = [replace(RING, offer=offer(phone), agent=f"a{phone[1:]}", phone=phone) for phone in PHONES]


def say(house: House, name: str, phone: str, status: str = "", cause: str = "") -> None:
    house.heard(
        AmiMessage(
            {
                "Event": name,
                "Uniqueid": leg(phone) if name == "Hangup" else CONTACT,
                "DestUniqueid": leg(phone),
                "DestChannel": leg(phone),
                "DialStatus": status,
                "Cause": cause,
            }
        )
    )


def end(house: House, phone: str, status: str, cause: str) -> None:
    say(house, "DialEnd", phone, status)
    say(house, "Hangup", phone, cause=cause)


async def ringing(house: House, rings: list[RingAgent] = RINGS) -> AsteriskChannel:
    caller = await house.in_line()
    for effect in rings:
        house.session.perform(effect)
    await caller.asked("EXEC Dial")
    for effect in rings:
        say(house, "DialBegin", effect.phone)
    return caller


def failures(house: House) -> dict[str, RingFailure]:
    told = [event for event in house.center.events if isinstance(event, OfferFailed)]
    assert len({event.offer for event in told}) == len(told), "an offer was told twice"
    return {event.offer: event.why for event in told}


async def test_rings_of_one_step_are_one_dial_and_one_ticket(house: House) -> None:
    caller = await house.in_line()
    for effect in RINGS:
        house.session.perform(effect)
    ticket = ticket_of(await caller.asked(TICKET_LINE))
    assert (ticket.offer, ticket.agent) == (offer("p1"), "a1")
    dial = await caller.asked("EXEC Dial")
    assert dial.startswith('EXEC Dial "PJSIP/p1&PJSIP/p2&PJSIP/p3,20,g')
    for phone in PHONES:
        say(house, "DialBegin", phone)
    rang = [event.offer for event in house.center.events if isinstance(event, OfferRang)]
    assert rang == [offer(phone) for phone in PHONES]


async def test_the_first_to_answer_has_the_caller_and_nobody_hears_of_the_others(house: House) -> None:
    caller = await ringing(house)
    for loser in ("p1", "p3"):
        end(house, loser, "CANCEL", "26")  # Asterisk says so before it tells the answer
    say(house, "DialEnd", "p2", "ANSWER")
    assert await house.center.told(OfferAnswered) == OfferAnswered(offer("p2"))
    caller.dialled("ANSWER", "16", f"{NOW_S}.5", leg("p2"))
    assert await house.center.told(TalkEnded) == TalkEnded(offer("p2"), EndedBy.AGENT)
    await caller.ended()
    assert failures(house) == {}
    assert house.counters.late_answers == 0


async def test_a_second_receiver_in_the_same_instant_does_not_count(house: House) -> None:
    caller = await ringing(house)
    for phone in ("p2", "p1"):
        say(house, "DialEnd", phone, "ANSWER")
    caller.dialled("ANSWER", "16", "", leg("p2"))
    await house.center.told(TalkEnded)
    answers = [event for event in house.center.events if isinstance(event, OfferAnswered)]
    assert answers == [OfferAnswered(offer("p2"))]


async def test_busy_and_declined_are_told_at_once_and_the_rest_when_dial_returns(house: House) -> None:
    caller = await ringing(house)
    end(house, "p1", "BUSY", "17")
    end(house, "p2", "NOANSWER", "21")
    assert failures(house) == {offer("p1"): RingFailure.BUSY, offer("p2"): RingFailure.REJECTED}
    caller.dialled("NOANSWER", "17")
    end(house, "p3", "NOANSWER", "0")
    await house.center.told(OfferFailed, 3)
    assert failures(house)[offer("p3")] is RingFailure.NO_ANSWER
    await caller.asked("SET MUSIC")


async def test_a_phone_that_could_not_be_called_is_unreachable(house: House) -> None:
    caller = await house.in_line()
    for effect in RINGS[:2]:
        house.session.perform(effect)
    await caller.asked("EXEC Dial")
    say(house, "DialBegin", "p1")
    caller.dialled("NOANSWER", "0")
    end(house, "p1", "NOANSWER", "0")
    await house.center.told(OfferFailed, 2)
    assert failures(house) == {offer("p1"): RingFailure.NO_ANSWER, offer("p2"): RingFailure.UNREACHABLE}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("NOANSWER", RingFailure.NO_ANSWER),
        ("BUSY", RingFailure.BUSY),
        ("CHANUNAVAIL", RingFailure.UNREACHABLE),
    ],
)
async def test_without_the_manager_dial_tells_for_all(house: House, status: str, why: RingFailure) -> None:
    house.manager.up = False
    caller = await house.in_line()
    for effect in RINGS:
        house.session.perform(effect)
    await caller.asked("EXEC Dial")
    caller.dialled(status, "21")
    await house.center.told(OfferFailed, 3)
    assert set(failures(house).values()) == {why}


async def test_without_the_manager_the_channel_that_answered_names_the_winner(house: House) -> None:
    house.manager.up = False
    caller = await house.in_line()
    for effect in RINGS:
        house.session.perform(effect)
    await caller.asked("EXEC Dial")
    caller.dialled("ANSWER", "16", f"{NOW_S}.5", "PJSIP/p3-0000002a")
    await house.center.told(TalkEnded)
    assert house.center.events[-2:] == [
        OfferAnswered(offer("p3"), NOW_S * 1_000_000 + 500_000),
        TalkEnded(offer("p3"), EndedBy.AGENT),
    ]
    assert house.counters.late_answers == 1


# ---- one is taken back -------------------------------------------------------------------------------------


async def test_a_stop_ends_only_its_own_leg(house: House) -> None:
    caller = await ringing(house)
    house.session.perform(StopRing(CONTACT, offer("p2")))
    await house.manager.until(house.manager.hangups, 1)
    assert set(house.manager.hangups) == {leg("p2")}
    end(house, "p2", "NOANSWER", "0")
    assert failures(house) == {offer("p2"): RingFailure.WITHDRAWN}
    for loser in ("p1",):
        end(house, loser, "CANCEL", "26")
    say(house, "DialEnd", "p3", "ANSWER")
    caller.dialled("ANSWER", "16", "", leg("p3"))
    await house.center.told(TalkEnded)
    assert failures(house) == {offer("p2"): RingFailure.WITHDRAWN}


async def test_a_stop_of_a_phone_that_was_never_called_is_told_soon(house: House) -> None:
    caller = await house.in_line()
    for effect in RINGS[:2]:
        house.session.perform(effect)
    await caller.asked("EXEC Dial")
    say(house, "DialBegin", "p1")
    house.session.perform(StopRing(CONTACT, offer("p2")))
    assert await house.center.told(OfferFailed) == OfferFailed(offer("p2"), RingFailure.WITHDRAWN)
    assert house.manager.hangups == []


async def test_a_stop_whose_hang_up_the_manager_cannot_say_is_said_again(house: House) -> None:
    await ringing(house)
    house.manager.fault = AmiDown("down")
    house.session.perform(StopRing(CONTACT, offer("p1")))
    await house.manager.until(house.manager.hangups, 3)


async def test_one_of_the_round_that_is_taken_back_before_it_began_is_not_dialled(house: House) -> None:
    caller = await house.in_line()
    for effect in RINGS:
        house.session.perform(effect)
    house.session.perform(StopRing(CONTACT, offer("p1")))
    assert (await caller.asked("EXEC Dial")).startswith('EXEC Dial "PJSIP/p2&PJSIP/p3,')
    assert failures(house) == {offer("p1"): RingFailure.WITHDRAWN}


# ---- ends --------------------------------------------------------------------------------------------------


async def test_a_caller_who_leaves_takes_all_rings_with_them(house: House) -> None:
    caller = await ringing(house)
    for phone in PHONES:
        end(house, phone, "CANCEL", "0")
    house.session.gone.set()
    caller.take_away("200 result=-1")
    await house.over()
    assert house.center.kinds()[-1] == "CallerLeft"
    assert failures(house) == {}


async def test_more_phones_than_one_command_holds_are_rung_in_two_rounds(house: House) -> None:
    many = [
        replace(RING, offer=f"{VISIT}.{n}", agent=f"a{n}", phone=f"phone-with-a-long-name-{n:03}")
        for n in range(80)
    ]
    caller = await house.in_line()
    for effect in many:
        house.session.perform(effect)
    first = await caller.asked("EXEC Dial")
    assert len(first) < LONGEST_DIAL + 100
    caller.dialled("NOANSWER")
    second = await caller.asked("EXEC Dial")
    rung = [phone.removeprefix("PJSIP/") for line in (first, second) for phone in _phones(line)]
    assert rung == [effect.phone for effect in many]


def _phones(dial: str) -> list[str]:
    return dial.removeprefix('EXEC Dial "').partition(",")[0].split("&")
