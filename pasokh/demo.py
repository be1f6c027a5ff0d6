"""A whole center on one machine: a simulated PBX on the wire, seeded callers, and agents as real clients.

Nothing in the product knows that it is a demonstration: the bridge speaks AMI and FastAGI over TCP, agents are
clients of `/ws/v1/agent`, and the wall's figures are counted from a socket of `/ws/v1/wall`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from acd.site import Agent, Label, Number, Phone, Site, load_site, site_json
from acd.view import SiteView
from ami_bridge.simulator.callers import ANONYMOUS, CallerId, random_callers
from ami_bridge.simulator.pbx import Counters, Simulator
from ami_bridge.simulator.phones import human
from ami_bridge.simulator.settings import AmiUser, DialplanSettings, SimulatorSettings, SoundFolder
from crm_lookup.services.settings import AuthenticationSettings, ExampleService, Method
from pasokh import migrations
from pasokh.app import App, Running
from pasokh.customers import import_sample, sample_numbers
from pasokh.settings import Asterisk, Settings, Web
from realtime.access import Role

TALK_S = 5.0
PATIENCE_S = 25.0
WRAP_UP_S = (1.0, 3.0)
YOU = "you"
INSURANCE_LINE = "02191001600"

_FIRST = [
    ("سارا", "Sara"),
    ("رضا", "Reza"),
    ("مینا", "Mina"),
    ("علی", "Ali"),
    ("لیلا", "Leila"),
    ("امید", "Omid"),
]
_LAST = [
    ("رستمی", "Rostami"),
    ("کاظمی", "Kazemi"),
    ("یوسفی", "Yousefi"),
    ("جعفری", "Jafari"),
    ("ملکی", "Maleki"),
]


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`for_s`: end by itself after so long. `seed`: the same callers again."""

    host: str = "127.0.0.1"
    port: int = 8080
    calls_per_s: float = 2.0
    agents: int = 20
    seed: int = 1
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a demonstration came to; `pbx_*` is the simulated PBX's own count, beside ours."""

    offered: int
    answered: int
    abandoned: int
    waiting: int
    service_level: float | None
    asa_s: float | None
    card_before_ring: float | None
    wallboard_messages: int
    pbx_offered: int
    pbx_answered: int

    def as_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(slots=True)
class Demo:
    """A running demonstration."""

    run: Running
    url: str
    accounts: list[Mapping[str, str]]
    simulator: Simulator
    agents: int
    wall_messages: int = 0
    failures: list[str] = field(default_factory=list)

    def view(self) -> SiteView:
        assert self.run.engine is not None
        return self.run.engine.view()

    def pbx(self) -> Counters:
        return self.simulator.counters()

    def totals(self) -> Totals:
        view, pbx = self.view(), self.pbx()
        total = view.total
        return Totals(
            offered=total.offered,
            answered=total.answered,
            abandoned=total.abandoned,
            waiting=total.waiting,
            service_level=total.service_level,
            asa_s=total.asa_s,
            card_before_ring=view.card_before_ring,
            wallboard_messages=self.wall_messages,
            pbx_offered=pbx.offered,
            pbx_answered=pbx.answered,
        )


def demo_site(agents: int) -> Site:
    """The example bank, open at every hour, with so many agents at simulated phones, and a place for you."""
    text = files("pasokh").joinpath("example/center.yaml").read_text(encoding="utf-8")
    example = load_site(text, "center.yaml")
    models = list(example.agents.values())
    people: dict[str, Agent] = {}
    for number in range(agents):
        model = models[number % len(models)]
        people[f"a{number + 1:02}"] = model.model_copy(
            update={"phone": f"p{number + 1:02}", "label": _name(number, model.label)}
        )
    everything = dict.fromkeys(example.skills, 9)
    people[YOU] = Agent.model_validate(
        {"label": {"fa": "شما", "en": "You"}, "skills": everything, "phone": YOU}
    )
    phones = {
        agent.phone: Phone.model_validate({"kind": "static", "contact": f"sip:{agent.phone}@127.0.0.1"})
        for agent in people.values()
        if agent.phone is not None
    }
    numbers = {
        dialled: number.model_copy(update={"hours": "always"}) for dialled, number in example.numbers.items()
    }
    bank = example.model_copy(update={"agents": people, "phones": phones, "numbers": numbers, "trunks": {}})
    return _with_insurer(bank)


def _with_insurer(bank: Site) -> Site:
    """The same people also answer for an insurer, by a number and lines of its own."""
    lines = {
        "claims": {"fa": "خسارت", "en": "Claims"},
        "policies": {"fa": "بیمه‌نامه‌ها", "en": "Policies"},
        "sales": {"fa": "فروش بیمه", "en": "Insurance sales"},
    }
    queues = {
        name: bank.queues["cards"].model_validate(
            {"label": label, "requires": {}, "dispositions": ["resolved"]}
        )
        for name, label in lines.items()
    }
    insurer = Number.model_validate(
        {"flow": "insurer", "hours": "always", "label": {"fa": "خط بیمه", "en": "Insurance line"}}
    )
    return bank.model_copy(
        update={"queues": {**bank.queues, **queues}, "numbers": {**bank.numbers, INSURANCE_LINE: insurer}}
    )


def demo_services() -> dict[str, object]:
    """The services that the shipped flows ask, answered from example data; and who may prove what by them."""
    asked = (
        "bank.balance",
        "bank.transactions",
        "bank.block_card",
        "insurer.policy",
        "insurer.premium",
        "insurer.claim",
    )
    services: dict[str, object] = {
        of.partition(".")[2]: ExampleService(kind="example", of=of) for of in asked
    }
    services["block_card"] = ExampleService(kind="example", of="bank.block_card", methods=("pin",))
    services["check_pin"] = ExampleService(kind="example", of="bank.identify", verified=False)
    services["check_birth_year"] = ExampleService(kind="example", of="insurer.identify", verified=False)
    methods = {"pin": Method(service="check_pin"), "birth_year": Method(service="check_birth_year")}
    return {"services": services, "authentication": AuthenticationSettings(methods=methods)}


def _name(number: int, model: Label) -> Label:
    if number < 8:
        return model
    first, last = _FIRST[number % len(_FIRST)], _LAST[(number // len(_FIRST)) % len(_LAST)]
    return Label(fa=f"{first[0]} {last[0]}", en=f"{first[1]} {last[1]}")


@asynccontextmanager
async def running(options: DemoOptions, say: Callable[[str], None]) -> AsyncIterator[Demo]:
    """A demonstration from its first caller on; everything it made is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="pasokh-demo-") as folder:
        state = Path(folder)
        site = demo_site(options.agents)
        (state / "center.yaml").write_text(site_json(site), encoding="utf-8")
        rng = Random(options.seed)
        password = secrets.token_urlsafe(9)
        settings = Settings(state=state, secrets=state / "secrets", site=state / "center.yaml")
        say("Making the database and its customers …")
        await asyncio.to_thread(migrations.upgrade, settings.database_url)
        await import_sample(settings)
        agi_port = await _free_port()
        simulator = _simulator(settings, site, agi_port, rng)
        address = await simulator.start()
        settings = settings.model_copy(
            update={
                **demo_services(),
                "web": Web(host=options.host, port=options.port, password_memory_kib=8192),
                "asterisk": Asterisk(
                    ami_port=address.ami_port, agi_port=agi_port, sounds=_sounds(), recordings=state
                ),
            }
        )
        accounts = _accounts(password)
        say("Starting the center …")
        try:
            async with App(settings, accounts) as run:
                await _add_users(run, site, password)
                url = f"http://{options.host}:{run.server.port}"
                demo = Demo(run, url, accounts, simulator, options.agents)
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(_watch_wall(demo))]
                    for number, agent in enumerate(name for name in site.agents if name != YOU):
                        person = Random(f"{options.seed}-{number}")
                        tasks.append(group.create_task(_be_agent(demo, agent, site, person)))
                    tasks.append(group.create_task(_play(demo, site, options, rng)))
                    yield demo
                    for task in tasks:
                        task.cancel()
        finally:
            await simulator.stop()


def _sounds() -> Path:
    """Kept between demonstrations, since making 130 prompts takes seconds and they never change."""
    return Path.home() / ".cache" / "pasokh" / "sounds"


def _simulator(settings: Settings, site: Site, agi_port: int, rng: Random) -> Simulator:
    simulator = Simulator(
        SimulatorSettings(
            ami_user=AmiUser(secret=settings.secret("ami")),
            dialplan=DialplanSettings(fastagi=(("127.0.0.1", agi_port),), secret=settings.secret("agi")),
            phones=tuple(site.phones),
            sound_length=SoundFolder(otherwise_s=1.0),
        ),
        time.time,
        rng,
    )
    for phone in site.phones:
        simulator.phone(phone).habit = human(after_s=(0.8, 2.5), hold=0.03)
    return simulator


async def _free_port() -> int:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    return port


def _accounts(password: str) -> list[Mapping[str, str]]:
    return [
        {"name": "agent", "password": password, "role": "agent"},
        {"name": "supervisor", "password": password, "role": "supervisor"},
        {"name": "admin", "password": password, "role": "admin"},
    ]


async def _add_users(run: Running, site: Site, password: str) -> None:
    await run.access.add_user("agent", password, Role.AGENT, YOU)
    await run.access.add_user("supervisor", password, Role.SUPERVISOR)
    await run.access.add_user("admin", password, Role.ADMIN)
    await run.access.add_user("wall", secrets.token_urlsafe(), Role.WALL)
    for agent in site.agents:
        if agent != YOU:
            await run.access.add_user(agent, secrets.token_urlsafe(), Role.AGENT, agent)


async def _play(demo: Demo, site: Site, options: DemoOptions, rng: Random) -> None:
    """Callers: most are known customers, some strangers, some withhold their number."""
    known = [CallerId(number) for number in sample_numbers()]
    strangers = [CallerId(f"+98912777{n:04}") for n in range(20)]
    callers = [*known[:60], *strangers, ANONYMOUS, ANONYMOUS, CallerId("1500")]
    scripts = random_callers(
        rng,
        calls_per_s=options.calls_per_s,
        numbers=list(site.numbers),
        callers=callers,
        keys={"12": 4, "13": 3, "11": 1, "10": 1, "22": 1, "23": 1, "1": 0.3, "": 0.2},
        patience_s=PATIENCE_S,
        talk_s=TALK_S,
        key_after_s=(0.2, 0.8),
    )
    await demo.simulator.play(scripts)


# Clients ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _socket(demo: Demo, user: str, path: str) -> AsyncIterator[ClientConnection]:
    token = (await demo.run.access.token_for(user, "demo")).token
    url = demo.url.replace("http", "ws", 1) + path
    async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        await socket.send('{"type":"hello"}')
        yield socket


async def _watch_wall(demo: Demo) -> None:
    try:
        async with _socket(demo, "wall", "/ws/v1/wall") as socket:
            async for _ in socket:
                demo.wall_messages += 1
    except ConnectionClosed as closed:
        demo.failures.append(f"the wall's socket was closed ({closed})")


async def _be_agent(demo: Demo, agent: str, site: Site, rng: Random) -> None:
    """Sign in, be available, look at the card, say how each call ended; now and then take a break."""
    try:
        async with _socket(demo, agent, "/ws/v1/agent") as socket:
            person = _Person(socket, site, agent, rng)
            await person.begin()
            async for message in socket:
                await person.hear(json.loads(message))
    except ConnectionClosed as closed:
        demo.failures.append(f"the socket of {agent} was closed ({closed})")


class _Person:
    """One agent's behaviour, driven by what their page is told."""

    def __init__(self, socket: ClientConnection, site: Site, agent: str, rng: Random) -> None:
        self._socket = socket
        self._site = site
        self._agent = agent
        self._rng = rng
        self._requests = 0
        self._state: dict[str, Any] = {}
        self._wrapping: str | None = None
        self._returning = False
        self._finishing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        await self._command("sign_in", phone=self._site.agents[self._agent].phone)
        await self._command("status", status="available")

    async def hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "offer":
                await self._socket.send(json.dumps({"type": "shown", "offer": message["offer"]}))
            case "snapshot":
                self._state = message["state"]
            case "delta":
                _merge(self._state, message["patch"])
        await self._work()

    async def _work(self) -> None:
        visit = self._state.get("visit")
        activity = self._state.get("agent", {}).get("activity")
        if activity == "wrap_up" and visit and self._wrapping != visit["visit"]:
            self._wrapping = visit["visit"]
            delay_s = self._rng.uniform(*WRAP_UP_S)
            self._finishing = asyncio.get_running_loop().create_task(self._finish(visit, delay_s))
        if activity != "not_responding":
            self._returning = False
        elif not self._returning:  # once: the answer to it is heard here, too
            self._returning = True
            await self._command("status", status="available")

    async def _finish(self, visit: dict[str, Any], delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        codes = [each["code"] for each in visit.get("dispositions", [])]
        try:
            if codes:
                await self._command("disposition", visit=visit["visit"], code=self._rng.choice(codes))
            if self._rng.random() < 0.02:
                await self._command("status", status="not_ready", reason="break")
                await self._command("end_wrap_up")
                await asyncio.sleep(self._rng.uniform(3, 8))
                await self._command("status", status="available")
            else:
                await self._command("end_wrap_up")
        except ConnectionClosed:
            return  # the demonstration is over

    async def _command(self, command: str, **arguments: Any) -> None:
        self._requests += 1
        await self._socket.send(
            json.dumps({"type": "command", "id": str(self._requests), "command": command, **arguments})
        )


def _merge(state: dict[str, Any], patch: dict[str, Any]) -> None:
    """RFC 7396 in place."""
    for key, value in patch.items():
        if value is None:
            state.pop(key, None)
        elif isinstance(value, dict) and isinstance(state.get(key), dict):
            _merge(state[key], value)
        else:
            state[key] = value
