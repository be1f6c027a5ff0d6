"""What every measurement shares: figures with their targets, a table of them, and a file for other programs.

A figure is measured beside what it is compared with, in turns and in one run, and told as the median of the turns:
what else a machine does meets both. Processor time is told, not the clock, where a target speaks of it.
`PASOKH_BENCH_JSON` names a file that gets the figures of the whole run.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`. At most one of `at_most`, `at_least` is the target; `beside` is the same measured on what
    it is compared with. A figure without a target is told for the sake of others."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    beside: float | None = None

    @property
    def met(self) -> bool:
        return not (
            (self.at_most is not None and self.value > self.at_most)
            or (self.at_least is not None and self.value < self.at_least)
        )

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"at most {_short(self.at_most)}"
        return "" if self.at_least is None else f"at least {_short(self.at_least)}"


def ratio(name: str, ours: Sequence[float], bare: Sequence[float], *, at_most: float) -> Figure:
    """How many times the bare one's, by the medians of both."""
    return Figure(name, statistics.median(ours) / statistics.median(bare), "times", at_most=at_most)


@dataclass(slots=True)
class Report:
    """The figures of one run."""

    figures: list[Figure] = field(default_factory=list)
    console: Console = field(default_factory=Console)

    def add(self, *figures: Figure) -> None:
        self.figures += figures

    @contextmanager
    def steps(self, what: str, count: int) -> Iterator[Callable[[], None]]:
        """A bar for `count` steps; call what it gives after each."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(what, total=count)
            yield lambda: progress.advance(task)

    def show(self) -> None:
        """The table; and the file, when one is named."""
        self.console.print(_table(self.figures))
        if name := os.environ.get("PASOKH_BENCH_JSON"):
            Path(name).write_text(json.dumps(self.told(), indent=2) + "\n", encoding="utf-8")

    def told(self) -> dict[str, object]:
        machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "system": platform.platform()}
        return {"machine": machine, "figures": [{**asdict(each), "met": each.met} for each in self.figures]}


def missed(figures: Iterable[Figure]) -> list[str]:
    """In words, for an assertion."""
    return [
        f"{each.name}: {_short(each.value)} {each.unit}, {each.target}" for each in figures if not each.met
    ]


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(title="Measured")
    for head in ("what", "value", "unit", "beside", "target", ""):
        table.add_column(head, justify="right" if head in ("value", "beside", "target") else "left")
    for each in figures:
        beside = "" if each.beside is None else _short(each.beside)
        met = "" if not each.target else "met" if each.met else "[red]missed[/red]"
        table.add_row(each.name, _short(each.value), each.unit, beside, each.target, met)
    return table


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{_DIGITS}g}"
