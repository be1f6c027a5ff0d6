"""Sessions, the manager link and the agents' phones, joined: over real sockets, with a simulated PBX's manager."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random

import pytest

from acd.common.number import Number, parse_number
from acd.effects import KeepPlace, RingAgent, SetFallbackMember, StopRing
from acd.errors import Overloaded
from acd.events import CallArrived, CallerLeft, MenuEnded, SessionLost, VisitQueued
from acd.ticket import Ticket, encode
from acd.types import AgentId, ContactId, PhoneId
from acd.verbs import Say, Script, Verb, WaitInLine
from ami_bridge.ami import AmiSettings, AmiStatus
from ami_bridge.bridge import FALLBACK, Bridge, BridgeDoors, BridgeSettings
from ami_bridge.errors import AmiDown
from ami_bridge.fastagi import FastAgiSettings
from ami_bridge.recovery import Known, KnownCall
from ami_bridge.session import SessionSettings
from ami_bridge.simulator import AmiUser, Simulator, SimulatorSettings

from .rig import NOW_S, SECRET, Asked, AsteriskChannel, Center, Verbs

CONTACT, VISIT, OFFER = "sys-1.1", "sys-1.1.1", "sys-1.1.1.1"
PLACE = KeepPlace(CONTACT, VISIT, "sales", 5_000_000, 0)
RING = RingAgent(CONTACT, VISIT, OFFER, "agent1", "101", 7_000_000, 20.0)
LINE = WaitInLine("sales", "fa")


@dataclass
class House:
    """A bridge with its doors, and the PBX whose manager it is linked to."""

    bridge: Bridge
    pbx: Simulator
    center: Center
    members: dict[AgentId, tuple[PhoneId, bool]]
    calls: dict[ContactId, KnownCall]
    verbs: list[Verb]
    tickets: list[Ticket | None]
    broken: list[tuple[str, Exception]]
    callers: list[AsteriskChannel] = field(default_factory=list)

    async def begin(self, *verbs: Verb, caller: AsteriskChannel | None = None) -> AsteriskChannel:
        self.verbs[:] = verbs
        caller = caller or AsteriskChannel()
        self.callers.append(caller)
        await caller.call(self.bridge.agi.address)
        return caller

    async def in_line(self, caller: AsteriskChannel | None = None, number: int = 1) -> AsteriskChannel:
        caller = await self.begin(LINE, caller=caller)
        await self.center.told(VisitQueued, number)
        self.bridge.perform(PLACE)
        await caller.asked('SET VARIABLE PASOKH_TICKET "')
        await caller.asked('SET VARIABLE PASOKH_TICKET "')
        return caller

    async def queue(self) -> list[tuple[str, str, str]]:
        """Members of Asterisk's own queue: interface, agent, paused."""
        events = await self.bridge.ami.queue_status(FALLBACK)
        return sorted(
            (event.get("Location") or event.get("Interface"), event.get("Name"), event.get("Paused"))
            for event in events
            if event.event == "QueueMember"
        )

    async def until_queue(self, *members: tuple[str, str, str]) -> None:
        async with asyncio.timeout(2):
            while await self.queue() != list(members):  # noqa: ASYNC110 - each turn asks the manager
                await asyncio.sleep(0.005)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    settings = SimulatorSettings(
        ami_user=AmiUser(secret="a-secret"), phones=("101", "102"), failed_login_delay_s=0.01
    )
    pbx = Simulator(settings, lambda: float(NOW_S), Random(1))
    addresses = await pbx.start()
    center = Center()
    members: dict[AgentId, tuple[PhoneId, bool]] = {}
    calls: dict[ContactId, KnownCall] = {}
    verbs: list[Verb] = []
    tickets: list[Ticket | None] = []
    broken: list[tuple[str, Exception]] = []

    def script_for(number: str, ticket: Ticket | None) -> Script:
        tickets.append(ticket)
        return Verbs(*verbs)

    def number_of(written: str | None) -> tuple[Number, str | None]:
        return parse_number(written), "token"

    bridge = Bridge(
        BridgeSettings(
            FastAgiSettings(secret=SECRET, port=0, hangup_grace_s=0.01, header_idle_s=0.5),
            AmiSettings(
                "pasokh",
                "a-secret",
                host=addresses.ami_host,
                port=addresses.ami_port,
                backoff_first_s=0.01,
                backoff_max_s=0.02,
            ),
            SessionSettings(stop_again_s=0.01, gone_wait_s=0.05),
            ends_every_s=0,
        ),
        BridgeDoors(
            center=center,
            answers=Asked(),
            script_for=script_for,
            number_of=number_of,
            known=lambda: Known(NOW_S * 1_000_000, dict(calls), dict(members)),
            phones=lambda: ("101", "102"),
            broken=lambda where, error: broken.append((where, error)),
        ),
        Random(1),
    )
    await bridge.start()
    async with asyncio.timeout(2):
        await bridge.ami.wait_up()
    center.events.clear()
    house = House(bridge, pbx, center, members, calls, verbs, tickets, broken)
    yield house
    for caller in house.callers:
        await caller.leave()
    await bridge.stop(0.0)
    await pbx.stop()


# ---- one caller, one session -------------------------------------------------------------------------------


@pytest.mark.parametrize("attach", [1, 2])
async def test_a_second_socket_of_a_live_caller_is_closed_and_the_first_keeps_the_call(
    house: House, attach: int
) -> None:
    first = await house.in_line(AsteriskChannel(attach=9))
    second = await house.begin(LINE, caller=AsteriskChannel(attach=attach))
    await second.ended()
    assert not any("PASOKH_TOOK" in line for line in second.lines)
    assert house.bridge.calls == 1
    house.bridge.perform(RING)
    await first.asked("EXEC Dial")
    assert house.center.kinds() == ["CallArrived", "VisitQueued"]


async def test_of_two_sockets_that_come_at_once_one_takes_the_call(house: House) -> None:
    """Both are asked for their ticket before either is taken."""
    sockets = [AsteriskChannel(attach=attach) for attach in (2, 3)]
    for socket in sockets:
        socket.keeps = ("GET FULL VARIABLE",)
        await house.begin(LINE, caller=socket)
        await socket.asked("GET FULL VARIABLE")
    for socket in sockets:
        socket.keeps = ()
        socket.reply("200 result=0")
    await house.center.told(VisitQueued)
    await sockets[1].ended()
    assert house.center.kinds() == ["CallArrived", "VisitQueued"]
    assert house.bridge.calls == 1
    assert not sockets[0].closed.is_set()


async def test_who_comes_in_again_is_lost_before_they_arrive_and_not_after(house: House) -> None:
    """A redirect ends the old session and begins the new one within milliseconds."""
    first = await house.in_line()
    first.take_away()
    async with asyncio.timeout(2):
        await house.bridge._sessions[CONTACT].agi.ended.wait()
    again = await house.in_line(AsteriskChannel(attach=2), number=2)
    old = [task for task in asyncio.all_tasks() if task.get_name() == "agi-session"]
    assert old, "the old session must still wonder for this test to mean anything"
    async with asyncio.timeout(2):
        await asyncio.wait(old, return_when=asyncio.FIRST_COMPLETED)
    assert house.center.kinds() == ["CallArrived", "VisitQueued", "SessionLost", "CallArrived", "VisitQueued"]
    house.bridge.perform(RING)
    await again.asked("EXEC Dial")


async def test_calls_are_counted_while_they_live(house: House) -> None:
    one = await house.in_line()
    await house.begin(LINE, caller=AsteriskChannel("sys-2.1"))
    await house.center.told(VisitQueued, 2)
    assert house.bridge.calls == 2
    one.take_away()
    await house.center.told(CallerLeft)
    async with asyncio.timeout(2):
        while house.bridge.calls != 1:  # noqa: ASYNC110 - nothing tells of it but this
            await asyncio.sleep(0)


async def test_a_caller_without_room_is_left_to_asterisk_and_is_no_fault(house: House) -> None:
    house.center.full = Overloaded("full")
    caller = await house.begin(LINE)
    await caller.ended()
    assert caller.lines == []
    assert (house.broken, house.bridge.calls) == ([], 0)
    house.center.full = None
    await house.in_line(AsteriskChannel(attach=2))


# ---- tickets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "ticket", "faults"),
    [
        (encode(Ticket(CONTACT, 4, visit=VISIT)), Ticket(CONTACT, 4, visit=VISIT), 0),
        (encode(Ticket("another", 4)), None, 0),
        ("{", None, 1),
        ("[]", None, 1),
        ("", None, 0),
        (None, None, 0),
    ],
)
async def test_a_caller_who_comes_back_goes_on_with_their_own_ticket(
    house: House, written: str | None, ticket: Ticket | None, faults: int
) -> None:
    caller = AsteriskChannel(attach=2)
    if written is not None:
        caller.values["${PASOKH_TICKET}"] = written
    caller.values["${PA_BEGAN}"] = "1699999999.5"
    await house.begin(Say(("hello",)), caller=caller)
    arrived = await house.center.told(CallArrived)
    assert house.tickets == [ticket]
    assert arrived.began_us == (None if ticket else 1_699_999_999_500_000)
    await house.center.told(MenuEnded)
    assert len(house.broken) == faults
    assert all(CONTACT in where for where, _ in house.broken)


async def test_a_first_call_is_not_asked_for_a_ticket(house: House) -> None:
    caller = await house.begin(Say(("hello",)))
    await caller.ended()
    assert house.tickets == [None]
    assert not any(line.startswith("GET") for line in caller.lines)


# ---- strangers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50,
        b"agi_network_script: call?number=1&t=1&attach=1&sig=0\nagi_uniqueid: sys-1.1\n\n",
        b"agi_uniqueid: sys-1.1\n\n200 result=1\nHANGUP\n",
        b"x" * 100_000,
        b"\xff\xfe\x00" * 1000 + b"\n\n",
    ],
    ids=["nothing", "empty", "http", "tls", "unsigned", "replies", "long", "bytes"],
)
async def test_garbage_changes_nothing(house: House, data: bytes) -> None:
    caller = await house.in_line()
    before = list(house.center.events)
    reader, writer = await asyncio.open_connection(*house.bridge.agi.address)
    writer.write(data)
    async with asyncio.timeout(2):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()
    assert house.center.events == before
    assert house.bridge.calls == 1
    house.bridge.perform(RING)
    await caller.asked("EXEC Dial")


async def test_an_effect_for_nobody_changes_nothing(house: House) -> None:
    for effect in (PLACE, RING, StopRing(CONTACT, OFFER)):
        house.bridge.perform(effect)
    await house.in_line()
    assert house.broken == []


# ---- Asterisk's own queue ----------------------------------------------------------------------------------


async def test_members_follow_in_the_order_they_were_asked(house: House) -> None:
    for paused in (False, True, None, True, False):
        house.bridge.perform(SetFallbackMember("sara", "101", paused))
    house.bridge.perform(SetFallbackMember("omid", "102", True))
    await house.until_queue(("PJSIP/101", "sara", "0"), ("PJSIP/102", "omid", "1"))
    house.bridge.perform(SetFallbackMember("omid", "102", None))
    house.bridge.perform(SetFallbackMember("omid", "102", None))
    house.bridge.perform(SetFallbackMember("omid", "101", True))
    await house.until_queue(("PJSIP/101", "sara", "1"))
    assert house.broken == []


async def test_a_new_link_makes_the_members_those_the_center_wants(house: House) -> None:
    house.bridge.perform(SetFallbackMember("sara", "101", False))
    house.bridge.perform(SetFallbackMember("omid", "102", False))
    await house.until_queue(("PJSIP/101", "sara", "0"), ("PJSIP/102", "omid", "0"))
    house.members.update({"nima": ("101", True)})
    link = house.bridge.ami._link
    assert link is not None
    link.cut(AmiDown("cut"))
    async with asyncio.timeout(2):
        while house.bridge.ami.state.status is AmiStatus.UP:  # noqa: ASYNC110 - nothing tells of it but this
            await asyncio.sleep(0)
        house.bridge.perform(
            SetFallbackMember("sara", "102", False)
        )  # between two links: the next one compares
        await house.bridge.ami.wait_up()
    await house.until_queue(("PJSIP/101", "nima", "1"))


# ---- stopping ----------------------------------------------------------------------------------------------


async def test_a_stop_loses_sessions_and_no_caller(house: House) -> None:
    caller = await house.in_line()
    await house.bridge.stop(0.0)
    await caller.ended()
    assert house.center.events[-1] == SessionLost(CONTACT)
    assert not any("PASOKH_DONE" in line for line in caller.lines)
    assert house.bridge.calls == 0
