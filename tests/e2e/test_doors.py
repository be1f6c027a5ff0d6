"""Who may come in, over HTTP of the running app: every route is asked, also those that are added later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.house import PASSWORD, client, house, log_in, page, running

OPEN = {("post", "/api/v1/login"), ("get", "/api/v1/demo")}
"""What may be asked without a log-in: the log-in itself, and whether this is a demonstration."""

OWN = {
    ("get", "/api/v1/me"),
    ("post", "/api/v1/logout"),
    ("post", "/api/v1/ws-ticket"),
    ("get", "/api/v1/queues"),
    ("get", "/api/v1/measures"),
    ("get", "/api/v1/alarms"),
    ("get", "/api/v1/voicemails"),
}
"""What everybody may who is logged in: themselves, what stands on the wall for all to see, and the messages that were
given to them."""


def routes(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in schema["paths"].items():
        for method in methods:
            if path.startswith("/api/v1/"):
                yield method, path


def filled(path: str) -> str:
    return re.sub(r"{[^}]+}", "reza", path)


async def test_every_route_asks_who_comes(tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at, running(at), client(at) as http:
        schema = (await http.get("/openapi.json")).json()
        found = set(routes(schema))
        assert len(found) > 15
        assert found >= OPEN
        for method, path in sorted(found - OPEN):
            answer = await http.request(method, filled(path), json={})
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            http.headers["authorization"] = "Bearer made-up"
            assert (await http.request(method, filled(path), json={})).status_code == 401, (method, path)
            del http.headers["authorization"]
        assert (await http.get("/api/v1/demo")).json() == {"accounts": []}
        wrong = await http.post("/api/v1/login", json={"name": "sara", "password": "wrong pass-phrase"})
        nobody = await http.post("/api/v1/login", json={"name": "nobody", "password": "wrong pass-phrase"})
        assert wrong.status_code == nobody.status_code == 401
        assert wrong.json() == nobody.json()
        for path in ("/ws/v1/wall", "/ws/v1/agent"):
            assert (await http.get(path, headers=UPGRADE)).status_code == 401


UPGRADE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}

WANTED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("post", "/api/v1/agents/{agent}/status"): {"status": "not_ready", "reason": "lunch"},
    ("post", "/api/v1/users"): {"name": "evil", "password": PASSWORD, "role": "admin"},
    ("patch", "/api/v1/users/{name}"): {"password": PASSWORD},
    ("post", "/api/v1/center/check"): {"text": "x"},
    ("post", "/api/v1/center/apply"): {"text": "x"},
    ("post", "/api/v1/voicemails/{message}/assign"): {"agent": "sara"},
    ("post", "/api/v1/flows/{flow}/publish"): {"text": "x"},
    ("post", "/api/v1/tasks"): {"queue": "cards", "kind": "task"},
}
"""Bodies that would be taken from who may."""


async def test_an_agent_may_be_an_agent_and_no_more(tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at, running(at) as run, client(at) as http:
        await log_in(http, "sara")
        for method, path in sorted(set(routes((await http.get("/openapi.json")).json())) - OPEN - OWN):
            answer = await http.request(
                method, filled(path), json=WANTED.get((method, path)), params={"search": "reza"}
            )
            assert answer.status_code in (403, 404), (method, path, answer.status_code, answer.text)
        own = await http.post("/api/v1/agents/sara/status", json={"status": "not_ready", "reason": "lunch"})
        assert own.status_code in (200, 409), "herself she may"
        assert run.engine is not None
        assert run.engine.view().agents["reza"].reason is None
        async with client(at) as admin:
            await log_in(admin, "admin")
            audit = (await admin.get("/api/v1/audit", params={"limit": 500})).json()["audit"]
            assert {row["action"] for row in audit if row["outcome"] == "not_allowed"} >= {"agent.status"}
            names = {user["name"] for user in (await admin.get("/api/v1/users")).json()["users"]}
            assert "evil" not in names


async def test_a_cookie_is_only_for_pages_of_ours(tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at, running(at), client(at) as http:
        await log_in(http, "supervisor", page=True)
        assert (await http.get("/api/v1/me")).json()["role"] == "supervisor"
        cookie = http.cookies.jar
        assert [each.name for each in cookie] == ["pasokh_session"]
        http.headers["origin"] = "https://evil.example"
        assert (await http.post("/api/v1/ws-ticket", json={"scope": "wall"})).status_code == 403
        assert (await http.get("/ws/v1/wall", headers=UPGRADE)).status_code == 403


async def test_a_wall_that_speaks_is_closed_and_a_logout_closes_sockets(tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at, running(at), client(at) as http:
        async with page(at, "wall", "wall") as wall:
            await wall.say(type="command", id="1", command="sign_in")
            await wall.socket.wait_closed()
            assert wall.socket.close_code == 1008
        await log_in(http, "sara")
        ticket = (await http.post("/api/v1/ws-ticket", json={"scope": "agent"})).json()["ticket"]
        assert (await _upgraded(http, ticket, "wall")) == 401, "a ticket is for what it was asked for"


async def _upgraded(http: httpx.AsyncClient, ticket: str, scope: str) -> int:
    del http.headers["authorization"]
    return (await http.get(f"/ws/v1/{scope}", params={"ticket": ticket}, headers=UPGRADE)).status_code


async def test_the_docs_ask_no_outside_address(tmp_path: Path) -> None:
    async with house(tmp_path / "site") as at, running(at), client(at) as http:
        for path in ("/docs", "/docs.css", "/openapi.json", "/wall", "/agent"):
            answer = await http.get(path)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            addresses = re.findall(
                r"(?:src|href|url|@import)\s*[=(]?\s*[\"']?((?:https?:)?//[^\"')\s]+)", answer.text
            )
            assert addresses == [], path
