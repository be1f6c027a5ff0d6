"""How long a simulated day takes: the whole command as a person runs it, and the center alone inside it.

A day: 6 000 calls of four types in nine hours, 90 agents with one to three skills. Target: 2 s for the command, which
is one thread: its time on the processor is what it takes on a machine with nothing else to do.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from acd.planning.files import read_roster, read_trace
from acd.planning.simulate import simulate
from acd.planning.worlds import STRATEGIES, world_of_roster

CALLS, AGENTS, HOURS = 6_000, 90, 9
TARGET_S = 2.0
ROUNDS = 5
HOUSE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with trace.csv and roster.json of the day."""
    folder = tmp_path_factory.mktemp("day")
    chance = random.Random(7)
    kinds = ["loans", "cards", "accounts", "fx"]
    lines = ["call_id,arrival_s,type,handle_s,patience_s,priority"]
    for at, arrival_s in enumerate(sorted(chance.uniform(0, HOURS * 3600) for _ in range(CALLS))):
        handle_s, patience_s = chance.expovariate(1 / 440), chance.expovariate(1 / 90)
        priority = chance.choice([0, 0, 0, 1, 5])
        lines.append(
            f"c{at},{arrival_s:.3f},{chance.choice(kinds)},{handle_s:.3f},{patience_s:.3f},{priority}"
        )
    (folder / "trace.csv").write_text("\n".join(lines), encoding="utf-8")
    agents = [
        {
            "id": f"a{at}",
            "skills": {
                kind: rank
                for rank, kind in enumerate(chance.sample(kinds, chance.choice([1, 2, 2, 3])), start=1)
            },
            "login": chance.choice([0, 0, 3600]),
            "logout": chance.choice([28_800, 32_400]),
        }
        for at in range(AGENTS)
    ]
    (folder / "roster.json").write_text(json.dumps({"agents": agents}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_day_in_one_command(day: Path, strategy: str) -> None:
    words = ["--trace", "trace.csv", "--roster", "roster.json", "--strategy", strategy]
    took = [
        _run(day, "from pasokh.cli import main; main()", "simulate", *words, "--calls", "o.csv", "--json")
        for _ in range(ROUNDS)
    ]
    _tell(f"pasokh simulate, {CALLS} calls, {AGENTS} agents, {strategy}", took)
    assert statistics.median(each.processor_s for each in took) < TARGET_S


def test_what_of_it_is_starting(day: Path) -> None:
    _tell("start of Python", [_run(day, "pass") for _ in range(ROUNDS)])
    _tell("import pasokh.cli", [_run(day, "import pasokh.cli") for _ in range(ROUNDS)])
    _tell("  and acd.center", [_run(day, "import pasokh.cli, acd.center") for _ in range(ROUNDS)])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_of_it_is_the_center(day: Path, strategy: str) -> None:
    assert strategy in STRATEGIES
    world = world_of_roster(read_trace(day / "trace.csv"), read_roster(day / "roster.json"), strategy)
    took = []
    for _ in range(ROUNDS):
        began, worked = time.perf_counter(), time.process_time()
        run = simulate(world)
        took.append(Took(time.perf_counter() - began, time.process_time() - worked))
    _tell(f"the center, {run.events} events, {strategy}", took)
    print(f"; {run.events / statistics.median(each.processor_s for each in took):,.0f} events/s")


@dataclass(frozen=True, slots=True)
class Took:
    wall_s: float
    processor_s: float


def _run(folder: Path, code: str, *words: str) -> Took:
    """One run of Python in the folder."""
    began, before = time.perf_counter(), _processor_s()
    subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(HOUSE)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return Took(time.perf_counter() - began, _processor_s() - before)


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tell(what: str, took: list[Took]) -> None:
    wall, processor = ([getattr(each, name) for each in took] for name in ("wall_s", "processor_s"))
    print(
        f"\n  {what}: {statistics.median(wall):.2f} s ({min(wall):.2f}–{max(wall):.2f}), "
        f"of the processor {statistics.median(processor):.2f} s ({min(processor):.2f}–{max(processor):.2f})",
        end="",
    )
