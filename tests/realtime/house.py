"""A whole house around this room for its tests: the real center and engine, SQLite, uvicorn on a free port.

Only the telephone is missing: what the center asks of it is kept in `rung` and friends, and tests post what a
phone would have done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, Counter
from websockets.asyncio.client import ClientConnection, connect

from acd.center import Center
from acd.common.number import Number
from acd.effects import RingAgent, TelephonyEffect
from acd.engine import CenterClock, Doors, Engine, EngineSettings
from acd.events import CallArrived, Event, PhoneChanged, VisitQueued
from acd.facts import Fact
from acd.kpi.measures import Measures
from acd.ports import Bus
from acd.site import Site, load_site
from acd.store.base import Database, DatabaseSettings, metadata, open_database
from acd.types import PhoneState
from realtime.access import Access, Role
from realtime.audit import AuditLog
from realtime.bus import InProcessBus
from realtime.deps import RealtimeDeps
from realtime.desk import Desk
from realtime.hub import WallHub, WallPublisher
from realtime.ports import Applied, Card, DocumentVersion
from realtime.server import Server
from realtime.settings import AccessSettings, HttpSettings, RealtimeSettings, SocketSettings

T0_US = 1_790_000_000_000_000

SITE = """
name: {fa: نمونه, en: Sample}
time_zone: Asia/Tehran
skills:
  fa: {label: {fa: فارسی, en: Persian}}
  loans: {label: {fa: وام, en: Loans}}
queues:
  sales:
    label: {fa: فروش, en: Sales}
    requires: {fa: 1}
    dispositions: [resolved, follow_up]
    disposition_required: true
  loans:
    label: {fa: وام, en: Loans}
    requires: {loans: 3}
agents:
  sara: {label: {fa: سارا, en: Sara}, skills: {fa: 5}, phone: desk1}
  reza: {label: {fa: رضا, en: Reza}, skills: {fa: 5, loans: 4}, phone: desk2}
phones:
  desk1: {kind: desk, secret_file: secrets/desk1, label: {fa: میز یک, en: Desk one}}
  desk2: {kind: desk, secret_file: secrets/desk2}
not_ready_reasons:
  lunch: {fa: ناهار, en: Lunch}
dispositions:
  resolved: {fa: حل شد, en: Resolved}
  follow_up: {fa: پیگیری, en: Follow up}
"""

PASSWORD = "correct horse"

SHORT = RealtimeSettings(
    sockets=SocketSettings(
        hello_s=1.0, interval_s=0.02, refresh_s=0.05, quiet_s=0.2, slow_s=0.3, recheck_s=0.05, close_s=0.3
    ),
    access=AccessSettings(argon2_time_cost=1, argon2_memory_kib=64, argon2_lanes=1, token_cache_s=0.0),
    http=HttpSettings(stop_s=1.0),
)


class Phones:
    """What the center asks of the telephone, and a way to wait for it."""

    def __init__(self) -> None:
        self.effects: list[TelephonyEffect] = []
        self._news = asyncio.Event()

    def perform(self, effect: TelephonyEffect) -> None:
        self.effects.append(effect)
        self._news.set()

    async def ring(self, number: int = 1) -> RingAgent:
        """The n-th ring so far, once it is asked for."""
        async with asyncio.timeout(5):
            while len(rings := [each for each in self.effects if isinstance(each, RingAgent)]) < number:
                self._news.clear()
                await self._news.wait()
        return rings[number - 1]


class _Nothing:
    """The other doors: a journal, a lookup and records that keep nothing."""

    def append(self, line: bytes) -> None: ...

    def begin(self, contact: str, caller: Number) -> None: ...

    def forget(self, contact: str) -> None: ...

    def note_caller(self, contact: str, caller: Number) -> None: ...

    def take(self, facts: Sequence[Fact]) -> None: ...


class Documents:
    """Versions of a text that must begin with `name`."""

    def __init__(self) -> None:
        self.versions: list[DocumentVersion] = []

    async def current(self) -> DocumentVersion | None:
        return self.versions[-1] if self.versions else None

    async def history(self, *, limit: int) -> Sequence[DocumentVersion]:
        return self.versions[::-1][:limit]

    async def check(self, text: str) -> Applied:
        if text.startswith("name"):
            return Applied(True, f"v{len(self.versions) + 1}", [])
        return Applied(False, None, [{"place": "center.yaml:1:1", "message": "there is no name"}])

    async def apply(self, text: str, by: str) -> Applied:
        checked = await self.check(text)
        if checked.ok and checked.version is not None:
            self.versions.append(DocumentVersion(checked.version, T0_US, by, text))
        return checked


@dataclass
class House:
    site: Site
    engine: Engine
    phones: Phones
    cards: dict[str, Card]
    database: Database
    bus: Bus
    deps: RealtimeDeps
    server: Server
    publisher: WallPublisher
    documents: Documents
    port: int = 0
    events: list[Event] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def desk(self) -> Desk:
        assert self.deps.desk is not None
        return self.deps.desk

    async def token(self, name: str) -> str:
        logged_in = await self.deps.access.log_in(name, PASSWORD, "127.0.0.1")
        return logged_in.token

    async def client(self, name: str | None = None) -> httpx.AsyncClient:
        headers = {} if name is None else {"authorization": f"Bearer {await self.token(name)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False)

    async def open(self, path: str, name: str, **more: Any) -> Page:
        """A socket by ticket, as a page opens it."""
        who = await self.deps.access.principal(await self.token(name))
        ticket = self.deps.access.ticket(who, path.rpartition("/")[2])
        return Page(await connect(f"ws://127.0.0.1:{self.port}{path}?ticket={ticket}", proxy=None, **more))

    async def call(self, contact: str, queue: str = "sales") -> None:
        """A caller arrives and stands in line."""
        self.engine.post(CallArrived(contact, "2100", None))
        self.engine.post(VisitQueued(contact, queue))


class Page:
    """The client's side of a socket: what a page would hold after each message."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.state: Any = None
        self.epoch: str | None = None
        self.seq = 0
        self.heard: list[dict[str, Any]] = []

    async def say(self, **message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            message: dict[str, Any] = json.loads(await self.socket.recv())
        if message["type"] == "snapshot":
            self.state, self.epoch, self.seq = message["state"], message["epoch"], message["seq"]
        elif message["type"] == "delta":
            assert message["seq"] == self.seq + 1
            self.state, self.seq = merged(self.state, message["patch"]), message["seq"]
        self.heard.append(message)
        return message

    async def hear_type(self, *types: str) -> dict[str, Any]:
        """The next message of one of these types; others are taken in on the way."""
        try:
            async with asyncio.timeout(5):
                while (message := await self.hear())["type"] not in types:
                    pass
        except TimeoutError:
            raise AssertionError(f"{types} did not come, but {self.heard[-20:]}") from None
        return message

    async def until(self, holds: Any) -> Any:
        """The state, once it is so."""
        try:
            async with asyncio.timeout(5):
                while self.state is None or not holds(self.state):
                    await self.hear()
        except TimeoutError:
            raise AssertionError(f"it did not become so: {self.state}") from None
        return self.state

    async def begin(self) -> dict[str, Any]:
        await self.say(type="hello")
        return await self.hear_type("snapshot")

    async def command(self, id_: str, command: str, **args: object) -> dict[str, Any]:
        await self.say(type="command", id=id_, command=command, **args)
        while (message := await self.hear_type("result"))["id"] != id_:
            pass
        return message

    async def closed(self) -> tuple[int, str]:
        async with asyncio.timeout(5):
            await self.socket.wait_closed()
        return self.socket.close_code or 0, self.socket.close_reason or ""

    async def close(self) -> None:
        await self.socket.close()


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396, written from its own pseudo-code, to check ours against."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@asynccontextmanager
async def house(
    folder: Path,
    *,
    settings: RealtimeSettings = SHORT,
    bus: Bus | None = None,
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[House]:
    loop = asyncio.get_running_loop()
    site = load_site(SITE, "center.yaml")
    database = open_database(DatabaseSettings(url=f"sqlite+aiosqlite:///{folder}/pasokh.sqlite3"))
    async with database.writing.begin() as connection:
        await connection.run_sync(metadata.create_all)
    clock = CenterClock(loop, T0_US)
    bus = bus or InProcessBus(settings.bus)
    cards: dict[str, Card] = {}
    hub, desk = WallHub(settings.sockets), Desk(cards.get, settings.sockets)
    phones, audiences = Phones(), _Audiences()
    nothing = _Nothing()
    engine = Engine(Center.new(site, T0_US), Measures(), clock, EngineSettings())
    engine.join(Doors(nothing, phones, desk, nothing, nothing, (audiences,)))
    desk.join_center(engine)
    publisher = WallPublisher(engine, hub, bus, settings.sockets)
    audiences.all = (publisher, desk)
    documents = Documents()
    registry = CollectorRegistry()
    Counter("pasokh_test_things", "Things.", registry=registry).inc()
    deps = RealtimeDeps(
        settings=settings,
        database=database.writing,
        access=Access(database.writing, clock.now_us, settings.access),
        audit=AuditLog(database.writing, clock.now_us, settings.http),
        wall=hub,
        now_us=clock.now_us,
        center=engine,
        desk=desk,
        documents=documents,
        metrics=registry,
        reporting=database.reporting,
    )
    deps = replace(deps, **(more or {}))
    for name, role, agent in (
        ("sara", Role.AGENT, "sara"),
        ("reza", Role.AGENT, "reza"),
        ("wall", Role.WALL, None),
        ("boss", Role.SUPERVISOR, None),
        ("root", Role.ADMIN, None),
    ):
        await deps.access.add_user(name, PASSWORD, role, agent)
    for phone in site.phones:
        engine.post(PhoneChanged(phone, PhoneState.FREE))
    server = Server(deps)
    built = House(site, engine, phones, cards, database, bus, deps, server, publisher, documents)
    publishing = loop.create_task(publisher.run())
    try:
        built.port = await server.start("127.0.0.1", 0)
        yield built
    finally:
        await server.stop()
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        engine.close()
        await bus.close()
        await database.close()


class _Audiences:
    def __init__(self) -> None:
        self.all: tuple[WallPublisher | Desk, ...] = ()

    def facts(self, facts: Sequence[Fact]) -> None:
        for audience in self.all:
            audience.facts(facts)
