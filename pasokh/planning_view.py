"""What the planning commands show: tables for people, objects for programs, from the same figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from acd.planning.erlang import Figures
from acd.planning.forecast import Forecast, Staffed
from acd.planning.simulate import World
from acd.planning.staffing import Staffing
from acd.planning.tally import Day, Tally

Row = Mapping[str, object]
Plans = Sequence[tuple[Forecast, Sequence[Staffed]]]


def day_json(days: Mapping[str, Day], worlds: Mapping[str, World], is_center: bool) -> Row:
    ((name, day),) = days.items()
    return {"center" if is_center else "strategy": name, "agents": len(worlds[name].shifts), **day.figures()}


def what_if_json(days: Mapping[str, Day], worlds: Mapping[str, World]) -> Row:
    """Each center's figures, and by how much the others differ from the first."""
    first, *others = days
    return {
        "centers": {
            name: {"agents": len(worlds[name].shifts), **day.figures()} for name, day in days.items()
        },
        "difference": {
            name: {
                key: None if value is None or was is None else value - was
                for (key, value), was in zip(
                    days[name].total.figures().items(), days[first].total.figures().values(), strict=True
                )
            }
            for name in others
        },
    }


_SHOWN: tuple[tuple[str, str, str], ...] = (
    ("offered", "offered", "n"),
    ("answered", "answered", "n"),
    ("abandoned", "abandoned", "n"),
    ("flowed_out", "flowed out", "n"),
    ("refused", "refused", "n"),
    ("waiting", "still waiting", "n"),
    ("abandon_rate", "abandon rate", "%"),
    ("service_level", "service level", "%"),
    ("asa_s", "asa s", "s"),
    ("wait_all_s", "wait of all s", "s"),
    ("wait_p90_s", "90 % waited s", "s"),
    ("longest_wait_s", "longest wait s", "s"),
    ("occupancy", "occupancy", "%"),
)
_ONLY_IF_ANY = ("flowed_out", "refused", "waiting")


def day_tables(days: Mapping[str, Day], worlds: Mapping[str, World]) -> Iterator[Table]:
    """One day: all calls and each type. More of them: all calls under each, and each type's three main figures."""
    if len(days) == 1:
        ((name, day),) = days.items()
        title = f"{len(worlds[name].calls)} calls, {len(worlds[name].shifts)} agents, {name}"
        columns = {"all": day.total} | (dict(day.kinds) if len(day.kinds) > 1 else {})
        yield _figures_table(title, columns, False)
        return
    yield _figures_table("All calls", {name: day.total for name, day in days.items()}, True)
    for kind in next(iter(days.values())).kinds:
        yield _figures_table(kind, {name: day.kinds[kind] for name, day in days.items()}, True)


def _figures_table(title: str, tallies: Mapping[str, Tally], compared: bool) -> Table:
    table = Table(title=escape(title), title_justify="left")
    table.add_column("", no_wrap=True)
    for name in tallies:
        table.add_column(escape(name), justify="right")
    if compared:
        for name in list(tallies)[1:]:
            table.add_column(f"{escape(name)} −/+", justify="right", style="bold")
    figures = [each.figures() for each in tallies.values()]
    for key, name, unit in _SHOWN:
        values = [each[key] for each in figures]
        if key in _ONLY_IF_ANY and not any(values):
            continue
        cells = [_shown(value, unit) for value in values]
        if compared:
            first = values[0]
            cells += [
                _shown(None if value is None or first is None else value - first, unit, "+")
                for value in values[1:]
            ]
        table.add_row(name, *cells)
    return table


def _shown(value: float | None, unit: str, sign: str = "") -> str:
    """A dash for what nothing was counted of."""
    if value is None:
        return "–"
    return f"{value:{sign}.1%}" if unit == "%" else f"{value:{sign}.{0 if unit == 'n' else 1}f}"


def staff_json(found: Staffing, target_s: float) -> Row:
    return {
        "method": found.method,
        "agents": found.figures.agents,
        "scheduled": found.scheduled,
        "load_erl": found.load_erl,
        "target_s": target_s,
        **_figures(found.figures),
        "around": [{"agents": each.agents, **_figures(each)} for each in found.around],
    }


def _figures(figures: Figures) -> dict[str, float | None]:
    """By the names of the measures; None for what has no end."""
    return {
        "service_level": figures.in_target,
        "abandon_rate": figures.abandon_rate,
        "asa_s": figures.asa_s if math.isfinite(figures.asa_s) else None,
        "wait_all_s": figures.wait_all_s if math.isfinite(figures.wait_all_s) else None,
        "p_wait": figures.p_wait,
        "occupancy": figures.occupancy,
    }


def staff_table(found: Staffing) -> Table:
    table = Table(title=f"{found.method}, {found.load_erl:.1f} erlang", title_justify="left")
    for name in ("agents", "service level", "abandoned", "asa s", "must wait", "occupancy"):
        table.add_column(name, justify="right")
    for each in found.around:
        table.add_row(
            str(each.agents),
            f"{each.in_target:.1%}",
            f"{each.abandon_rate:.1%}",
            f"{each.asa_s:.1f}" if math.isfinite(each.asa_s) else "∞",
            f"{each.p_wait:.1%}",
            f"{each.occupancy:.1%}",
            style="bold" if each.agents == found.figures.agents else "dim",
        )
    return table


def forecast_json(plans: Plans, holiday: bool) -> Row:
    return {
        "method": "mean of the same weekday",
        "day": str(plans[0][0].day),
        "holiday": holiday,
        "days": [str(each) for each in plans[0][0].days],
        "interval_min": plans[0][0].interval_min,
        "queues": {
            each.queue: {
                "calls": each.calls,
                "handle_s": each.handle_s,
                "intervals": [
                    {
                        "begins": _clock(one.expected.minute),
                        "calls": one.expected.calls,
                        "least": one.expected.least,
                        "most": one.expected.most,
                        "agents": one.figures.agents if one.figures else 0,
                        "scheduled": one.scheduled,
                        "service_level": one.figures.in_target if one.figures else None,
                        "occupancy": one.figures.occupancy if one.figures else None,
                    }
                    for one in staffed
                ],
            }
            for each, staffed in plans
        },
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def forecast_table(found: Forecast, staffed: Sequence[Staffed]) -> Table:
    """Intervals with calls, each with a bar as long as the calls are many."""
    table = Table(
        title=f"{escape(found.queue)}, {found.day} ({found.day:%A}): {found.calls:.0f} calls",
        title_justify="left",
    )
    for name in ("from", "calls", "range", "agents", "on plan", "in time", "busy"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    top = max(each.expected.calls for each in staffed)
    for each in staffed:
        if each.figures is None:
            continue
        expected = each.expected
        table.add_row(
            _clock(expected.minute),
            f"{expected.calls:.1f}",
            f"{expected.least}–{expected.most}",
            str(each.figures.agents),
            str(each.scheduled),
            f"{each.figures.in_target:.1%}",
            f"{each.figures.occupancy:.1%}",
            "█" * max(1, round(expected.calls / top * 16)),
        )
    return table
