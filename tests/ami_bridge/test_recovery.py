"""What is posted after an absence: what the center believes against what Asterisk says, as a table."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from acd.events import Event, FoundEnded, OfferAnswered, PhoneChanged
from acd.types import PhoneState, VisitState
from ami_bridge.actions import ChannelStatus
from ami_bridge.ami import Ami
from ami_bridge.channels import CallerGone, Channels
from ami_bridge.ends import Ends
from ami_bridge.errors import AmiActionError, AmiDown
from ami_bridge.recovery import Known, KnownCall, Recovery
from ami_bridge.wire import AmiMessage

S = 1_000_000
NOW_US = 1_700_000_500 * S
TALK_S = 1_700_000_400
ROW = "1700000450|ANSWER|30|16|wait|1700000300|91|||1700000400"
END = FoundEnded("c1", "91", 1_700_000_300 * S, 1_700_000_450 * S, 50 * S)
GONE = FoundEnded("c1", "", NOW_US, NOW_US, None)
OFFER = "c1.1.1"

WAITING = KnownCall(VisitState.WAITING, None)
OFFERED = KnownCall(VisitState.OFFERED, OFFER)
TALKING = KnownCall(VisitState.TALKING, OFFER)
MENU = KnownCall(None, None)


def channel(
    uniqueid: str = "c1", *, application: str = "AGI", bridge: str = "", linkedid: str = "", **variables: str
) -> ChannelStatus:
    values = {"PASOKH_ID": linkedid or uniqueid, **variables}
    name = f"PJSIP/x-{uniqueid}"
    return ChannelStatus(name, uniqueid, linkedid or uniqueid, "Up", application, "", bridge, values)


CALLER = channel()
TALKER = channel(application="Dial", bridge="b1", PA_TALK=f"{TALK_S}.5")
RINGER = channel(application="Dial")
RING_LEG = channel("leg1", application="AppDial", linkedid="c1")
TALK_LEG = replace(RING_LEG, bridge_id="b1")
IN_QUEUE = channel(application="Queue")
ANSWERED = OfferAnswered(OFFER, TALK_S * S + S // 2)


@dataclass
class Asterisk:
    """What the manager link answers, and what it was asked to do."""

    channels: list[ChannelStatus] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    redirected: list[tuple[str, str, str]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    hung_up: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    fault: Exception | None = None

    async def status(self, variables: list[str]) -> list[ChannelStatus]:
        assert variables == ["PASOKH_ID", "PA_TALK"]
        return list(self.channels)

    async def db_tree(self, family: str) -> dict[str, str]:
        assert family == "pasokh"
        if self.fault is not None:
            raise self.fault
        return dict(self.rows)

    async def device_states(self) -> dict[str, str]:
        return dict(self.devices)

    async def redirect(self, channel: str, context: str, exten: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.redirected.append((channel, context, exten))

    async def hangup(self, channel: str) -> None:
        self.hung_up.put_nowait(channel)
        if self.fault is not None:
            raise self.fault

    async def originate(
        self, channel: str, *, application: str, data: str, variables: dict[str, str]
    ) -> None:
        self.removed.extend(variables["PA_KEYS"].split("&"))


class House:
    """A recovery, what the center knows, and what was posted."""

    def __init__(self, asterisk: Asterisk, calls: Mapping[str, KnownCall]) -> None:
        self.asterisk = asterisk
        self.calls = dict(calls)
        self.events: list[Event] = []
        self.channels = Channels()
        self.ends = Ends(asterisk, every_s=0)
        self.posted = asyncio.Event()
        self.recovery = Recovery(
            cast(Ami, asterisk),
            self.channels,
            self.ends,
            self._post,
            lambda: Known(NOW_US, dict(self.calls)),
        )

    def _post(self, event: Event) -> None:
        """As far as the center's believing goes: who ended is known no more, who answered talks."""
        self.events.append(event)
        if isinstance(event, FoundEnded):
            self.calls.pop(event.contact, None)
        if isinstance(event, OfferAnswered):
            for contact, call in self.calls.items():
                if call.offer == event.offer:
                    self.calls[contact] = KnownCall(VisitState.TALKING, event.offer)
        self.posted.set()


async def compared(
    asterisk: Asterisk, calls: Mapping[str, KnownCall], attached: tuple[str, ...] = (), times: int = 1
) -> House:
    house = House(asterisk, calls)
    for _ in range(times):
        await house.recovery.compare(attached, [])
    assert house.recovery.done.is_set()
    return house


# ---- the table ---------------------------------------------------------------------------------------------

CASES = [
    pytest.param([CALLER], {}, {"c1": WAITING}, [], id="alive and waiting: the dialplan brings them back"),
    pytest.param([CALLER], {}, {"c1": MENU}, [], id="alive in a menu"),
    pytest.param([CALLER], {}, {}, [], id="alive and unknown to us"),
    pytest.param([TALKER, TALK_LEG], {}, {"c1": TALKING}, [], id="alive and talking"),
    pytest.param([TALKER, TALK_LEG], {}, {"c1": OFFERED}, [ANSWERED], id="a ring that became a talk"),
    pytest.param(
        [TALKER, TALK_LEG],
        {},
        {"c1": KnownCall(VisitState.WAITING, OFFER)},
        [ANSWERED],
        id="a ring that was given up and became a talk",
    ),
    pytest.param(
        [replace(TALKER, variables={"PASOKH_ID": "c1", "PA_TALK": "²"}), TALK_LEG],
        {},
        {"c1": OFFERED},
        [OfferAnswered(OFFER, None)],
        id="a talk without its instant",
    ),
    pytest.param([RINGER, RING_LEG], {}, {"c1": OFFERED}, [], id="still ringing"),
    pytest.param([RINGER], {}, {"c1": OFFERED}, [], id="a ring without a leg"),
    pytest.param([TALKER, TALK_LEG], {}, {"c1": WAITING}, [], id="talks with somebody whom we did not offer"),
    pytest.param([], {"c1": ROW}, {"c1": TALKING}, [END], id="gone with a row"),
    pytest.param([CALLER], {"c1": ROW}, {"c1": TALKING}, [END], id="just going, with a row"),
    pytest.param([], {}, {"c1": TALKING}, [GONE], id="gone without a row"),
    pytest.param([], {}, {"c1": MENU}, [GONE], id="gone from the menu without a row"),
    pytest.param([], {"c1": ROW}, {}, [END], id="a stranger's row"),
    pytest.param([], {"c1": "nonsense"}, {"c1": TALKING}, [GONE], id="gone with a damaged row"),
    pytest.param([], {"c1": "nonsense"}, {}, [], id="a stranger's damaged row"),
    pytest.param([RING_LEG], {}, {"c1": OFFERED}, [GONE], id="an agent's leg alone is no caller"),
    pytest.param([channel("other", linkedid="")], {}, {}, [], id="another's channel"),
    pytest.param([replace(CALLER, variables={})], {}, {}, [], id="a channel that is not ours"),
    pytest.param([], {}, {}, [], id="nothing at all"),
]


# ---- several phones that rang together ---------------------------------------------------------------------

ROUND = KnownCall(VisitState.OFFERED, "c1.1.1", {"p1": "c1.1.1", "p2": "c1.1.2"})


def round_leg(phone: str, bridge: str = "") -> ChannelStatus:
    found = channel(f"leg-{phone}", application="AppDial", linkedid="c1")
    return replace(found, channel=f"PJSIP/{phone}-0000002a", bridge_id=bridge)


async def test_every_phone_of_a_round_is_watched() -> None:
    house = await compared(Asterisk([RINGER, round_leg("p1"), round_leg("p2")]), {"c1": ROUND})
    assert house.events == []
    for phone, offer in ROUND.round.items():
        leg = house.channels.leg(offer)
        assert leg is not None
        assert leg.channel == f"PJSIP/{phone}-0000002a"
    answer: dict[str, str | list[str]] = {
        "Event": "DialEnd",
        "DestUniqueid": "leg-p2",
        "DialStatus": "ANSWER",
    }
    assert house.channels.read(AmiMessage(answer)) == (OfferAnswered("c1.1.2"),)


async def test_the_phone_that_talks_is_the_one_that_was_answered() -> None:
    talker = channel(application="Dial", bridge="b1", PA_TALK=f"{TALK_S}.5")
    house = await compared(Asterisk([talker, round_leg("p2", "b1")]), {"c1": ROUND})
    assert house.events == [OfferAnswered("c1.1.2", TALK_S * S + S // 2)]
    assert house.channels.winner("c1") == "c1.1.2"


@pytest.mark.parametrize(
    ("peer", "events"),
    [
        ("PJSIP/p2-0000002a", [OfferAnswered("c1.1.2", TALK_S * S), END]),
        ("PJSIP/p9-0000002a", [END]),
        ("Local/elsewhere", [END]),
        ("", [END]),
    ],
)
async def test_the_row_of_a_talk_that_is_over_says_whose_it_was(peer: str, events: list[Event]) -> None:
    house = await compared(Asterisk([], {"c1": f"{ROW}|{peer}"}), {"c1": ROUND})
    assert house.events == events


async def test_a_row_without_a_talk_says_of_nobody() -> None:
    row = "1700000450|NOANSWER||0|wait|1700000300|91|||1700000400|PJSIP/p2-0000002a"
    house = await compared(Asterisk([], {"c1": row}), {"c1": ROUND})
    assert [type(event) for event in house.events] == [FoundEnded]


@pytest.mark.parametrize(("channels", "rows", "calls", "events"), CASES)
async def test_the_differences_are_posted(
    channels: list[ChannelStatus], rows: dict[str, str], calls: dict[str, KnownCall], events: list[Event]
) -> None:
    house = await compared(Asterisk(channels, rows), calls)
    assert house.events == events


@pytest.mark.parametrize(("channels", "rows", "calls", "events"), CASES)
async def test_a_second_comparison_finds_nothing_new(
    channels: list[ChannelStatus], rows: dict[str, str], calls: dict[str, KnownCall], events: list[Event]
) -> None:
    """A row is told again until it is removed; the center knows that contact as ended by then."""
    house = await compared(Asterisk(channels, rows), calls, times=2)
    assert house.events == events + [event for event in events if event == END]


@pytest.mark.parametrize(
    ("channels", "calls"),
    [
        ([CALLER], {"c1": WAITING}),
        ([], {"c1": WAITING}),
        ([], {"c1": TALKING}),
        ([RINGER, RING_LEG], {"c1": OFFERED}),
        ([IN_QUEUE], {"c1": WAITING}),
        ([CALLER], {}),
    ],
)
@pytest.mark.parametrize("row", [True, False])
async def test_a_caller_with_a_session_is_left_to_it(
    channels: list[ChannelStatus], calls: dict[str, KnownCall], row: bool
) -> None:
    asterisk = Asterisk(channels, {"c1": ROW} if row else {})
    house = await compared(asterisk, calls, attached=("c1",))
    assert house.events == []
    assert asterisk.redirected == []
    assert house.channels.read(AmiMessage({"Event": "Hangup", "Uniqueid": "c1"})) == ()


async def test_a_session_s_talk_that_the_manager_missed_is_told_all_the_same() -> None:
    house = await compared(Asterisk([TALKER, TALK_LEG]), {"c1": OFFERED}, attached=("c1",))
    assert house.events == [ANSWERED]
    assert house.channels.answered(OFFER)


async def test_who_came_while_asterisk_was_asked_is_not_taken_for_gone() -> None:
    house = House(Asterisk(), {})
    asked = house.asterisk.device_states

    async def while_asked() -> dict[str, str]:
        house.calls["late"] = MENU
        return await asked()

    house.asterisk.device_states = while_asked  # type: ignore[method-assign]
    await house.recovery.compare((), [])
    assert house.events == []


# ---- watched from then on ----------------------------------------------------------------------------------


async def test_callers_without_a_session_are_watched() -> None:
    house = await compared(Asterisk([CALLER, TALKER]), {"c1": WAITING})
    hangup = AmiMessage({"Event": "Hangup", "Uniqueid": "c1"})
    assert house.channels.read(hangup) == (CallerGone("c1"),)


async def test_a_ring_without_a_session_is_watched_and_can_be_stopped() -> None:
    house = await compared(Asterisk([RINGER, RING_LEG]), {"c1": OFFERED})
    house.recovery.stop_ring("another")
    house.recovery.stop_ring(OFFER)
    async with asyncio.timeout(2):
        assert await house.asterisk.hung_up.get() == RING_LEG.channel
    answer = AmiMessage({"Event": "DialEnd", "DestUniqueid": "leg1", "DialStatus": "ANSWER"})
    assert house.channels.read(answer) == (OfferAnswered(OFFER),)
    house.recovery.stop_ring(OFFER)
    await asyncio.sleep(0)
    assert house.asterisk.hung_up.empty()


async def test_an_orphan_s_end_is_read_from_its_row() -> None:
    house = await compared(Asterisk([TALKER, TALK_LEG]), {"c1": TALKING})
    house.asterisk.rows["c1"] = ROW
    house.recovery.orphan_gone("c1")
    async with asyncio.timeout(2):
        await house.posted.wait()
    assert house.events == [END]


async def test_an_orphan_without_a_row_was_complete() -> None:
    house = await compared(Asterisk([CALLER]), {"c1": MENU})
    house.recovery.orphan_gone("c1")
    async with asyncio.timeout(2):
        await house.posted.wait()
    assert house.events == [GONE]


# ---- Asterisk's own queue ----------------------------------------------------------------------------------


@pytest.mark.parametrize("calls", [{}, {"c1": WAITING}])
async def test_who_stands_in_asterisk_s_own_queue_is_brought_back(calls: dict[str, KnownCall]) -> None:
    house = await compared(Asterisk([IN_QUEUE]), calls)
    assert house.asterisk.redirected == [(IN_QUEUE.channel, "pasokh-attach", "s")]
    assert house.recovery.rescued == 1
    assert house.events == []


@pytest.mark.parametrize(
    "found", [replace(IN_QUEUE, bridge_id="b1"), CALLER, TALKER, replace(IN_QUEUE, uniqueid="leg")]
)
async def test_nobody_else_is_moved(found: ChannelStatus) -> None:
    house = await compared(Asterisk([found]), {})
    assert house.asterisk.redirected == []


async def test_who_left_the_queue_in_this_instant_stops_nothing() -> None:
    asterisk = Asterisk([IN_QUEUE, channel("c2", application="Queue")])
    tried: list[str] = []

    async def redirect(channel: str, context: str, exten: str) -> None:
        tried.append(channel)
        raise AmiActionError("Redirect", "Channel not existent")

    asterisk.redirect = redirect  # type: ignore[method-assign]
    house = await compared(asterisk, {})
    assert len(tried) == 2
    assert house.recovery.rescued == 0


# ---- phones, rows, faults ----------------------------------------------------------------------------------


async def test_every_phone_of_the_site_is_told_and_no_other() -> None:
    states = {"PJSIP/p1": "INUSE", "PJSIP/p2": "UNAVAILABLE", "PJSIP/other": "INUSE", "PJSIP/p4": "NEW_WORD"}
    house = House(Asterisk(devices=states), {})
    await house.recovery.compare((), ["p1", "p2", "p3", "p4"])
    assert house.events == [
        PhoneChanged("p1", PhoneState.BUSY),
        PhoneChanged("p2", PhoneState.UNREACHABLE),
        PhoneChanged("p3", PhoneState.UNKNOWN),
        PhoneChanged("p4", PhoneState.UNKNOWN),
    ]


@pytest.mark.parametrize("row", [ROW, "nonsense"])
async def test_a_row_goes_when_its_record_is_safe(row: str) -> None:
    house = await compared(Asterisk(rows={"c1": row, "c2": ROW}), {})
    house.ends.durable(["c1"])
    async with asyncio.timeout(2):
        while house.ends.removing:  # noqa: ASYNC110 - nothing tells of it but this
            await asyncio.sleep(0)
    assert house.asterisk.removed == ["c1"]


async def test_a_link_that_breaks_meanwhile_leaves_the_comparison_undone() -> None:
    house = House(Asterisk([CALLER], fault=AmiDown("down")), {"c1": TALKING})
    with pytest.raises(AmiDown):
        await house.recovery.compare((), [])
    assert not house.recovery.done.is_set()
    assert house.events == []
    house.recovery.orphan_gone("c1")  # reads the row; the link is down, so the next comparison does
    house.asterisk.fault = None
    house.asterisk.rows["c1"] = ROW
    house.asterisk.channels.clear()
    await house.recovery.compare((), [])
    assert house.events[0] == END
