"""What a demonstration shows in the terminal: the queues, live, while the pages show the rest."""

from __future__ import annotations

import asyncio
import signal

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from acd.view import QueueFigures
from pasokh.demo import Demo, DemoOptions, Totals, running


async def show(options: DemoOptions, console: Console) -> Totals:
    """Run a demonstration until its time is over or somebody presses Ctrl-C; its totals."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(options, lambda text: console.print(text, style="dim")) as demo:
        _welcome(console, demo)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with Live(console=console, refresh_per_second=2, transient=not console.is_terminal) as live:
            while not stop.is_set():
                passed_s = loop.time() - began_s
                if options.for_s is not None and passed_s >= options.for_s:
                    break
                if console.is_terminal:
                    live.update(_picture(demo, options, passed_s))
                try:
                    async with asyncio.timeout(0.5):
                        await stop.wait()
                except TimeoutError:
                    continue
        totals = demo.totals()
        _farewell(console, demo, totals)
        return totals


def _welcome(console: Console, demo: Demo) -> None:
    console.print(f"\nWallboard  [bold]{demo.url}/wall[/]")
    console.print(f"Agent      [bold]{demo.url}/agent[/]")
    for account in demo.accounts:
        console.print(f"  log in as {account['name']:<11} password {account['password']}", style="dim")
    console.print("Ctrl-C ends it.\n")


def _picture(demo: Demo, options: DemoOptions, passed_s: float) -> Group:
    view = demo.view()
    site = demo.run.engine.site if demo.run.engine is not None else None
    table = Table("Queue", "Waiting", "Talking", "Offered", "Answered", "Abandoned", "Service level", "ASA")
    for name, figures in view.queues.items():
        label = site.queues[name].label.en if site is not None and name in site.queues else name
        table.add_row(label, *_cells(figures))
    table.add_section()
    table.add_row("All", *_cells(view.total))
    if options.for_s is None:
        return Group(table)
    bar = ProgressBar(total=options.for_s, completed=passed_s, width=40)
    return Group(table, bar, Text(f"{passed_s:.0f} of {options.for_s:.0f} s", style="dim"))


def _cells(figures: QueueFigures) -> list[str]:
    level = "—" if figures.service_level is None else f"{figures.service_level:.0%}"
    asa = "—" if figures.asa_s is None else f"{figures.asa_s:.1f} s"
    counts = (figures.waiting, figures.talking, figures.offered, figures.answered, figures.abandoned)
    return [*map(str, counts), level, asa]


def _farewell(console: Console, demo: Demo, totals: Totals) -> None:
    console.print(
        f"{totals.offered} callers in line, {totals.answered} answered, {totals.abandoned} left, "
        f"{totals.waiting} waiting; the PBX says {totals.pbx_answered} answered."
    )
    for failure in demo.failures:
        console.print(f"Not as it should be: {failure}.", style="red")
