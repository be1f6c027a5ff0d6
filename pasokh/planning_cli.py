"""`pasokh simulate` and `pasokh plan`: a trace through the real center, staffing by Erlang, a forecast.

What a command needs is imported when it runs: the others shall not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from acd.planning.simulate import Run, World
    from acd.planning.tally import Day

Strategy = Literal["longest-idle", "primary-first"]
Row = Mapping[str, object]

plan = typer.Typer(no_args_is_help=True, help="How many calls will come, and how many agents they need.")

_Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]


def add_to(app: typer.Typer) -> None:
    app.command()(simulate)
    app.add_typer(plan, name="plan")


def simulate(
    trace: Annotated[Path, typer.Option(help="CSV: call_id,arrival_s,type,handle_s,patience_s,priority.")],
    roster: Annotated[
        Path | None,
        typer.Option(help='JSON: {"agents": [{"id", "skills": {skill: rank}, "login", "logout"}]}.'),
    ] = None,
    strategy: Annotated[
        Strategy, typer.Option(help="Who gets a call, and which call is taken.")
    ] = "longest-idle",
    target_s: Annotated[
        float, typer.Option(min=0, help="Answered within it counts for the service level.")
    ] = 20,
    calls: Annotated[Path | None, typer.Option(help="Write what became of each call: CSV.")] = None,
    json: _Json = False,
) -> None:
    """Play a day of calls through the center that takes live calls, under a virtual clock.

    Agents answer at once and have no wrap-up: handle_s is the whole handle time. Times count to the microsecond.
    """
    from acd.planning.files import calls_csv, read_roster, read_trace, write_whole
    from acd.planning.tally import tally
    from acd.planning.worlds import world_of_roster

    if roster is None:
        raise typer.BadParameter("a roster is needed; name it with --roster.")
    world = world_of_roster(read_trace(trace), read_roster(roster), strategy)
    run = _simulate(world)
    day = tally(world, run, round(target_s * 1_000_000))
    if calls is not None:
        write_whole(calls, calls_csv(world, run))
    if json:
        _print_json({"strategy": strategy, "agents": len(world.shifts), **day.figures()})
    else:
        _print(_day_table(f"{len(world.calls)} calls, {len(world.shifts)} agents, {strategy}", day))


def _simulate(world: World) -> Run:
    from acd.planning.simulate import simulate as play

    with _progress("Calls", len(world.calls)) as progress:
        return play(world, progress)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal; nothing where nobody looks."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


_SHOWN: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("offered", "offered", lambda x: f"{x:.0f}"),
    ("answered", "answered", lambda x: f"{x:.0f}"),
    ("abandoned", "abandoned", lambda x: f"{x:.0f}"),
    ("abandon_rate", "abandon rate", lambda x: f"{x:.1%}"),
    ("service_level", "service level", lambda x: f"{x:.1%}"),
    ("asa_s", "asa s", lambda x: f"{x:.1f}"),
    ("wait_all_s", "wait all s", lambda x: f"{x:.1f}"),
    ("longest_wait_s", "longest wait s", lambda x: f"{x:.0f}"),
    ("occupancy", "occupancy", lambda x: f"{x:.1%}"),
)


def _day_table(title: str, day: Day) -> Table:
    from rich.table import Table

    table = Table(title=title)
    table.add_column("")
    for _, name, _show in _SHOWN:
        table.add_column(name, justify="right")
    rows = [(kind, each.figures()) for kind, each in day.kinds.items()] if len(day.kinds) > 1 else []
    for name, figures in [*rows, ("all", day.total.figures())]:
        table.add_row(name, *(_shown(figures.get(key), show) for key, _, show in _SHOWN))
    return table


def _shown(value: object, show: Callable[[float], str]) -> str:
    """A dash for what nothing was counted of."""
    return show(value) if isinstance(value, int | float) else "–"


def _print_json(figures: Row) -> None:
    import json

    print(json.dumps(figures, ensure_ascii=False, allow_nan=False))


def _print(*tables: object) -> None:
    from rich.console import Console

    out = Console()
    for table in tables:
        out.print(table)
