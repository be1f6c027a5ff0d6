"""Messages of callers over HTTP: a supervisor sees all and gives them away, an agent sees their own and no other."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from acd.store.base import instant
from acd.store.tables import contact
from acd.store.tables import message as message_table
from acd.store.voicemail import Messages, MessageSettings
from pasokh.answers import MessageLists
from realtime.store.queries import read_audit
from tests.realtime.house import T0_US, House, house

SARAS, REZAS, NOBODYS = "c1:voicemail", "c2:voicemail", "c3:voicemail"
URL = "/api/v1/voicemails"


class Late:
    """The store is made when the house is there."""

    lists: MessageLists

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lists, name)


@dataclass
class Desk:
    house: House
    messages: Messages

    async def get(self, who: str, path: str = "") -> Any:
        async with await self.house.client(who) as http:
            return await http.get(URL + path)

    async def post(self, who: str, path: str, body: Any = None, key: str | None = None) -> Any:
        headers = {"idempotency-key": key} if key else {}
        async with await self.house.client(who) as http:
            return await http.post(URL + path, json=body, headers=headers)

    async def audited(self, action: str) -> list[tuple[str, str, str]]:
        await self.house.deps.audit.flush()
        rows = await read_audit(self.house.database.writing, limit=100)
        return [(row.who, row.about, row.outcome) for row in rows if row.action == action]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    late = Late()
    async with house(tmp_path, more={"voicemails": late}) as built:
        at = built.database
        folders = MessageSettings(tmp_path / "inbox", tmp_path / "kept", tmp_path / "asked")
        messages = Messages(at.writing, at.reporting, folders, built.engine.now_us, lambda _: False)
        messages.prepare()
        for name in ("c1", "c2", "c3"):
            path = folders.inbox / f"{name}~voicemail.wav"
            await asyncio.to_thread(_speak, path, 1.0 + int(name[1:]))
        await messages.scan()
        await messages.assign(SARAS, "sara", "boss")
        await messages.assign(REZAS, "reza", "boss")
        async with at.writing.begin() as connection:
            await connection.execute(
                insert(contact).values(id="c1", began_at=instant(T0_US), caller_e164="+989121234567")
            )
        late.lists = MessageLists(messages)
        yield Desk(built, messages)


def _speak(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(path.name.encode()[:2] * round(seconds * 8000))
    os.utime(path, (T0_US / 1e6 - 60, T0_US / 1e6 - 60))


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {one["id"] for one in answer.json()["voicemails"]}


async def test_everybody_sees_what_is_theirs(desk: Desk) -> None:
    assert ids(await desk.get("boss")) == {SARAS, REZAS, NOBODYS}
    assert ids(await desk.get("boss", "?state=new")) == {NOBODYS}
    assert ids(await desk.get("boss", "?agent=reza")) == {REZAS}
    assert ids(await desk.get("sara")) == {SARAS}
    assert ids(await desk.get("sara", "?agent=reza")) == {SARAS}, "a filter must not widen"
    assert (await desk.get("wall")).status_code == 403
    async with await desk.house.client() as http:
        assert (await http.get(URL)).status_code == 401
    one = (await desk.get("sara", f"/{SARAS}")).json()
    assert (one["state"], one["seconds"], one["heard"]) == ("assigned", 2.0, False)
    assert one["caller"] == "+989121234567"


async def test_an_agent_does_not_learn_that_another_s_message_exists(desk: Desk) -> None:
    for path in (f"/{REZAS}", f"/{REZAS}/audio", "/nobody:voicemail", "/nobody:voicemail/audio"):
        assert (await desk.get("sara", path)).status_code == 404
    assert (await desk.post("sara", f"/{REZAS}/done")).status_code == 404
    assert (await desk.post("sara", f"/{REZAS}/assign", {"agent": "sara"})).status_code == 404
    refused = [about for who, about, outcome in await desk.audited("voicemails") if outcome == "not_allowed"]
    assert refused.count(REZAS) == 4


async def test_who_listens_is_in_the_audit_trail(desk: Desk) -> None:
    answer = await desk.get("sara", f"/{SARAS}/audio")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.content[:4] == b"RIFF"
    assert len(answer.content) == 44 + 2 * 16_000
    assert await desk.audited("voicemails.play") == [("sara", SARAS, "ok")]
    assert (await desk.get("boss", f"/{SARAS}")).json()["heard"] is True
    async with await desk.house.client("sara") as http:
        part = await http.get(f"{URL}/{SARAS}/audio", headers={"range": "bytes=0-3"})
    assert part.content == b"RIFF" or part.status_code == 200


@pytest.mark.parametrize("file", ["../secret.wav", "/etc/passwd", "2026/../../secret.wav"])
async def test_a_row_that_points_elsewhere_opens_nothing(desk: Desk, file: str) -> None:
    (desk.messages.settings.kept.parent / "secret.wav").write_bytes(b"secret")
    async with desk.house.database.writing.begin() as connection:
        await connection.execute(message_table.update().where(message_table.c.id == SARAS).values(file=file))
    assert (await desk.get("boss", f"/{SARAS}/audio")).status_code == 404
    assert await desk.audited("voicemails.play") == []


@pytest.mark.parametrize("path", ["/..%2f..%2fetc%2fpasswd/audio", "/%2e%2e/audio", "/' OR 1=1--", "/a%00b"])
async def test_a_hostile_id_is_no_message(desk: Desk, path: str) -> None:
    assert (await desk.get("boss", path)).status_code in (404, 422)


async def test_a_supervisor_gives_a_message_and_its_agent_is_done_with_it(desk: Desk) -> None:
    assert (await desk.post("boss", f"/{NOBODYS}/assign", {"agent": "nobody"})).status_code == 404
    given = [await desk.post("boss", f"/{NOBODYS}/assign", {"agent": "sara"}, key="k1") for _ in range(2)]
    assert [answer.status_code for answer in given] == [200, 200]
    assert given[1].headers["idempotency-replayed"] == "true"
    assert (await desk.post("boss", f"/{NOBODYS}/assign", {"agent": "reza"}, key="k1")).status_code == 409
    assert NOBODYS in ids(await desk.get("sara"))
    assert (await desk.post("sara", f"/{SARAS}/assign", {"agent": "reza"})).status_code == 403
    assert (await desk.post("sara", f"/{NOBODYS}/done")).json() == {"id": NOBODYS, "state": "done"}
    assert (await desk.post("sara", f"/{NOBODYS}/done")).status_code == 409
    assert (await desk.post("boss", f"/{NOBODYS}/assign", {"agent": None})).status_code == 409
    async with desk.house.database.reporting.connect() as connection:
        row = (await connection.execute(select(message_table).where(message_table.c.id == NOBODYS))).one()
    assert (row.agent, row.done_by, row.assigned_by) == ("sara", "sara", "boss")


async def test_a_process_without_messages_says_so(tmp_path: Path) -> None:
    async with house(tmp_path) as built, await built.client("boss") as http:
        assert (await http.get(URL)).status_code == 503
