"""What is wrong in a file is told with its place and its remedy, and a result is there whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from acd.planning.errors import InputError, PlanningError
from acd.planning.files import (
    calls_csv,
    parse_roster,
    parse_trace,
    read_roster,
    read_trace,
    write_whole,
)
from acd.planning.simulate import simulate
from acd.planning.worlds import RosterAgent, TraceCall, world_of_roster

HEADER = "call_id,arrival_s,type,handle_s,patience_s,priority\n"


def test_a_trace_is_read_with_any_order_of_columns_and_more_of_them() -> None:
    text = "\ufeffqueue,priority,patience_s,handle_s,type,arrival_s,call_id\r\nx,2,,1.5,loans,0.000001,a\r\n"
    assert parse_trace(text.removeprefix("\ufeff"), "t.csv") == [
        TraceCall(2, "a", "loans", 1, 1_500_000, None, 2)
    ]


def test_times_are_whole_microseconds_and_words_are_any() -> None:
    text = HEADER + '"a,1",22.47,وام,29.804,17.113,0\n\nb,1e3,"x ""y""",0,inf,-3.0\n'
    assert parse_trace(text, "t.csv") == [
        TraceCall(2, "a,1", "وام", 22_470_000, 29_804_000, 17_113_000, 0),
        TraceCall(4, "b", 'x "y"', 1_000_000_000, 0, None, -3),
    ]


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", "t.csv:1", "no column call_id"),
        ("call_id,arrival_s,type,handle_s\n", "t.csv:1", "no column patience_s"),
        (HEADER + "a,1,x,60\n", "t.csv:2", "only 4 fields"),
        (HEADER + "a,1,x,60,,0\nb,soon,x,60,,0\n", "t.csv:3", 'arrival_s is "soon", which is not a number'),
        (HEADER + "a,nan,x,60,,0\n", "t.csv:2", "not a number"),
        (HEADER + "a,1,x,inf,,0\n", "t.csv:2", "handle_s"),
        (HEADER + "a,1,x,-1,,0\n", "t.csv:2", "less than 0"),
        (HEADER + "a,1,x,60,-5,0\n", "t.csv:2", "less than 0"),
        (HEADER + "a,1,x,60,,high\n", "t.csv:2", "write one, such as 0"),
        (HEADER + "a,1,x,60,,0.5\n", "t.csv:2", "not a whole number"),
        (HEADER + ",1,x,60,,0\n", "t.csv:2", "call_id is empty"),
        (HEADER + "a,1, ,60,,0\n", "t.csv:2", "type is empty"),
        (HEADER + "a,1,x,60,,0\na,2,x,60,,0\n", "t.csv:3", "already that of line 2"),
        (HEADER + 'a,1,"x,60,,0\n', "t.csv:2", "not CSV"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(text: str, place: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        parse_trace(text, "t.csv")
    assert str(raised.value).startswith(place + ": ")
    assert str(raised.value).endswith(".")


def test_a_roster_is_read_with_what_it_leaves_out() -> None:
    text = json.dumps(
        {
            "note": "x",
            "agents": [
                {"id": "a", "skills": {"وام": 1, "cards": 2.0}, "login": 0, "logout": 7200.5, "team": "x"},
                {"id": 7},
            ],
        }
    )
    assert parse_roster(text, "r.json") == [
        RosterAgent("a", {"وام": 1, "cards": 2}, 0, 7_200_500_000),
        RosterAgent("7", None, None, None),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "r.json:1: this is not JSON"),
        ("[]", 'no list "agents"'),
        ('{"agents": {}}', 'no list "agents"'),
        ('{"agents": ["a"]}', "agent number 1 is not an object"),
        ('{"agents": [{"skills": {}}]}', "agent number 1 has no id"),
        ('{"agents": [{"id": "a", "skills": ["x"]}]}', 'the skills of agent "a" are no object'),
        ('{"agents": [{"id": "a", "skills": {"x": "high"}}]}', 'rank of agent "a" for "x"'),
        ('{"agents": [{"id": "a", "skills": {"x": true}}]}', 'rank of agent "a" for "x"'),
        ('{"agents": [{"id": "a", "login": "8:00"}]}', 'login of agent "a" is not a number'),
        ('{"agents": [{"id": "a", "login": NaN}]}', 'login of agent "a" is not a number'),
        ('{"agents": [{"id": "a", "login": 10, "logout": 5}]}', "logs out before logging in"),
        ('{"agents": [{"id": "a"}, {"id": "a"}]}', 'agent "a" is there twice'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        parse_roster(text, "r.json")
    assert str(raised.value).startswith("r.json:")
    assert str(raised.value).endswith(".")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_trace(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(HEADER.encode() + b"a,1,\xff,60,,0\n")
    with pytest.raises(InputError, match=r"t\.csv:2: the line is not UTF-8"):
        read_trace(tmp_path / "t.csv")
    with pytest.raises(InputError, match="directory"):
        read_roster(tmp_path)


def test_names_come_back_as_they_were_written(tmp_path: Path) -> None:
    calls = parse_trace(HEADER + '"a,""1",0,وام,60,,0\nb,1,وام,60,0,0\n', "t.csv")
    world = world_of_roster(calls, [RosterAgent("سارا, ا", {"وام": 1})], "longest-idle")
    out = tmp_path / "out.csv"
    write_whole(out, calls_csv(world, simulate(world)))
    assert out.read_text(encoding="utf-8").splitlines() == [
        "call_id,outcome,wait_s,agent",
        '"a,""1",answered,0.000000,"سارا, ا"',
        "b,abandoned,0.000000,",
    ]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before", encoding="utf-8")

    def fails() -> object:
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(PlanningError, match=r"out\.csv: the file cannot be written \(No space left"):
        write_whole(out, fails())  # type: ignore[arg-type]
    assert out.read_text(encoding="utf-8") == "before"
    assert os.listdir(tmp_path) == ["out.csv"]
    write_whole(out, ["after"])
    assert out.read_text(encoding="utf-8") == "after"
    with pytest.raises(PlanningError, match="cannot be written"):
        write_whole(tmp_path / "nowhere" / "out.csv", ["x"])
