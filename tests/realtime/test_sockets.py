"""Who is let in at the sockets, and who is sent away when their right ends."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from realtime.access import Role
from tests.realtime.house import PASSWORD, House


async def refused(house: House, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as caught:
        await connect(f"ws://127.0.0.1:{house.port}{path}", proxy=None, **more)
    response = caught.value.response
    return response.status_code, json.loads(response.body or b"{}")


async def test_a_foreign_page_is_turned_away_before_the_upgrade(a_house: House) -> None:
    """W01: even with a valid cookie and a valid ticket."""
    token = await a_house.token("wall")
    ticket = a_house.deps.access.ticket(await a_house.deps.access.principal(token), "wall")
    status, body = await refused(
        a_house,
        f"/ws/v1/wall?ticket={ticket}",
        origin="https://evil.example",
        additional_headers={"cookie": f"pasokh_session={token}"},
    )
    assert (status, body["code"]) == (403, "origin")
    own = await connect(
        f"ws://127.0.0.1:{a_house.port}/ws/v1/wall?ticket={ticket}",
        origin=f"http://127.0.0.1:{a_house.port}",  # type: ignore[arg-type]
        proxy=None,
    )
    await own.close()


async def test_without_ticket_or_token_there_is_no_socket(a_house: House) -> None:
    """W02: a cookie alone opens none; a ticket opens one, once, of its own kind."""
    token = await a_house.token("wall")
    cookie = {"cookie": f"pasokh_session={token}"}
    assert (await refused(a_house, "/ws/v1/wall"))[0] == 401
    assert (await refused(a_house, "/ws/v1/wall", additional_headers=cookie))[0] == 401
    assert (await refused(a_house, "/ws/v1/wall?ticket=wrong"))[0] == 401
    who = await a_house.deps.access.principal(token)
    ticket = a_house.deps.access.ticket(who, "wall")
    first = await connect(f"ws://127.0.0.1:{a_house.port}/ws/v1/wall?ticket={ticket}", proxy=None)
    assert (await refused(a_house, f"/ws/v1/wall?ticket={ticket}"))[0] == 401
    await first.close()
    other = a_house.deps.access.ticket(who, "agent")
    assert (await refused(a_house, f"/ws/v1/wall?ticket={other}"))[0] == 401
    assert (await refused(a_house, f"/ws/v1/agent?ticket={a_house.deps.access.ticket(who, 'agent')}"))[
        0
    ] == 403


async def test_a_program_comes_with_its_bearer_token(a_house: House) -> None:
    headers = {"authorization": f"Bearer {await a_house.token('sara')}"}
    socket = await connect(
        f"ws://127.0.0.1:{a_house.port}/ws/v1/agent", additional_headers=headers, proxy=None
    )
    await socket.send('{"type":"hello"}')
    assert json.loads(await socket.recv())["type"] == "snapshot"
    await socket.close()


async def test_a_ticket_reaches_no_log(a_house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    page = await a_house.open("/ws/v1/wall", "wall")
    await page.begin()
    await page.close()
    server_side = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert any("/ws/v1/wall" in line for line in server_side)
    assert not any("ticket=" in line for line in server_side)


async def test_logging_out_closes_the_sockets_of_that_token(a_house: House) -> None:
    """H13: at once here; by the recheck when it happened in another process."""
    token = await a_house.token("sara")
    async with httpx.AsyncClient(
        base_url=a_house.url, headers={"authorization": f"Bearer {token}"}, trust_env=False
    ) as http:
        ticket = (await http.post("/api/v1/ws-ticket", json={"scope": "agent"})).json()["ticket"]
        socket = await connect(f"ws://127.0.0.1:{a_house.port}/ws/v1/agent?ticket={ticket}", proxy=None)
        await socket.send('{"type":"hello"}')
        await socket.recv()
        assert (await http.post("/api/v1/logout")).status_code == 204
        async with asyncio.timeout(5):
            await socket.wait_closed()
        assert socket.close_code == 4401
        assert (await http.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize("change", ["password", "role", "inactive"])
async def test_a_changed_user_loses_what_is_open(a_house: House, change: str) -> None:
    page = await a_house.open("/ws/v1/agent", "sara")
    await page.begin()
    access = a_house.deps.access
    access.revoked = None  # as if another process had done it
    if change == "password":
        await access.set_password("sara", PASSWORD + "!")
    elif change == "role":
        await access.set_role("sara", Role.WALL, None)
    else:
        await access.set_active("sara", False)
    assert await page.closed() == (4401, "signed out")


async def test_stopping_tells_every_socket_to_come_again(a_house: House) -> None:
    wall, agent = await a_house.open("/ws/v1/wall", "wall"), await a_house.open("/ws/v1/agent", "sara")
    await wall.begin()
    await agent.begin()
    await a_house.server.stop()
    for page in (wall, agent):
        assert (await page.hear_type("reconnect"))["type"] == "reconnect"
        assert (await page.closed())[0] == 1012
