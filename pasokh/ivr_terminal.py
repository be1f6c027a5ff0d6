"""The terminal as a telephone: shows what a caller hears and where they are, takes keys from the keyboard or a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from acd.common.document import read_tree
from acd.common.hours import jalali
from acd.errors import DocumentError, Problem
from acd.site import Site
from acd.verbs import Ask, Collect, LineLeft, Pause, RecordMessage, Say, Transfer, WaitInLine
from ivr.flow import Flow
from ivr.play import (
    Asked,
    Dialled,
    Ended,
    Heard,
    Moment,
    Noted,
    Press,
    Pressed,
    Spoke,
    Stay,
    Stood,
    StopError,
    Went,
)
from ivr.supposed import Circumstances, usual_answer

Answers = Mapping[str, Mapping[str, str] | None]

_HOW = {
    "hangup": "The flow ends the call.",
    "left": "The caller hangs up.",
    "queue": "The caller stands in line.",
    "transfer": "The caller is connected with the outside number.",
    "listening": "No more keys: the flow is still listening.",
    "endless": "The flow goes on without end, and was stopped.",
}
_LINE = {"a": LineLeft(True), "f": LineLeft(False, "full"), "c": LineLeft(False, "closed")}
_LINE |= {"e": LineLeft(False, "empty"), "m": LineLeft(False, "max_wait")}


def read_answers(file: Path) -> Answers:
    """What look-ups answer, from a YAML file `{name: {field: value}}`; `none` is no answer in time."""
    try:
        tree = read_tree(file.read_bytes(), str(file))
    except OSError as error:
        problem = Problem(str(file), 1, 1, f"the file cannot be read ({error.strerror})", "make it readable")
        raise DocumentError([problem]) from None
    found: dict[str, Mapping[str, str] | None] = {}
    assert isinstance(tree.data, dict)
    for what, fields in tree.data.items():
        if fields is not None and fields != "none" and not isinstance(fields, dict):
            problem = tree.problem(
                (what,), f"the answer of {what} has no fields", "write {field: value}, or none"
            )
            raise DocumentError([problem])
        found[str(what)] = (
            {str(name): _text(value) for name, value in fields.items()} if isinstance(fields, dict) else None
        )
    return found


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Terminal:
    """`Hands` of a person at a terminal; a pipe is read line by line, and what it says is shown."""

    def __init__(self, console: Console, source: TextIO, answers: Answers, around: Circumstances) -> None:
        self._console = console
        self._source = source
        self._piped = not source.isatty()
        self._answers = answers
        self._around = around
        self._path: list[str] = []
        self._sentence: list[Heard] = []

    def begin(self, flow: Flow, site: Site) -> None:
        around = self._around
        local = around.at.astimezone(ZoneInfo(site.time_zone))
        table = Table.grid(padding=(0, 2))
        table.add_row("[dim]flow[/]", escape(flow.flow))
        table.add_row("[dim]clock[/]", _clock(local, holiday=around.holiday))
        if around.caller:
            table.add_row("[dim]caller[/]", escape(around.caller))
        self._console.print(table)
        if not self._piped:
            self._console.print("[dim]Keys, then Enter. Enter alone: nothing is pressed. q: hang up.[/]")

    def tell(self, moment: Moment) -> None:
        """Show one moment. Recordings that make one sentence are shown as one."""
        if self._sentence and not (isinstance(moment, Heard) and not _is_whole(self._sentence[-1].text)):
            text = " ".join(each.text for each in self._sentence)
            self._show("green", "  »", text, note=", ".join(each.key for each in self._sentence if each.key))
            self._sentence.clear()
        match moment:
            case Went():
                self._path.append(moment.node)
                self._show("cyan", "●", f"{moment.node} [dim]{moment.kind}[/]", markup=True)
            case Heard():
                self._sentence.append(moment)
            case Pressed():
                self._show("yellow", "  «", moment.keys or "(nothing)")
            case Asked():
                answer = "no answer" if moment.answer is None else _fields(moment.answer)
                self._show("magenta", "  ?", f"{moment.what}({_fields(moment.args)}) → {answer}")
            case Noted():
                self._show("magenta", "  =", f"{moment.name} = {moment.value}")
            case Stood():
                left = moment.left
                how = "" if left is None else " → answered" if left.answered else f" → {left.why}"
                self._show("blue", "  ⌛", f"queue {moment.queue}, priority {moment.priority}{how}")
            case Spoke():
                self._show("blue", "  ●", f"message {moment.name}, {moment.seconds:g} s")
            case Dialled():
                how = {True: "answered", False: "not answered", None: ""}[moment.answered]
                self._show("blue", "  ☎", f"{moment.number} {how}")
            case Ended():
                self._console.print(f"[bold]{_HOW.get(moment.how, moment.how)}[/]")
                self._console.print(" → ".join(self._path), style="dim", markup=False, soft_wrap=True)

    # The caller, and the world -----------------------------------------------------------------------------

    def keys(self, verb: Collect | Pause) -> str:
        while True:
            typed = self._line("keys")
            if typed == "q":
                raise StopError("left")
            if not set(typed) - set("0123456789*#"):
                return typed
            self._console.print("[red]Only 0-9, * and # are on a telephone.[/]")

    def during(self, verb: Say) -> str:
        return ""

    def answer(self, verb: Ask) -> Mapping[str, str] | None:
        if verb.what in self._answers:
            return self._answers[verb.what]
        usual = usual_answer(verb, self._around)
        if usual is not None:
            return usual
        typed = self._line(f"{verb.what} answers (field=value …; Enter: no answer in time)")
        fields = [word.partition("=") for word in typed.split()]
        return {name: value for name, _, value in fields} or None

    def in_line(self, verb: WaitInLine) -> LineLeft | Press | Stay | None:
        while True:
            typed = self._line(
                "in line (Enter: stop here; a: answered, f: full, c: closed, e: empty, m: max wait)"
            )
            if typed == "":
                return None
            if typed == "q":
                raise StopError("left")
            if typed in _LINE:
                return _LINE[typed]
            if typed.startswith("w") and typed[1:].strip().isdecimal():
                return Stay(float(typed[1:]))
            if len(typed) == 1 and typed in "0123456789*#":
                return Press(typed)

    def speaks_s(self, verb: RecordMessage) -> float:
        typed = self._line("seconds spoken (Enter: 5)")
        try:
            return max(0.0, float(typed)) if typed else 5.0
        except ValueError:
            return 5.0

    def transferred(self, verb: Transfer) -> bool | None:
        return {"y": True, "n": False}.get(self._line("answered? (y, n; Enter: stop here)"))

    def _line(self, question: str) -> str:
        """One line. The end of a pipe ends the trial; Ctrl-D at a keyboard hangs up."""
        if not self._piped:
            self._console.print(f"  [yellow]{escape(question)}>[/] ", end="")
        line = self._source.readline()
        if line == "":
            raise StopError("listening" if self._piped else "left")
        return line.strip()

    def _show(self, colour: str, mark: str, text: str, *, note: str = "", markup: bool = False) -> None:
        shown = text if markup else escape(text)
        tail = f" [dim]({escape(note)})[/]" if note else ""
        self._console.print(f"[{colour}]{mark}[/] {shown}{tail}", soft_wrap=True)


def _is_whole(text: str) -> bool:
    return text.endswith((".", "!", "?", "؟"))


def _clock(local: datetime, *, holiday: bool | None) -> str:
    off = ", a holiday" if holiday else ""
    return f"{local:%a %Y-%m-%d %H:%M} ({jalali(local.date())}{off})"


def _fields(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
