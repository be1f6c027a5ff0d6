"""The `pasokh` command. Every error a person can mend is one sentence on standard error, without a traceback."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from acd.errors import AcdError, DocumentError
from acd.planning.errors import PlanningError
from acd.store.errors import StoreError
from pasokh import __version__, ivr_cli, planning_cli
from pasokh.errors import PasokhError
from realtime.errors import ServeError

if TYPE_CHECKING:
    from acd.site import Site
    from pasokh.settings import Settings

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Pasokh: a call center for Asterisk.")
db = typer.Typer(no_args_is_help=True, help="The database.")
user = typer.Typer(no_args_is_help=True, help="Who may log in.")
center = typer.Typer(no_args_is_help=True, help="center.yaml: check, apply, history.")
asterisk = typer.Typer(no_args_is_help=True, help="What Asterisk needs.")
customers = typer.Typer(no_args_is_help=True, help="The customer store.")
for name, group in (
    ("db", db), ("user", user), ("center", center), ("asterisk", asterisk), ("customers", customers),
    ("ivr", ivr_cli.app),
):  # fmt: skip
    app.add_typer(group, name=name)
planning_cli.add_to(app)

out = Console()
err = Console(stderr=True, highlight=False)

Config = Annotated[Path, typer.Option("--config", "-c", help="The settings of this process.")]
CONFIG = Path("pasokh.toml")


def main() -> None:
    """Run the command; exit 2 for what is wrong with settings and documents, 1 for what was refused."""
    try:
        app()
    except PasokhError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except (DocumentError, PlanningError, StoreError, ServeError) as error:
        _tell(error)
        sys.exit(2)
    except AcdError as error:
        _tell(error)
        sys.exit(1)


def _tell(error: object) -> None:
    """Never broken into lines: a place like `center.yaml:12:3` stays one word."""
    err.print(str(error), markup=False, soft_wrap=True)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@app.command()
def version() -> None:
    """The version of this program."""
    out.print(__version__)


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Where to begin.")] = Path()) -> None:
    """Write a first pasokh.toml and center.yaml to edit; never over what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("pasokh.toml", "center.yaml"):
        target = folder / name
        if target.exists():
            out.print(f"{target} is there already and was left alone.", markup=False, soft_wrap=True)
            continue
        target.write_text(files("pasokh").joinpath(f"example/{name}").read_text("utf-8"), encoding="utf-8")
        out.print(f"Wrote {target}.", markup=False, soft_wrap=True)
    out.print(
        "Next: edit both, then `pasokh check`, `pasokh db upgrade`, `pasokh user add`, `pasokh serve`.",
        soft_wrap=True,
    )


@app.command()
def serve(config: Config = CONFIG) -> None:
    """Run this process until SIGTERM or Ctrl-C."""
    from pasokh import logs
    from pasokh.app import App

    settings = _settings(config)
    logs.set_up(settings.log_level)

    async def work() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with App(settings) as run:
            err.print(f"Pasokh {__version__} serves http://{settings.web.host}:{run.server.port}")
            ending = loop.create_task(run.server.ended())
            stopping = loop.create_task(stop.wait())
            await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (ending, stopping):
                task.cancel()
            await asyncio.gather(ending, stopping, return_exceptions=True)

    _run(work())


@app.command()
def check(config: Config = CONFIG) -> None:
    """Everything that is wrong with settings, documents, folders, database and Asterisk, with the fix."""
    from pasokh.check import everything

    settings = _settings(config)
    findings = _run(everything(settings))
    for finding in findings:
        mark = "[red]wrong  [/]" if finding.wrong else "[green]ok     [/]"
        out.print(mark, escape(finding.sentence), soft_wrap=True)
    if any(finding.wrong for finding in findings):
        raise typer.Exit(2)


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="The port of the pages.")] = 8080,
    for_s: Annotated[float | None, typer.Option("--for", help="End after so many seconds.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with the totals as one JSON line.")] = False,
    calls_per_s: Annotated[float, typer.Option(min=0.1, max=50, help="Callers per second.")] = 2.0,
    agents: Annotated[int, typer.Option(min=1, max=200, help="Simulated agents.")] = 20,
    seed: Annotated[int, typer.Option(help="The same callers again.")] = 1,
) -> None:
    """A whole center on this machine: simulated callers, agents as real clients, the wallboard live."""
    from pasokh import logs
    from pasokh.demo import DemoOptions
    from pasokh.demo_view import show

    logs.set_up("error")
    options = DemoOptions(port=port, calls_per_s=calls_per_s, agents=agents, seed=seed, for_s=for_s)
    totals = _run(show(options, Console(stderr=json)))
    if json:
        print(totals.as_json())


@db.command("upgrade")
def db_upgrade(config: Config = CONFIG) -> None:
    """Make or change the tables to what this version needs; nothing is changed if it fails."""
    from pasokh import migrations
    from pasokh.tables import answering

    settings = _settings(config)
    with answering():
        migrations.upgrade(settings.database_url)
    out.print(f"The database has the tables of this version ({migrations.head()}).")


@user.command("add")
def user_add(
    name: str,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    role: Annotated[str, typer.Option(help="agent, supervisor, admin or wall.")] = "supervisor",
    agent: Annotated[str | None, typer.Option(help="For the role agent: which of center.yaml.")] = None,
    config: Config = CONFIG,
) -> None:
    """Add somebody who may log in."""
    from pasokh.users import add_user

    _run(add_user(_settings(config), name, password, role, agent))
    out.print(f"{name} may log in as {role}.")


@user.command("password")
def user_password(
    name: str,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
    config: Config = CONFIG,
) -> None:
    """Give somebody another password; every session of theirs ends."""
    from pasokh.users import set_password

    _run(set_password(_settings(config), name, password))
    out.print(f"{name} has a new password.")


@center.command("check")
def center_check(config: Config = CONFIG) -> None:
    """What is wrong in center.yaml and the flows, each with file, line and fix."""
    _read_site(_settings(config))
    out.print("center.yaml and its flows can be applied.")


@center.command("apply")
def center_apply(config: Config = CONFIG) -> None:
    """Check center.yaml and put it in force in the running center, in one step, all or nothing."""
    from pasokh.control import ask
    from pasokh.documents import read_document

    settings = _settings(config)
    _read_site(settings)
    request = {"command": "center.apply", "text": read_document(settings.site), "by": _who()}
    answer = _run(ask(settings.control_socket, request))
    for problem in answer.get("problems", ()):
        err.print(problem["message"], markup=False, soft_wrap=True)
    if not answer["ok"]:
        raise typer.Exit(1)
    out.print(f"Version {answer['version']} is in force.")


@center.command("history")
def center_history(config: Config = CONFIG) -> None:
    """The versions of center.yaml, newest first."""
    from pasokh.users import center_versions

    for line in _run(center_versions(_settings(config))):
        out.print(line, markup=False, soft_wrap=True)


@asterisk.command("config")
def asterisk_config(
    folder: Annotated[Path, typer.Argument(help="Where to write the files.")],
    complete: Annotated[
        bool, typer.Option(help="A whole configuration, for an Asterisk of its own.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Write what Asterisk needs, from center.yaml and the settings."""
    from pasokh.asterisk_files import write_config

    settings = _settings(config)
    for path in write_config(settings, _read_site(settings), folder, complete):
        out.print(f"Wrote {path}.", markup=False, soft_wrap=True)
    out.print("Then let Asterisk read them: `pasokh asterisk reload`.")


@asterisk.command("reload")
def asterisk_reload(
    program: Annotated[str, typer.Option(help="The asterisk program of this machine.")] = "asterisk",
) -> None:
    """Let this machine's Asterisk read its configuration again; talks go on."""
    from pasokh.asterisk_files import reload

    for line in reload(program):
        out.print(line, markup=False, soft_wrap=True)


@customers.command("import")
def customers_import(file: Path, config: Config = CONFIG) -> None:
    """Take customers in from a CSV file; wrong lines are told and left out."""
    from pasokh.customers import import_file

    if import_file(_settings(config), file, out):
        raise typer.Exit(1)


@customers.command("pin")
def customers_pin(customer: str, remove: bool = False, config: Config = CONFIG) -> None:
    """Set the telephone PIN of a customer, asked for twice; or take it away."""
    from pasokh.services import set_pin

    pin = None if remove else typer.prompt("PIN", hide_input=True, confirmation_prompt=True)
    asyncio.run(set_pin(_settings(config), customer, pin))
    out.print("The PIN is removed." if remove else "The PIN is set.")


def _settings(config: Path) -> Settings:
    from pasokh.settings import load_settings

    return load_settings(config)


def _read_site(settings: Settings) -> Site:
    from pasokh.documents import read_document, read_documents

    read = read_documents(read_document(settings.site), str(settings.site), settings.flows)
    for warning in read.warnings:
        _tell(warning)
    return read.site


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
