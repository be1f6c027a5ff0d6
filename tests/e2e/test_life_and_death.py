"""`pasokh serve` ends, politely or not, while callers wait and talk: nobody loses their place, no record is wrong."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from acd.store import reports
from acd.store.base import DatabaseSettings, opened
from acd.types import US_PER_S
from ami_bridge.simulator import CallOutcome, Left
from tests.e2e.calls import a_line_of, begin, serve, wrap_up
from tests.e2e.house import PATIENCE_S, Child, House, Page, client, house, log_in, page, pasokh, sign_in


@asynccontextmanager
async def serving(at: House) -> AsyncIterator[Child]:
    async with pasokh("serve", "--config", at.write_config()) as child:
        await child.until_says("serves http")
        yield child


@pytest.mark.long  # tests/live/test_death.py holds the same on a real Asterisk in every run
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["sigterm", "sigkill"])
async def test_callers_outlive_the_process(how: signal.Signals, tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at:
        async with (
            serving(at) as first,
            page(at, "wall", "wall") as wall,
            page(at, "sara", "agent") as sara,
            page(at, "reza", "agent") as reza,
        ):
            await sign_in(sara)
            goes_on = begin(at, "2", 100)  # loans: only Sara
            await sara.until("Sara talks", lambda: sara.state["agent"]["activity"] == "on_call")
            kept = sara.state["visit"]
            await sign_in(reza)
            ends_meanwhile = begin(at, "1", 101)
            await reza.until("Reza talks", lambda: reza.state["agent"]["activity"] == "on_call")
            line = await a_line_of(at, wall, 3)
            first_waits_since_us = wall.state["queues"]["cards"]["longest_wait_since_us"]
            first.process.send_signal(how)
            status, _, _ = await first.end()
        assert status == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        assert not at.settings.control_socket.exists() or how is signal.SIGKILL
        assert at.simulator.counters().talking == 2
        at.simulator.phone("desk2").hang_up()
        async with asyncio.timeout(PATIENCE_S):
            ended = await ends_meanwhile
        assert ended.left is Left.AGENT

        async with serving(at), page(at, "wall", "wall") as wall, page(at, "reza", "agent") as reza:
            await wall.until(
                "all three wait again, as long as they did",
                lambda: (
                    wall.state.get("queues", {}).get("cards", {}).get("waiting") == 3
                    and wall.state["queues"]["cards"]["longest_wait_since_us"] == first_waits_since_us
                ),
            )
            await all_are_back(at, wall, 3)
            await wrap_up(reza, ended.contact)
            served = [await serve(reza, number) for number in (1, 2, 3)]
            outcomes = [await call for call in line]
            assert served == [each.contact for each in outcomes]
            assert all(each.attaches > 1 for each in outcomes)
            async with page(at, "sara", "agent") as sara:
                assert sara.state["agent"]["activity"] == "on_call"
                assert sara.state["visit"]["visit"] == kept["visit"]
                at.simulator.phone("desk1").hang_up()
                talked = await goes_on
                await wrap_up(sara, talked.contact)
            await wall.until("all is done", lambda: wall.state["contacts_now"] == 0)
            await wall.until("Asterisk was told to forget the ends that are recorded", lambda: not rows(at))
            total = wall.state["total"]
            assert (total["offered"], total["answered"], total["abandoned"]) == (5, 5, 0)
        counted = at.simulator.counters()
        assert (counted.offered, counted.answered, counted.fallback) == (5, 5, 0)
        await _recorded(at, [ended, talked, *outcomes])


async def all_are_back(at: House, wall: Page, callers: int) -> None:
    """So many callers have a session again: nobody can be rung for who has none, so one behind them would be first.
    Asked again with each message of the wall, which has one at least every two seconds."""
    async with client(at) as http, asyncio.timeout(PATIENCE_S):
        await log_in(http, "supervisor")
        while True:
            lines = (await http.get("/api/v1/queues/waiting")).json()["queues"]
            if sum(each["attached"] for each in lines.get("cards", ())) == callers:
                return
            heard = wall.heard
            await wall.until("the next message", lambda heard=heard: wall.heard > heard)


def rows(at: House) -> dict[str, str]:
    """The ends of calls that Asterisk keeps for us."""
    return at.simulator.exchange.database.get("pasokh", {})


async def _recorded(at: House, outcomes: list[CallOutcome]) -> None:
    async with opened(DatabaseSettings(url=at.settings.database_url)) as database:
        for outcome in outcomes:
            story = await reports.contact_story(database.reporting, outcome.contact)
            assert story is not None
            [visit] = story.visits
            assert (visit.outcome, visit.disposition) == ("answered", "resolved")
            assert visit.talk_us is not None
            assert abs(visit.talk_us / US_PER_S - outcome.talk_s) < 1.2  # Asterisk keeps whole seconds
            assert visit.wait_us is not None
            assert visit.wait_us / US_PER_S <= outcome.wait_s + 0.1


async def test_readiness_goes_before_the_listener_and_the_pages_last(tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at:
        slowly = at.settings.deadlines.model_copy(update={"stop_s": 1.5})
        at.settings = at.settings.model_copy(update={"deadlines": slowly})
        async with serving(at) as child, client(at) as http, page(at, "wall", "wall") as wall:
            ready = await http.get("/readyz")
            while ready.status_code != 200:  # the manager link may still be on its way
                ready = await http.get("/readyz")
            [waits] = await a_line_of(at, wall, 1)
            child.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE_S):
                while (ready := await http.get("/readyz")).status_code == 200:
                    pass
            assert ready.json()["checks"]["process"] == "This process is stopping."
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", at.settings.asterisk.agi_port)
            status, _, said = await child.end()
            assert status == 0, said
            with pytest.raises(httpx.TransportError):
                await http.get("/livez")
            assert not waits.done()
            assert at.simulator.counters().present == 1
