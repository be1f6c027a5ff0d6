"""`pasokh ivr publish` while callers wait: they keep their version, the next caller hears the new one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from pasokh import ivr_cli
from pasokh.control import ask
from tests.e2e.calls import a_line_of, begin, serve
from tests.e2e.house import FLOW, client, house, log_in, page, running, sign_in

CHANGED = FLOW.replace('keys: {"1": cards, "2": loans}', 'keys: {"1": loans, "2": cards}')


async def nodes(http: httpx.AsyncClient, version: str) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/flows/short/counters?version={version}")
    counted: dict[str, Any] = answer.json()["nodes"]
    return counted


async def test_a_menu_is_published_and_rolled_back_while_callers_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        house(tmp_path / "site") as at,
        running(at) as run,
        page(at, "wall", "wall") as wall,
        client(at) as http,
    ):
        assert run.engine is not None
        draft = at.folder / "short.yaml"
        [waits] = await a_line_of(at, wall, 1)
        await log_in(http, "supervisor")
        [before] = [
            each for each in (await http.get("/api/v1/flows")).json()["flows"] if each["flow"] == "short"
        ]
        assert (before["published"], before["callers"]) == (False, 1)

        draft.write_text(CHANGED, encoding="utf-8")
        await asyncio.to_thread(ivr_cli.publish, draft, config=at.write_config())
        out = capsys.readouterr().out
        after = (await http.get("/api/v1/flows/short")).json()
        assert f"Version {after['version']} of short is in force." in out
        assert [each["callers"] for each in after["versions"]] == [0, 1], (
            "who waits keeps the version they are in"
        )

        second = begin(at, "1", 7, 0.1)
        await wall.until("a caller for loans", lambda: wall.state["queues"]["loans"]["waiting"] == 1)
        assert (await nodes(http, before["version"]))["cards"]["inside"] == 1
        assert (await nodes(http, after["version"]))["loans"]["inside"] == 1

        socket = at.settings.control_socket
        back = await ask(socket, {"command": "flow.rollback", "flow": "short", "by": "reza"})
        assert back["version"] == before["version"]
        history = (await ask(socket, {"command": "flow.history", "flow": "short"}))["flow"]["versions"]
        assert [each["version"] == before["version"] for each in history] == [True, False, True]
        assert [each["by"] for each in history[::2]] == ["reza", "before"]

        async with page(at, "sara", "agent") as sara:
            await sign_in(sara)
            served = {await serve(sara, number) for number in (1, 2)}
        assert served == {(await waits).contact, (await second).contact}
        assert run.records is not None
        await run.records.flush()
        story = (await http.get(f"/api/v1/contacts/{(await second).contact}")).json()
        assert [(step["node"], step["version"]) for step in story["menu"]] == [
            ("main", after["version"]),
            ("loans", after["version"]),
        ]
        assert (await nodes(http, after["version"]))["loans"] == {
            "entered": 1, "left": 1, "dropped": 0, "inside": 0
        }  # fmt: skip
        picture = at.folder / "short.svg"
        await asyncio.to_thread(ivr_cli.graph, str(draft), picture, "en", counters=True, config=at.config)
        assert "lost 0" in picture.read_text(encoding="utf-8")
        svg = (await http.get("/api/v1/flows/short/graph.svg?language=en")).text
        assert "<svg" in svg
