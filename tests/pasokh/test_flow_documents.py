"""Menus in a running process: published, rolled back, counted and drawn; over HTTP too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.facts import ContactEnded, MenuStepTaken
from acd.kpi.flows import FlowDays
from acd.site import Site
from acd.store import documents as store
from acd.store.base import DatabaseSettings, instant, metadata, opened
from acd.ticket import Ticket
from acd.types import HandledBy
from acd.verbs import Begun, Say
from ivr.library import Flows, load_flows
from pasokh.flow_documents import FlowDocuments, commands, flows_at_start, in_use
from tests.ivr import worlds
from tests.realtime.house import T0_US, House, house

HELLO = worlds.FLOW_TEXT
CHANGED = HELLO.replace("{fa: سلام, en: Hello}", "{fa: درود, en: Good day}")
BROKEN = HELLO.replace("next: language", "next: langauge", 1)


@dataclass
class Center:
    """Flows in force at a site, and what was counted in them."""

    flows: Flows
    site: Site = field(default_factory=worlds.site)
    counted: FlowDays = field(default_factory=FlowDays)
    at_us: int = T0_US

    def now_us(self) -> int:
        self.at_us += 1
        return self.at_us

    def use(self, flows: Flows) -> None:
        self.flows = flows.after(self.flows, in_use(self.counted))

    def step(self, contact: str, node: str, version: str | None = None) -> None:
        at = version or self.flows.versions["bank"]
        self.counted.fold(MenuStepTaken(self.now_us(), contact, "bank", at, node))

    def gone(self, contact: str) -> None:
        self.counted.fold(ContactEnded(self.now_us(), contact, T0_US, HandledBy.MENU))

    def menus(self, database: AsyncEngine, folder: Path) -> FlowDocuments:
        return FlowDocuments(
            database, self, lambda: self.counted, folder, lambda: self.flows, self.use, asyncio.Lock()
        )


@dataclass
class World:
    center: Center
    menus: FlowDocuments
    database: AsyncEngine
    folder: Path

    async def publish(self, text: str) -> str:
        done = await self.menus.publish("bank", text, "sara")
        assert done.ok, done.problems
        assert done.version is not None
        return done.version

    def greeting(self, ticket: Ticket | None = None) -> str:
        script = self.center.flows.script_for(
            "021100", ticket, None, sound=worlds.sound, now_utc=lambda: worlds.OPEN
        )
        verb = script.next(Begun())
        assert isinstance(verb, Say)
        return verb.sounds[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    folder = tmp_path / "flows"
    folder.mkdir()
    (folder / "bank.yaml").write_text(HELLO, encoding="utf-8")
    url = f"sqlite+aiosqlite:///{tmp_path}/a.sqlite3"
    async with opened(DatabaseSettings(url=url)) as database:
        async with database.writing.begin() as connection:
            await connection.run_sync(metadata.create_all)
        center = Center(load_flows(worlds.site(), folder))
        yield World(center, center.menus(database.writing, folder), database.writing, folder)


async def test_a_draft_is_in_force_until_something_is_published(world: World) -> None:
    (bank,) = [each for each in await world.menus.all() if each["flow"] == "bank"]
    assert (bank["published"], bank["version"]) == (False, world.center.flows.versions["bank"])
    assert bank["numbers"] == ["021100", "021101"]
    one = await world.menus.one("bank")
    assert one is not None
    assert (one["versions"], one["text"]) == ([], HELLO)
    assert await world.menus.one("nothing") is None


async def test_what_is_published_is_in_force_at_once_and_after_a_restart(world: World) -> None:
    first = world.center.flows.versions["bank"]
    second = await world.publish(CHANGED)
    assert world.greeting() == "fa:درود"
    one = await world.menus.one("bank")
    assert one is not None
    assert [(each["version"], each["in_force"], each["by"]) for each in one["versions"]] == [  # type: ignore[attr-defined]
        (second, True, "sara"),
        (first, False, "before"),
    ]
    told: list[str] = []
    again = await flows_at_start(world.database, worlds.site(), world.folder, told.append)
    assert (again.versions["bank"], told) == (second, [])
    assert again.at_version("bank", first) is not None, "callers may still be in the version before"


async def test_a_flow_that_does_not_check_is_not_published(world: World) -> None:
    done = await world.menus.publish("bank", BROKEN, "sara")
    assert (done.ok, done.version) == (False, None)
    (problem,) = done.problems
    assert str(problem["message"]).startswith("bank.yaml:")
    assert "langauge" in str(problem["message"])
    assert world.greeting() == "fa:سلام"
    assert await store.history(world.database, "flow", "bank") == []


async def test_a_flow_of_another_name_or_without_its_queue_is_not_published(world: World) -> None:
    named = await world.menus.publish("insurer", HELLO, "sara")
    assert not named.ok
    elsewhere = await world.menus.publish("bank", HELLO.replace("queue: cards", "queue: cadrs"), "sara")
    assert any("cadrs" in str(each["message"]) for each in elsewhere.problems)


async def test_one_goes_back_to_the_version_before_or_to_any(world: World) -> None:
    first = world.center.flows.versions["bank"]
    second = await world.publish(CHANGED)
    third = await world.publish(CHANGED.replace("درود", "وقت بخیر"))
    back = await world.menus.roll_back("bank", None, "reza")
    assert back is not None
    assert (back.version, world.greeting()) == (second, "fa:درود")
    there = await world.menus.roll_back("bank", first, "reza")
    assert there is not None
    assert (there.version, world.greeting()) == (first, "fa:سلام")
    assert await world.menus.roll_back("bank", "0" * 12, "reza") is None
    assert await world.menus.roll_back("insurer", None, "reza") is None
    history = await store.history(world.database, "flow", "bank")
    assert [each.version for each in history] == [first, second, third, second, first]


async def test_a_caller_goes_on_in_the_version_they_are_in(world: World) -> None:
    first = world.center.flows.versions["bank"]
    world.center.step("c1", "greeting")
    ticket = Ticket("c1", flow="bank", flow_version=first, node="greeting")
    for number in range(12):
        await world.publish(CHANGED.replace("درود", f"درود {number}"))
    assert world.greeting(ticket) == "fa:سلام"
    world.center.gone("c1")
    await world.publish(HELLO.replace("سلام", "روز بخیر"))
    assert world.center.flows.at_version("bank", first) is None


async def test_a_published_flow_that_cannot_be_used_any_more_leaves_its_file_in_force(world: World) -> None:
    await world.publish(CHANGED)
    await store.save(world.database, "flow", "bank", BROKEN, instant(T0_US), "another release", "f" * 12)
    told: list[str] = []
    flows = await flows_at_start(world.database, worlds.site(), world.folder, told.append)
    assert flows.texts["bank"] == HELLO
    assert any("langauge" in each for each in told)


async def test_files_that_are_wrong_still_stop_a_start(world: World) -> None:
    (world.folder / "bank.yaml").write_text(BROKEN, encoding="utf-8")
    with pytest.raises(Exception, match="langauge"):
        await flows_at_start(world.database, worlds.site(), world.folder, lambda _: None)


async def test_figures_are_of_one_version_and_stand_in_its_picture(world: World) -> None:
    first = world.center.flows.versions["bank"]
    for contact in ("c1", "c2", "c3"):
        world.center.step(contact, "greeting")
        world.center.step(contact, "main")
    world.center.gone("c1")
    await world.publish(CHANGED)
    now = await world.menus.figures("bank")
    before = await world.menus.figures("bank", first)
    assert (now, before is not None) == ({}, True)
    assert before is not None
    assert before["main"] == {"entered": 3, "left": 0, "dropped": 1, "inside": 2}
    picture = await world.menus.graph("bank", first, "en")
    assert picture is not None
    assert "lost 1" in picture
    plain = await world.menus.graph("bank", first, "en", None)
    assert plain is not None
    assert "lost 1" not in plain
    assert await world.menus.graph("bank", "0" * 12) is None


async def test_the_commands_of_the_control_socket(world: World) -> None:
    ask = commands(world.menus)
    done = await ask["flow.publish"]({"flow": "bank", "text": CHANGED, "by": "sara"})
    assert done["ok"]
    assert not (await ask["flow.publish"]({"flow": "bank", "text": BROKEN, "by": "sara"}))["ok"]
    history = await ask["flow.history"]({"flow": "bank"})
    assert len(history["flow"]["versions"]) == 2
    assert (await ask["flow.rollback"]({"flow": "bank", "by": "sara"}))["ok"]
    assert "no such earlier version" in (await ask["flow.rollback"]({"flow": "x", "by": "sara"}))["error"]
    assert "no such flow" in (await ask["flow.figures"]({"flow": "x"}))["error"]


# Over HTTP -------------------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[House]:
    async with house(world.folder, more={"flows": world.menus}) as built:
        yield built


async def audited(http: httpx.AsyncClient, built: House) -> list[Mapping[str, Any]]:
    await built.deps.audit.flush()
    entries = (await http.get("/api/v1/audit")).json()["audit"]
    return [each for each in entries if str(each["action"]).startswith(("flow", "publish_flows"))]


async def test_a_supervisor_sees_publishes_and_goes_back(world: World) -> None:
    async with serving(world) as built, await built.client("boss") as http:
        listed = (await http.get("/api/v1/flows")).json()["flows"]
        assert "bank" in [each["flow"] for each in listed]
        key = {"idempotency-key": "k1"}
        done = await http.post("/api/v1/flows/bank/publish", json={"text": CHANGED}, headers=key)
        again = await http.post("/api/v1/flows/bank/publish", json={"text": CHANGED}, headers=key)
        assert (done.status_code, done.json()) == (200, again.json())
        assert again.headers["idempotency-replayed"] == "true"
        first = (await http.get("/api/v1/flows/bank")).json()["versions"][-1]["version"]
        back = await http.post("/api/v1/flows/bank/publish", json={"version": first})
        assert back.json()["version"] == first
        assert len(await store.history(world.database, "flow", "bank")) == 3
        async with await built.client("root") as admin:
            assert [each["action"] for each in await audited(admin, built)] == ["flow.publish"] * 2


async def test_what_is_wrong_is_told_and_changes_nothing(world: World) -> None:
    async with serving(world) as built, await built.client("root") as http:
        refused = await http.post("/api/v1/flows/bank/publish", json={"text": BROKEN})
        assert refused.status_code == 422
        assert "langauge" in refused.json()["problems"][0]["message"]
        for body in ({}, {"text": CHANGED, "version": "a"}, {"text": "x" * 1_000_001}):
            assert (await http.post("/api/v1/flows/bank/publish", json=body)).status_code in (413, 422)
        missing = await http.post("/api/v1/flows/bank/publish", json={"version": "0" * 12})
        assert missing.status_code == 404
        for path in ("nothing", "nothing/graph.svg", "nothing/counters", "bank/graph.svg?version=zz"):
            assert (await http.get(f"/api/v1/flows/{path}")).status_code == 404, path
    assert world.greeting() == "fa:سلام"


async def test_who_may_not_see_or_publish(world: World) -> None:
    async with serving(world) as built:
        for name in ("sara", "wall"):
            async with await built.client(name) as http:
                assert (await http.get("/api/v1/flows")).status_code == 403
                body = {"text": CHANGED}
                assert (await http.post("/api/v1/flows/bank/publish", json=body)).status_code == 403
        async with await built.client() as http:
            assert (await http.get("/api/v1/flows/bank/graph.svg")).status_code == 401


async def test_the_picture_has_its_own_policy_and_its_callers(world: World) -> None:
    world.center.step("c1", "main")
    async with serving(world) as built, await built.client("boss") as http:
        answer = await http.get("/api/v1/flows/bank/graph.svg?language=en")
        counters = (await http.get("/api/v1/flows/bank/counters?days=3")).json()
    assert answer.headers["content-type"].startswith("image/svg+xml")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'sha256-" in policy
    assert "in 1" in answer.text
    assert counters["nodes"]["main"]["inside"] == 1


async def test_a_process_without_a_center_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as built, await built.client("root") as http:
        assert (await http.get("/api/v1/flows")).status_code == 503
