"""A call that is taken, waits with music, is dialled and talked; every way a ring or a talk can end."""

from __future__ import annotations

import asyncio

import pytest

from ami_bridge.simulator import CallerId, CallerScript, Left, Pickup, Ring, Simulator

from .conftest import Backend, Manager, Session

DIAL = 'EXEC Dial "PJSIP/101,20,gb(pasokh-predial^agent^1)"'
LEG = ("Newchannel", "NewCallerid", "NewConnectedLine")


async def test_the_agent_hangs_up_and_the_caller_is_still_there(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(after_s=0.02, talk_s=0.05))
    replies: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        await agi.ask('SET VARIABLE PASOKH_TICKET "{\\"T\\":1}"')
        for command in (DIAL, "GET FULL VARIABLE ${DIALSTATUS}", "CHANNEL STATUS"):
            replies.append(await agi.ask(command))
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001", CallerId("09121234567")))
    assert replies == ["200 result=0", "200 result=1 (ANSWER)", "200 result=6"]
    assert (outcome.answered_by, outcome.left, outcome.rung) == ("101", Left.AGENT, ("101",))
    assert outcome.talk_s >= 0.05
    assert "pasokh" not in simulator.exchange.database
    await manager.event("Hangup", Uniqueid=outcome.contact)
    call = [name for name in manager.events() if name not in ("DeviceStateChange",)]
    assert call == [
        "Newchannel", "Newstate", "MusicOnHoldStart", *LEG, "DialBegin", "MusicOnHoldStop", "NewConnectedLine",
        "Newstate", "DialState", "Newstate", "DialEnd", "BridgeCreate", "BridgeEnter", "BridgeEnter",
        "HangupRequest", "BridgeLeave", "BridgeLeave", "BridgeDestroy", "Hangup", "SoftHangupRequest", "Hangup",
    ]  # fmt: skip


async def test_the_agents_leg_carries_the_callers_linkedid_from_its_first_event(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(after_s=0.01, talk_s=0.01))

    async def session(agi: Session) -> None:
        await agi.take()
        await agi.ask(DIAL)
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001"))
    leg = await manager.event("Newchannel", Context="pasokh-phones")
    assert leg["Linkedid"] == [outcome.contact]
    begin = await manager.event("DialBegin")
    assert begin["DestUniqueid"] == leg["Uniqueid"]
    assert begin["Uniqueid"] == [outcome.contact]
    assert leg["Uniqueid"] != [outcome.contact]


async def test_the_caller_hangs_up_in_the_talk(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(after_s=0.01))
    replies: list[str] = []
    ended = asyncio.Event()

    async def session(agi: Session) -> None:
        await agi.take()
        replies.append(await agi.ask(DIAL))
        assert await agi.reply() == ""
        replies.append(str(agi.hangups))
        ended.set()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001", talk_s=0.05))
    await asyncio.wait_for(ended.wait(), 5)
    assert replies == ["200 result=-1", "2"]
    assert (outcome.left, outcome.answered_by) == (Left.CALLER, "101")
    row = simulator.exchange.database["pasokh"][outcome.contact].split("|")
    assert row[1] == "ANSWER"
    assert row[3:5] == ["16", "wait"]
    assert (await manager.event("BridgeLeave"))["Uniqueid"] == [outcome.contact]


@pytest.mark.parametrize(
    ("pickup", "status", "told", "cause"),
    [
        (Pickup.BUSY, "BUSY", "BUSY", "17"),
        (Pickup.REJECT, "CHANUNAVAIL", "NOANSWER", "21"),
        (Pickup.UNAVAILABLE, "NOANSWER", "NOANSWER", "19"),
    ],
)
async def test_a_phone_that_refuses(
    simulator: Simulator,
    backend: Backend,
    manager: Manager,
    pickup: Pickup,
    status: str,
    told: str,
    cause: str,
) -> None:
    simulator.phone("101").plan.append(Ring(pickup, after_s=0.0))
    replies: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        for variable in ("DIALSTATUS", "ANSWEREDTIME", "HANGUPCAUSE"):
            if not replies:
                replies.append(await agi.ask(DIAL))
            replies.append(await agi.ask(f"GET FULL VARIABLE ${{{variable}}}"))
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001"))
    assert replies == [
        "200 result=0",
        f"200 result=1 ({status})",
        "200 result=1 ()",
        f"200 result=1 ({cause})",
    ]
    assert outcome.left is Left.SYSTEM
    assert (await manager.event("DialEnd"))["DialStatus"] == [told]
    assert (await manager.event("Hangup"))["Cause"] == [cause]


async def test_nobody_lifts_the_receiver(simulator: Simulator, backend: Backend, manager: Manager) -> None:
    simulator.phone("101").plan.append(Ring(Pickup.NO_ANSWER))
    replies: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        replies.append(await agi.ask('EXEC Dial "PJSIP/101,0.05,g"'))
        replies.append(await agi.ask("GET FULL VARIABLE ${DIALSTATUS}"))
        await agi.finish()

    backend.script = session
    await simulator.call(CallerScript("1001"))
    assert replies == ["200 result=0", "200 result=1 (NOANSWER)"]
    leg = await manager.event("Hangup", ChannelState="5")
    assert leg["Cause"] == ["0"]


async def test_a_phone_that_is_not_there_makes_no_channel(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.register("102", False)
    replies: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        for phone in ("102", "nobody"):
            replies.append(await agi.ask(f'EXEC Dial "PJSIP/{phone},20,g"'))
            replies.append(await agi.ask("GET FULL VARIABLE ${DIALSTATUS}"))
        await agi.finish()

    backend.script = session
    await simulator.call(CallerScript("1001"))
    assert replies == ["200 result=0", "200 result=1 (CHANUNAVAIL)"] * 2
    await manager.event("Hangup")
    assert "DialBegin" not in manager.events()
    assert (await manager.event("DeviceStateChange", Device="PJSIP/102"))["State"] == ["UNAVAILABLE"]


async def test_the_caller_leaves_while_the_phone_rings(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(Pickup.NO_ANSWER))
    replies: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        replies.append(await agi.ask(DIAL))
        await agi.reply()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001", patience_s=0.05))
    await backend.done()
    assert replies == ["200 result=-1"]
    assert outcome.left is Left.ABANDONED
    assert simulator.exchange.database["pasokh"][outcome.contact].split("|")[1] == "CANCEL"
    assert (await manager.event("DialEnd"))["DialStatus"] == ["CANCEL"]
    assert not simulator.phone("101").legs


async def test_a_phone_in_talk_is_busy_for_the_next_call(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    first = asyncio.Event()
    statuses: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        if len(backend.sessions) == 2:
            await agi.ask(DIAL)
            statuses.append(await agi.ask("GET FULL VARIABLE ${DIALSTATUS}"))
            first.set()
            await agi.finish()
            return
        await agi.ask(DIAL)
        await agi.finish()

    backend.script = session
    simulator.phone("101").plan.append(Ring(after_s=0.0))
    talk = simulator.begin(CallerScript("1001"))
    await manager.event("BridgeEnter", BridgeNumChannels="2")
    await simulator.call(CallerScript("1001"))
    assert first.is_set()
    assert statuses == ["200 result=1 (BUSY)"]
    simulator.phone("101").hang_up()
    assert (await talk).left is Left.AGENT


async def test_answeredtime_counts_from_the_callers_own_answer(
    simulator: Simulator, backend: Backend
) -> None:
    simulator.phone("101").plan.append(Ring(after_s=0.01, talk_s=0.01))
    said: list[str] = []

    async def session(agi: Session) -> None:
        await agi.take()
        await agi.ask('STREAM FILE "short" ""')
        await agi.ask(DIAL)
        said.append(await agi.ask("GET FULL VARIABLE ${ANSWEREDTIME_MS}"))
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001"))
    told_ms = int(said[0].partition("(")[2].rstrip(")"))
    assert outcome.talk_s * 1000 + 100 <= told_ms


async def test_hold_is_told_on_the_agents_channel_and_heard_by_the_caller(
    simulator: Simulator, backend: Backend, manager: Manager
) -> None:
    simulator.phone("101").plan.append(Ring(after_s=0.01, talk_s=0.1, hold_after_s=0.02, hold_s=0.03))

    async def session(agi: Session) -> None:
        await agi.take()
        await agi.ask(DIAL)
        await agi.finish()

    backend.script = session
    outcome = await simulator.call(CallerScript("1001"))
    leg = await manager.event("Newchannel", Context="pasokh-phones")
    assert (await manager.event("Hold"))["Uniqueid"] == leg["Uniqueid"]
    assert (await manager.event("Unhold"))["Linkedid"] == [outcome.contact]
    assert manager.events().count("MusicOnHoldStart") == 2
