"""Inputs as lines, and lines as a center again, bit for bit.

A segment begins with a header line (schema, code version, the rules, and a snapshot of center and measures),
followed by one line per input in the order in which it was handled. Lines hold ids and keyed tokens, never a
number, a name or a digit that was keyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from acd import events, state
from acd.center import Center, Step
from acd.errors import JournalError
from acd.facts import SiteChanged
from acd.kpi import measures
from acd.kpi.measures import Measures
from acd.turn import Rules

SCHEMA = 1

_EVENTS: dict[str, type] = {cls.__name__: cls for cls in events.Event.__args__}
_COMMANDS: dict[str, type] = {cls.__name__: cls for cls in events.Command.__args__}


class _Line(msgspec.Struct):
    t: int
    k: str
    e: msgspec.Raw


class _Ask(msgspec.Struct):
    request: str
    by: str
    k: str
    c: msgspec.Raw


class _Header(msgspec.Struct):
    pasokh_journal: int
    code: str
    at_us: int
    rules: Rules
    center: msgspec.Raw
    measures: msgspec.Raw


def encode_event(event: events.Event, now_us: int) -> bytes:
    """One line, with its newline."""
    if isinstance(event, events.Asked):
        command = event.command
        body = msgspec.json.encode(
            _Ask(event.request, event.by, type(command).__name__, msgspec.Raw(msgspec.json.encode(command)))
        )
    else:
        body = msgspec.json.encode(event)
    return msgspec.json.encode(_Line(now_us, type(event).__name__, msgspec.Raw(body))) + b"\n"


def decode_event(line: bytes) -> tuple[int, events.Event]:
    """The instant and the input of a line. Raises JournalError if it cannot be read."""
    try:
        outer = msgspec.json.decode(line, type=_Line)
        if outer.k == events.Asked.__name__:
            ask = msgspec.json.decode(outer.e, type=_Ask)
            command: events.Command = msgspec.json.decode(ask.c, type=_COMMANDS[ask.k])
            return outer.t, events.Asked(ask.request, ask.by, command)
        event: events.Event = msgspec.json.decode(outer.e, type=_EVENTS[outer.k])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as error:
        raise JournalError(f"A line of the journal cannot be read: {error}.") from None
    return outer.t, event


def encode_header(center: Center, figures: Measures, code: str) -> bytes:
    """The first line of a segment."""
    header = _Header(
        SCHEMA,
        code,
        center.state.at_us,
        center.rules,
        msgspec.Raw(state.dump(center.state)),
        msgspec.Raw(measures.dump(figures)),
    )
    return msgspec.json.encode(header) + b"\n"


@dataclass(slots=True)
class Replayed:
    """A center as it was after the last line. `lines`: how many inputs led there; `broken`: how many broke it."""

    center: Center
    measures: Measures
    lines: int
    broken: int = 0


def read_header(line: bytes, code: str) -> Replayed:
    """The center at the beginning of a segment. Raises JournalError when another version wrote it."""
    try:
        header = msgspec.json.decode(line, type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalError(f"The journal's first line cannot be read: {error}.") from None
    if header.pasokh_journal != SCHEMA or header.code != code:
        raise JournalError(
            f"The journal was written by version {header.code} (schema {header.pasokh_journal}), "
            f"and this is {code} (schema {SCHEMA}): the line is rebuilt from the callers' tickets instead."
        )
    center = Center(state.load(bytes(header.center)), header.rules)
    figures = measures.load(bytes(header.measures))
    return Replayed(center, figures, 0)


def replay(at: Replayed, lines: Iterable[bytes]) -> Iterator[Step]:
    """Step the center through the lines and fold the measures; yields each step for who keeps records.

    An input that broke the center when it came (the engine left it out and went on) breaks it again in the same
    way and is left out again: one poisoned line must not keep the process from starting.
    """
    for line in lines:
        now_us, event = decode_event(line)
        try:
            step = at.center.handle(event, now_us)
        except Exception:  # noqa: BLE001 - as in Engine: counted, and told by whoever replays
            at.broken += 1
            continue
        if any(isinstance(fact, SiteChanged) for fact in step.facts):
            at.measures.use(at.center.site)
        at.measures.fold(step.facts)
        at.lines += 1
        yield step
