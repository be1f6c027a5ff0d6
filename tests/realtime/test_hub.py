"""The wall over real sockets: snapshot, differences, resume, slow clients, other processes."""

from __future__ import annotations

import asyncio
import socket as plain
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from acd.events import SetStatus, SignIn
from acd.types import Status
from realtime import wire
from realtime.bus import InProcessBus, RedisBus
from realtime.hub import WallFollower, WallHub
from realtime.outlet import StaffSocket, TaskOutlet
from realtime.settings import SocketSettings
from realtime.wire import Encoded
from tests.realtime.house import SHORT, House, Page, house


async def test_a_wall_gets_the_whole_then_differences(a_house: House) -> None:
    page = await a_house.open("/ws/v1/wall", "wall")
    snapshot = await page.begin()
    assert snapshot["state"]["queues"]["sales"]["waiting"] == 0
    assert isinstance(snapshot["at"], int)
    await a_house.call("c1")
    await page.until(lambda state: state["queues"]["sales"]["waiting"] == 1)
    delta = page.heard[-1]
    assert delta["type"] == "delta"
    assert "agents" not in delta["patch"], "only what differs is sent"
    assert page.state == a_house.deps.wall.state
    await page.close()


async def test_a_quiet_wall_ticks(a_house: House) -> None:
    page = await a_house.open("/ws/v1/wall", "wall")
    await page.begin()
    tick = await page.hear()
    assert (tick["type"], tick["seq"]) == ("tick", page.seq)
    assert (await page.hear())["at"] > tick["at"]
    await page.close()


async def test_resume_gives_only_what_was_missed_and_else_the_whole(a_house: House) -> None:
    page = await a_house.open("/ws/v1/wall", "wall")
    await page.begin()
    epoch, seq, state = page.epoch, page.seq, page.state
    for number in range(3):
        await a_house.call(f"c{number}")
        await page.until(lambda state, n=number: state["queues"]["sales"]["waiting"] == n + 1)
    again = await a_house.open("/ws/v1/wall", "wall")
    again.state, again.seq = state, seq
    await again.say(type="resume", epoch=epoch, seq=seq)
    for _ in range(page.seq - seq):
        assert (await again.hear())["type"] == "delta"
    assert again.state == page.state
    nothing_new = await a_house.open("/ws/v1/wall", "wall")
    await nothing_new.say(type="resume", epoch=epoch, seq=page.seq)
    assert (await nothing_new.hear())["type"] == "tick"
    for strange in (
        {"epoch": "old", "seq": seq},
        {"epoch": epoch, "seq": 99_999},
        {"epoch": epoch, "seq": -1},
    ):
        other = await a_house.open("/ws/v1/wall", "wall")
        await other.say(type="resume", **strange)
        assert (await other.hear())["type"] == "snapshot"
        await other.close()
    for each in (page, again, nothing_new):
        await each.close()


async def test_a_wall_that_says_anything_is_closed(a_house: House) -> None:
    page = await a_house.open("/ws/v1/wall", "wall")
    await page.begin()
    await page.say(type="command", id="1", command="status", status="offline")
    assert await page.closed() == (1008, "a wall only listens")


@pytest.mark.parametrize("first", [None, {"type": "shown"}, {"type": "resume", "epoch": 1, "seq": 1}])
async def test_whoever_does_not_greet_is_closed(a_house: House, first: dict[str, object] | None) -> None:
    page = await a_house.open("/ws/v1/wall", "wall")
    if first is not None:
        await page.say(**first)
    assert (await page.closed())[0] == 1008
    assert a_house.deps.wall.watchers == 0


async def test_a_client_that_does_not_read_is_spared_then_closed_and_harms_nobody(tmp_path: Path) -> None:
    """W04: others get everything; the slow one is skipped, and closed after its time."""
    settings = replace(SHORT, sockets=replace(SHORT.sockets, interval_s=0.001, slow_s=0.5))
    async with house(tmp_path, settings=settings) as built:
        good = await built.open("/ws/v1/wall", "wall")
        await good.begin()
        small = plain.socket()
        small.setsockopt(plain.SOL_SOCKET, plain.SO_RCVBUF, 1024)
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", built.port))
        who = await built.deps.access.principal(await built.token("wall"))
        ticket = built.deps.access.ticket(who, "wall")
        slow = await connect(
            f"ws://127.0.0.1:{built.port}/ws/v1/wall?ticket={ticket}", sock=small, proxy=None, max_queue=1
        )
        await slow.send('{"type":"hello"}')
        hub = built.deps.wall
        server_side = next(
            each
            for each in built.server._uvicorn.server_state.connections  # type: ignore[union-attr]
            if isinstance(each, StaffSocket) and each.client == slow.local_address
        )
        server_side.transport.get_extra_info("socket").setsockopt(plain.SOL_SOCKET, plain.SO_SNDBUF, 4096)
        fat = {"text": "x" * 20_000}
        number, buffered = 0, 0
        async with asyncio.timeout(20):
            while not hub.closed_slow:
                number += 1
                state = {**built.deps.wall.state, "fat": {**fat, "n": number}}  # type: ignore[dict-item]
                built.publisher._look = lambda state=state: state  # type: ignore[method-assign, assignment, misc]
                built.publisher.facts(())
                await good.until(lambda seen, n=number: seen.get("fat", {}).get("n") == n)
                buffered = max(buffered, server_side.transport.get_write_buffer_size())
        assert hub.skipped > 0
        assert buffered <= 256 * 1024
        assert good.seq >= number
        async with asyncio.timeout(5):
            while server_side in built.server._uvicorn.server_state.connections:  # type: ignore[union-attr]  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        small.close()
        await good.close()
        slow.transport.abort()
        await slow.wait_closed()


class Slow:
    """An outlet that the test opens and shuts."""

    def __init__(self) -> None:
        self.open = True
        self.got: list[Encoded] = []
        self.closed: tuple[int, str] | None = None
        self._caught_up: Callable[[], None] = lambda: None

    @property
    def writable(self) -> bool:
        return self.open

    def write(self, message: Encoded) -> None:
        self.got.append(message)

    def when_writable(self, call: Callable[[], None]) -> None:
        self._caught_up = call

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    async def ended(self) -> None: ...

    def reopen(self) -> None:
        self.open = True
        self._caught_up()

    def types(self) -> list[object]:
        return [(wire.decode(message.text) or {}).get("type") for message in self.got]


async def test_one_who_was_behind_gets_the_newest_whole_once() -> None:
    hub, outlet = WallHub(SocketSettings()), Slow()
    hub.begin("e", 1, 0, {"n": 1})
    hub.join(outlet)
    outlet.open = False
    for seq in (2, 3, 4):
        await hub.change(seq, 0, {"n": seq}, wire.delta("e", seq, 0, {"n": seq}))
    outlet.reopen()
    await hub.change(5, 0, {"n": 5}, wire.delta("e", 5, 0, {"n": 5}))
    assert outlet.types() == ["snapshot", "snapshot", "delta"]
    assert wire.decode(outlet.got[1].text) == {
        "type": "snapshot",
        "epoch": "e",
        "seq": 4,
        "at": 0,
        "state": {"n": 4},
    }


async def test_the_whole_is_encoded_once_for_all_who_join() -> None:
    hub = WallHub(SocketSettings())
    hub.begin("e", 1, 0, {"n": 1})
    outlets = [Slow() for _ in range(50)]
    for outlet in outlets:
        hub.join(outlet)
    assert len({id(outlet.got[0]) for outlet in outlets}) == 1


async def test_what_is_kept_for_resuming_is_bounded() -> None:
    hub = WallHub(SocketSettings(ring_messages=1000, ring_bytes=10_000))
    hub.begin("e", 1, 0, {})
    for seq in range(2, 300):
        await hub.change(seq, 0, {"n": seq}, wire.delta("e", seq, 0, {"n": "x" * 100}))
    old, near = Slow(), Slow()
    hub.join(old, "e", 2)
    hub.join(near, "e", 290)
    assert old.types() == ["snapshot"]
    assert near.types() == ["delta"] * 9


def test_frames_have_the_three_lengths_of_the_rfc() -> None:
    from websockets.frames import Frame, Opcode

    for size in (0, 1, 125, 126, 65_535, 65_536, 100_000):
        text = b"x" * size
        assert wire.framed(text).frame == Frame(Opcode.TEXT, text).serialize(mask=False)


async def test_our_frames_go_out_where_uvicorn_is_as_we_know_it(a_house: House) -> None:
    """The attributes of uvicorn that outlet.py leans on exist; else it falls back and this says so."""
    page = await a_house.open("/ws/v1/wall", "wall")
    await page.begin()
    [watcher] = a_house.deps.wall._watchers
    assert type(watcher.outlet).__name__ == "FrameOutlet"
    await page.close()


async def test_without_our_protocol_sockets_work_by_a_task_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.outlet._NEEDED", ("something_uvicorn_gave_up",))
    async with house(tmp_path) as built:
        page = await built.open("/ws/v1/wall", "wall")
        await page.begin()
        [watcher] = built.deps.wall._watchers
        assert isinstance(watcher.outlet, TaskOutlet)
        await built.call("c1")
        await page.until(lambda state: state["queues"]["sales"]["waiting"] == 1)
        await page.say(type="x")
        assert (await page.closed())[0] == 1008
        agent = await built.open("/ws/v1/agent", "sara")
        await agent.begin()
        assert (await agent.command("1", "sign_in"))["ok"]
        await agent.close()


@pytest.fixture(params=["in process", pytest.param("redis", marks=pytest.mark.needs("redis"))])
def bus_url(request: pytest.FixtureRequest) -> str | None:
    url: str | None = request.getfixturevalue("redis_url") if request.param == "redis" else None
    return url


async def test_the_wall_of_another_process_follows_over_the_bus(tmp_path: Path, bus_url: str | None) -> None:
    leader_bus = RedisBus(bus_url) if bus_url else InProcessBus()
    async with house(tmp_path, bus=leader_bus) as built:
        bus = RedisBus(bus_url) if bus_url else leader_bus
        hub = WallHub(SHORT.sockets)
        following = asyncio.get_running_loop().create_task(WallFollower(hub, bus, SHORT.sockets).run())
        outlet = Slow()
        hub.join(outlet)
        try:
            for number in range(1, 4):
                await built.call(f"c{number}")
                async with asyncio.timeout(5):
                    while waiting(hub) != number:  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
            assert hub.state == built.deps.wall.state
            await built.engine.ask("x", SignIn("sara", "desk1"))
            await built.engine.ask("x", SetStatus("sara", Status.NOT_READY, "lunch"))
            outlet.got.clear()
            async with asyncio.timeout(5):
                while "tick" not in outlet.types():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert hub.position == built.deps.wall.position
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            if bus is not leader_bus:
                await bus.close()


def waiting(hub: WallHub) -> object:
    queues = (hub.state or {}).get("queues")
    return queues["sales"]["waiting"] if isinstance(queues, dict) else None


async def test_a_follower_that_missed_a_number_takes_the_whole_again() -> None:
    bus, hub = InProcessBus(), WallHub(SHORT.sockets)
    await bus.put("wall:snapshot", wire.snapshot("a", 1, 0, {"n": 1}).text, 60)
    following = asyncio.get_running_loop().create_task(WallFollower(hub, bus, SHORT.sockets).run())

    async def settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    await settle()
    await bus.publish("wall", wire.delta("a", 2, 0, {"n": 2}).text)
    await settle()
    assert hub.state == {"n": 2}
    await bus.put("wall:snapshot", wire.snapshot("a", 5, 0, {"n": 5}).text, 60)
    await bus.publish("wall", wire.delta("a", 4, 0, {"n": 4}).text)
    await settle()
    assert (hub.position, hub.state) == (("a", 5), {"n": 5})
    await bus.put("wall:snapshot", wire.snapshot("b", 1, 0, {"n": 10}).text, 60)
    await bus.publish("wall", wire.tick("b", 1, 0).text)
    await settle()
    assert hub.position == ("b", 1), "another life of the leader"
    await bus.put("wall:snapshot", wire.snapshot("a", 99, 0, {"n": 99}).text, 60)
    for strange in (wire.delta("a", 99, 0, {}).text, b"\xff", b"[]", b'{"epoch":"b","seq":"x"}'):
        await bus.publish("wall", strange)
    await settle()
    assert hub.position == ("b", 1), "a leader that woke up late is not believed"
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_many_walls_at_once(a_house: House) -> None:
    pages: list[Page] = []
    for _ in range(40):
        pages.append(await a_house.open("/ws/v1/wall", "wall"))
        await pages[-1].begin()
    await a_house.call("c1")
    await asyncio.gather(
        *(page.until(lambda state: state["queues"]["sales"]["waiting"] == 1) for page in pages)
    )
    await asyncio.gather(*(page.close() for page in pages))
