"""The HTTP API through a real port."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from acd.types import Status
from tests.realtime.house import PASSWORD, SHORT, House, house

EVIL = ["' OR 1=1--", '"; DROP TABLE user_account', "$(id)", "../../../etc/passwd", "<img src=x onerror=1>"]


async def test_health(a_house: House) -> None:
    async with await a_house.client() as http:
        assert (await http.get("/livez")).json() == {"ok": True}
        assert (await http.get("/readyz")).status_code == 200
        metrics = await http.get("/metrics")
        assert "pasokh_test_things_total 1.0" in metrics.text


async def test_readiness_says_what_is_missing(tmp_path: Path) -> None:
    async def fine() -> str | None:
        return None

    async def missing() -> str | None:
        return "Asterisk does not answer; check its address."

    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    http_settings = type(SHORT.http)(check_s=0.05, stop_s=1.0)
    settings = type(SHORT)(sockets=SHORT.sockets, access=SHORT.access, http=http_settings)
    checks = {"database": fine, "asterisk": missing, "redis": hangs}
    async with (
        house(tmp_path, settings=settings, more={"checks": checks}) as built,
        await built.client() as http,
    ):
        answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "ok",
        "asterisk": "Asterisk does not answer; check its address.",
        "redis": "No answer within 0.05 s.",
    }


async def test_a_page_logs_in_by_a_cookie_that_scripts_cannot_read(a_house: House) -> None:
    async with await a_house.client() as http:
        origin = {"origin": a_house.url}
        answer = await http.post("/api/v1/login", json={"name": "sara", "password": PASSWORD}, headers=origin)
        assert answer.json() == {"name": "sara", "role": "agent", "agent": "sara", "language": "fa"}
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(re.split(r"; ?", cookie))
        assert (await http.get("/api/v1/me")).json()["name"] == "sara"
        assert (
            await http.post("/api/v1/ws-ticket", json={"scope": "agent"}, headers=origin)
        ).status_code == 200
        for foreign in ({"origin": "https://evil.example"}, {"origin": "null"}, {}):
            answer = await http.post("/api/v1/ws-ticket", json={"scope": "agent"}, headers=foreign)
            assert answer.status_code == 403, foreign
        form = {"content-type": "text/plain", "origin": "https://evil.example"}
        assert (await http.post("/api/v1/logout", content="{}", headers=form)).status_code == 403
        assert (await http.post("/api/v1/logout", headers=origin)).status_code == 204
        assert (await http.get("/api/v1/me")).status_code == 401


async def test_a_program_logs_in_by_a_bearer_token(a_house: House) -> None:
    async with await a_house.client() as http:
        answer = await http.post("/api/v1/login", json={"name": "boss", "password": PASSWORD})
        assert "set-cookie" not in answer.headers
        http.headers["authorization"] = f"Bearer {answer.json()['token']}"
        assert (await http.get("/api/v1/me")).json()["role"] == "supervisor"


async def test_a_failed_log_in_is_in_the_audit_trail(a_house: House) -> None:
    async with await a_house.client("root") as http:
        answer = await http.post("/api/v1/login", json={"name": "sara", "password": "wrong password"})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        [row] = (await http.get("/api/v1/audit", params={"user": "sara"})).json()["audit"]
    assert (row["action"], row["outcome"], row["address"]) == ("login", "NotSignedIn", "127.0.0.1")


async def test_what_each_role_may(a_house: House) -> None:
    may = {
        "/api/v1/queues": {"wall", "sara", "boss", "root"},
        "/api/v1/agents": {"boss", "root"},
        "/api/v1/center/history": {"boss", "root"},
        "/api/v1/users": {"root"},
        "/api/v1/audit": {"root"},
    }
    for name in ("wall", "sara", "boss", "root"):
        async with await a_house.client(name) as http:
            for path, allowed in may.items():
                answer = await http.get(path)
                assert answer.status_code == (200 if name in allowed else 403), (name, path)
    async with await a_house.client() as http:
        for path in may:
            assert (await http.get(path)).status_code == 401


async def test_a_supervisor_sets_a_status_and_an_agent_cannot_set_anothers(a_house: House) -> None:
    """H09: not even that the other exists is told."""
    async with await a_house.client("sara") as http:
        answer = await http.post("/api/v1/agents/reza/status", json={"status": "offline"})
        assert answer.status_code == 404
        assert (
            answer.json()
            == (await http.post("/api/v1/agents/ghost/status", json={"status": "offline"})).json()
        )
    async with await a_house.client("boss") as http:
        refused = await http.post("/api/v1/agents/reza/status", json={"status": "available"})
        assert (refused.status_code, refused.json()["reason"]) == (409, "no_phone")
        page = await a_house.open("/ws/v1/agent", "reza")
        await page.begin()
        assert (await page.command("1", "sign_in"))["ok"]
        body = {"status": "not_ready", "reason": "lunch"}
        assert (await http.post("/api/v1/agents/reza/status", json=body)).json() == {"ok": True}
        await page.until(lambda state: state["agent"]["status"] == "not_ready")
        assert a_house.engine.view().agents["reza"].status is Status.NOT_READY
        await page.close()
    async with await a_house.client("root") as http:
        rows = (await http.get("/api/v1/audit")).json()["audit"]
    assert {
        "who": "sara",
        "action": "agent.status",
        "about": "reza",
        "outcome": "not_allowed",
    }.items() <= next(row for row in rows if row["who"] == "sara" and row["about"] == "reza").items()


async def test_a_repeated_request_is_carried_out_once(a_house: House) -> None:
    """H07: the same key gives the same answer; with another body it is refused."""
    async with await a_house.client("root") as http:
        key = {"idempotency-key": "k-1"}
        document = {"text": "name: x"}
        first, second = await asyncio.gather(
            *(http.post("/api/v1/center/apply", json=document, headers=key) for _ in range(2))
        )
        answers = sorted((first.status_code, second.status_code))
        assert answers in ([200, 200], [200, 409])
        third = await http.post("/api/v1/center/apply", json=document, headers=key)
        assert third.json()["version"] == "v1"
        assert third.headers["idempotency-replayed"] == "true"
        assert len(a_house.documents.versions) == 1
        other = await http.post("/api/v1/center/apply", json={"text": "name: y"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "key_used")
        bad = await http.post("/api/v1/center/apply", json=document, headers={"idempotency-key": "a b"})
        assert bad.status_code == 422


async def test_a_request_that_failed_may_be_tried_again_with_its_key(a_house: House) -> None:
    async with await a_house.client("root") as http:
        key = {"idempotency-key": "k-2"}
        new = {"name": "sara", "password": PASSWORD, "role": "wall"}
        assert (await http.post("/api/v1/users", json=new, headers=key)).status_code == 422
        new = {**new, "name": "screen"}
        assert (await http.post("/api/v1/users", json=new, headers=key)).status_code == 201
        names = {user["name"] for user in (await http.get("/api/v1/users")).json()["users"]}
        assert "screen" in names
        assert (await http.patch("/api/v1/users/screen", json={"active": False})).status_code == 200


async def test_the_center_is_checked_and_applied(a_house: House) -> None:
    async with await a_house.client("root") as http:
        assert (await http.get("/api/v1/center")).status_code == 404
        wrong = await http.post("/api/v1/center/apply", json={"text": "nothing"})
        assert (wrong.status_code, wrong.json()["problems"][0]["place"]) == (422, "center.yaml:1:1")
        assert (await http.post("/api/v1/center/check", json={"text": "name: x"})).json()["ok"]
        assert (await http.post("/api/v1/center/apply", json={"text": "name: x"})).json()["version"] == "v1"
        assert (await http.get("/api/v1/center")).json()["text"] == "name: x"
        assert (await http.get("/api/v1/center/history")).json()["versions"][0]["by"] == "root"


class People:
    """Two customers, kept in memory."""

    async def search(self, text: str, *, limit: int) -> Sequence[Mapping[str, object]]:
        return [{"id": "7", "name": text}][:limit]

    async def one(self, customer: str) -> Mapping[str, object] | None:
        if customer == "boom":
            raise RuntimeError("secret-detail-of-ours")
        return {"id": customer} if customer == "7" else None


async def test_errors_are_problem_documents_and_give_nothing_away(tmp_path: Path) -> None:
    async with house(tmp_path, more={"customers": People()}) as built, await built.client("boss") as http:
        for answer, status, code in (
            (await http.get("/api/v1/nothing"), 404, "not_found"),
            (await http.get("/nothing/at/all"), 404, "not_found"),
            (await http.delete("/api/v1/queues"), 405, "method_not_allowed"),
            (await http.get("/api/v1/contacts"), 503, "not_here"),
            (await http.get("/api/v1/customers/8"), 404, "not_found"),
            (await http.get("/api/v1/customers/boom"), 500, "fault"),
            (await http.get("/api/v1/customers", params={"search": "\x00\x01"}), 422, "invalid"),
            (await http.post("/api/v1/login", content=b"{"), 422, "invalid"),
            (await http.post("/api/v1/login", content=rb'{"name":"\ud800","password":"x"}'), 422, "invalid"),
            (await http.post("/api/v1/center/check", content=b"x" * 3_000_000), 413, "too_large"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.request.url
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == status
            assert "secret-detail" not in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        secret = await http.post("/api/v1/login", json={"name": 5, "password": "hunter2-hunter2"})
        assert secret.status_code == 422
        assert "hunter2" not in secret.text
        allow = await http.delete("/api/v1/queues")
        assert allow.headers["allow"] == "GET"


@pytest.mark.parametrize("text", EVIL)
async def test_strange_words_are_only_words(tmp_path: Path, text: str) -> None:
    """H01: stored as they are, or refused; never a fault."""
    async with house(tmp_path, more={"customers": People()}) as built, await built.client("root") as http:
        new = {"name": text, "password": PASSWORD, "role": "wall"}
        assert (await http.post("/api/v1/users", json=new)).status_code == 201
        users = (await http.get("/api/v1/users")).json()["users"]
        assert text in {user["name"] for user in users}
        found = await http.get("/api/v1/customers", params={"search": text})
        assert found.json()["customers"][0]["name"] == text
        for path in (
            f"/api/v1/customers/{text}",
            f"/api/v1/contacts/{text}",
            f"/api/v1/agents/{text}/status",
        ):
            assert (await http.get(path)).status_code in (404, 405, 422, 503)


async def test_the_api_describes_itself_without_anything_from_outside(a_house: House) -> None:
    async with await a_house.client() as http:
        schema = (await http.get("/openapi.json")).json()
        docs = await http.get("/docs")
        assert (await http.get("/docs.css")).status_code == 200
    assert docs.status_code == 200
    for path in schema["paths"]:
        assert path.replace("{", "&#x7b;") in docs.text or path in docs.text
    outside = re.findall(r"(?:src|href)=\"([^\"]+)\"", docs.text)
    assert outside
    assert all(link.startswith("/") and not link.startswith("//") for link in outside)
    assert "<script" not in docs.text


async def test_pages_and_their_files(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    http_settings = type(SHORT.http)(dist=dist, stop_s=1.0)
    settings = type(SHORT)(sockets=SHORT.sockets, access=SHORT.access, http=http_settings)
    (tmp_path / "secret.txt").write_text("secret")
    async with house(tmp_path, settings=settings) as built, await built.client() as http:
        missing = await http.get("/wall")
        assert missing.status_code == 503
        assert "make setup" in missing.text
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text("<p>page</p>")
        (dist / "assets" / "main-1a2b.js").write_text("1")
        (dist / "icon.svg").write_text("<svg/>")
        (dist / "assets" / "way").symlink_to(tmp_path / "secret.txt")
        for path in ("/", "/wall", "/agent", "/login"):
            page = await http.get(path)
            assert (page.status_code, page.text) == (200, "<p>page</p>")
            assert page.headers["cache-control"] == "no-cache"
        asset = await http.get("/assets/main-1a2b.js")
        assert "immutable" in asset.headers["cache-control"]
        assert asset.headers["content-type"].startswith("text/javascript")
        assert (await http.get("/icon.svg")).status_code == 200
        for path in (
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/assets/..%2f..%2fsecret.txt",
            "/assets/way",
            "/x",
        ):
            answer = await http.send(http.build_request("GET", httpx.URL(built.url, raw_path=path.encode())))
            assert answer.status_code == 404, path


async def test_demo_accounts_are_shown_only_where_they_are_given(a_house: House) -> None:
    async with await a_house.client() as http:
        assert (await http.get("/api/v1/demo")).json() == {"accounts": []}
