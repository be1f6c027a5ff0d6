"""`pasokh simulate` and `pasokh plan`: a trace through the real center, staffing by Erlang, a forecast.

What a command needs is imported when it runs: the others shall not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from acd.planning.errors import PlanningError
    from acd.planning.simulate import Run, World

Strategy = Literal["longest-idle", "primary-first"]
Language = Literal["fa", "en"]

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
        Strategy, typer.Option(help="Who gets a call, and which call is taken; a center.yaml says it itself.")
    ] = "longest-idle",
    center: Annotated[
        list[Path] | None,
        typer.Option(help="A center.yaml whose queues are the types; give two or more to compare them."),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(help="With --center: the day of the trace, for opening hours; else always open."),
    ] = None,
    target_s: Annotated[
        float, typer.Option(min=0, help="Answered within it counts for the service level.")
    ] = 20,
    calls: Annotated[Path | None, typer.Option(help="Write what became of each call: CSV.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Write a chart: one HTML file.")] = None,
    language: Annotated[Language, typer.Option(help="Of the chart.")] = "fa",
    json: _Json = False,
) -> None:
    """Play a day of calls through the center that takes live calls, under a virtual clock.

    With --roster every type of call is a queue that needs the skill of its name. With --center the queues, their rules
    and (without --roster) the agents are those of each center.yaml, and the same trace goes through all of them.
    Agents answer at once and have no wrap-up: handle_s is the whole handle time. Times count to the microsecond.
    """
    from acd.planning.files import calls_csv, write_whole
    from acd.planning.tally import tally
    from pasokh import planning_view as view

    worlds = _worlds(trace, roster, strategy, center or [], day)
    if calls is not None and len(worlds) > 1:
        raise _mistake(
            "--calls writes the calls of one center only; name one --center, or leave --calls out."
        )
    days = {}
    for name, world in worlds.items():
        run = _simulate(world)
        days[name] = tally(world, run, round(target_s * 1_000_000))
        if calls is not None:
            write_whole(calls, calls_csv(world, run))
    if chart is not None:
        from acd.planning.chart import what_if_page

        named = next(iter(worlds.values())).site.queues.items() if center else ()
        names = {name: queue.label.text(language) for name, queue in named}
        write_whole(chart, [what_if_page(days, language, names)])
    if json:
        _print_json(
            view.what_if_json(days, worlds) if len(days) > 1 else view.day_json(days, worlds, bool(center))
        )
    else:
        _print(*view.day_tables(days, worlds))


def _worlds(
    trace: Path, roster: Path | None, strategy: Strategy, centers: Sequence[Path], day: str | None
) -> dict[str, World]:
    """What is simulated, each under the name that people see."""
    from acd.planning.files import read_roster, read_text, read_trace
    from acd.planning.worlds import world_of_center, world_of_roster

    calls = read_trace(trace)
    people = None if roster is None else read_roster(roster)
    if not centers:
        if people is None:
            raise _mistake("There is nobody to take the calls; name a roster with --roster, or a --center.")
        return {strategy: world_of_roster(calls, people, strategy)}
    from acd.common.hours import parse_day
    from acd.site import load_site

    try:
        on = None if day is None else parse_day(day)
    except ValueError as error:
        raise _mistake(f"{error}; write it as 2026-12-01 or 1405-09-10.") from None
    names = [path.stem for path in centers]
    if len(set(names)) < len(names):
        names = [str(path) for path in centers]
    if len(set(names)) < len(names):
        raise _mistake("One --center is named twice; name two different ones.")
    return {
        name: world_of_center(load_site(read_text(path), str(path)), str(path), calls, people, on)
        for name, path in zip(names, centers, strict=True)
    }


@plan.command("staff")
def plan_staff(
    calls_per_h: Annotated[float, typer.Option(help="Calls offered per hour.")],
    handle_s: Annotated[float, typer.Option(help="Mean handle time: talk, hold and wrap-up.")],
    target_s: Annotated[float, typer.Option(help="An answer within it is in time.")] = 20,
    service_level: Annotated[
        float, typer.Option(help="Share of all callers to be answered in time: 0.8, or 80 for 80 %.")
    ] = 0.8,
    patience_s: Annotated[
        float | None, typer.Option(help="Mean patience of a caller; without it nobody gives up (Erlang C).")
    ] = None,
    shrinkage: Annotated[
        float, typer.Option(help="Share of paid time in which an agent is not there: 0.3, or 30.")
    ] = 0,
    json: _Json = False,
) -> None:
    """The fewest agents who reach the service level, and what some fewer or more would reach.

    By Erlang A, or Erlang C without --patience-s: one kind of call, equal agents, calls at random at a steady rate,
    exponential handle times and patience. The service level counts every abandoned call as missed. For several
    kinds of calls, or agents with several skills, try `pasokh simulate`.
    """
    from acd.planning.erlang import Demand
    from acd.planning.staffing import Goal, staff
    from pasokh import planning_view as view

    goal = Goal(_share(service_level), target_s, _share(shrinkage))
    found = staff(Demand(calls_per_h, handle_s, patience_s), goal)
    if json:
        _print_json(view.staff_json(found, goal.target_s))
        return
    rest = f"; {found.scheduled} on the plan" if shrinkage else ""
    _print(view.staff_table(found), f"{found.figures.agents} agents are needed{rest}.")


def _share(written: float) -> float:
    """0.8 and 80 both mean 80 %."""
    return written / 100 if written > 1 else written


@plan.command("forecast")
def plan_forecast(
    past: Annotated[
        Path | None,
        typer.Option(help="Past calls or counts, CSV: began_at and, as you like, queue,calls,handle_s."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Instead: the records of this center's database.")
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(help="2026-12-01 or 1405-09-10; without it the next that is usually open, or tomorrow."),
    ] = None,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How many weeks to look back.")] = 8,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="A past day that was unusual; may be repeated.")
    ] = None,
    interval_min: Annotated[int, typer.Option(help="15, 30 or 60.")] = 30,
    time_zone: Annotated[
        str, typer.Option(help="Of the day, and of times in the CSV without an offset.")
    ] = "Asia/Tehran",
    handle_s: Annotated[
        float | None, typer.Option(help="Mean handle time; without it, as it was in the past.")
    ] = None,
    patience_s: Annotated[float | None, typer.Option(help="Mean patience; without it Erlang C.")] = None,
    target_s: Annotated[float, typer.Option(help="An answer within it is in time.")] = 20,
    service_level: Annotated[float, typer.Option(help="To be reached in each interval: 0.8, or 80.")] = 0.8,
    shrinkage: Annotated[float, typer.Option(help="Share of paid time not there: 0.3, or 30.")] = 0,
    chart: Annotated[Path | None, typer.Option(help="Write a chart: one HTML file.")] = None,
    language: Annotated[Language, typer.Option(help="Of the chart.")] = "fa",
    json: _Json = False,
) -> None:
    """Calls of a day to come, interval by interval, and the agents for them.

    The average of the same weekday over the last weeks; days without any call, holidays of the center's calendar (with
    --config) and those left out by hand do not count. No trend and no season. Each interval is staffed by itself, as
    if its rate had always been the same; a line left over from the interval before is not seen.
    """
    from acd.common.hours import parse_day
    from acd.planning.forecast import forecast, staff_day
    from acd.planning.staffing import Goal
    from pasokh import planning_view as view
    from pasokh.planning_past import days_before, past_of_csv, past_of_records

    if (past is None) == (config is None):
        raise _mistake("Name the past calls by either --past or --config.")
    try:
        wanted = None if day is None else parse_day(day)
        unusual = {parse_day(each) for each in leave_out or ()}
    except ValueError as error:
        raise _mistake(f"{error}; write it as 2026-12-01 or 1405-09-10.") from None
    if config is not None:
        records = past_of_records(config, wanted, weeks)
    else:
        assert past is not None
        records = past_of_csv(past, time_zone, wanted)
    unusual |= {each for each in days_before(records.day, weeks) if records.is_holiday(each)}
    goal = Goal(_share(service_level), target_s, _share(shrinkage))
    found = forecast(
        records.past,
        records.day,
        records.time_zone,
        interval_min=interval_min,
        weeks=weeks,
        leave_out=unusual,
    )
    plans = [(each, staff_day(each, goal, handle_s, patience_s)) for each in found]
    if chart is not None:
        from acd.planning.chart import forecast_page
        from acd.planning.files import write_whole

        write_whole(chart, [forecast_page(plans, language, records.names(language))])
    holiday = records.is_holiday(records.day)
    if json:
        _print_json(view.forecast_json(plans, holiday))
        return
    _print(*(view.forecast_table(each, staffed) for each, staffed in plans))
    days = ", ".join(str(each) for each in found[0].days)
    _print(f"The average of {len(found[0].days)} days: {days}.")
    if holiday:
        _print(
            f"{records.day} is a holiday in the calendar; these are the calls of a usual {records.day:%A}."
        )


def _mistake(sentence: str) -> PlanningError:
    from acd.planning.errors import PlanningError

    return PlanningError(sentence)


def _simulate(world: World) -> Run:
    import gc

    from acd.planning.simulate import simulate as play

    gc.freeze()  # what was imported and read stays to the end: no need to look through it again and again
    try:
        with _progress("Calls", len(world.calls)) as progress:
            return play(world, progress)
    finally:
        gc.unfreeze()


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


def _print_json(figures: Mapping[str, object]) -> None:
    import json

    print(json.dumps(figures, ensure_ascii=False, allow_nan=False))


def _print(*tables: object) -> None:
    from rich.console import Console

    out = Console()
    for table in tables:
        out.print(table)
