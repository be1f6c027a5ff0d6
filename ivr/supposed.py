"""What a trial of a flow supposes: a site, a clock, a caller, and what the house answers on a usual day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from acd.common.hours import Holidays, Hours, parse_day
from acd.common.text import ascii_digits
from acd.site import Number, Site
from acd.verbs import Ask
from ivr.check import load_flow
from ivr.flow import Flow, SubNode
from ivr.library import shipped_flows
from ivr.steps import questions

DIALLED = "100"
_DAYS = ("sat", "sun", "mon", "tue", "wed", "thu", "fri")
_AT = re.compile(r"(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?:[T ]+(\d{1,2}):(\d{2}))?\Z")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a try-out supposes. `at`: an aware instant. `holiday`, `open`: as the calendar says unless given.
    `dialled`: which number of the site, the first that has this flow unless given. `language`: that of the caller,
    if it is known before they choose. `customer`, `queues` (by name) and `place` (in line): facts as the house
    answers them, see `ivr.steps.questions`."""

    at: datetime
    dialled: str | None = None
    caller: str | None = None
    language: str | None = None
    holiday: bool | None = None
    open: bool | None = None
    customer: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)


def bare_site(flow: Flow) -> Site:
    """A site for a flow alone: the queues it names, office hours, an open day and no agents."""
    label = {"fa": "نمونه", "en": "Sample"}
    office = {day: ["08:00-17:00"] for day in _DAYS[:5]} | {"thu": ["08:00-13:00"]}
    always = {day: ["00:00-24:00"] for day in _DAYS}
    hours = {getattr(node, "hours", None) for node in flow.nodes.values()} - {None}
    return Site.model_validate(
        {
            "name": label,
            "time_zone": "Asia/Tehran",
            "queues": {queue: {"label": label, "requires": {}} for queue in sorted(queues_of(flow))},
            "numbers": {DIALLED: {"flow": flow.flow, "hours": "office"}},
            "hours": {name: {"weekly": office} for name in sorted({"office", *map(str, hours)})}
            | {"always": {"weekly": always, "closed_on_holidays": False}},
        }
    )


def queues_of(flow: Flow) -> frozenset[str]:
    """Every queue that a flow may hand a caller to."""
    found: set[str] = set()
    for node in flow.nodes.values():
        queue = getattr(node, "queue", None)
        found |= {str(each) for each in (queue.values() if isinstance(queue, dict) else [queue]) if each}
    return frozenset(found)


def parse_at(written: str, time_zone: str) -> datetime:
    """`2026-12-01T10:00` or `1405-09-10 10:00` on the site's clocks; without a time: noon. ValueError for others."""
    found = _AT.match(ascii_digits(written.strip()))
    if found is None:
        raise ValueError(f"{written!r} is not a day and time")
    day = parse_day(found[1])
    hour, minute = (int(found[2]), int(found[3])) if found[2] else (12, 0)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def staged(site: Site, flow: Flow, around: Circumstances) -> tuple[Site, str]:
    """The site as it is supposed to be, and the number that was dialled."""
    dialled = around.dialled or next(
        (n for n, each in site.numbers.items() if each.flow == flow.flow), DIALLED
    )
    numbers = dict(site.numbers)
    before = numbers.get(dialled)
    hours = before.hours if before is not None else next(iter(site.hours), None)
    numbers[dialled] = Number(flow=flow.flow, hours=hours, language=before.language if before else None)
    changes: dict[str, object] = {"numbers": numbers, "holidays": _holidays(site, around)}
    if around.open is not None:
        spans = ["00:00-24:00"] if around.open else []
        weekly = dict.fromkeys(_DAYS, spans)
        whole = Hours.model_validate({"weekly": weekly, "closed_on_holidays": False})
        changes["hours"] = dict.fromkeys(site.hours, whole)
    return site.model_copy(update=changes), dialled


def _holidays(site: Site, around: Circumstances) -> Holidays:
    if around.holiday is None:
        return site.holidays
    day = around.at.astimezone(ZoneInfo(site.time_zone)).date()
    add = {*site.holidays.add} - {day}
    remove = {*site.holidays.remove} - {day}
    (add if around.holiday else remove).add(day)
    return Holidays(calendar=site.holidays.calendar, add=tuple(sorted(add)), remove=tuple(sorted(remove)))


def called_flows(flow: Flow, folder: Path) -> dict[str, Flow]:
    """The flows that this one calls, and those that they call: files of `folder`, or flows that ship.

    Raises DocumentError for one that cannot be used; one that is nowhere is left out, and is a problem of the check.
    """
    found: dict[str, Flow] = {}
    shipped = shipped_flows()
    todo = [flow]
    while todo:
        names = {node.flow for node in todo.pop().nodes.values() if isinstance(node, SubNode)}
        for name in sorted(names - found.keys() - {flow.flow}):
            path = folder / f"{name}.yaml"
            text = path.read_bytes() if path.is_file() else shipped.get(name)
            if text is not None:
                found[name] = load_flow(text, str(path)).flow
                todo.append(found[name])
    return found


def usual_answer(verb: Ask, around: Circumstances) -> Mapping[str, str] | None:
    """What the house itself answers on a usual day: nobody waits, everything is kept. None: it is not the house's."""
    match verb.what:
        case questions.CALLER:
            number = around.caller or ""
            return {"number": number, "withheld": str(not number).lower(), "country": "IR" if number else ""}
        case questions.CUSTOMER:
            known = str(bool(around.customer)).lower()
            return {"known": known, "verified": "false", "level": "", **around.customer}
        case questions.QUEUE:
            usual = {"waiting": "0", "estimated_wait_s": "", "staffed": "true", "open": "true"}
            return {**usual, **around.queues.get(verb.args.get("queue", ""), {})}
        case questions.PLACE:
            return {"ahead": "0", "estimated_wait_s": "", **around.place}
        case questions.VOICEMAIL | questions.CALLBACK | questions.SURVEY:
            return {"result": "ok"}
        case _:
            return None
