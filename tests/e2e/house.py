"""A whole house for end-to-end tests: the composition root itself, the simulated PBX on the wire, real clients.

Nothing here stands in for a part of ours: callers and phones are the simulator's, staff are HTTP and websocket
clients that log in with a password. Nothing sleeps: tests wait until a client has seen what they ask for.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from acd.store.base import DatabaseSettings, opened
from ami_bridge.simulator import AmiUser, DialplanSettings, Simulator, SimulatorSettings, answers
from pasokh import migrations
from pasokh.app import App, Running
from pasokh.customers import import_sample
from pasokh.settings import Asterisk, Database, Deadlines, Redis, Settings, Web
from realtime.access import Access, Role
from realtime.settings import AccessSettings
from tests import parts
from tests.ports import unused_tcp_port

PASSWORD = "a long pass-phrase"
PATIENCE_S = 20.0

MEHDI = "09125550001"
"""A customer of the sample with this number only: c-1001, Mehdi Hosseini."""

SITE = """\
name: {fa: نمونه, en: Sample}
time_zone: Asia/Tehran
country: IR
area_code: "21"
skills:
  fa: {label: {fa: فارسی, en: Persian}}
  loans: {label: {fa: وام, en: Loans}}
queues:
  cards:
    label: {fa: کارت, en: Cards}
    requires: {fa: 1}
    target_s: 20
    dispositions: [resolved, follow_up]
  loans:
    label: {fa: وام, en: Loans}
    requires: {loans: 3}
    target_s: 30
    dispositions: [resolved, follow_up]
    disposition_required: true
agents:
  sara: {label: {fa: سارا, en: Sara}, skills: {fa: 9, loans: 7}, phone: desk1}
  reza: {label: {fa: رضا, en: Reza}, skills: {fa: 9}, phone: desk2}
phones:
  desk1: {kind: static, contact: "sip:desk1@127.0.0.1"}
  desk2: {kind: static, contact: "sip:desk2@127.0.0.1"}
  desk3: {kind: static, contact: "sip:desk3@127.0.0.1"}
numbers:
  "02191000000": {flow: short, hours: always, label: {fa: خط, en: Line}}
hours:
  always:
    closed_on_holidays: false
    weekly: {sat: ["00:00-24:00"], sun: ["00:00-24:00"], mon: ["00:00-24:00"], tue: ["00:00-24:00"],
             wed: ["00:00-24:00"], thu: ["00:00-24:00"], fri: ["00:00-24:00"]}
not_ready_reasons:
  lunch: {fa: ناهار, en: Lunch}
dispositions:
  resolved: {fa: حل شد, en: Resolved}
  follow_up: {fa: پیگیری, en: Follow up}
"""

FLOW = """\
flow: short
label: {fa: کوتاه, en: Short}
languages: [fa, en]
start: main
person: cards
prompts:
  choose: {fa: برای کارت یک، برای وام دو., en: "For cards one, for loans two."}
nodes:
  main:
    kind: menu
    prompt: choose
    no_input: choose
    no_match: choose
    keys: {"1": cards, "2": loans}
  cards: {kind: queue, queue: cards}
  loans: {kind: queue, queue: loans}
"""

NUMBER = "02191000000"


@dataclass
class House:
    """A site on the disk with its database and a PBX; `run` while a process of ours runs in this test."""

    settings: Settings
    folder: Path
    simulator: Simulator
    failures: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "pasokh.toml"

    def write_site(self, text: str) -> None:
        self.settings.site.write_text(text, encoding="utf-8")

    def write_config(self) -> Path:
        """pasokh.toml with these settings, for `pasokh serve` and the other commands."""
        at, to = self.settings, self.settings.asterisk
        lines = [
            f'role = "{at.role}"',
            'state = "var"',
            'secrets = "secrets"',
            'site = "center.yaml"',
            'flows = "flows"',
            "[web]",
            f"port = {at.web.port}",
            "password_memory_kib = 8192",
            "[database]",
            f'url = "{at.database_url}"',
            "[redis]",
            f'url = "{at.redis.url}"',
            "[asterisk]",
            f"ami_port = {to.ami_port}",
            f"agi_port = {to.agi_port}",
            f'sounds = "{to.sounds}"',
            "[deadlines]",
            *(f"{name} = {value}" for name, value in at.deadlines.model_dump().items()),
        ]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.config


@asynccontextmanager
async def house(
    folder: Path, *, database_url: str = "", redis_url: str = "", users: Mapping[str, str] | None = None
) -> AsyncIterator[House]:
    """Everything around a process of ours, which the test starts itself. `users`: agents by user name."""
    (folder / "flows").mkdir(parents=True)
    (folder / "flows" / "short.yaml").write_text(FLOW, encoding="utf-8")
    (folder / "center.yaml").write_text(SITE, encoding="utf-8")
    agi_port = unused_tcp_port()
    settings = Settings(
        state=folder / "var",
        secrets=folder / "secrets",
        site=folder / "center.yaml",
        flows=folder / "flows",
        web=Web(port=unused_tcp_port(), password_memory_kib=8192),
        database=Database(url=database_url),
        redis=Redis(url=redis_url),
        deadlines=Deadlines(
            lookup_s=1.0, recover_s=2.0, resync_s=0.5, stop_s=0.2, gone_wait_s=0.2, ends_s=0.05
        ),
    )
    simulator = Simulator(
        SimulatorSettings(
            ami_user=AmiUser(secret=settings.secret("ami")),
            dialplan=DialplanSettings(
                fastagi=(("127.0.0.1", agi_port),), secret=settings.secret("agi"), retry_s=0.1
            ),
            phones=("desk1", "desk2", "desk3"),
            sound_length=lambda _: 0.05,
        ),
        time.time,
        Random(1),
    )
    address = await simulator.start()
    for phone in ("desk1", "desk2", "desk3"):
        simulator.phone(phone).habit = answers(0.05)
    settings = settings.model_copy(
        update={
            "asterisk": Asterisk(
                ami_port=address.ami_port, agi_port=agi_port, sounds=parts.cache_root() / "sounds"
            )
        }
    )
    await asyncio.to_thread(migrations.upgrade, settings.database_url)
    await import_sample(settings)
    await _add_users(settings, users if users is not None else {"sara": "sara", "reza": "reza"})
    try:
        yield House(settings, folder, simulator)
    finally:
        await simulator.stop()


async def _add_users(settings: Settings, agents: Mapping[str, str]) -> None:
    cheap = AccessSettings(argon2_memory_kib=8192)
    async with opened(DatabaseSettings(url=settings.database_url)) as database:
        access = Access(database.writing, lambda: time.time_ns() // 1000, cheap)
        for name, agent in agents.items():
            await access.add_user(name, PASSWORD, Role.AGENT, agent)
        for role in (Role.WALL, Role.SUPERVISOR, Role.ADMIN):
            await access.add_user(role.value, PASSWORD, role)


@asynccontextmanager
async def running(at: House) -> AsyncIterator[Running]:
    async with App(at.settings) as run:
        yield run


# Clients ---------------------------------------------------------------------------------------------------


class Page:
    """A socket of staff as a page keeps it: the state with every difference applied, and all other messages.

    `until` waits for what a person would see; AssertionError names what was not seen in time.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.state: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.deltas = 0
        self.seq = 0
        self.holes = 0
        self.heard = 0
        self.closed = False
        self._news = asyncio.Event()
        self._commands = 0

    async def listen(self) -> None:
        try:
            async for text in self.socket:
                self._take(json.loads(text))
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self.closed = True
            self._news.set()

    def _take(self, message: dict[str, Any]) -> None:
        self.heard += 1
        match message["type"]:
            case "snapshot":
                self.state = message["state"]
                self.seq = message["seq"]
            case "delta":
                self.holes += message["seq"] != self.seq + 1
                self.seq = message["seq"]
                self.deltas += 1
                merge(self.state, message["patch"])
            case "tick":
                pass
            case _:
                self.messages.append(message)

    async def until(self, what: str, holds: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
        """What `holds` gives, once it is true; AssertionError with `what` when it is not in time."""
        try:
            async with asyncio.timeout(within_s):
                while not (value := holds()):
                    assert not self.closed, f"the socket was closed before this was seen: {what}"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"this was never seen: {what}; state {self.state}") from None
        return value

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def command(self, word: str, **arguments: Any) -> dict[str, Any]:
        """A command and its one result."""
        self._commands += 1
        request = str(self._commands)
        await self.say(type="command", id=request, command=word, **arguments)

        def result() -> dict[str, Any] | None:
            return next((m for m in self.messages if m["type"] == "result" and m["id"] == request), None)

        found: dict[str, Any] = await self.until(f"the result of {word}", result)
        return found

    def offer(self, number: int = 1) -> dict[str, Any] | None:
        """The n-th offer message so far."""
        offers = [m for m in self.messages if m["type"] == "offer"]
        return offers[number - 1] if len(offers) >= number else None


def merge(state: dict[str, Any], patch: dict[str, Any]) -> None:
    """RFC 7396 in place."""
    for key, value in patch.items():
        if value is None:
            state.pop(key, None)
        elif isinstance(value, dict):
            if not isinstance(state.get(key), dict):
                state[key] = {}
            merge(state[key], value)
        else:
            state[key] = value


def client(at: House, port: int | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port or at.settings.web.port}", timeout=PATIENCE_S)


async def log_in(http: httpx.AsyncClient, name: str, *, page: bool = False) -> None:
    """As a page (cookie, Origin) or as a program (bearer); later requests of this client are signed in."""
    headers = {"origin": str(http.base_url).rstrip("/")} if page else {}
    answer = await http.post("/api/v1/login", json={"name": name, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 200, answer.text
    if page:
        assert "token" not in answer.json()
        http.headers["origin"] = headers["origin"]
    else:
        http.headers["authorization"] = f"Bearer {answer.json()['token']}"


@asynccontextmanager
async def page(
    at: House, user: str, scope: str, *, as_page: bool = False, port: int | None = None
) -> AsyncIterator[Page]:
    """A socket opened as staff do: password, ticket, hello; with its first snapshot."""
    async with client(at, port) as http:
        await log_in(http, user, page=as_page)
        answer = await http.post("/api/v1/ws-ticket", json={"scope": scope})
        assert answer.status_code == 200, answer.text
        url = f"ws://127.0.0.1:{http.base_url.port}/ws/v1/{scope}?ticket={answer.json()['ticket']}"
        async with connect(url, origin=http.headers.get("origin")) as socket:
            seen = Page(socket)
            listening = asyncio.get_running_loop().create_task(seen.listen(), name=f"{user} {scope}")
            try:
                await seen.say(type="hello")
                await seen.until("the first snapshot", lambda: seen.state)
                yield seen
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


async def sign_in(agent: Page) -> None:
    """At the usual phone, available."""
    assert (await agent.command("sign_in"))["ok"]
    assert (await agent.command("status", status="available"))["ok"]


# Child processes -------------------------------------------------------------------------------------------


@dataclass
class Child:
    """`pasokh …` as a process of its own."""

    process: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def until_says(self, words: str, within_s: float = 40.0) -> str:
        """The line with these words; AssertionError with all it said when it ended or was silent."""
        assert self.process.stderr is not None
        try:
            async with asyncio.timeout(within_s):
                while line := (await self.process.stderr.readline()).decode():
                    self.said.append(line)
                    if words in line:
                        return line
        except TimeoutError:
            pass
        raise AssertionError(f"it never said {words!r}: {''.join(self.said)}")

    async def end(self, within_s: float = 20.0) -> tuple[int, str, str]:
        """Exit status, standard output, standard error, once it has ended."""
        async with asyncio.timeout(within_s):
            out, err = await self.process.communicate()
        self.said.append(err.decode())
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), "".join(self.said)


@asynccontextmanager
async def pasokh(*words: str | Path, env: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """A child process that does not outlive the test."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from pasokh.cli import main; main()",
        *map(str, words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
        cwd=Path(__file__).parents[2],
        env={**os.environ, **(env or {})},
    )
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
