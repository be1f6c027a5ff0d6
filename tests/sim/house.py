"""A whole site on virtual time: callers, PBX, bridge, scripts, center, lookup, agents' pages and the wall.

Joined here as `pasokh/app.py` joins it, without what needs the machine: database, HTTP, voices. Left out on purpose,
each behind the door it has in the product: `Records` (kept in a list), uvicorn (pages are outlets in memory).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from acd import journal
from acd.center import Center
from acd.common.number import Number, number_token, parse_number
from acd.effects import Granted
from acd.engine import CenterClock, Doors, Engine, EngineSettings
from acd.events import Dispose, EndWrapUp, Restarted, SetStatus, SignIn
from acd.facts import Fact
from acd.kpi import measures
from acd.kpi.measures import Measures
from acd.site import Site, load_site
from acd.state import digest
from acd.ticket import Ticket
from acd.types import US_PER_S, AgentId, ContactId, Status
from acd.verbs import Script
from ami_bridge.ami import AmiSettings
from ami_bridge.bridge import Bridge, BridgeDoors, BridgeSettings
from ami_bridge.fastagi import FastAgiSettings
from ami_bridge.recovery import Known, KnownCall
from ami_bridge.simulator import AmiUser, CallOutcome, DialplanSettings, Simulator, SimulatorSettings
from crm_lookup.lookup import CallerLookup
from crm_lookup.types import Customer
from ivr.check import load_flow
from ivr.flow import version_of
from ivr.library import Flows
from realtime import wallboard, wire
from realtime.bus import InProcessBus
from realtime.desk import Desk, Tab
from realtime.hub import WallHub, WallPublisher
from realtime.settings import SocketSettings
from realtime.wire import Encoded

WALL_US = 1_795_000_500 * US_PER_S
NUMBER = "02191000000"
SECRET = "a secret of the simulation"
AGENTS = 6

SITE = """\
name: {fa: شبیه‌سازی, en: Simulation}
time_zone: Asia/Tehran
country: IR
area_code: "21"
skills: {cards: {label: {fa: کارت, en: Cards}}, loans: {label: {fa: وام, en: Loans}}}
queues:
  cards: {label: {fa: کارت, en: Cards}, requires: {cards: 1}, wrap_up_s: 8, dispositions: [done]}
  loans:
    label: {fa: وام, en: Loans}
    requires: {loans: 3}
    priority: 2
    wrap_up_s: 10
    dispositions: [done]
    disposition_required: true
segments: {gold: {label: {fa: طلایی, en: Gold}, priority: 5}}
not_ready_reasons: {lunch: {fa: ناهار, en: Lunch}}
dispositions: {done: {fa: انجام شد, en: Done}}
"""

FLOW = """\
flow: short
languages: [fa, en]
start: main
person: cards
prompts:
  choose: {fa: برای کارت یک، برای وام دو., en: "For cards one, for loans two."}
nodes:
  main: {kind: menu, prompt: choose, no_input: choose, no_match: choose, keys: {"1": cards, "2": loans}}
  cards: {kind: queue, queue: cards, comfort: {fa: صبر کنید., en: Please hold.}, comfort_every_s: 20}
  loans: {kind: queue, queue: loans}
"""

CUSTOMERS = {
    "+989121111111": Customer("k1", name_en="Sara", segment="gold", phones=("+989121111111",)),
    "+989122222222": Customer("k2", name_en="Reza", phones=("+989122222222",)),
}


def site() -> Site:
    agents = {
        f"a{n}": {
            "label": {"fa": f"کارشناس {n}", "en": f"Agent {n}"},
            "skills": {"cards": 5, "loans": 4 if n % 2 else 2},
        }
        for n in range(1, AGENTS + 1)
    }
    phones = {f"p{n}": {"kind": "static", "contact": f"sip:p{n}@192.0.2.1"} for n in range(1, AGENTS + 1)}
    lines = [
        f"agents: {_flow(agents)}",
        f"phones: {_flow(phones)}",
        f'numbers: {{"{NUMBER}": {{flow: short}}}}',
    ]
    return load_site(SITE + "\n".join(lines) + "\n", "center.yaml")


def _flow(value: object) -> str:
    return msgspec.json.encode(value).decode()


class Source:
    """Customers by number, each answer after a while of the seed's choosing; some come too late."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    async def find(self, number: Number) -> Sequence[Customer]:
        await asyncio.sleep(self._rng.choice((0.0, 0.02, 0.2, 0.5)))
        found = CUSTOMERS.get(number.key)
        return [found] if found is not None else []


class Screen:
    """An outlet in memory: whoever looks at it sees every message."""

    def __init__(self, seen: Callable[[dict[str, Any]], None]) -> None:
        self._seen = seen
        self.closed: tuple[int, str] | None = None

    @property
    def writable(self) -> bool:
        return self.closed is None

    def write(self, message: Encoded) -> None:
        seen = wire.decode(message.text)
        assert seen is not None
        self._seen(seen)

    def when_writable(self, call: Callable[[], None]) -> None:
        """It always keeps up."""

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def ended(self) -> None:
        pass


class Wall:
    """A wall as its page does it: the first snapshot and every difference after it."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.seq = 0
        self.messages = 0

    def take(self, message: dict[str, Any]) -> None:
        self.messages += 1
        match message["type"]:
            case "snapshot":
                self.state, self.seq = message["state"], message["seq"]
            case "delta":
                assert message["seq"] == self.seq + 1
                self.state, self.seq = wallboard.apply(self.state, message["patch"]), message["seq"]
            case "tick":
                assert message["seq"] == self.seq


class Person:
    """An agent with a page: shows cards, wraps up, and goes on. Their phone has its own habits."""

    def __init__(self, name: AgentId, house: SimHouse, rng: Random) -> None:
        self.name = name
        self.cards: list[tuple[str, float]] = []
        self._house = house
        self._rng = rng
        self._tab: Tab | None = None
        self._busy = ""

    async def begin(self) -> None:
        engine = self._house.engine
        for command in (SignIn(self.name, "p" + self.name[1:]), SetStatus(self.name, Status.AVAILABLE)):
            answer = await engine.ask(self.name, command)
            assert isinstance(answer, Granted), answer
        self._tab = self._house.desk.join(self.name, Screen(self._see))

    def leave(self) -> None:
        if self._tab is not None:
            self._house.desk.leave(self._tab)

    def _see(self, message: dict[str, Any]) -> None:
        state = message.get("state") or message.get("patch") or {}
        if message["type"] == "offer":
            self.cards.append((message["offer"], asyncio.get_running_loop().time()))
            self._house.later(self._rng.choice(self._house.card_s), self._shown, message["offer"])
        activity = (state.get("agent") or {}).get("activity")
        if activity in ("wrap_up", "not_responding") and activity != self._busy:
            self._house.spawn(self._go_on(activity))
        self._busy = activity or self._busy

    def _shown(self, offer: str) -> None:
        if self._tab is not None:
            self._house.desk.shown(self._tab, offer)

    async def _go_on(self, activity: str) -> None:
        await asyncio.sleep(self._rng.uniform(1, 6))
        agent = self._house.engine.view().agents[self.name]
        if activity == "not_responding":
            await self._house.engine.ask(self.name, SetStatus(self.name, Status.AVAILABLE))
        elif agent.activity == "wrap_up" and agent.visit is not None:
            await self._house.engine.ask(self.name, Dispose(self.name, agent.visit, "done"))
            await self._house.engine.ask(self.name, EndWrapUp(self.name))


@dataclass
class SimHouse:
    """One site that runs. `lines`: its journal; `facts`: its records; `faults`: what must not have happened.
    `card_s`: what a page may need to show a card; some are too slow for the phone."""

    rng: Random
    simulator: Simulator
    engine: Engine
    bridge: Bridge
    desk: Desk
    lookup: CallerLookup
    wall: Wall
    lines: list[bytes]
    facts: list[Fact]
    faults: list[str]
    header: bytes
    card_s: tuple[float, ...] = (0.01, 0.03, 0.3)
    people: list[Person] = field(default_factory=list)
    outcomes: list[CallOutcome] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)

    def later(self, seconds: float, call: Callable[[str], None], what: str) -> None:
        asyncio.get_running_loop().call_later(seconds, call, what)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.faults.append(repr(error))

    async def people_come(self) -> None:
        for number in range(1, AGENTS + 1):
            person = Person(f"a{number}", self, Random(self.rng.getrandbits(32)))
            await person.begin()
            self.people.append(person)

    async def until(self, done: Callable[[], bool], limit_s: float = 600) -> None:
        async with asyncio.timeout(limit_s):
            while not done():  # noqa: ASYNC110 - looking costs no real time, and anything may be asked for
                await asyncio.sleep(0.1)

    @property
    def digest(self) -> str:
        """Names all that happened: inputs in their order, the center they led to, the wall, the callers' side."""
        whole = hashlib.sha256()
        for line in self.lines:
            whole.update(line)
        whole.update(digest(self.engine.center.state).encode())
        whole.update(measures.dump(self.engine.measures))
        whole.update(msgspec.json.encode([self.wall.state, self.wall.messages]))
        whole.update(msgspec.json.encode(self.outcomes))
        return whole.hexdigest()[:16]


class _Rooms:
    """Journal, records, answers: the doors behind which nothing of ours is needed here."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.kept: list[Fact] = []

    def append(self, line: bytes) -> None:
        self.lines.append(line)

    def note_caller(self, contact: ContactId, caller: Number) -> None:
        pass

    def take(self, facts: Sequence[Fact]) -> None:
        self.kept += facts

    async def answer(
        self, contact: ContactId, what: str, args: Mapping[str, str]
    ) -> Mapping[str, str] | None:
        return None


@asynccontextmanager
async def sim_house(seed: int, settings: SocketSettings | None = None) -> AsyncIterator[SimHouse]:
    """Start everything, and end it. On a `tests.sim.loop.VirtualLoop`."""
    loop = asyncio.get_running_loop()
    rng = Random(seed)
    began_s = loop.time()
    simulator = Simulator(
        SimulatorSettings(
            ami_user=AmiUser(secret=SECRET),
            ami_port=5038,
            dialplan=DialplanSettings(fastagi=(("127.0.0.1", 4573),), secret=SECRET),
            phones=tuple(f"p{n}" for n in range(1, AGENTS + 1)),
            sound_length=lambda _: 2.0,
        ),
        lambda: WALL_US / US_PER_S + loop.time() - began_s,
        Random(rng.getrandbits(32)),
    )
    await simulator.start()

    at, rooms, faults = site(), _Rooms(), list[str]()
    engine = Engine(
        Center.new(at, WALL_US),
        Measures(),
        CenterClock(loop, WALL_US),
        EngineSettings(),
        lambda event, error: faults.append(f"{event}: {error!r}"),
    )
    sockets = settings or SocketSettings()
    desk = Desk(lambda contact: lookup.card(contact), sockets)
    desk.join_center(engine)
    lookup = CallerLookup(Source(Random(rng.getrandbits(32))), engine.post, on_card=desk.card_changed)
    flow = load_flow(FLOW, "short.yaml", at).flow
    flows = Flows(at, {"short": flow}, {"short": version_of(flow)})

    def script_for(number: str, ticket: Ticket | None) -> Script:
        now = datetime.fromtimestamp(engine.now_us() / US_PER_S, UTC)
        return flows.script_for(
            number, ticket, None, sound=lambda phrase: phrase.text[:8], now_utc=lambda: now
        )

    def number_of(written: str | None) -> tuple[Number, str | None]:
        number = parse_number(written, at.country, at.area_code, tuple(at.phones))
        return number, number_token(number.key, SECRET.encode()) or None

    bridge = Bridge(
        BridgeSettings(
            agi=FastAgiSettings(secret=SECRET, keepalive_s=0), ami=AmiSettings("pasokh", secret=SECRET)
        ),
        BridgeDoors(
            center=engine,
            answers=rooms,
            script_for=script_for,
            number_of=number_of,
            known=lambda: _known(engine),
            phones=lambda: engine.site.phones,
            broken=lambda where, error: faults.append(f"{where}: {error!r}"),
        ),
        Random(rng.getrandbits(32)),
    )
    hub, bus, wall = WallHub(sockets), InProcessBus(), Wall()
    publisher = WallPublisher(engine, hub, bus, sockets)
    engine.join(Doors(rooms, bridge, desk, lookup, rooms, (desk, publisher)))
    header = journal.encode_header(engine.center, engine.measures, "sim")
    engine.post(Restarted())
    house = SimHouse(
        rng, simulator, engine, bridge, desk, lookup, wall, rooms.lines, rooms.kept, faults, header
    )
    house.spawn(publisher.run())
    house.spawn(desk.run())
    await bridge.start()
    async with asyncio.timeout(10):
        await bridge.ami.wait_up()
    hub.join(Screen(wall.take))
    try:
        yield house
    finally:
        for person in house.people:
            person.leave()
        await bridge.stop(1.0)
        await simulator.stop()
        await lookup.aclose()
        engine.close()
        for task in list(house.tasks):
            task.cancel()
        await asyncio.gather(*house.tasks, return_exceptions=True)
        await bus.close()


def _known(engine: Engine) -> Known:
    state = engine.center.state
    calls: dict[str, KnownCall] = {}
    for contact in state.contacts.values():
        visit = state.visits.get(contact.visit) if contact.visit else None
        offer = visit.offer.offer if visit is not None and visit.offer is not None else None
        together = visit.round if visit is not None and len(visit.round) > 1 else ()
        calls[contact.contact] = KnownCall(
            visit.state if visit else None, offer, {each.phone: each.offer for each in together}
        )
    return Known(engine.now_us(), calls, dict(state.members))
