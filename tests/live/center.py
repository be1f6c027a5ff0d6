"""A whole center on a real Asterisk: its site, its files, PostgreSQL, users, and the product, in two ways.

    async with premises(postgres_url) as place:              # Asterisk runs, nothing of ours does
        async with place.running() as run:                   # the product in this loop (pasokh.app.App), or
        async with place.serving() as process:               # `pasokh serve` as a child: may be killed, made again
            async with place.desk("c1") as desk:             # an agent at their page, signed in at their phone
                with place.phones(Answer()), place.callers(NUMBERS, keys=CARDS): ...

24 agents: c1-c8 serve cards, l1-l8 loans, e1-e8 English; `skill_of` says who may serve what. Each has the phone
of their name (`c1-phone`), and all those phones are at `ports.phones`, where one `Phones` of SIPp is all of them.
Phones that behave otherwise stand at ports of their own: `spare_phone("busy")`; an agent signs in there.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from acd.site import Agent, Phone, Site, load_site, site_json
from acd.store.base import Database, DatabaseSettings, opened
from asterisk_conf import complete
from pasokh import migrations
from pasokh.app import App, Running
from pasokh.asterisk_files import conf_settings
from pasokh.customers import import_sample
from pasokh.settings import Settings, load_settings
from realtime.access import Access, Role
from realtime.settings import AccessSettings
from tests import parts
from tests.live.asterisk import LiveAsterisk, Ports, unused_udp_port
from tests.live.pages import Desk, Wall
from tests.live.sipp import Answer, Callers, Phones, Refuse, Speak
from tests.ports import unused_tcp_port

PARTS = ("asterisk", "sipp", "postgres", "espeak")
MAIN_LINE = "02191001500"
SKILLS: Mapping[str, dict[str, int]] = {
    "c": {"fa": 9, "cards": 7},
    "l": {"fa": 9, "loans": 8},
    "e": {"en": 9},
}
AGENTS_EACH = 8
QUEUE_OF = {"c": {"cards", "lost_card"}, "l": {"loans"}, "e": {"english"}}
SPARE = ("busy", "rejects", "unavailable", "silent", "patient")
Keys = Sequence[tuple[int, str | Speak]]
# Each key is pressed well within a sound that a key ends: language, then the main menu.
LOST_CARD: Keys = ((600, "1"), (600, "1"))
CARDS: Keys = ((600, "1"), (600, "2"))
LOANS: Keys = ((600, "1"), (600, "3"))
ENGLISH: Keys = ((600, "2"), (600, "2"))


def agents() -> list[str]:
    return [f"{kind}{n}" for kind in SKILLS for n in range(1, AGENTS_EACH + 1)]


def may_serve(agent: str, queue: str) -> bool:
    """Whether the site gives this agent the skills that the queue requires."""
    return queue in QUEUE_OF[agent[0]]


def sounds() -> Path:
    """Prompts really made by espeak-ng, kept between runs."""
    return parts.cache_root() / "sounds"


@dataclass(frozen=True, slots=True)
class PlacePorts:
    """`phones`: SIP of the agents' own phones; `spare`: SIP of each kind of phone that behaves otherwise.

    `agi` and `ami` are our process's; who stands between us and Asterisk gives Asterisk others (`tapped`):
    `agi_dialled` is where its dialplan calls, `asterisk.ami` where its manager listens.
    """

    asterisk: Ports
    agi: int
    agi_dialled: int
    ami: int
    web: int
    phones: int
    spare: Mapping[str, int]

    @classmethod
    def free(cls, *, tapped: bool = False) -> PlacePorts:
        spare = {kind: unused_udp_port() for kind in SPARE}
        asterisk, agi = Ports.free(), unused_tcp_port()
        return cls(
            asterisk,
            agi,
            unused_tcp_port() if tapped else agi,
            unused_tcp_port() if tapped else asterisk.ami,
            unused_tcp_port(),
            unused_udp_port(),
            spare,
        )


def live_site(ports: PlacePorts) -> Site:
    """The example bank, open at every hour, with 24 agents at static phones, and two spare phones of each kind."""
    text = files("pasokh").joinpath("example/center.yaml").read_text(encoding="utf-8")
    example = load_site(text, "center.yaml")
    people = {
        name: Agent.model_validate(
            {"label": {"fa": name, "en": name}, "skills": SKILLS[name[0]], "phone": f"{name}-phone"}
        )
        for name in agents()
    }
    phones = {f"{name}-phone": _static(f"{name}-phone", ports.phones) for name in people}
    for kind, port in ports.spare.items():
        phones |= {name: _static(name, port) for name in (f"{kind}-1", f"{kind}-2")}
    numbers = {name: each.model_copy(update={"hours": "always"}) for name, each in example.numbers.items()}
    return example.model_copy(update={"agents": people, "phones": phones, "numbers": numbers, "trunks": {}})


def _static(name: str, port: int) -> Phone:
    return Phone.model_validate({"kind": "static", "contact": f"sip:{name}@127.0.0.1:{port}"})


@dataclass(slots=True)
class Place:
    """What stands before the product runs, and the ways to run it."""

    folder: Path
    ports: PlacePorts
    site: Site
    settings: Settings
    asterisk: LiveAsterisk
    database: Database
    access: Access
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "serve.log"

    @property
    def config(self) -> Path:
        return self.folder / "pasokh.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    # The product -------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        """The product in this loop, ready."""
        async with App(self.settings) as run:
            await self.until_ready()
            yield run

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """`pasokh serve` as a child process, ready. May be killed meanwhile; another may be started after."""
        process = await self.serve()
        try:
            await self.until_ready(process)
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    async def serve(self) -> asyncio.subprocess.Process:
        """Only starts the child; what it says stands in `log`."""
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", "from pasokh.cli import main; main()"),
                *("serve", "--config", str(self.config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_as_installed(),
            )

    async def until_ready(
        self, process: asyncio.subprocess.Process | None = None, timeout_s: float = 30
    ) -> None:
        """Waits until /readyz says that nothing is missing, Asterisk's link included."""
        end, said = time.monotonic() + timeout_s, "nothing was said"
        while time.monotonic() < end:
            if process is not None and process.returncode is not None:
                break
            ok, said = await asyncio.to_thread(_ready, self.url)
            if ok:
                return
            await asyncio.sleep(0.02)
        raise TimeoutError(f"The product is not ready: {said}\n{self.log_text()[-3000:]}")

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # People ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def desk(
        self, agent: str, *, phone: str | None = None, finish: str | None = None
    ) -> AsyncIterator[Desk]:
        """An agent at their page, signed in at their phone (or another), available."""
        token = (await self.access.token_for(agent, "test")).token
        async with Desk(self.url, token, agent, finish) as desk:
            await desk.sign_in(phone or f"{agent}-phone")
            yield desk

    @asynccontextmanager
    async def desks(
        self, names: Sequence[str], *, finish: str | None = None
    ) -> AsyncIterator[dict[str, Desk]]:
        async with AsyncExitStack() as stack:
            found = {}
            for name in names:
                found[name] = await stack.enter_async_context(self.desk(name, finish=finish))
            yield found

    @asynccontextmanager
    async def wall(self) -> AsyncIterator[Wall]:
        token = (await self.access.token_for("wall", "test")).token
        async with Wall(self.url, token) as wall:
            yield wall

    def phones(self, behaviour: Answer | Refuse, kind: str | None = None) -> Phones:
        """The agents' own phones, or the spare ones of a kind."""
        port = self.ports.phones if kind is None else self.ports.spare[kind]
        return Phones(port, behaviour)

    def callers(
        self,
        numbers: Sequence[str],
        *,
        keys: Keys = (),
        keys_by: Literal["info", "rfc2833"] = "info",
        dial: str = MAIN_LINE,
        talk_ms: int | None = None,
        calls_per_s: float = 10,
        headers: Sequence[str] = (),
        timeout_s: float = 60,
    ) -> Callers:
        return Callers(
            numbers,
            dial=dial,
            asterisk_port=self.ports.asterisk.sip,
            keys=keys,
            keys_by=keys_by,
            talk_ms=talk_ms,
            calls_per_s=calls_per_s,
            headers=headers,
            timeout_s=timeout_s,
        )

    # Asterisk's word ---------------------------------------------------------------------------------------

    async def cli(self, command: str) -> str:
        return await asyncio.to_thread(self.asterisk.cli, command)

    async def channels(self) -> int:
        return await asyncio.to_thread(self.asterisk.channels)

    async def rows(self) -> list[str]:
        """The contacts whose end Asterisk keeps in DB(pasokh/...)."""
        said = await self.cli("database show pasokh")
        lines = [line for line in said.splitlines() if line.startswith("/pasokh/")]
        return [line.split(":", 1)[0].strip().removeprefix("/pasokh/") for line in lines]

    async def until_no_channels(self, timeout_s: float = 10) -> None:
        await self._until(f"all channels gone within {timeout_s} s", self.channels, timeout_s)

    async def until_no_rows(self, timeout_s: float = 10) -> None:
        await self._until(f"all rows of DB(pasokh) gone within {timeout_s} s", self.rows, timeout_s)

    @staticmethod
    async def _until(what: str, left: Any, timeout_s: float) -> None:
        end = time.monotonic() + timeout_s
        while found := await left():
            if time.monotonic() > end:
                raise TimeoutError(f"Not {what}: {found}")
            await asyncio.sleep(0.02)


@asynccontextmanager
async def premises(
    database_url: str,
    *,
    deadlines: Mapping[str, float] | None = None,
    change: Callable[[Site], Site] = lambda site: site,
    flows: Mapping[str, str] | None = None,
    ports: PlacePorts | None = None,
    systemname: str = "test",
) -> AsyncIterator[Place]:
    """Asterisk up, tables made, customers and users there; nothing of the product runs yet.

    `deadlines` are pasokh.toml's, where others than the product's own; `change` bends the site before anything
    is made of it; `flows` are menus beside the shipped ones, by name. An empty `database_url` is a SQLite file.
    """
    ports = ports or PlacePorts.free()
    folder = Path(tempfile.mkdtemp(prefix="pasokh-live-"))
    try:
        site = change(live_site(ports))
        (folder / "center.yaml").write_text(site_json(site), encoding="utf-8")
        settings = written(folder, database_url, ports, deadlines, flows)
        asterisk = _asterisk(site, settings, ports, systemname)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(asterisk.start))
                group.create_task(fill(settings))
            async with opened(DatabaseSettings(url=settings.database_url)) as database:
                access = await people(settings, database)
                yield Place(folder, ports, site, settings, asterisk, database, access)
        finally:
            await asyncio.to_thread(asterisk.close)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def written(
    folder: Path,
    database_url: str,
    ports: PlacePorts,
    deadlines: Mapping[str, float] | None = None,
    flows: Mapping[str, str] | None = None,
) -> Settings:
    """Writes pasokh.toml and the menus; what they say."""
    toml = _toml(database_url, ports, {"ends_s": 0.2, **(deadlines or {})})
    (folder / "flows").mkdir()
    for name, text in (flows or {}).items():
        (folder / "flows" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "pasokh.toml").write_text(toml, encoding="utf-8")
    settings = load_settings(folder / "pasokh.toml")
    settings.state.mkdir()
    return settings


async def people(settings: Settings, database: Database) -> Access:
    """A user for each agent, one for the wall, one supervisor."""
    costs = AccessSettings(argon2_memory_kib=settings.web.password_memory_kib, argon2_time_cost=1)
    access = Access(database.writing, lambda: time.time_ns() // 1000, costs)
    for name in agents():
        await access.add_user(name, f"password of {name}", Role.AGENT, name)
    await access.add_user("wall", "password of wall", Role.WALL)
    await access.add_user("supervisor", "password of supervisor", Role.SUPERVISOR)
    return access


async def fill(settings: Settings) -> None:
    """Tables, and the sample customers."""
    await asyncio.to_thread(migrations.upgrade, settings.database_url)
    await import_sample(settings)


def _asterisk(site: Site, settings: Settings, ports: PlacePorts, systemname: str) -> LiveAsterisk:
    conf = dataclasses.replace(
        conf_settings(settings),
        loopback=True,
        register_trunks=False,
        agi_servers=(("127.0.0.1", ports.agi_dialled),),
        ami_port=ports.asterisk.ami,
        sip_port=ports.asterisk.sip,
        rtp_first=ports.asterisk.rtp_first,
        rtp_last=ports.asterisk.rtp_last,
        qualify_s=0,  # SIPp's phones know calls only
        systemname=systemname,
    )
    texts = complete(site, conf, lambda name: f"secret-of-{name}")
    return LiveAsterisk(texts, ports.asterisk, systemname=systemname)


def _toml(database_url: str, ports: PlacePorts, deadlines: Mapping[str, float]) -> str:
    sections: dict[str, dict[str, object]] = {
        "web": {"port": ports.web, "password_memory_kib": 8192},
        "database": {"url": database_url},
        "asterisk": {"ami_port": ports.ami, "agi_port": ports.agi, "sounds": str(sounds())},
        "deadlines": dict(deadlines),
    }
    lines = ['flows = "flows"']
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _ready(url: str) -> tuple[bool, str]:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=3) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return False, error.read().decode()
    except OSError as error:
        return False, str(error)


def _as_installed() -> dict[str, str]:
    """The environment of a process whose modules are kept compiled, as an installed one's are: its start counts."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONPYCACHEPREFIX": str(parts.cache_root() / "compiled")}
