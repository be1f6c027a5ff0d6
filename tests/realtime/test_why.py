"""Why somebody waits, over HTTP: now from the center, afterwards from the records; and the alarm for nobody at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acd.events import TimerFired
from acd.store.records import RecordSettings, RecordWriter
from acd.types import US_PER_S
from pasokh.customers import Contacts
from tests.acd.store.world import S, relaxed_call
from tests.realtime.house import T0_US, House, house
from tests.realtime.test_desk import ready


async def test_a_caller_who_waits_is_explained(a_house: House) -> None:
    page = await ready(a_house, "sara")
    await a_house.call("c1", "loans")
    async with await a_house.client("boss") as http:
        answer = (await http.get("/api/v1/contacts/c1/why")).json()
        now: Any = answer["now"]
        assert (answer["contact"], answer["visits"]) == ("c1", [])
        assert (now["cause"], now["requirement"], now["ahead"], now["able"]) == (
            "nobody_signed_in",
            "loans>=3",
            0,
            1,
        )
        assert now["requirement_label"] == {"fa": "وام (سطح 3 و بالاتر)", "en": "Loans ≥ 3"}
        assert now["agents"] == [
            {"agent": "reza", "name": {"fa": "رضا", "en": "Reza"}, "reason": "signed_out"},
            {
                "agent": "sara",
                "name": {"fa": "سارا", "en": "Sara"},
                "reason": "missing_skill",
                "skill": "loans",
                "skill_label": {"fa": "وام", "en": "Loans"},
                "needed": 3,
                "has": 0,
            },
        ]
        lines = (await http.get("/api/v1/queues/waiting", params={"agents": 1})).json()["queues"]
        assert list(lines) == ["loans"]
        (first,) = lines["loans"]
        assert (first["contact"], first["kind"], len(first["agents"])) == ("c1", "call", 1)
        assert (await http.get("/api/v1/contacts/nobody/why")).status_code == 404
    async with await a_house.client("sara") as http:
        assert (await http.get("/api/v1/contacts/c1/why")).json() == (
            await http.get("/api/v1/contacts/nobody/why")
        ).json()
        assert (await http.get("/api/v1/queues/waiting")).status_code == 403
    await page.close()


async def test_a_wait_that_is_over_is_explained_from_the_records(tmp_path: Path) -> None:
    async with house(tmp_path) as plain:
        contacts = Contacts(plain.database.reporting)
        async with RecordWriter(plain.database.writing, RecordSettings(tmp_path / "spool")) as records:
            records.take(relaxed_call("c1", T0_US))
    (tmp_path / "again").mkdir()
    async with (
        house(tmp_path / "again", more={"contacts": contacts}) as built,
        await built.client("boss") as http,
    ):
        answer: Any = (await http.get("/api/v1/contacts/c1/why")).json()
    assert "now" not in answer
    (visit,) = answer["visits"]
    assert (visit["visit"], visit["queue"], visit["outcome"]) == ("c1.1", "loans", "answered")
    assert [(each["to_us"] - T0_US) // S for each in visit["stretches"]] == [5, 10, 15, 20, 24, 30]
    assert visit["stretches"][0]["requirement_label"] == {"fa": "وام (سطح 3 و بالاتر)", "en": "Loans ≥ 3"}
    first, second = visit["offers"]
    assert (first["name"]["en"], first["state"], first["why"]) == ("Sara", "timed_out", "no_answer")
    assert first["chosen"] == {"rule": "preferred", "idle_s": 4.0, "free": 1}
    assert second["chosen"]["rule"] == "longest-idle"


async def test_that_nobody_can_answer_is_an_alarm_for_walls_and_programs(a_house: House) -> None:
    wall = await a_house.open("/ws/v1/wall", "wall")
    await wall.begin()
    await a_house.call("c1", "loans")
    state = await wall.until(lambda state: state["queues"]["loans"]["waiting"] == 1)
    assert state["alarms"] == {}
    a_house.engine.post(TimerFired("unroutable:loans>=3"))
    state = await wall.until(lambda state: state["alarms"])
    (name,) = state["alarms"]
    async with await a_house.client("wall") as http:
        (alarm,) = (await http.get("/api/v1/alarms")).json()["alarms"]
    assert alarm == {
        "alarm": name,
        "kind": "unroutable",
        "queues": ["loans"],
        "missing": ["loans>=3"],
        "missing_labels": [{"fa": "وام (سطح 3 و بالاتر)", "en": "Loans ≥ 3"}],
        "since_us": state["alarms"][name]["since_us"],
    }
    assert abs(alarm["since_us"] - a_house.engine.now_us()) < 60 * US_PER_S
    page = await ready(a_house, "reza")
    await wall.until(lambda state: not state["alarms"])
    await page.close()
    await wall.close()


async def test_openapi_names_what_these_answers_hold(a_house: House) -> None:
    async with await a_house.client() as http:
        schema: Any = (await http.get("/openapi.json")).json()
    answers = schema["paths"]["/api/v1/contacts/{contact}/why"]["get"]["responses"]["200"]
    assert answers["content"]["application/json"]["schema"]["$ref"].endswith("/WhyShape")
    assert {"/api/v1/alarms", "/api/v1/tasks", "/api/v1/tasks/{contact}"} <= set(schema["paths"])
