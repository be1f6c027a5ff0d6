"""One caller's call on the wire: the script's verbs, the line, the agent's phone, and every way it can end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from acd.effects import RefuseLine, StopRing
from acd.errors import Overloaded
from acd.events import (
    CallArrived,
    CallerLeft,
    MenuEnded,
    MenuStep,
    OfferAnswered,
    OfferFailed,
    SessionLost,
    TalkEnded,
    VisitQueued,
)
from acd.ticket import Ticket, TicketError
from acd.types import EndedBy, RingFailure
from acd.verbs import (
    Answer,
    Ask,
    Collect,
    Digits,
    Done,
    Hangup,
    Key,
    LineLeft,
    Pause,
    Recorded,
    RecordMessage,
    Reply,
    Say,
    Set,
    Transfer,
    Transferred,
    Verb,
    WaitInLine,
)
from ami_bridge.errors import AgiTimeout, AmiActionError, AmiDown

from .house import CONTACT, LEG_CHANNEL, LINE, OFFER, PLACE, RING, TICKET_LINE, VISIT, House, ticket_of
from .rig import CHANNEL, NOW_S, AsteriskChannel, Verbs

# ---- the first words ---------------------------------------------------------------------------------------


async def test_a_call_is_taken_told_and_completed(house: House) -> None:
    caller = await house.begin(Say(("hello",)))
    await caller.ended()
    assert caller.lines[0] == 'SET VARIABLE PASOKH_TOOK "1"'
    assert caller.lines[1].startswith(TICKET_LINE)
    assert caller.lines[2].startswith("STREAM FILE hello ")
    assert caller.lines[-1] == 'SET VARIABLE PASOKH_DONE "1"'
    assert house.center.events == [
        CallArrived(CONTACT, "+982191000000", "token", 1, None),
        MenuStep(CONTACT, "flow", "v1", "node"),
        MenuEnded(CONTACT),
    ]
    ticket = ticket_of(caller.lines[1])
    assert (ticket.contact, ticket.flow, ticket.node, ticket.language) == (CONTACT, "flow", "node", "fa")


async def test_a_caller_for_whom_there_is_no_room_is_not_taken(house: House) -> None:
    house.center.full = Overloaded("full")
    caller = await house.begin(Say(("hello",)))
    await caller.ended()
    assert caller.lines == []
    assert not house.session.lost
    assert [type(fault) for fault in house.faults] == [Overloaded]


async def test_a_node_that_stays_is_written_once(house: House) -> None:
    caller = await house.begin(Say(("a",)), Say(("b",)))
    await caller.ended()
    assert len([line for line in caller.lines if line.startswith(TICKET_LINE)]) == 1


async def test_a_value_is_set_on_the_channel(house: House) -> None:
    caller = await house.begin(Set("topic", 'a "b" ${C}'))
    assert await caller.asked("SET VARIABLE PASOKH_TOPIC") == 'SET VARIABLE PASOKH_TOPIC "a \\"b\\" ${C}"'
    await caller.ended()
    assert house.script.heard == [Done()]


# ---- speaking and listening --------------------------------------------------------------------------------


async def test_sounds_play_in_order_and_a_key_ends_them(house: House) -> None:
    caller = AsteriskChannel()
    caller.replies["STREAM FILE"] = ["200 result=0 endpos=8000", "200 result=50 endpos=100"]
    await house.begin(Say(("one", "two", "three"), keys="12"), caller=caller)
    await caller.ended()
    played = [line for line in caller.lines if line.startswith("STREAM FILE")]
    assert [line.split()[2] for line in played] == ["one", "two"]
    assert all(line.split()[3] == '"12"' for line in played)
    assert house.script.heard == [Key("2")]


async def test_a_missing_sound_is_counted_and_passed_over(house: House) -> None:
    caller = AsteriskChannel()
    caller.replies["STREAM FILE"] = ["200 result=-1 endpos=0", "200 result=0 endpos=1"]
    await house.begin(Say(("missing", "there")), caller=caller)
    await caller.ended()
    assert house.counters.sounds_missing == 1
    assert house.script.heard == [Done()]
    assert MenuEnded(CONTACT) in house.center.events


@pytest.mark.parametrize(
    ("verb", "streamed", "keyed", "digits"),
    [
        (Collect(("ask",), 4), "0", "1 2 #", Digits("12", True)),
        (Collect(("ask",), 2), "0", "1 2", Digits("12", True)),
        (Collect(("ask",), 4), "0", "", Digits("", False)),
        (Collect(("ask",), 4), "0", "1 2", Digits("12", False)),
        (Collect(("ask",), 4), "7", "8 #", Digits("78", True)),
        (Collect(("ask",), 1), "7", "", Digits("7", True)),
        (Collect(("ask",), 4), "#", "", Digits("", True)),
        (Collect(("ask",), 4, end_key=""), "0", "1 # *", Digits("1#*", False)),
        (Collect(("ask",), 3, end_key=""), "#", "# #", Digits("###", True)),
        (Collect(("ask",), 4, end_key="*"), "0", "1 # *", Digits("1#", True)),
        (Collect((), 2), "", "4 5", Digits("45", True)),
    ],
)
async def test_keys_are_collected(
    house: House, verb: Collect, streamed: str, keyed: str, digits: Digits
) -> None:
    caller = AsteriskChannel()
    caller.replies["STREAM FILE"] = [f"200 result={0 if streamed in ('', '0') else ord(streamed)} endpos=1"]
    caller.replies["WAIT FOR DIGIT"] = [f"200 result={ord(key)}" for key in keyed.split()]
    await house.begin(verb, caller=caller)
    await caller.ended()
    assert house.script.heard == [digits]


async def test_the_first_key_and_the_next_ones_have_their_own_patience(house: House) -> None:
    caller = AsteriskChannel()
    caller.replies["WAIT FOR DIGIT"] = ["200 result=49"]
    await house.begin(Collect(("ask",), 4, first_key_s=7.0, next_key_s=2.5), caller=caller)
    await caller.ended()
    assert [line for line in caller.lines if line.startswith("WAIT")] == [
        "WAIT FOR DIGIT 7000",
        "WAIT FOR DIGIT 2500",
    ]


async def test_a_stop_of_the_manager_is_no_key(house: House) -> None:
    caller = AsteriskChannel()
    caller.replies["WAIT FOR DIGIT"] = ["200 result=1000"]
    await house.begin(Collect((), 4), caller=caller)
    await caller.ended()
    assert house.script.heard == [Digits("", False)]


# ---- questions ---------------------------------------------------------------------------------------------


async def test_a_question_is_answered(house: House) -> None:
    house.answers.values = {"known": "yes"}
    caller = await house.begin(Ask("customer", {}))
    await caller.ended()
    assert house.script.heard == [Answer({"known": "yes"})]


async def test_an_answer_that_is_late_is_none_and_is_given_up(house: House) -> None:
    house.answers.never = True
    caller = await house.begin(Ask("customer", {}, deadline_s=0.01))
    await caller.ended()
    assert house.script.heard == [Answer(None)]
    assert house.answers.cancelled.is_set()


async def test_an_answer_that_fails_is_none_and_the_call_goes_on(house: House) -> None:
    house.answers.broken = True
    caller = await house.begin(Ask("customer", {}))
    await caller.ended()
    assert house.script.heard == [Answer(None)]
    assert house.counters.answers_missing == 1


async def test_a_caller_who_hangs_up_waits_for_no_answer(house: House) -> None:
    house.answers.never = True
    caller = await house.begin(Ask("customer", {}, deadline_s=3600))
    async with asyncio.timeout(2):
        await house.answers.asked.wait()
    caller.take_away()
    await house.center.told(CallerLeft)
    assert house.answers.cancelled.is_set()
    assert house.script.heard == []


# ---- the line ----------------------------------------------------------------------------------------------


async def test_a_caller_enters_the_line_with_a_place_on_the_channel(house: House) -> None:
    caller = await house.in_line(replace(LINE, priority=2))
    assert house.center.events[-1] == VisitQueued(CONTACT, "sales", "fa", 2, None, None)
    ticket = ticket_of(caller.lines[-1])
    assert (ticket.visit, ticket.queue, ticket.entered_us, ticket.priority) == (VISIT, "sales", 5_000_000, 3)


async def test_a_line_that_lets_nobody_in_leaves_the_way_to_the_script(house: House) -> None:
    caller = await house.begin(LINE, Say(("sorry",)))
    await house.center.told(VisitQueued)
    house.session.perform(RefuseLine(CONTACT, "sales", "full"))
    await caller.asked("STREAM FILE sorry ")
    assert house.script.heard[0] == LineLeft(False, "full")


async def test_the_welcome_comes_first_and_comfort_again_and_again(house: House) -> None:
    line = replace(LINE, welcome=("welcome",), comfort=("sorry", "wait"), comfort_every_s=0.01)
    caller = await house.in_line(line)
    for sound in ("welcome", "sorry", "wait", "sorry", "wait"):
        assert (await caller.asked("STREAM FILE")).split()[2] == sound
    assert "SET MUSIC on default" in caller.lines


async def test_an_agent_cuts_an_announcement_and_the_stop_is_said_until_it_is_heard(house: House) -> None:
    line = replace(LINE, welcome=("welcome", "never heard"))
    caller = await house.in_line(line, keep="STREAM FILE")
    await caller.asked("STREAM FILE welcome ")
    house.session.perform(RING)
    await house.manager.until(house.manager.stops, 3)
    assert not any(line.startswith("EXEC") for line in caller.lines)
    caller.reply("200 result=0 endpos=800")
    await caller.asked("EXEC Dial")
    assert set(house.manager.stops) == {CHANNEL}
    assert sum(line.startswith("STREAM FILE") for line in caller.lines) == 1
    assert house.counters.stops_lost == 0


async def test_a_stop_that_the_manager_cannot_say_is_counted_and_the_sound_ends_by_itself(
    house: House,
) -> None:
    house.manager.fault = AmiDown("down")
    caller = await house.in_line(replace(LINE, welcome=("welcome",)), keep="STREAM FILE")
    await caller.asked("STREAM FILE")
    house.session.perform(RING)
    await house.manager.until(house.manager.stops, 2)
    caller.reply("200 result=0 endpos=800")
    await caller.asked("EXEC Dial")
    assert house.counters.stops_lost >= 2


async def test_a_caller_who_hangs_up_during_an_announcement_is_gone(house: House) -> None:
    caller = await house.in_line(replace(LINE, welcome=("welcome",)), keep="STREAM FILE")
    await caller.asked("STREAM FILE")
    caller.take_away("200 result=-1 endpos=80")
    await house.center.told(CallerLeft)
    assert house.counters.sounds_missing == 0


# ---- the agent's phone -------------------------------------------------------------------------------------


async def test_the_ticket_names_the_offer_before_the_phone_rings(house: House) -> None:
    caller = await house.in_line()
    house.session.perform(RING)
    ticket = ticket_of(await caller.asked(TICKET_LINE))
    assert (ticket.offer, ticket.agent, ticket.offered_us) == (OFFER, "agent1", 7_000_000)
    dial = await caller.asked("EXEC Dial")
    assert dial == 'EXEC Dial "PJSIP/p1,20,gb(pasokh-predial^agent^1)U(pasokh-talk^s^1)"'


@pytest.mark.parametrize(
    ("status", "cause", "why"),
    [
        ("BUSY", "17", RingFailure.BUSY),
        ("BUSY", "21", RingFailure.BUSY),
        ("NOANSWER", "0", RingFailure.NO_ANSWER),
        ("NOANSWER", "21", RingFailure.NO_ANSWER),
        ("CHANUNAVAIL", "21", RingFailure.REJECTED),
        ("CHANUNAVAIL", "3", RingFailure.UNREACHABLE),
        ("CHANUNAVAIL", "20", RingFailure.UNREACHABLE),
        ("CONGESTION", "21", RingFailure.REJECTED),
        ("CONGESTION", "34", RingFailure.UNREACHABLE),
        ("CANCEL", "", RingFailure.UNREACHABLE),
        ("INVALIDARGS", "", RingFailure.UNREACHABLE),
        ("", "", RingFailure.UNREACHABLE),
    ],
)
async def test_how_a_ring_without_an_answer_ends(
    house: House, status: str, cause: str, why: RingFailure
) -> None:
    caller = await house.ringing()
    caller.dialled(status, cause)
    assert await house.center.told(OfferFailed) == OfferFailed(OFFER, why)
    await caller.asked("SET MUSIC")
    house.session.perform(replace(RING, offer="second", phone="p2"))
    assert "PJSIP/p2" in await caller.asked("EXEC Dial")
    assert house.channels.leg(OFFER) is None


async def test_no_variable_after_a_dial_counts_as_unreachable(house: House) -> None:
    caller = await house.ringing()
    caller.reply("200 result=0")
    assert (await house.center.told(OfferFailed)).why is RingFailure.UNREACHABLE


async def test_an_asterisk_without_dial_is_an_unreachable_phone(house: House) -> None:
    caller = await house.ringing()
    caller.reply("200 result=-2")
    assert (await house.center.told(OfferFailed)).why is RingFailure.UNREACHABLE
    house.session.perform(replace(RING, offer="second"))
    await caller.asked("EXEC Dial")


async def test_an_agent_who_hangs_up_gives_the_caller_back_to_the_script(house: House) -> None:
    caller = await house.talking(Say(("goodbye",)))
    caller.dialled("ANSWER", "16", f"{NOW_S}.5")
    assert await house.center.told(TalkEnded) == TalkEnded(OFFER, EndedBy.AGENT)
    await caller.asked('SET VARIABLE DIALSTATUS ""')
    await caller.asked('SET VARIABLE PA_TALK ""')
    left = ticket_of(await caller.asked(TICKET_LINE))
    assert (left.visit, left.queue, left.offer, left.agent) == (None, None, None, None)
    await caller.asked("STREAM FILE goodbye ")
    await caller.ended()
    assert house.script.heard[0] == LineLeft(answered=True)
    assert house.center.kinds() == [
        "CallArrived",
        "VisitQueued",
        "OfferRang",
        "OfferAnswered",
        "TalkEnded",
        "MenuEnded",
    ]
    assert house.counters.late_answers == 0


@pytest.mark.parametrize(("talk", "at_us"), [(f"{NOW_S}.5", NOW_S * 1_000_000 + 500_000), ("", None)])
async def test_an_answer_that_the_manager_never_told_is_told_after_the_talk(
    house: House, talk: str, at_us: int | None
) -> None:
    caller = await house.ringing()
    caller.dialled("ANSWER", "16", talk)
    await house.center.told(TalkEnded)
    assert house.center.events[-2:] == [OfferAnswered(OFFER, at_us), TalkEnded(OFFER, EndedBy.AGENT)]
    assert house.counters.late_answers == 1
    await caller.ended()


async def test_a_second_line_of_the_same_call_is_a_new_visit(house: House) -> None:
    caller = await house.talking(WaitInLine("claims", "en"))
    caller.dialled("ANSWER", "16")
    again = await house.center.told(VisitQueued, 2)
    assert again == VisitQueued(CONTACT, "claims", "en", 0, None, None)


# ---- a ring that is taken back -----------------------------------------------------------------------------


async def test_a_phone_that_rings_is_hung_up_again_and_again_until_the_dial_ends(house: House) -> None:
    caller = await house.ringing()
    house.hear("DialBegin")
    house.session.perform(StopRing(CONTACT, OFFER))
    await house.manager.until(house.manager.hangups, 3)
    assert set(house.manager.hangups) == {LEG_CHANNEL}
    caller.dialled("NOANSWER")
    assert (await house.center.told(OfferFailed)).why is RingFailure.WITHDRAWN


async def test_a_phone_whose_ring_is_not_known_yet_is_hung_up_when_it_is(house: House) -> None:
    await house.ringing()
    house.session.perform(StopRing(CONTACT, OFFER))
    house.manager.fault = AmiActionError("Hangup", "No such channel")
    house.hear("DialBegin")
    await house.manager.until(house.manager.hangups, 2)


async def test_a_phone_that_answered_first_is_not_hung_up(house: House) -> None:
    caller = await house.talking()
    house.session.perform(StopRing(CONTACT, OFFER))
    caller.dialled("ANSWER", "16")
    await house.center.told(TalkEnded)
    await caller.ended()
    assert house.manager.hangups == []


async def test_a_ring_that_is_taken_back_before_it_began_never_rings(house: House) -> None:
    line = replace(LINE, welcome=("welcome",))
    caller = await house.in_line(line, keep="STREAM FILE")
    await caller.asked("STREAM FILE")
    house.session.perform(RING)
    house.session.perform(StopRing(CONTACT, OFFER))
    caller.reply("200 result=0 endpos=800")
    assert (await house.center.told(OfferFailed)).why is RingFailure.WITHDRAWN
    house.session.perform(replace(RING, offer="second", phone="p2"))
    assert "PJSIP/p2" in await caller.asked("EXEC Dial")


async def test_another_offer_s_stop_changes_nothing(house: House) -> None:
    caller = await house.ringing()
    house.hear("DialBegin")
    house.session.perform(StopRing(CONTACT, "another"))
    caller.dialled("NOANSWER")
    assert (await house.center.told(OfferFailed)).why is RingFailure.NO_ANSWER
    assert house.manager.hangups == []


# ---- ends --------------------------------------------------------------------------------------------------


async def in_menu(house: House) -> AsteriskChannel:
    caller = AsteriskChannel()
    caller.keeps = ("STREAM FILE",)
    await house.begin(Say(("menu",), keys="12"), caller=caller)
    await caller.asked("STREAM FILE")
    return caller


async def in_line(house: House) -> AsteriskChannel:
    return await house.in_line()


async def ringing(house: House) -> AsteriskChannel:
    return await house.ringing()


async def talking(house: House) -> AsteriskChannel:
    return await house.talking()


STATES = [
    pytest.param(in_menu, "200 result=-1 endpos=5", id="menu"),
    pytest.param(in_line, None, id="line"),
    pytest.param(ringing, "200 result=-1", id="ringing"),
    pytest.param(talking, "200 result=-1", id="talk"),
]


@pytest.mark.parametrize(("state", "reply"), STATES)
@pytest.mark.parametrize("heard", [True, False], ids=["the manager told", "nobody told"])
async def test_a_caller_who_hangs_up_has_left(
    house: House, state: Any, reply: str | None, heard: bool
) -> None:
    caller = await state(house)
    if heard:
        house.session.gone.set()
        house.manager.alive = True  # must not even be asked
    caller.take_away(reply)
    await house.center.told(CallerLeft)
    await house.over()
    assert house.session.gone.is_set()
    assert not house.session.lost
    assert house.center.kinds()[-1] == "CallerLeft"
    assert house.manager.alive_asked == (0 if heard else 1)
    assert house.faults == []


@pytest.mark.parametrize(("state", "reply"), STATES)
async def test_a_caller_who_was_sent_elsewhere_is_only_lost_to_us(
    house: House, state: Any, reply: str | None
) -> None:
    caller = await state(house)
    house.manager.alive = True
    caller.take_away(reply)
    await house.center.told(SessionLost)
    await house.over()
    assert house.session.lost
    assert not house.session.gone.is_set()
    assert house.center.kinds()[-1] == "SessionLost"


@pytest.mark.parametrize(
    ("state", "reply", "end"),
    [
        pytest.param(in_menu, "200 result=-1 endpos=5", "CallerLeft", id="menu"),
        pytest.param(in_line, None, "CallerLeft", id="line"),
        pytest.param(ringing, "200 result=-1", "SessionLost", id="ringing"),
        pytest.param(talking, "200 result=-1", "SessionLost", id="talk"),
    ],
)
async def test_without_the_manager_a_ring_s_end_is_left_to_the_comparison(
    house: House, state: Any, reply: str | None, end: str
) -> None:
    caller = await state(house)
    house.manager.alive = AmiDown("down")
    caller.take_away(reply)
    await house.over()
    assert house.center.kinds()[-1] == end


@pytest.mark.parametrize(("state", "reply"), STATES)
async def test_a_socket_that_breaks_without_a_word_is_asked_about(
    house: House, state: Any, reply: str | None
) -> None:
    caller = await state(house)
    house.manager.alive = True
    caller.close()
    await house.center.told(SessionLost)


@pytest.mark.parametrize(("state", "reply"), STATES)
async def test_a_stop_of_ours_loses_the_session_and_not_the_caller(
    house: House, state: Any, reply: str | None
) -> None:
    caller = await state(house)
    await house.stop()
    assert house.center.kinds()[-1] == "SessionLost"
    assert house.center.kinds().count("SessionLost") == 1
    assert house.session.lost
    assert 'SET VARIABLE PASOKH_DONE "1"' not in caller.lines


async def test_an_asterisk_that_does_not_answer_loses_the_session(house: House) -> None:
    house.agi_settings = replace(house.agi_settings, command_deadline_s=0.05)
    caller = AsteriskChannel()
    caller.keeps = ("SET VARIABLE PASOKH_TICKET",)
    await house.begin(Say(("menu",)), caller=caller)
    await house.center.told(SessionLost)
    await caller.ended()
    assert [type(fault) for fault in house.faults] == [AgiTimeout]


async def test_a_ticket_too_long_is_an_error_that_is_counted(house: House) -> None:
    caller = AsteriskChannel()
    house.ticket = Ticket(CONTACT, unknown={"later": "x" * 440})
    await house.begin(Say(("menu",)), caller=caller)
    await house.center.told(SessionLost)
    await caller.ended()
    assert [type(fault) for fault in house.faults] == [TicketError]
    assert house.counters.ticket_too_long == 1
    assert caller.lines == ['SET VARIABLE PASOKH_TOOK "1"']


async def test_a_fault_in_the_script_loses_the_session_and_is_reported(house: House) -> None:
    class Faulty(Verbs):
        def next(self, reply: Reply) -> Verb:
            raise RuntimeError("a fault in a flow")

    caller = await house.begin(script=Faulty())
    await house.center.told(SessionLost)
    await caller.ended()
    assert [str(fault) for fault in house.faults] == ["a fault in a flow"]


# ---- again after one of us died ----------------------------------------------------------------------------

OLD = Ticket(
    CONTACT, 7, "flow", "v0", "line", "fa", visit=VISIT, queue="sales", entered_us=5_000_000, priority=3,
    offer=OFFER, agent="agent1", offered_us=7_000_000,
)  # fmt: skip


async def test_who_waited_stands_in_the_old_place_and_hears_no_second_welcome(house: House) -> None:
    house.ticket = OLD
    line = replace(LINE, welcome=("welcome",), comfort=("comfort",), comfort_every_s=0.01)
    caller = await house.begin(line, caller=AsteriskChannel(attach=2))
    assert await house.center.told(VisitQueued) == VisitQueued(CONTACT, "sales", "fa", 0, VISIT, 5_000_000)
    assert house.center.events[0] == CallArrived(CONTACT, "+982191000000", "token", 2, None)
    house.session.perform(PLACE)
    assert (await caller.asked("STREAM FILE")).split()[2] == "comfort"
    written = [ticket_of(line) for line in caller.lines if line.startswith(TICKET_LINE)]
    assert [ticket.sequence for ticket in written] == [8, 9]
    assert (written[-1].visit, written[-1].offer) == (VISIT, None)


async def test_another_line_than_the_ticket_s_is_a_new_visit(house: House) -> None:
    house.ticket = OLD
    caller = await house.begin(
        WaitInLine("claims", "fa", welcome=("welcome",)), caller=AsteriskChannel(attach=2)
    )
    assert await house.center.told(VisitQueued) == VisitQueued(CONTACT, "claims", "fa", 0, None, None)
    house.session.perform(replace(PLACE, queue="claims"))
    await caller.asked("STREAM FILE welcome ")


async def test_a_newer_version_s_words_stay_on_the_ticket(house: House) -> None:
    house.ticket = replace(OLD, unknown={"later": 1})
    caller = await house.begin(Say(("menu",)), caller=AsteriskChannel(attach=2))
    await caller.ended()
    assert ticket_of(await caller.asked(TICKET_LINE)).unknown == {"later": 1}


# ---- the way through the menu ------------------------------------------------------------------------------


class Walk(Verbs):
    """A script that is at another node with each verb, as named."""

    def __init__(self, *steps: tuple[str, Verb]) -> None:
        super().__init__(*(verb for _, verb in steps))
        self._nodes = [node for node, _ in steps]

    def next(self, reply: Reply) -> Verb:
        if self._nodes:
            self._node = self._nodes.pop(0)
        return super().next(reply)


async def test_each_new_node_is_told_once_also_the_last(house: House) -> None:
    walk = Walk(("one", Say(("a",))), ("one", Say(("b",))), ("two", Say(("c",))), ("end", Hangup()))
    caller = await house.begin(script=walk)
    await caller.ended()
    steps = [event.node for event in house.center.events if isinstance(event, MenuStep)]
    assert steps == ["one", "two", "end"]


async def test_the_node_where_a_caller_goes_on_was_told_before(house: House) -> None:
    house.ticket = Ticket(CONTACT, 7, "flow", "v1", "one", "fa")
    walk = Walk(("one", Say(("a",))), ("two", Say(("b",))))
    caller = await house.begin(script=walk, caller=AsteriskChannel(attach=2))
    await caller.ended()
    steps = [event.node for event in house.center.events if isinstance(event, MenuStep)]
    assert steps == ["two"]


class Silent(Walk):
    """Each name may be a whole way, as the script of a flow walks it between two verbs: `open look/main`."""

    def __init__(self, *steps: tuple[str, Verb]) -> None:
        super().__init__(*steps)
        self._ways = [way for way, _ in steps]
        self._way: list[str] = []

    @property
    def passed(self) -> Sequence[str]:
        return self._way

    def next(self, reply: Reply) -> Verb:
        self._way = self._ways.pop(0).split() if self._ways else []
        verb = super().next(reply)
        self._node = self._way[-1] if self._way else self._node.split()[-1]
        return verb


def told(house: House) -> list[str]:
    return [event.node for event in house.center.events if isinstance(event, MenuStep)]


async def test_silent_nodes_are_told_in_the_order_of_the_way(house: House) -> None:
    walk = Silent(
        ("open hello", Say(("a",))),
        ("check look look/ask", Say(("b",))),
        ("look/ask", Say(("c",))),
        ("bye", Hangup()),
    )
    caller = await house.begin(script=walk)
    await caller.ended()
    assert told(house) == ["open", "hello", "check", "look", "look/ask", "bye"]


async def test_a_silent_way_back_to_the_same_node_is_told_but_not_written_again(house: House) -> None:
    walk = Silent(("main", Say(("a",))), ("which main", Say(("b",))))
    caller = await house.begin(script=walk)
    await caller.ended()
    assert told(house) == ["main", "which", "main"]
    assert sum(line.startswith(TICKET_LINE) for line in caller.lines) == 1


async def test_the_way_to_where_a_caller_goes_on_was_told_before(house: House) -> None:
    house.ticket = Ticket(CONTACT, 7, "flow", "v1", "look/ask", "fa")
    walk = Silent(("look look/ask", Say(("a",))), ("which two", Say(("b",))))
    caller = await house.begin(script=walk, caller=AsteriskChannel(attach=2))
    await caller.ended()
    assert told(house) == ["which", "two"]


async def test_who_goes_on_in_another_version_is_told_anew(house: House) -> None:
    house.ticket = Ticket(CONTACT, 7, "flow", "v0", "one", "fa")
    caller = await house.begin(script=Silent(("open one", Say(("a",)))), caller=AsteriskChannel(attach=2))
    await caller.ended()
    assert told(house) == ["open", "one"]


# ---- pauses, messages, other numbers -----------------------------------------------------------------------


async def test_a_pause_of_the_menu_has_music_and_ends_by_a_key(house: House) -> None:
    caller = AsteriskChannel()
    caller.replies = {"WAIT FOR DIGIT": ["200 result=56", "200 result=49"]}
    await house.begin(Say(("hello",)), Pause(20.0, keys="1"), caller=caller)
    await caller.asked("STREAM FILE")
    await caller.asked("SET MUSIC")
    await caller.ended()
    assert house.script.heard == [Done(), Key("1")]


async def test_a_message_is_recorded_into_the_folder_of_messages(house: House) -> None:
    house.settings = replace(house.settings, messages="/var/messages")
    caller = AsteriskChannel()
    caller.replies = {"RECORD FILE": ["200 result=35 (dtmf) endpos=14400"]}
    await house.begin(RecordMessage(("please speak",), "voicemail", 60.0, 3.0), caller=caller)
    assert (await caller.asked("STREAM FILE")).split(" ")[-2:] == ['"#"', "0"]
    line = await caller.asked("RECORD FILE")
    assert line == f'RECORD FILE "/var/messages/{CONTACT}~voicemail" wav "#" 60000 0 beep s=3'
    await caller.ended()
    assert house.script.heard == [Recorded("voicemail", 1.8)]


@pytest.mark.parametrize(
    ("folder", "name", "reply"),
    [
        ("", "voicemail", "200 result=0 (timeout) endpos=8000"),
        ("/var/messages", "../../etc/passwd", "200 result=0 (timeout) endpos=8000"),
        ("/var/messages", "a b", "200 result=0 (timeout) endpos=8000"),
        ("/var/messages", "voicemail", "200 result=-1 (writefile)"),
    ],
    ids=["no folder", "a way out of it", "no word", "cannot be written"],
)
async def test_a_message_that_cannot_be_kept_is_told_as_nothing(
    house: House, folder: str, name: str, reply: str
) -> None:
    house.settings = replace(house.settings, messages=folder)
    caller = AsteriskChannel()
    caller.replies = {"RECORD FILE": [reply]}
    await house.begin(RecordMessage((), name), caller=caller)
    await caller.ended()
    assert house.script.heard == [Recorded(name, 0.0)]
    assert house.counters.messages_lost == 1
    assert not any("passwd" in line for line in caller.lines)


async def test_a_caller_who_hangs_up_while_speaking_has_left(house: House) -> None:
    house.settings = replace(house.settings, messages="/var/messages")
    caller = AsteriskChannel()
    caller.keeps = ("RECORD FILE",)
    await house.begin(RecordMessage((), "voicemail"), caller=caller)
    await caller.asked("RECORD FILE")
    caller.take_away("200 result=-1 (hangup) endpos=8000")
    await house.center.told(CallerLeft)
    assert house.counters.messages_lost == 0


@pytest.mark.parametrize(
    ("number", "allowed", "endpoint"),
    [
        ("02188776655", (), "trunk-main"),
        ("02188776655", ("021",), ""),
        ("09121234567", ("021",), "trunk-main"),
        ("021", ("021",), "trunk-main"),
        ("021&PJSIP/p1", ("021",), "trunk-main"),
        ("021 1", ("021",), "trunk-main"),
        ("0211234,60,g", ("021",), "trunk-main"),
        ("021" + "1" * 20, ("021",), "trunk-main"),
    ],
)
async def test_a_number_that_is_not_allowed_is_not_dialled(
    house: House, number: str, allowed: tuple[str, ...], endpoint: str
) -> None:
    house.settings = replace(house.settings, transfer_allowed=allowed, transfer_endpoint=endpoint)
    refused = not (number == "021" and allowed)  # three digits are a number
    caller = AsteriskChannel()
    caller.keeps = ()
    await house.begin(Transfer(number), caller=caller)
    await caller.ended()
    assert any(line.startswith("EXEC Dial") for line in caller.lines) is not refused
    assert house.script.heard == [Transferred(False)]
    assert house.counters.transfers_refused == refused


async def test_a_transfer_dials_by_the_trunk_and_tells_whether_somebody_answered(house: House) -> None:
    house.settings = replace(house.settings, transfer_allowed=("021",), transfer_endpoint="trunk-main")
    caller = AsteriskChannel()
    caller.values["${DIALSTATUS}"] = "ANSWER"
    await house.begin(Transfer("02188776655", 25.0), caller=caller)
    assert await caller.asked("EXEC Dial") == 'EXEC Dial "PJSIP/02188776655@trunk-main,25,g"'
    caller.reply("200 result=0")
    await caller.asked('SET VARIABLE DIALSTATUS ""')
    await caller.ended()
    assert house.script.heard == [Transferred(True)]


async def test_digits_that_are_secret_stand_in_no_ticket_event_or_fault(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)

    class Faulty(Verbs):
        def next(self, reply: Reply) -> Verb:
            if isinstance(reply, Digits):
                raise RuntimeError("a fault in a flow")
            return super().next(reply)

    caller = AsteriskChannel()
    caller.replies = {"WAIT FOR DIGIT": [f"200 result={ord(digit)}" for digit in "4711"]}
    script = Faulty(Collect((), max_digits=4, secret=True))
    await house.begin(script=script, caller=caller)
    await house.center.told(SessionLost)
    await caller.ended()
    said = "".join(caller.lines[1:]) + repr(house.center.events) + caplog.text
    said += "".join(str(fault) + repr(fault) for fault in house.faults)
    assert len(house.faults) == 1
    assert "4711" not in said


# ---- a session that is replaced ----------------------------------------------------------------------------


async def test_who_came_in_again_is_spoken_for_by_the_new_session_alone(house: House) -> None:
    """A transfer of the caller to us: the old session still wonders whether they are gone."""
    house.settings = replace(house.settings, gone_wait_s=0.1)
    house.manager.alive = True
    caller = await house.in_line()
    caller.take_away()
    async with asyncio.timeout(2):
        await house.session.agi.ended.wait()
    house.session.give_way()
    assert house.center.kinds()[-1] == "SessionLost"
    await house.over()
    assert house.center.kinds().count("SessionLost") == 1
    assert house.session.lost
    assert not house.session.gone.is_set()
