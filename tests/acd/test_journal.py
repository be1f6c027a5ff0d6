"""Inputs as lines: every kind comes back, and the same lines give the same center, bit for bit, anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd import journal
from acd.center import Center, Step
from acd.errors import JournalError
from acd.events import Asked, CallArrived, CallerLeft, Command, Event, MenuEnded, VisitQueued
from acd.journal import decode_event, encode_event, encode_header, read_header, replay
from acd.kpi import measures
from acd.kpi.measures import Measures
from acd.state import digest
from acd.store.journal_file import FileJournal, JournalSettings, read_segment
from tests.acd.random_world import RandomWorld
from tests.acd.worlds import MORNING_US, World, site_of

CODE = "1.2.3"
HOUSE = Path(__file__).parents[2]
REPLAY = """
import sys
from acd.journal import read_header, replay
from acd.kpi import measures
from acd.state import digest
header, *lines = sys.stdin.buffer.read().splitlines()
at = read_header(header, "1.2.3")
for step in replay(at, lines):
    pass
print(digest(at.center.state), measures.dump(at.measures).hex())
"""


def segment(seed: int, steps: int = 250) -> tuple[RandomWorld, bytes, list[bytes]]:
    """A random day: the world it came to, its first line and the lines of its inputs."""
    world = RandomWorld(seed)
    header = encode_header(world.center, world.measures, CODE)
    world.go(steps)
    return world, header, [encode_event(event, now_us) for now_us, event in world.inputs]


# ---- lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*get_args(Event), *get_args(Command)], ids=lambda kind: kind.__name__)
def test_every_event_and_command_comes_back(kind: type) -> None:
    """Made from the types themselves, so that a new one is tried without being named here."""

    @settings(max_examples=30)
    @given(st.from_type(kind), st.integers(min_value=0, max_value=2**62))
    def comes_back(some: Event | Command, now_us: int) -> None:
        event: Event = Asked("r", "tester", some) if isinstance(some, get_args(Command)) else some  # type: ignore[assignment]
        line = encode_event(event, now_us)
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert decode_event(line) == (now_us, event)

    comes_back()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b'{"t":1,"k":"NoSuchEvent","e":{}}',
        b'{"t":1,"k":"CallerLeft","e":{}}',
        b'{"t":1,"k":"CallerLeft","e":{"contact":7}}',
        b'{"t":"1","k":"CallerLeft","e":{"contact":"x"}}',
        b'{"t":1,"k":"Asked","e":{"request":"r","by":"b","k":"Nonsense","c":{}}}',
        b'{"t":1,"k":"TimerFired","e":{"timer":"\xff"}}',
    ],
)
def test_a_line_that_nobody_wrote_is_refused(line: bytes) -> None:
    with pytest.raises(JournalError):
        decode_event(line)


def test_no_line_holds_the_callers_number() -> None:
    """What there is no field for cannot be written."""
    line = encode_event(CallArrived("c1", "2100", "keyed-token"), 1)
    assert msgspec.json.decode(line) == {
        "t": 1,
        "k": "CallArrived",
        "e": {
            "contact": "c1",
            "dialled": "2100",
            "caller_token": "keyed-token",
            "attach": 1,
            "began_us": None,
        },
    }


# ---- replay ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_a_replay_gives_the_same_center_bit_for_bit(seed: int) -> None:
    world, header, lines = segment(seed)
    at = read_header(header, CODE)
    told = [fact for step in replay(at, lines) for fact in step.facts]
    assert told == world.facts
    assert digest(at.center.state) == world.digest
    assert measures.dump(at.measures) == measures.dump(world.measures)
    assert at.lines == len(lines)


def test_a_snapshot_in_the_middle_of_the_day_leads_to_the_same_evening() -> None:
    world, _, _ = segment(5, 120)
    header = encode_header(world.center, world.measures, CODE)
    after = len(world.inputs)
    world.go(120)
    at = read_header(header, CODE)
    list(replay(at, [encode_event(event, now_us) for now_us, event in world.inputs[after:]]))
    assert digest(at.center.state) == world.digest
    assert measures.dump(at.measures) == measures.dump(world.measures)


@pytest.mark.parametrize("hash_seed", ["1", "4242"])
def test_another_process_comes_to_the_same(hash_seed: str) -> None:
    world, header, lines = segment(7)
    done = subprocess.run(
        [sys.executable, "-c", REPLAY],
        input=header + b"".join(lines),
        capture_output=True,
        check=True,
        cwd=HOUSE,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HOUSE)},
    )
    assert done.stdout.decode().split() == [world.digest, measures.dump(world.measures).hex()]


def test_the_digest_tells_small_differences() -> None:
    one, other = World(), World()
    assert digest(one.center.state) == digest(other.center.state)
    one.do(MenuEnded("stranger"))
    assert digest(one.center.state) == digest(other.center.state)
    one.call("c1")
    other.call("c1", priority=1)
    assert digest(one.center.state) != digest(other.center.state)


# ---- the first line ----------------------------------------------------------------------------------------


def test_the_first_line_brings_back_center_rules_and_measures() -> None:
    world = World()
    world.call("c1")
    at = read_header(encode_header(world.center, world.measures, CODE), CODE)
    assert at.center.state == world.center.state
    assert at.center.rules == world.center.rules
    assert at.measures == world.measures
    assert at.center.waiting("main") == 1


def test_another_versions_journal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    header = encode_header(World().center, measures.Measures(), CODE)
    with pytest.raises(JournalError, match=r"version 1\.2\.3 .* this is 1\.2\.4"):
        read_header(header, "1.2.4")
    monkeypatch.setattr(journal, "SCHEMA", journal.SCHEMA + 1)
    with pytest.raises(JournalError, match="schema"):
        read_header(header, CODE)


@pytest.mark.parametrize("header", [b"", b"{}", b"[1]", b"\xff", b'{"pasokh_journal":1}'])
def test_a_first_line_that_is_none_is_refused(header: bytes) -> None:
    with pytest.raises(JournalError):
        read_header(header, CODE)


# ---- on disk -----------------------------------------------------------------------------------------------


def failed(error: OSError) -> None:
    raise AssertionError(error)


async def test_a_segment_on_disk_is_read_back_without_its_cut_last_line(tmp_path: Path) -> None:
    world, header, lines = segment(2, 60)
    file = FileJournal(JournalSettings(tmp_path, fsync_s=0), failed)
    file.begin(header, MORNING_US)
    for line in lines:
        file.append(line)
    assert file.lines == len(lines)
    path = file.last_segment()
    assert path is not None
    with path.open("ab") as cut:
        cut.write(lines[-1][:-10])
    first, rest = read_segment(path)
    at = read_header(first, CODE)
    list(replay(at, rest))
    assert digest(at.center.state) == world.digest
    await file.close()


async def test_a_new_segment_takes_over_and_old_ones_go(tmp_path: Path) -> None:
    center = Center.new(World().center.site, MORNING_US)
    file = FileJournal(JournalSettings(tmp_path, fsync_s=0), failed)
    for number in range(8):
        file.begin(encode_header(center, measures.Measures(), CODE), MORNING_US + number)
        file.append(encode_event(VisitQueued(f"c{number}", "main"), MORNING_US + number))
    assert sum(name.endswith(".journal") for name in os.listdir(tmp_path)) == 5
    path = file.last_segment()
    assert path is not None
    assert [decode_event(line)[1] for line in read_segment(path)[1]] == [VisitQueued("c7", "main")]
    assert path.stat().st_mode & 0o777 == 0o600
    await file.close()


async def test_a_disk_that_is_gone_ends_no_call_and_is_told_once(tmp_path: Path) -> None:
    told: list[OSError] = []
    file = FileJournal(JournalSettings(tmp_path, fsync_s=0), told.append)
    file.begin(b"{}\n", 1)
    assert file._fd is not None
    os.close(file._fd)
    file.append(b"a\n")
    file.append(b"b\n")
    assert (file.lost, len(told)) == (2, 1)
    file._fd = None


def test_an_empty_segment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "1.journal"
    path.write_bytes(b'{"cut header')
    with pytest.raises(JournalError, match="empty"):
        read_segment(path)


def test_an_input_that_broke_the_center_is_left_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    center = Center.new(site_of(), MORNING_US)
    header = journal.encode_header(center, Measures(), "v1")
    lines = [
        journal.encode_event(CallArrived("c1", "2100", None), MORNING_US + 1),
        journal.encode_event(CallerLeft("c1"), MORNING_US + 2),
        journal.encode_event(CallArrived("c2", "2100", None), MORNING_US + 3),
    ]
    handle = Center.handle

    def poisoned(self: Center, event: Event, now_us: int) -> Step:
        if isinstance(event, CallerLeft):
            raise RuntimeError("poison")
        return handle(self, event, now_us)

    monkeypatch.setattr(Center, "handle", poisoned)
    replayed = journal.read_header(header, "v1")
    steps = list(journal.replay(replayed, lines))
    assert (len(steps), replayed.lines, replayed.broken) == (2, 2, 1)
    assert set(replayed.center.state.contacts) == {"c1", "c2"}
