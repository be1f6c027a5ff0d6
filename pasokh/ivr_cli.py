"""`pasokh ivr`: check a flow and run its tests, draw it, talk to it in the terminal, make its prompts, publish it.

The first three need neither a center nor a database: a flow is a file, and `--center` says against which site it is
held. The others speak to the running process.
"""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from acd.errors import DocumentError, Problem
from pasokh.errors import NotReadyError

if TYPE_CHECKING:
    from acd.kpi.flows import Figures
    from acd.site import Site
    from ivr.flow import Flow
    from ivr.phrase import Phrase
    from pasokh.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Menus: check, try, draw, publish.")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

FlowFile = Annotated[str, typer.Argument(metavar="FLOW", help="A file, or the name of a flow that ships.")]
Center = Annotated[
    Path | None,
    typer.Option("--center", help="The site to hold it against (default: one made for the flow)."),
]
Config = Annotated[Path, typer.Option("--config", "-c", help="The settings of this process.")]
CONFIG = Path("pasokh.toml")


@app.command()
def check(flow: FlowFile, center: Center = None) -> None:
    """What is wrong in a flow, each with place and remedy; then its tests, if there are any beside it."""
    from ivr.supposed import bare_site

    path = _place(flow)
    site = _site(center)
    read, warnings, others = _flow(path, site)
    for warning in warnings:
        out.print(str(warning), markup=False, soft_wrap=True, style="yellow")
    out.print(
        f"{path.name}: {len(read.nodes)} nodes, {' and '.join(read.languages)}; it can be used.", markup=False
    )
    if not _run_tests(path, read, site or bare_site(read), others):
        raise typer.Exit(1)


def _run_tests(path: Path, flow: Flow, site: Site, others: Mapping[str, Flow]) -> bool:
    """Run the tests beside a flow, one line each; whether all came out as expected."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from ivr.flow_test import cases_of, file_of_tests, load_tests

    file = file_of_tests(path)
    if not file.exists():
        out.print(f"There are no tests beside it; write them into {file.name}.", markup=False)
        return True
    cases = cases_of(flow, load_tests(file.read_bytes(), str(file)), site, others)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err, transient=True
    )
    failed: list[Problem] = []
    wrong = 0
    with bar:
        task = bar.add_task("Tests", total=len(cases))
        for case in cases:
            differences = case.run().differences
            wrong += bool(differences)
            failed += differences
            mark = "[red]wrong  [/]" if differences else "[green]ok     [/]"
            out.print(f"{mark}{_escaped(case.case.name)}", soft_wrap=True)
            bar.advance(task)
    for difference in failed:
        err.print()
        err.print(str(difference), markup=False, soft_wrap=True)
    out.print(f"{len(cases)} tests, {len(cases) - wrong} as expected, {wrong} not.")
    return not wrong


@app.command()
def play(
    flow: FlowFile,
    center: Center = None,
    language: Annotated[str | None, typer.Option(help="The caller's, if it is known: fa or en.")] = None,
    number: Annotated[str | None, typer.Option(help="Who calls.")] = None,
    dialled: Annotated[str | None, typer.Option(help="Which number of the site they dialled.")] = None,
    at: Annotated[
        str | None, typer.Option(help="When: 2026-12-01T10:00, 1405-09-10T10:00 (default: now).")
    ] = None,
    holiday: Annotated[bool, typer.Option("--holiday", help="That day is a holiday.")] = False,
    answers: Annotated[
        Path | None, typer.Option(help="What look-ups answer: a YAML file {name: {field: value}}.")
    ] = None,
) -> None:
    """Talk to a menu in the terminal. Keys may also be piped in, one line for each question."""
    from ivr.play import Call
    from ivr.supposed import Circumstances, bare_site, parse_at
    from pasokh.ivr_terminal import Terminal, read_answers

    path = _place(flow)
    site = _site(center)
    read, _, others = _flow(path, site)
    here = site or bare_site(read)
    if language is not None and language not in read.languages:
        raise typer.BadParameter(f"{read.flow} speaks {', '.join(read.languages)}", param_hint="--language")
    try:
        instant = parse_at(at, here.time_zone) if at else datetime.now(UTC)
    except ValueError:
        raise typer.BadParameter("write it as 2026-12-01T10:00", param_hint="--at") from None
    around = Circumstances(instant, dialled, number, language, True if holiday else None)
    known: Mapping[str, Mapping[str, str] | None] = read_answers(answers) if answers is not None else {}
    terminal = Terminal(out, sys.stdin, known, around)
    terminal.begin(read, here)
    Call(read, here, around, terminal, terminal.tell, others).run()


@app.command()
def graph(
    flow: FlowFile,
    to: Annotated[
        Path | None, typer.Option("-o", "--output", help="The SVG file (default: FLOW.svg).")
    ] = None,
    language: Annotated[str, typer.Option(help="The words of the drawing: fa or en.")] = "fa",
    counters: Annotated[
        bool, typer.Option("--counters", help="With today's callers, from the running process.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Draw a flow as SVG."""
    from ivr.draw import draw

    if language not in ("fa", "en"):
        raise typer.BadParameter("write fa or en", param_hint="--language")
    path = _place(flow)
    read, _, _ = _flow(path, None)
    svg = draw(read, language, _counted(read, config) if counters else None)
    target = to or Path(f"{read.flow}.svg")
    try:
        target.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise NotReadyError(f"{target} cannot be written: {error.strerror}.") from None
    out.print(f"Wrote {target}.", markup=False, soft_wrap=True)


@app.command()
def prompts(
    flows: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FLOW]...", help="Files or names of flows (default: all of the site)."),
    ] = None,
    center: Center = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Make nothing; write what people may record, as CSV.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Make the sounds that flows still lack, and say what cannot be said and why."""
    from pasokh.ivr_prompts import make_prompts, write_sheet
    from pasokh.settings import load_settings

    settings = load_settings(config)
    phrases = _phrases(flows or (), center, settings)
    if sheet is not None:
        write_sheet(sheet, phrases, out)
    elif not make_prompts(settings, phrases, out, err):
        raise typer.Exit(1)


def _phrases(names: Sequence[str], center: Path | None, settings: Settings) -> list[Phrase]:
    """All that these flows can say, or those of the site; their own words first, then the stock of values."""
    from ivr.library import load_flows

    if names:
        site = _site(center)
        wanted: list[Flow] = []
        for name in names:
            read, _, others = _flow(_place(name), site)
            wanted += [read, *others.values()]
        phrases = frozenset(phrase for flow in wanted for phrase in flow.phrases())
        return _with_values(phrases, {language for flow in wanted for language in flow.languages})
    site = _site(center or settings.site)
    assert site is not None
    library = load_flows(site, settings.flows)
    return _with_values(library.phrases(), library.languages())


def _with_values(phrases: Iterable[Phrase], languages: Iterable[str]) -> list[Phrase]:
    from ivr.say import vocabulary

    return [*sorted(phrases), *sorted(vocabulary(languages))]


def _place(flow: str) -> Path:
    """The file of a flow: as named, or the one that ships under this name."""
    from importlib.resources import files

    path = Path(flow)
    shipped = Path(str(files("ivr") / "flows" / f"{flow}.yaml"))
    return path if path.exists() or "/" in flow or not shipped.exists() else shipped


def _flow(path: Path, site: Site | None) -> tuple[Flow, tuple[Problem, ...], Mapping[str, Flow]]:
    """The flow, what its author may want to know, and the flows that it calls."""
    from ivr.check import load_flow
    from ivr.supposed import called_flows

    read = load_flow(_text(path), str(path), site)
    return read.flow, read.warnings, called_flows(read.flow, path.parent)


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(
            [Problem(str(path), 1, 1, f"the file cannot be read ({error.strerror})", "name a flow's file")]
        ) from None


def _site(center: Path | None) -> Site | None:
    from acd.site import load_site

    return load_site(_text(center), str(center)) if center is not None else None


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


# With the running process ----------------------------------------------------------------------------------


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(metavar="FLOW.yaml", help="The draft.")],
    untested: Annotated[bool, typer.Option("--untested", help="Also if its tests fail.")] = False,
    config: Config = CONFIG,
) -> None:
    """Check a flow, run the tests beside it, and put it in force; callers keep the version they are in."""
    from ivr.supposed import bare_site

    read, _, others = _flow(file, None)
    if not untested and not _run_tests(file, read, bare_site(read), others):
        err.print("It was not published, since its tests fail; mend it, or say --untested.")
        raise typer.Exit(1)
    text = _text(file).decode("utf-8-sig")
    answer = _ask(config, {"command": "flow.publish", "flow": read.flow, "text": text, "by": who()})
    _tell_applied(read.flow, answer)


@app.command()
def history(flow: Annotated[str, typer.Argument(help="Its name.")], config: Config = CONFIG) -> None:
    """The published versions of a flow, newest first, and how many callers are in each now."""
    found = _ask(config, {"command": "flow.history", "flow": flow})["flow"]
    if not found["versions"]:
        out.print(f"{flow} was never published: its file is in force ({found['version']}).", markup=False)
    for each in found["versions"]:
        at = datetime.fromtimestamp(each["at_us"] / 1_000_000, UTC)
        force = "in force" if each["in_force"] else "        "
        callers = f"{each['callers']} callers" if each["callers"] else ""
        out.print(
            f"{at:%Y-%m-%d %H:%M:%S} UTC  {each['version']}  {force}  {each['by']}  {callers}".rstrip(),
            markup=False,
            soft_wrap=True,
        )


@app.command()
def rollback(
    flow: Annotated[str, typer.Argument(help="Its name.")],
    version: Annotated[
        str | None, typer.Option("--to", help="Which version (default: the one before).")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Put an earlier version in force again, which is checked like any other."""
    answer = _ask(config, {"command": "flow.rollback", "flow": flow, "version": version, "by": who()})
    _tell_applied(flow, answer)


def _counted(flow: Flow, config: Path) -> Mapping[str, Figures]:
    """What callers do in this very version today, from the running process."""
    from acd.kpi.flows import Figures
    from ivr.flow import version_of

    answer = _ask(config, {"command": "flow.figures", "flow": flow.flow, "version": version_of(flow)})
    return {
        node: Figures(each["entered"], each["left"], each["dropped"])
        for node, each in answer["nodes"].items()
    }


def _tell_applied(flow: str, answer: Mapping[str, Any]) -> None:
    for problem in answer.get("problems", ()):
        err.print(problem["message"], markup=False, soft_wrap=True)
    if not answer["ok"]:
        raise typer.Exit(1)
    out.print(f"Version {answer['version']} of {flow} is in force.", markup=False)


def _ask(config: Path, request: Mapping[str, Any]) -> Mapping[str, Any]:
    from pasokh.control import ask
    from pasokh.settings import load_settings

    return asyncio.run(ask(load_settings(config).control_socket, request))


def who() -> str:
    """The person at the keyboard, for the history."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
