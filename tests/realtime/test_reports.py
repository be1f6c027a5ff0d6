"""Reports and the dictionary of measures over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from acd.kpi.formulas import MEASURES
from acd.site import Agent, Label
from acd.store.records import RecordSettings, RecordWriter
from acd.types import US_PER_S, Kind
from tests.acd.kpi.days import AGENTS, counted, day
from tests.realtime.house import T0_US, House, house

S = US_PER_S
MORNING_US = T0_US - 8 * 3600 * S
FACTS = day(11, MORNING_US, visits=120)
TODAY = {"from": "2026-09-21", "to": "2026-09-22"}


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose records hold a morning."""
    async with house(tmp_path) as built:
        async with RecordWriter(built.database.writing, RecordSettings(tmp_path / "spool")) as records:
            records.take(FACTS)
        yield built


async def read(built: House, **params: str) -> Any:
    async with await built.client("boss") as http:
        answer = await http.get("/api/v1/reports", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_report_says_what_the_facts_say(recorded: House) -> None:
    report = await read(recorded, by="queue")
    assert (report["by"], report["kind"]) == ("queue", "call")
    assert report["from"] == "2026-09-21T00:00:00+03:30"
    rows = {row["key"]: row for row in report["rows"]}
    assert set(rows) == {"loans", "cards", "fallback"}
    assert rows["loans"]["label"] == {"fa": "وام", "en": "Loans"}
    for queue, row in rows.items():
        expected = counted(FACTS, "queue", queue, 0, T0_US)
        assert row["counts"]["offered"] == expected.offered
        assert row["counts"]["talk_us"] == expected.talk_us
        assert row["measures"]["asa_s"] == pytest.approx(
            expected.wait_answered_us / S / expected.answered, abs=1e-3
        )
        identity = ("answered", "abandoned", "flowed_out", "callbacks", "waiting")
        assert row["counts"]["offered"] == sum(row["counts"][name] for name in identity)
        assert set(row["measures"]) == set(MEASURES) - {"longest_wait_s"}
    whole = report["total"]["counts"]
    assert whole["offered"] == sum(row["counts"]["offered"] for row in rows.values())


async def test_who_waits_beyond_the_target_is_in_the_service_level(recorded: House) -> None:
    for row in (await read(recorded, by="queue"))["rows"]:
        counts = row["counts"]
        assert counts["waiting"] == counts["waiting_beyond"] > 0
        whole = counts["answered"] + counts["abandoned"] - counts["abandoned_in"] + counts["waiting_beyond"]
        assert row["measures"]["service_level"] == pytest.approx(counts["answered_in"] / whole, abs=1e-4)


async def test_every_division_can_be_asked_for(recorded: House) -> None:
    for by in ("team", "skill", "segment", "interval", "day"):
        report = await read(recorded, by=by, **TODAY)
        assert report["rows"], by
        assert ("total" in report) is (by != "skill")
    agents = await read(recorded, by="agent", **TODAY)
    assert [row["key"] for row in agents["rows"]] == list(AGENTS)
    assert agents["kind"] == "all"
    assert any(0 < row["measures"]["occupancy"] < 1 for row in agents["rows"])
    assert "waiting" not in agents["rows"][0]["counts"]
    [one] = (await read(recorded, by="day", **TODAY))["rows"]
    assert one["begins"] == "2026-09-21"
    intervals = (await read(recorded, by="interval", **TODAY))["rows"]
    assert intervals[0]["begins"].endswith("+03:30")
    assert sum(row["counts"]["offered"] for row in intervals) == one["counts"]["offered"]


async def test_a_queue_and_a_kind_can_be_asked_for_alone(recorded: House) -> None:
    for kind in Kind:
        report = await read(recorded, by="day", kind=kind.value, queue="loans")
        expected = counted(FACTS, "queue", "loans", 0, T0_US, kind=kind)
        assert [row["counts"]["offered"] for row in report["rows"]] == [expected.offered]
        assert report["queue"] == "loans"


async def test_nothing_counted_is_null_and_not_zero(recorded: House) -> None:
    report = await read(recorded, by="interval", **{"from": "2026-09-01", "to": "2026-09-02"})
    assert (report["rows"], "total" in report) == ([], False)
    tasks = await read(recorded, by="queue", kind="task", queue="cards", **TODAY)
    (row,) = tasks["rows"]
    assert row["counts"]["refused"] == 0
    assert row["measures"]["occupancy"] is None


async def test_a_table_for_spreadsheets(recorded: House) -> None:
    site = recorded.engine.center.site
    evil = Agent(label=Label(fa="=cmd|' /C calc'!A0", en="@SUM(1)"))
    recorded.engine.center.site = site.model_copy(update={"agents": {**site.agents, "a1": evil}})
    async with await recorded.client("boss") as http:
        answer = await http.get("/api/v1/reports", params={"by": "agent", "format": "csv", **TODAY})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="report-agent.csv"'
    assert answer.text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["key"] for row in rows] == list(AGENTS)
    assert (rows[0]["label_fa"], rows[0]["label_en"]) == ("'=cmd|' /C calc'!A0", "'@SUM(1)")
    assert rows[0]["talk_us"] == str(counted(FACTS, "agent", "a1", 0, T0_US, kind=None).talk_us)
    assert rows[0]["abandon_rate"] == ""
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"by": "weather"},
        {"by": "queue", "from": "yesterday"},
        {"by": "queue", "from": "2026-13-01"},
        {"by": "queue", "from": "0001-01-01T00:00:00+14:00"},
        {"by": "queue", "from": "9999-12-31", "to": "9999-12-31T23:59:59-14:00"},
        {"by": "queue", "from": "2026-09-22", "to": "2026-09-21"},
        {"by": "queue", "from": "2026-09-21", "to": "2026-09-21"},
        {"by": "queue", "from": "2026-01-01", "to": "2026-09-21"},
        {"by": "interval", "from": "2026-09-01", "to": "2026-09-21"},
        {"by": "agent", "from": "2026-08-01", "to": "2026-09-21"},
        {"by": "queue", "kind": "fax"},
        {"by": "queue", "queue": "' OR 1=1--"},
        {"by": "queue", "format": "xls"},
        {"by": "queue", "from": "2026-09-21T00:00:00\x00"},
    ],
)
async def test_what_cannot_be_answered_is_a_problem_document(a_house: House, wrong: dict[str, str]) -> None:
    async with await a_house.client("boss") as http:
        answer = await http.get("/api/v1/reports", params=wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"
    assert answer.json()["errors"][0]["at"].startswith("query.")


async def test_who_may_see_reports(recorded: House) -> None:
    for name, status in (("root", 200), ("boss", 200), ("sara", 403), ("wall", 403), (None, 401)):
        async with await recorded.client(name) as http:
            assert (await http.get("/api/v1/reports", params={"by": "day"})).status_code == status
            expected = 401 if name is None else 200
            assert (await http.get("/api/v1/measures")).status_code == expected


async def test_a_process_without_records_says_so(tmp_path: Path) -> None:
    for more in ({"reporting": None}, {"center": None}):
        folder = tmp_path / "-".join(more)
        folder.mkdir()
        async with house(folder, more=more) as built, await built.client("boss") as http:
            answer = await http.get("/api/v1/reports", params={"by": "day"})
            assert (answer.status_code, answer.json()["code"]) == (503, "not_here")


async def test_a_process_without_a_center_reads_by_the_site_it_was_given(tmp_path: Path) -> None:
    async with house(tmp_path) as built:
        site = built.site
    other = tmp_path / "other"
    other.mkdir()
    async with house(other, more={"center": None, "site": lambda: site}) as built:
        assert (await read(built, by="day"))["rows"] == []


async def test_the_dictionary_of_measures(a_house: House) -> None:
    async with await a_house.client("wall") as http:
        answer = (await http.get("/api/v1/measures")).json()
    told = {measure["id"]: measure for measure in answer["measures"]}
    assert set(told) == set(MEASURES)
    assert told["service_level"] == {
        "id": "service_level",
        "formula": "Ax / (A + B − Bx + Wx)",
        "version": 1,
        "unit": "ratio",
        "live": False,
        "label": {"fa": "سطح سرویس", "en": "Service level"},
    }
    assert [name for name, measure in told.items() if measure["live"]] == ["longest_wait_s"]
    assert {"O", "Ax", "Wx"} <= answer["letters"].keys()


async def test_queues_have_more_figures_than_walls(a_house: House) -> None:
    await a_house.call("c1")
    async with await a_house.client("wall") as http:
        shown: httpx.Response = await http.get("/api/v1/queues")
    assert shown.status_code == 200
    for figures in (*shown.json()["queues"].values(), shown.json()["total"]):
        assert (figures["callbacks"], figures["refused"]) == (0, 0)
        assert "wait_p90_s" not in figures
