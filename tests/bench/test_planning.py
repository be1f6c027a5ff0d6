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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from acd.planning.files import read_roster, read_trace
from acd.planning.simulate import simulate
from acd.planning.worlds import STRATEGIES, world_of_roster
from tests.bench.measure import Figure, Report, missed

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
def test_a_day_in_one_command(day: Path, report: Report, strategy: str) -> None:
    words = ["--trace", "trace.csv", "--roster", "roster.json", "--strategy", strategy]
    took = [_run(day, _COMMAND, "simulate", *words, "--calls", "o.csv", "--json") for _ in range(ROUNDS)]
    name = f"pasokh simulate, {CALLS} calls, {AGENTS} agents, {strategy}"
    figure = Figure(name, _least(took).processor_s, "s of the processor", at_most=TARGET_S)
    report.add(figure, Figure(f"{name}, by the clock", _least(took).wall_s, "s"))
    assert not missed([figure])


def test_what_of_it_is_starting(day: Path, report: Report) -> None:
    for code in ("pass", "import pasokh.cli", "import pasokh.cli, acd.center"):
        took = [_run(day, code) for _ in range(ROUNDS)]
        report.add(Figure(f"python -c '{code}'", _least(took).processor_s, "s of the processor"))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_of_it_is_the_center(day: Path, report: Report, strategy: str) -> None:
    assert strategy in STRATEGIES
    world = world_of_roster(read_trace(day / "trace.csv"), read_roster(day / "roster.json"), strategy)
    rates = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run = simulate(world)
        rates.append(run.events / (time.process_time() - began))
    report.add(Figure(f"the center in a simulated day, {strategy}", statistics.median(rates), "events/s"))


_COMMAND = "from pasokh.cli import main; main()"


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


def _least(took: Sequence[Took]) -> Took:
    """The quickest round: the work is the same in all of them, and what else the machine does only adds to it."""
    return min(took, key=lambda each: each.processor_s)
