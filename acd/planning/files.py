"""Traces, rosters and results as files. What is wrong is one sentence with file, line and remedy.

A trace: CSV (UTF-8) with `call_id,arrival_s,type,handle_s,patience_s,priority`; more columns are ignored, an empty
patience is endless. A roster: JSON, `{"agents": [{"id", "skills": {skill: rank}, "login", "logout"}]}`; other keys
are ignored. Seconds become whole microseconds. A result is written beside its place and then moved there, so that
nothing half-written is ever found.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from acd.planning.errors import InputError, PlanningError
from acd.planning.forecast import Past
from acd.planning.simulate import Run, World
from acd.planning.worlds import RosterAgent, TraceCall
from acd.types import US_PER_S

TRACE_COLUMNS = ("call_id", "arrival_s", "type", "handle_s", "patience_s", "priority")
PAST_COLUMNS = ("began_at", "queue", "calls", "handle_s")
SECONDS_LIMIT = 1e9
RANK_LIMIT = 1_000_000
PRIORITY_LIMIT = 1_000_000


def read_text(path: Path) -> str:
    """The file as text. Raises InputError if it cannot be read, or is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            str(path), None, f"the file cannot be read ({error.strerror})", "check its name and rights"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(str(path), line, "the line is not UTF-8", "save the file as UTF-8") from None


def read_trace(path: Path) -> list[TraceCall]:
    """The calls of a trace, in its order. Raises InputError at the first line that cannot be used."""
    return parse_trace(read_text(path), str(path))


def parse_trace(text: str, file: str) -> list[TraceCall]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    calls: list[TraceCall] = []
    lines: dict[str, int] = {}
    try:
        columns = _columns(next(rows, []), file)
        for row in rows:
            if not row or row == [""]:
                continue
            call = _Row(file, rows.line_num, row, columns).call()
            if call.name in lines:
                message = f'the call_id "{call.name[:40]}" is already that of line {lines[call.name]}'
                raise InputError(file, call.line, message, "give every call an id of its own")
            lines[call.name] = call.line
            calls.append(call)
    except csv.Error as error:
        fix = "check its quotes and commas"
        raise InputError(file, rows.line_num, f"the line is not CSV ({error})", fix) from None
    return calls


def _columns(header: Sequence[str], file: str) -> dict[str, int]:
    names = [name.strip() for name in header]
    absent = [name for name in TRACE_COLUMNS if name not in names]
    if absent:
        raise InputError(
            file,
            1,
            f"the header has no column {absent[0]}",
            f"begin the file with the line {','.join(TRACE_COLUMNS)}",
        )
    return {name: names.index(name) for name in TRACE_COLUMNS}


class _Row:
    """One line of the trace, with its place for errors."""

    def __init__(self, file: str, line: int, row: Sequence[str], columns: dict[str, int]) -> None:
        self.file, self.line = file, line
        if len(row) <= max(columns.values()):
            self.refuse(f"the line has only {len(row)} fields", "give it one for every column of the header")
        self.fields = {name: row[at].strip() for name, at in columns.items()}

    def call(self) -> TraceCall:
        arrival = self.number("arrival_s")
        handle = self.number("handle_s", least=0)
        patience = self.fields["patience_s"].lower()
        priority = self.number("priority", fix="write one, such as 0") if self.fields["priority"] else 0.0
        if priority != int(priority) or abs(priority) > PRIORITY_LIMIT:
            self.refuse(
                f'the priority "{self.fields["priority"][:40]}" is not a whole number', "write one, such as 0"
            )
        return TraceCall(
            self.line,
            self.text("call_id"),
            self.text("type"),
            round(arrival * US_PER_S),
            round(handle * US_PER_S),
            None
            if patience in ("", "inf", "infinity")
            else round(self.number("patience_s", least=0) * US_PER_S),
            int(priority),
        )

    def past(self, zone: ZoneInfo) -> Past:
        written = self.fields["began_at"]
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            self.refuse(
                f'began_at is "{written[:40]}", which is no time', "write it as 2026-11-28T09:15:00+03:30"
            )
        calls = self.whole("calls", 1)
        handle_s = self.number("handle_s", least=0) if self.fields.get("handle_s") else None
        return Past(
            at if at.tzinfo is not None else at.replace(tzinfo=zone),
            self.fields.get("queue", "") or "all",
            calls,
            0 if handle_s is None else calls,
            0 if handle_s is None else calls * handle_s,
        )

    def whole(self, name: str, default: int) -> int:
        if not self.fields.get(name):
            return default
        value = self.number(name, least=0)
        if value != int(value):
            self.refuse(
                f"{name} is {self.fields[name][:40]}, which is not a whole number", "count whole calls"
            )
        return int(value)

    def text(self, name: str) -> str:
        if not self.fields[name]:
            self.refuse(f"{name} is empty", "write one")
        return self.fields[name]

    def number(self, name: str, least: float = -math.inf, fix: str = "write seconds, such as 12.5") -> float:
        written = self.fields[name]
        try:
            value = float(written)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or abs(value) > SECONDS_LIMIT:
            self.refuse(f'{name} is "{written[:40]}", which is not a number', fix)
        if value < least:
            self.refuse(f"{name} is {written[:40]}, less than {least:g}", "a duration is never negative")
        return value

    def refuse(self, message: str, fix: str) -> NoReturn:
        raise InputError(self.file, self.line, message, fix)


def read_roster(path: Path) -> list[RosterAgent]:
    """The agents of a roster, in its order. Raises InputError for what cannot be used."""
    return parse_roster(read_text(path), str(path))


def parse_roster(text: str, file: str) -> list[RosterAgent]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        fix = "check commas, quotes and brackets there"
        raise InputError(file, error.lineno, f"this is not JSON ({error.msg})", fix) from None
    except RecursionError:
        raise InputError(file, None, "it is nested too deeply", 'write {"agents": […]}') from None
    agents = data.get("agents") if isinstance(data, dict) else None
    if not isinstance(agents, list):
        raise InputError(file, None, 'there is no list "agents"', 'write {"agents": [{"id": "a01", …}]}')
    found = [_agent(item, at, file) for at, item in enumerate(agents, start=1)]
    names: set[str] = set()
    for agent in found:
        if agent.name in names:
            raise InputError(
                file,
                None,
                f'the agent "{agent.name[:40]}" is there twice',
                "give every agent an id of its own",
            )
        names.add(agent.name)
    return found


def _agent(item: object, at: int, file: str) -> RosterAgent:
    who = f"agent number {at}"
    if not isinstance(item, dict):
        raise InputError(file, None, f"{who} is not an object", 'write {"id": "a01", "skills": {"loans": 1}}')
    name = item.get("id")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not name:
        raise InputError(file, None, f"{who} has no id", 'write "id": "a01"')
    who = f'agent "{name[:40]}"'
    skills = item.get("skills")
    if skills is not None and not isinstance(skills, dict):
        raise InputError(file, None, f"the skills of {who} are no object", 'write {"loans": 1, "cards": 2}')
    for skill, rank in (skills or {}).items():
        if not _is_rank(rank):
            message = f'the rank of {who} for "{str(skill)[:40]}" is not a whole number'
            raise InputError(file, None, message, "write 1 for primary, 2 for the next")
    login, logout = (_time(item.get(key), key, who, file) for key in ("login", "logout"))
    if login is not None and logout is not None and logout < login:
        raise InputError(file, None, f"{who} logs out before logging in", "correct login or logout")
    ranks = None if skills is None else {skill: int(rank) for skill, rank in skills.items()}
    return RosterAgent(name, ranks, login, logout)


def _is_rank(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= RANK_LIMIT and value == int(value)


def _time(value: object, key: str, who: str, file: str) -> int | None:
    if value is None:
        return None
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not isinstance(value, int | float) or not abs(value) <= SECONDS_LIMIT:
        raise InputError(file, None, f"the {key} of {who} is not a number", "write seconds, such as 28800")
    return round(value * US_PER_S)


def calls_csv(world: World, run: Run) -> Iterable[str]:
    """The lines of OUT.csv: `call_id,outcome,wait_s,agent`, in order of the trace; waits to the microsecond."""
    yield "call_id,outcome,wait_s,agent\n"
    for call, end in zip(world.calls, run.ends, strict=True):
        agent = world.shifts[end.shift].name if end.shift is not None else ""
        wait_s, rest_us = divmod(end.wait_us, US_PER_S)
        yield f"{_field(call.name)},{end.outcome},{wait_s}.{rest_us:06d},{_field(agent)}\n"


def _field(text: str) -> str:
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Write the file, or leave everything as it was. Raises PlanningError when it cannot be written."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", dir=path.parent)
    except OSError as error:
        raise _unwritten(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritten(path, error) from None
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritten(path: Path, error: OSError) -> PlanningError:
    return PlanningError(
        f"{path}: the file cannot be written ({error.strerror}); check its folder and rights."
    )


def read_past(path: Path, time_zone: str) -> list[Past]:
    """Past calls or counts: CSV with `began_at`, and as one likes `queue`, `calls` (default 1) and `handle_s` (mean
    of those calls; empty if not known). `began_at` is ISO 8601; without an offset it is local time of `time_zone`.
    Raises InputError."""
    return parse_past(read_text(path), str(path), time_zone)


def parse_past(text: str, file: str, time_zone: str) -> list[Past]:
    zone = _zone(time_zone)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    past: list[Past] = []
    try:
        names = [name.strip() for name in next(rows, [])]
        if "began_at" not in names:
            fix = "begin the file with a line such as began_at,queue,calls,handle_s"
            raise InputError(file, 1, "the header has no column began_at", fix)
        columns = {name: names.index(name) for name in PAST_COLUMNS if name in names}
        for row in rows:
            if row and row != [""]:
                past.append(_Row(file, rows.line_num, row, columns).past(zone))
    except csv.Error as error:
        fix = "check its quotes and commas"
        raise InputError(file, rows.line_num, f"the line is not CSV ({error})", fix) from None
    return past


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PlanningError(f'"{name[:40]}" is not a time zone; write it as Asia/Tehran.') from None
