"""What a session costs: processor time of a command beside bare loops that write the same bytes, and memory."""

from __future__ import annotations

import statistics

import pytest

from tests.bench.agi_callers import Hall, Server, hall, server
from tests.bench.agi_server import LINES
from tests.bench.measure import Figure, Report, missed, ratio

TURNS = 5
COMMANDS = 20_000
KINDS = ("ours", "streams", "protocol")


async def us_of_a_command(at: Server, callers: Hall) -> float:
    await callers.answer(COMMANDS // 4)
    before = await at.used()
    await callers.answer(COMMANDS)
    return ((await at.used()).cpu_s - before.cpu_s) / COMMANDS * 1e6


@pytest.mark.parametrize("sessions", [100, 1000])
async def test_the_processor_time_of_a_command(report: Report, sessions: int) -> None:
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with report.steps(f"AGI commands in {sessions} sessions", TURNS * len(KINDS)) as done:
        for _ in range(TURNS):
            for kind in KINDS:
                async with server(kind) as at, hall(at.port, sessions) as callers:
                    took[kind].append(await us_of_a_command(at, callers))
                    assert callers.heard == set(LINES), "both write the same bytes"
                done()
    usual, barest = (statistics.median(took[kind]) for kind in ("streams", "protocol"))
    figures = [
        ratio(
            f"AGI command, {sessions} sessions, to bare streams", took["ours"], took["streams"], at_most=1.35
        ),
        Figure(f"AGI command, {sessions} sessions", statistics.median(took["ours"]), "µs", beside=usual),
        Figure(f"barest loop (a future and no stream), {sessions} sessions", barest, "µs"),
    ]
    report.add(*figures)
    assert not missed(figures)


async def test_the_memory_of_a_thousand_idle_sessions(report: Report) -> None:
    held = {}
    with report.steps("idle sessions", 2) as done:
        for kind in ("ours", "streams"):
            async with server(kind) as at:
                before = (await at.used()).memory_bytes
                async with hall(at.port, 1000):
                    held[kind] = ((await at.used()).memory_bytes - before) / 1e6
            done()
    figure = Figure("1 000 idle AGI sessions", held["ours"], "MB", at_most=12, beside=held["streams"])
    report.add(figure)
    assert not missed([figure])
