"""`pasokh simulate` and `pasokh plan` as a person meets them: files in, figures out, one sentence for what is wrong."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pasokh import cli

SAMPLE = Path(__file__).parents[1] / "acd" / "planning" / "sample"


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def figures(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


Types = Callable[..., Said]


@pytest.fixture
def types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Types:
    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["pasokh", *map(str, words)])
        monkeypatch.chdir(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), said.out, said.err)

    return run


def sample(*more: object) -> tuple[object, ...]:
    return ("simulate", "--trace", SAMPLE / "trace.csv", "--roster", SAMPLE / "roster.json", *more)


def test_the_sample_comes_out_as_it_must(types: Types, tmp_path: Path) -> None:
    said = types(*sample("--strategy", "longest-idle", "--calls", "out.csv", "--json"))
    assert said.status == 0
    found = [line.split(",") for line in (tmp_path / "out.csv").read_text("utf-8").splitlines()]
    right = [line.split(",") for line in (SAMPLE / "calls.csv").read_text("utf-8").splitlines()]
    assert found[0] == right[0] == ["call_id", "outcome", "wait_s", "agent"]
    assert [(*row[:2], float(row[2]), row[3]) for row in found[1:]] == [
        (*row[:2], float(row[2]), row[3]) for row in right[1:]
    ]
    assert all(len(row[2].partition(".")[2]) >= 3 for row in found[1:])
    measures = [
        "offered",
        "answered",
        "abandoned",
        "asa_s",
        "wait_all_s",
        "service_level",
        "abandon_rate",
        "occupancy",
    ]
    assert set(measures) <= said.figures.keys()
    assert said.figures["by_type"].keys() == {"loans", "cards", "accounts"}
    assert all(set(measures) <= each.keys() for each in said.figures["by_type"].values())
    assert (said.figures["offered"], said.figures["answered"], said.figures["abandoned"]) == (400, 350, 50)
    assert said.figures["abandon_rate"] == 50 / 400
    assert said.figures["target_s"] == 20


def test_strategy_and_target_make_a_difference(types: Types) -> None:
    longest, primary = (
        types(*sample("--strategy", name, "--json")).figures for name in ("longest-idle", "primary-first")
    )
    assert longest["by_type"] != primary["by_type"]
    patient = types(*sample("--target-s", 60, "--json")).figures
    assert patient["service_level"] > longest["service_level"]


def test_a_person_sees_a_table(types: Types) -> None:
    said = types(*sample())
    assert said.status == 0
    for word in ("400 calls, 12 agents", "accounts", "service level", "71.2%", "occupancy"):
        assert word in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--trace", "nowhere.csv", "--roster", SAMPLE / "roster.json"),
            "nowhere.csv: the file cannot be read",
        ),
        (("--trace", SAMPLE / "roster.json", "--roster", SAMPLE / "roster.json"), "no column call_id"),
        (
            ("--trace", SAMPLE / "trace.csv", "--roster", SAMPLE / "trace.csv"),
            "trace.csv:1: this is not JSON",
        ),
        (("--trace", SAMPLE / "trace.csv"), "nobody to take the calls"),
        (("--trace", SAMPLE / "trace.csv", "--center", "a.yaml"), "a.yaml: the file cannot be read"),
        (sample("--calls", "no/such/folder.csv")[1:], "cannot be written"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    types: Types, tmp_path: Path, words: tuple[object, ...], says: str
) -> None:
    said = types("simulate", *words)
    assert said.status == 2
    assert says in said.err
    assert said.err.strip().endswith(".")
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


# ---- what if ---------------------------------------------------------------------------------------------------


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """Two center.yaml and a trace of the morning: in `more.yaml` somebody else takes lost cards too."""
    text = files("pasokh").joinpath("example/center.yaml").read_text("utf-8")
    (tmp_path / "now.yaml").write_text(text, encoding="utf-8")
    changed = text.replace("requires: {cards: 1}\n    priority: 10", "requires: {fa: 1}\n    priority: 10")
    assert changed != text
    (tmp_path / "more.yaml").write_text(changed, encoding="utf-8")
    kinds = ["cards", "cards", "loans", "lost_card", "english"]
    lines = ["call_id,arrival_s,type,handle_s,patience_s,priority"]
    lines += [f"c{at},{32_400 + at * 20},{kinds[at % 5]},170,{30 + at % 90},0" for at in range(150)]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_two_centers_are_held_side_by_side(types: Types, bank: Path) -> None:
    words = ("simulate", "--trace", "t.csv", "--center", "now.yaml", "--center", "more.yaml")
    found = types(*words, "--json").figures
    now, more = found["centers"]["now"], found["centers"]["more"]
    assert now["offered"] == more["offered"] == 150
    assert (now["agents"], more["agents"]) == (8, 8)
    assert more["by_type"]["lost_card"]["asa_s"] < now["by_type"]["lost_card"]["asa_s"]
    assert found["difference"]["more"]["answered"] == more["answered"] - now["answered"]
    said = types(*words, "--chart", "out.html", "--language", "fa")
    assert "lost_card" in said.out
    page = (bank / "out.html").read_text("utf-8")
    assert '<html lang="fa" dir="rtl">' in page
    assert "کارت مفقودی" in page
    assert types(*words, "--json").figures == found, "the same calls give the same figures"


def test_a_roster_says_who_is_there_of_a_center(types: Types, bank: Path) -> None:
    roster = {
        "agents": [
            {"id": "sara"},
            {"id": "new", "skills": {"cards": 1, "fa": 2}, "login": 32_400, "logout": 36_000},
        ]
    }
    (bank / "r.json").write_text(json.dumps(roster), encoding="utf-8")
    words = ("simulate", "--trace", "t.csv", "--center", "now.yaml", "--roster", "r.json")
    found = types(*words, "--calls", "out.csv", "--json").figures
    assert (found["center"], found["agents"]) == ("now", 2)
    assert found["by_type"]["loans"]["answered"] == 0
    takers = {line.split(",")[3] for line in (bank / "out.csv").read_text("utf-8").splitlines()[1:]}
    assert takers == {"sara", "new", ""}
    (bank / "r.json").write_text('{"agents": [{"id": "new"}]}', encoding="utf-8")
    assert 'The agent "new" of the roster has no skills' in types(*words).err


def test_opening_hours_count_when_the_day_is_known(types: Types, bank: Path) -> None:
    text = (bank / "now.yaml").read_text("utf-8")
    (bank / "now.yaml").write_text(
        text.replace(
            "    requires: {loans: 3, fa: 1}\n", "    requires: {loans: 3, fa: 1}\n    hours: office\n"
        ),
        encoding="utf-8",
    )
    words = ("simulate", "--trace", "t.csv", "--center", "now.yaml", "--json")
    assert types(*words).figures["by_type"]["loans"]["refused"] == 0
    assert types(*words, "--day", "1405-09-10").figures["by_type"]["loans"]["refused"] == 0
    friday = types(*words, "--day", "2026-12-04").figures["by_type"]
    assert (friday["loans"]["refused"], friday["cards"]["refused"]) == (30, 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--center", "now.yaml", "--center", "now.yaml"), "named twice"),
        (("--center", "now.yaml", "--center", "more.yaml", "--calls", "x.csv"), "one center only"),
        (("--center", "now.yaml", "--day", "some day"), "is not a day"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_told(
    types: Types, bank: Path, words: tuple[str, ...], says: str
) -> None:
    said = types("simulate", "--trace", "t.csv", *words)
    assert (said.status, says in said.err) == (2, True)


def test_a_type_that_is_no_queue_is_told_with_its_line(types: Types, bank: Path) -> None:
    said = types("simulate", "--trace", SAMPLE / "trace.csv", "--center", "now.yaml")
    assert said.status == 2
    assert 'The type "accounts" of call "s0002" (line 4 of the trace) is no queue of now.yaml' in said.err


# ---- plan -----------------------------------------------------------------------------------------------------


def test_staff_are_planned(types: Types) -> None:
    words = ("plan", "staff", "--calls-per-h", 252, "--handle-s", 120, "--patience-s", 60, "--target-s", 20)
    found = types(*words, "--service-level", 0.9, "--shrinkage", 30, "--json").figures
    assert (found["method"], found["agents"], found["scheduled"]) == ("erlang-a", 11, 16)
    assert found["service_level"] >= 0.9
    assert {"abandon_rate", "asa_s", "occupancy"} <= found.keys()
    assert [each["agents"] for each in found["around"]] == [9, 10, 11, 12, 13, 14]
    assert types(*words, "--service-level", 90, "--json").figures["agents"] == 11
    said = types(*words, "--service-level", 0.9)
    assert "11 agents are needed." in said.out
    assert "94.5%" in said.out
    assert types(*words, "--service-level", 0).status == 2


def test_an_endless_line_is_no_number(types: Types) -> None:
    words = ("plan", "staff", "--calls-per-h", 100, "--handle-s", 60, "--service-level", 0.5)
    assert types(*words, "--json").figures["around"][0]["asa_s"] is None
    assert "∞" in types(*words).out


def past(folder: Path) -> None:
    lines = ["began_at,queue,calls,handle_s"]
    for back in (1, 2, 3):
        day = date(2026, 11, 28) - timedelta(weeks=back)
        lines += [
            f"{day}T{hour:02}:{minute:02},loans,{hour + back},120" for hour in (9, 10) for minute in (0, 30)
        ]
    (folder / "p.csv").write_text("\n".join(lines), encoding="utf-8")


def test_a_day_is_forecast_from_a_file(types: Types, tmp_path: Path) -> None:
    past(tmp_path)
    words = ("plan", "forecast", "--past", "p.csv", "--patience-s", 60, "--chart", "out.html")
    found = types(*words, "--json").figures
    assert (found["day"], found["days"]) == ("2026-11-28", ["2026-11-07", "2026-11-14", "2026-11-21"])
    loans = found["queues"]["loans"]
    assert (loans["calls"], loans["handle_s"]) == (46, 120)
    (nine,) = [each for each in loans["intervals"] if each["begins"] == "09:00"]
    assert (nine["calls"], nine["least"], nine["most"], nine["agents"]) == (11, 10, 12, 2)
    assert 'dir="rtl"' in (tmp_path / "out.html").read_text("utf-8")
    said = types(*words, "--leave-out", "1405-08-30", "--day", "2026-11-28")
    assert "The average of 2 days: 2026-11-07, 2026-11-14." in said.out
    assert "09:00" in said.out
    assert "name the past calls" in types("plan", "forecast").err.lower()
    assert "no call on any Sunday" in types(*words, "--day", "2026-11-29").err


async def _record(url: str) -> None:
    from acd.store.base import DatabaseSettings, opened
    from acd.store.tables import contact, visit

    async with opened(DatabaseSettings(url=url)) as database, database.writing.begin() as connection:
        for number, back in enumerate((1, 1, 2)):
            at = datetime(2026, 12, 5, 6, 10, tzinfo=UTC) - timedelta(weeks=back)
            of = {"began_at": at, "ended_at": at + timedelta(seconds=100)}
            await connection.execute(contact.insert().values(id=f"c{number}", kind="call", **of))
            await connection.execute(
                visit.insert().values(
                    id=f"c{number}.1",
                    contact=f"c{number}",
                    queue="loans",
                    priority=0,
                    outcome="answered",
                    wait_us=0,
                    talk_us=90_000_000,
                    hold_us=0,
                    acw_us=10_000_000,
                    answered_at=at,
                    **of,
                )
            )


def test_a_day_is_forecast_from_the_records(types: Types, tmp_path: Path) -> None:
    assert types("init").status == 0
    assert types("db", "upgrade").status == 0
    asyncio.run(_record(f"sqlite+aiosqlite:///{tmp_path / 'var' / 'pasokh.db'}"))
    words = ("plan", "forecast", "--config", "pasokh.toml", "--interval-min", 15, "--json")
    found = types(*words, "--day", "2026-12-05").figures
    loans = found["queues"]["loans"]
    assert found["days"] == ["2026-11-21", "2026-11-28"]
    assert (loans["calls"], loans["handle_s"]) == (1.5, 100)
    assert [each["begins"] for each in loans["intervals"] if each["calls"]] == ["09:30"]
    assert types(*words, "--day", "2027-12-05").status == 2


def test_help_says_the_method_and_its_limits(types: Types) -> None:
    said = (
        types("plan", "staff", "--help").out
        + types("plan", "forecast", "--help").out
        + types("simulate", "--help").out
    )
    for word in ("Erlang A", "equal agents", "same weekday", "No trend", "virtual clock"):
        assert word in " ".join(said.split())
