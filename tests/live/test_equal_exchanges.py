"""The same calls on the simulated PBX and on the real Asterisk: what passes on the wire is equal.

The same product, site, menu and prompts stand before both; whoever calls and whoever answers does the same; a
relay before each PBX writes down AGI and AMI. Compared are every AGI line of each session in its order, every
action of ours with its response, and of each channel and device the manager's events in their order, header by
header. Asterisk promises no order between two channels, so none is asked for. `plain` and the constants before
it name everything that is allowed to differ, and why.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from acd.site import Site, site_json
from acd.store.base import DatabaseSettings, opened
from ami_bridge.simulator import (
    AmiUser,
    CallerId,
    CallerScript,
    DialplanSettings,
    KeyPress,
    Pickup,
    Ring,
    Simulator,
    SimulatorSettings,
    SoundFolder,
)
from pasokh.app import App, Running
from realtime.access import Access
from tests.live.center import MAIN_LINE, PARTS, PlacePorts, fill, live_site, people, premises, written
from tests.live.pages import Desk
from tests.live.sipp import Answer, Refuse
from tests.live.wiretap import Wiretap

pytestmark = pytest.mark.needs(*PARTS)

FLOW = """\
flow: exchange
label: {fa: گفت‌وگو, en: Exchange}
languages: [fa, en]
start: greeting
person: cards
prompts:
  welcome: {fa: به مرکز تماس ما خوش آمدید و سپاس که تماس گرفتید., en: "Welcome, and thank you for calling us."}
  choose: {fa: برای کارت یک و برای وام دو را فشار دهید., en: "For cards press one, for loans press two."}
  wrong: {fa: این گزینه نیست., en: That is no choice.}
  stay: {fa: لطفاً شکیبا باشید تا کارشناسی آزاد شود., en: "Please stay with us until an agent is free."}
nodes:
  greeting: {kind: say, prompt: welcome, next: main}
  main:
    kind: menu
    prompt: choose
    no_input: wrong
    no_match: wrong
    keys: {"1": cards, "2": loans}
  cards: {kind: queue, queue: cards}
  loans: {kind: queue, queue: loans, welcome: stay}
"""


QUIET = {"resync_s": 3600.0}
"""We compare with Asterisk only when the link comes up, not also in the midst of the calls of a slow machine."""


def bent(site: Site) -> Site:
    """This menu for the main line, rings of one second, and two phones at once for loans."""
    queues = {name: each.model_copy(update={"ring_timeout_s": 1.0}) for name, each in site.queues.items()}
    queues["loans"] = queues["loans"].model_copy(update={"ring_at_once": 2})
    numbers = {name: each.model_copy(update={"flow": "exchange"}) for name, each in site.numbers.items()}
    return site.model_copy(update={"queues": queues, "numbers": numbers})


# ---- what is called ----------------------------------------------------------------------------------------

PHONES: dict[str, tuple[Answer | Refuse, Ring]] = {
    "own": (Answer(after_ms=100, talk_ms=300), Ring(after_s=0.1, talk_s=0.3)),
    "patient": (Answer(after_ms=100), Ring(after_s=0.1)),
    "busy": (Refuse.busy(), Ring(Pickup.BUSY, after_s=0.0)),
    "rejects": (Refuse.reject(), Ring(Pickup.REJECT, after_s=0.0)),
    "unavailable": (Refuse.unavailable(), Ring(Pickup.UNAVAILABLE, after_s=0.0)),
    "silent": (Answer(after_ms=None), Ring(Pickup.NO_ANSWER)),
}


@dataclass(frozen=True, slots=True)
class Call:
    """`duty`: who sits where, the longest idle first. `leaves_s`: the caller goes so long after the last key.
    `comes`: an agent who comes while the caller hears the announcement. `declines`: an agent who declines."""

    name: str
    keys: str
    duty: Sequence[tuple[str, str]] = ()
    leaves_s: float | None = None
    comes: tuple[str, str] | None = None
    declines: str | None = None
    caller: str = "09125550001"


OWN = ("c2", "c2-phone")
CALLS = [
    Call("the agent ends the talk", "1", [OWN]),
    Call("the caller ends the talk", "1", [("c1", "patient-1")], leaves_s=1.0),
    Call("busy, then answered", "1", [("c1", "busy-1"), OWN]),
    Call("rejected, then answered", "1", [("c1", "rejects-1"), OWN]),
    Call("unavailable, then answered", "1", [("c1", "unavailable-1"), OWN]),
    Call("not answered, then answered", "1", [("c1", "silent-1"), OWN]),
    Call("declined on the page, then answered", "1", [("c1", "silent-1"), OWN], declines="c1"),
    Call("the caller leaves while it rings", "1", [("c1", "silent-1")], leaves_s=0.5),
    Call("the caller leaves in line", "1", leaves_s=0.5),
    Call("the caller leaves in the announcement", "2", leaves_s=0.5),
    Call("the caller leaves in the menu", "9", leaves_s=0.5),
    Call("a wrong key, then the right one", "91", [OWN]),
    Call("an agent comes in the middle of the announcement", "2", comes=("l1", "l1-phone")),
    Call("a stranger", "1", [OWN], caller="09127770001"),
    Call("two ring and one answers", "2", [("l1", "silent-1"), ("l2", "l2-phone")]),
    Call("two ring, one is busy and one answers", "2", [("l1", "busy-1"), ("l2", "l2-phone")]),
    Call("the caller leaves while two ring", "2", [("l1", "silent-1"), ("l2", "silent-2")], leaves_s=0.6),
]


# ---- the two PBXs ------------------------------------------------------------------------------------------


class Pbx(Protocol):
    """A PBX with callers and phones: one call from its first ring to its end, and what is left of calls."""

    async def play(self, call: Call) -> None: ...

    async def rows(self) -> int: ...


@dataclass(slots=True)
class House:
    """The product before one of the PBXs, and who listens between them."""

    pbx: Pbx
    url: str
    access: Access
    run: Running
    agi: Wiretap
    ami: Wiretap

    async def perform(self, call: Call) -> Exchange:
        """One call to its very end; what was said meanwhile."""
        sessions, began = len(self.agi.connections), self._ami_lines()
        async with AsyncExitStack() as stack:
            desks = {}
            for agent, phone in call.duty:
                desks[agent] = await self._desk(stack, agent, phone)
            playing = asyncio.create_task(self.pbx.play(call), name="call")
            if call.comes is not None:
                await self.agi.until("the announcement", lambda: self._sounds_played(sessions) == 2)
                desks[call.comes[0]] = await self._desk(stack, *call.comes)
            if call.declines is not None:
                desk = desks[call.declines]
                await self.ami.until(
                    "the ring",
                    lambda: any("DialStatus: RINGING" in line for _, line in self._ami_said(began)),
                )
                await desk.command("reject")
            await playing
            assert self.run.records is not None
            for desk in desks.values():
                await desk.until_done()
            await self.run.records.flush()
            await self.ami.until("the end", lambda: settled([line for _, line in self._ami_said(began)]))
            for desk in desks.values():
                await desk.command("sign_out")
            while await self.pbx.rows():  # noqa: ASYNC110 - Asterisk tells nobody of its rows
                await asyncio.sleep(0.02)
            await self.ami.until(
                "the end",
                lambda: all(told([line for _, line in self._ami_said(began)]) for told in (settled, left)),
            )
        [session] = self.agi.connections[sessions:]
        return Exchange(session.said, self._ami_said(began))

    async def _desk(self, stack: AsyncExitStack, agent: str, phone: str) -> Desk:
        token = (await self.access.token_for(agent, "test")).token
        desk = await stack.enter_async_context(Desk(self.url, token, agent, "resolved"))
        await desk.sign_in(phone)
        return desk

    def _sounds_played(self, sessions: int) -> int:
        said = [line for each in self.agi.connections[sessions:] for _, line in each.said]
        return sum(line.startswith("STREAM FILE") for line in said)

    def _ami_lines(self) -> int:
        return len(self.ami.connections[-1].said)

    def _ami_said(self, began: int) -> Sequence[tuple[str, str]]:
        return self.ami.connections[-1].said[began:]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said on the wire during one call."""

    agi: Sequence[tuple[str, str]]
    ami: Sequence[tuple[str, str]]


AT_REST = {"NOT_INUSE": "1", "INVALID": "4", "UNAVAILABLE": "5"}
"""States of a device that nobody uses, and how app_queue counts them."""


def settled(lines: Sequence[str]) -> bool:
    """Whether nothing more is to come: every channel's and bridge's end, every action's answer, every device at
    rest, and Asterisk's queue knows of that. Each comes by a way of its own, and the last one first at times."""
    said = messages(lines)
    asked = {m["ActionID"] for m in said if "Action" in m}
    answered = {m.get("ActionID") for m in said if "Response" in m}
    return (
        _told_of(said, "Newchannel", "Uniqueid") == _told_of(said, "Hangup", "Uniqueid")
        and _told_of(said, "BridgeCreate", "BridgeUniqueid")
        == _told_of(said, "BridgeDestroy", "BridgeUniqueid")
        and asked <= answered
        and {m["State"] for m in {m["Device"]: m for m in said if is_phone(m)}.values()} <= AT_REST.keys()
        and sum(m.get("Action") == "Originate" for m in said)
        == sum(m.get("Event") == "OriginateResponse" for m in said)
        and _members_follow(said)
    )


def left(lines: Sequence[str]) -> bool:
    """Whether everybody who came into Asterisk's own queue was seen to leave it; its event follows the answer."""
    said = messages(lines)
    return _told_of(said, "QueueMemberAdded", "Interface") == _told_of(
        said, "QueueMemberRemoved", "Interface"
    )


def _told_of(said: Sequence[dict[str, str]], event: str, header: str) -> set[str]:
    return {m[header] for m in said if m.get("Event") == event}


def _members_follow(said: Sequence[dict[str, str]]) -> bool:
    """Whether the queue has heard what became of each phone since it is a member."""
    heard: dict[str, str] = {}
    became: dict[str, str] = {}
    for message in said:
        if message.get("Event") == "QueueMemberAdded":
            heard[message["Interface"]] = became[message["Interface"]] = ""
        elif message.get("Event") == "QueueMemberStatus":
            heard[message["Interface"]] = message["Status"]
        elif is_phone(message) and message["Device"] in heard:
            became[message["Device"]] = AT_REST.get(message["State"], "in use")
    return all(heard[phone] == state for phone, state in became.items() if state)


def is_phone(message: dict[str, str]) -> bool:
    return message.get("Event") == "DeviceStateChange" and message["Device"].startswith("PJSIP/")


def messages(lines: Sequence[str]) -> list[dict[str, str]]:
    """AMI lines as messages; a header that stands twice keeps its last value."""
    found: list[dict[str, str]] = [{}]
    for line in lines:
        if not line:
            found.append({})
        elif ":" in line:
            name, _, value = line.partition(":")
            found[-1][name] = value.strip()
    return [message for message in found if message]


@asynccontextmanager
async def on_asterisk() -> AsyncIterator[House]:
    ports = PlacePorts.free(tapped=True)
    async with premises("", change=bent, flows={"exchange": FLOW}, deadlines=QUIET, ports=ports) as place:
        with ExitStack() as phones:
            for kind, (behaviour, _) in PHONES.items():
                phones.enter_context(place.phones(behaviour, None if kind == "own" else kind))

            class Real:
                async def play(self, call: Call) -> None:
                    stays_ms = None if call.leaves_s is None else round(call.leaves_s * 1000)
                    keys = [(700, key) for key in call.keys]
                    with place.callers([call.caller], keys=keys, talk_ms=stays_ms) as callers:
                        done = await callers.finished()
                    assert (done.succeeded, done.failed) == (1, 0), done

                async def rows(self) -> int:
                    return len(await place.rows())

            async with AsyncExitStack() as stack:
                agi, ami = Wiretap(), Wiretap()
                await stack.enter_async_context(agi.between(ports.agi_dialled, ports.agi, pbx_calls=True))
                await stack.enter_async_context(ami.between(ports.ami, ports.asterisk.ami, pbx_calls=False))
                run = await stack.enter_async_context(place.running())
                yield await _furnished(House(Real(), place.url, place.access, run, agi, ami))


@asynccontextmanager
async def on_simulator() -> AsyncIterator[House]:
    ports = PlacePorts.free(tapped=True)
    folder = Path(tempfile.mkdtemp(prefix="pasokh-twin-"))
    try:
        site = bent(live_site(ports))
        (folder / "center.yaml").write_text(site_json(site), encoding="utf-8")
        settings = written(folder, "", ports, flows={"exchange": FLOW}, deadlines=QUIET)
        await fill(settings)
        simulator = Simulator(
            SimulatorSettings(
                ami_user=AmiUser(secret=settings.secret("ami")),
                ami_port=ports.asterisk.ami,
                dialplan=DialplanSettings(
                    fastagi=(("127.0.0.1", ports.agi_dialled),), secret=settings.secret("agi")
                ),
                phones=tuple(site.phones),
                system_name="test",
                trunk="pasokh-loopback",
                sound_length=SoundFolder(otherwise_s=None),
            ),
            time.time,
            Random(1),
        )
        for phone in site.phones:
            kind = phone.rpartition("-")[0]
            ring = PHONES.get(kind, PHONES["own"])[1]
            simulator.phone(phone).habit = lambda _, ring=ring: ring  # type: ignore[misc]

        class Simulated:
            async def play(self, call: Call) -> None:
                keys = tuple(KeyPress(key, 0.3) for key in call.keys)
                leaves_s = None if call.leaves_s is None else 0.3 * len(keys) + call.leaves_s
                script = CallerScript(MAIN_LINE, CallerId(call.caller), keys, hang_up_at_s=leaves_s)
                await simulator.call(script)

            async def rows(self) -> int:
                return len(simulator.exchange.database.get("pasokh", {}))

        await simulator.start()
        try:
            async with (
                opened(DatabaseSettings(url=settings.database_url)) as database,
                AsyncExitStack() as stack,
            ):
                access = await people(settings, database)
                agi, ami = Wiretap(), Wiretap()
                await stack.enter_async_context(agi.between(ports.agi_dialled, ports.agi, pbx_calls=True))
                await stack.enter_async_context(ami.between(ports.ami, ports.asterisk.ami, pbx_calls=False))
                run = await stack.enter_async_context(App(settings))
                house = House(Simulated(), f"http://127.0.0.1:{ports.web}", access, run, agi, ami)
                yield await _furnished(house)
        finally:
            await simulator.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _furnished(house: House) -> House:
    """Prompts are made, and the link has compared everything that it compares at first."""
    assert house.run.prompts_made is not None
    await house.run.prompts_made
    await house.ami.until(
        "the members of the queue",
        lambda: any("QueueStatusComplete" in line for each in house.ami.connections for _, line in each.said),
    )
    return house


# ---- what is compared --------------------------------------------------------------------------------------

Message = dict[str, str]
LINK = "the manager's link comes up"

_ID = re.compile(r"test-\d+\.\d+")
_NOT_ALIKE: tuple[tuple[re.Pattern[str], str], ...] = (
    # chance and clocks: the numbers of channels, ports, signatures, instants, how much of a sound was heard
    (re.compile(r"(?<=[a-z0-9])-[0-9a-f]{8}(?![0-9a-f-])"), "-N"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HERE"),
    (re.compile(r"sig=[0-9a-f]{40}"), "sig=S"),
    (re.compile(r"(?<=[?&])t=\d+"), "t=T"),
    (re.compile(r"\b17\d{8}(?:\.\d+|\d{6})?\b"), "TIME"),
    (re.compile(r"endpos=\d+"), "endpos=N"),
    # the thread, the package that Asterisk comes in, and the line of the dialplan mean nothing to us
    (re.compile(r"^(agi_(?:threadid|version|priority)): .*"), r"\1: -"),
)
_HEADERS_NOT_ALIKE = {
    "ActionID": "counts the actions of a link",
    "Timestamp": "stands only where manager.conf of the whole configuration asks for it",
    "Priority": "the line of the dialplan",
    "DestPriority": "the line of the dialplan",
    "Challenge": "chance",
    "Key": "made from the challenge",
    "BridgeUniqueid": "chance",
    "BridgeTechnology": "native_rtp or simple_bridge, by when Asterisk finds that it may optimise",
    "DestContext": "the pre-dial handler's place is shown for as long as Asterisk likes",
    "DestExten": "the same",
    "DestChannelState": "a phone's 180 races with the event that is being told of it",
    "DestChannelStateDesc": "the same",
}
_OF_ONE_EVENT = {
    "QueueMemberStatus": {"Paused": "a phone's state and our pause reach the queue by two ways"},
    "QueueMemberPause": {
        "Status": "the same: a phone that is let go is paused while it still rings, or no more"
    },
    "DeviceStateListComplete": {"ListItems": "counts devices that are no phones"},
}
_ON_AGENTS_LEG = {"Context": "the pre-dial handler's place again", "Exten": "the same"}


def plain(text: str, names: dict[str, str]) -> str:
    """Text with its channel ids replaced by their part in this call, and without what may differ."""
    text = _ID.sub(lambda found: names.setdefault(found[0], f"CHANNEL-{len(names)}"), text)
    for pattern, instead in _NOT_ALIKE:
        text = pattern.sub(instead, text)
    return text


def agi_lines(exchange: Exchange, names: dict[str, str]) -> list[str]:
    """Everything of the session, both sides, in order."""
    return [f"{direction} {plain(line, names)}" for direction, line in exchange.agi]


def actions(exchange: Exchange, names: dict[str, str]) -> dict[str, list[Message]]:
    """Our actions with their responses, by what they act on. Those on two things are asked at once, in any
    order; a stop or a hang-up is asked again until it is seen to have been done, so that it counts once. The
    ping that keeps a quiet link is not of any call."""
    said = messages([line for _, line in exchange.ami])
    answers = {m["ActionID"]: m for m in said if "Response" in m and "Event" not in m and "ActionID" in m}
    found: dict[str, list[Message]] = {}
    for message in said:
        if "Action" not in message or message["Action"] == "Ping":
            continue
        told = {f"> {k}": v for k, v in message.items()} | {
            f"< {k}": v for k, v in answers[message["ActionID"]].items()
        }
        one = {k: plain(v, names) for k, v in told.items() if k[2:] not in _HEADERS_NOT_ALIKE}
        of = found.setdefault(
            plain(message.get("Interface") or message.get("Channel") or message["Action"], names), []
        )
        again = bool(of) and of[-1]["> Action"] == one["> Action"] in ("ControlPlayback", "Hangup")
        if not again:
            of.append(one)
    return found


def events(exchange: Exchange, names: dict[str, str]) -> dict[str, list[Message]]:
    """The manager's events, of each channel, and of what has none by kind. Devices that are no phones (the queue,
    the Local channel that removes rows) are not simulated: nobody on our side listens to them."""
    found: dict[str, list[Message]] = {}
    for message in messages([line for _, line in exchange.ami]):
        if "Event" not in message or (message["Event"] == "DeviceStateChange" and not is_phone(message)):
            continue
        of = message.get("Uniqueid", "<unknown>")
        if of == "<unknown>":
            of = message["Event"] + message.get("Device", "") + message.get("Interface", "")
        is_leg = re.match(r"PJSIP/(?!pasokh-loopback)", message.get("Channel", ""))
        left_out = _HEADERS_NOT_ALIKE | _OF_ONE_EVENT.get(message["Event"], {})
        left_out |= _ON_AGENTS_LEG if is_leg else {}
        one = {k: plain(v, names) for k, v in message.items() if k not in left_out}
        found.setdefault(plain(of, names), []).append(one)
    return found


async def performed(on: AbstractAsyncContextManager[House]) -> dict[str, Exchange]:
    async with on as house:
        [link] = house.ami.connections
        found = {LINK: Exchange((), list(link.said))}
        for call in CALLS:
            found[call.name] = await house.perform(call)
        return found


async def test_the_wire_carries_the_same() -> None:
    simulated, real = await asyncio.gather(performed(on_simulator()), performed(on_asterisk()))
    assert len(CALLS) >= 10
    for name in (LINK, *(call.name for call in CALLS)):
        one, other = simulated[name], real[name]
        names: tuple[dict[str, str], dict[str, str]] = {}, {}
        assert_same(name, agi_lines(one, names[0]), agi_lines(other, names[1]))
        mine, theirs = actions(one, names[0]), actions(other, names[1])
        assert_same(name, sorted(mine), sorted(theirs))
        for what in mine:
            assert_same(f"{name}: actions on {what}", mine[what], theirs[what])
        mine, theirs = events(one, names[0]), events(other, names[1])
        assert_same(name, sorted(mine), sorted(theirs))
        for what in mine:
            assert_same(f"{name}: events of {what}", mine[what], theirs[what])


def assert_same(what: str, simulated: Sequence[object], real: Sequence[object]) -> None:
    assert list(simulated) == list(real), f"{what}: the simulator (left) and Asterisk (right) differ"
