"""Figures of what happened, by queue, agent, team, skill, segment, interval or day, as JSON or CSV; and the dictionary
of measures they are made by. They are the live figures: the same formulas over the same counts.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, and names of agents are written by people:
such a cell is given an apostrophe in front.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response

from acd.kpi.counts import SUMS, Counts, total
from acd.kpi.formulas import LETTERS, MEASURES, service_level
from acd.site import Label, Site
from acd.store.base import instant
from acd.store.counting import Bounds, By, Counted, Question, count
from acd.types import US_PER_S, Kind
from realtime.access import May, Principal
from realtime.api.shared import Deps, Word, allowed, not_here
from realtime.deps import RealtimeDeps
from realtime.errors import ApiProblem
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1", tags=["reports"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_CONTACTS))]
MaySeeWall = Annotated[Principal, Depends(allowed(May.SEE_WALL))]

MOST_DAYS = {By.INTERVAL: 8, By.AGENT: 31, By.TEAM: 31}
MOST_DAYS_OTHERWISE = 93
_OF_PEOPLE = (By.AGENT, By.TEAM)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

Instant = Annotated[
    str | None,
    Query(
        max_length=40,
        description="A day of the site (`2026-11-22`, its midnight), or an instant (`2026-11-22T08:00:00+03:30`; "
        "without an offset it is the site's time).",
    ),
]

Shape = Literal["json", "csv"]
KindWanted = Literal["call", "callback", "task", "all"]


@router.get("/measures")
async def measures(who: MaySeeWall) -> Response:
    """Every measure: id, formula, version, unit (`ratio`, `s`, `count`), names. `live`: only of those who wait now."""
    return JsonResponse(
        {
            "measures": [
                {
                    "id": measure.id,
                    "formula": measure.formula,
                    "version": measure.version,
                    "unit": measure.unit,
                    "live": measure.of is None,
                    "label": {"fa": measure.fa, "en": measure.en},
                }
                for measure in MEASURES.values()
            ],
            "letters": {letter: {"fa": fa, "en": en} for letter, (fa, en) in LETTERS.items()},
        }
    )


_CONTENT = {
    200: {
        "description": "Rows in order of key or time. JSON: `rows` of `key` or `begins`, `label`, `counts` and "
        "`measures` (null where nothing was counted), and `total`, which skills have not: a visit may ask for several.",
        "content": {"application/json": {}, "text/csv": {}},
    }
}


@router.get("/reports", responses=_CONTENT)  # type: ignore[arg-type]
async def reports(
    who: MaySee,
    deps: Deps,
    by: By,
    from_: Annotated[Instant, Query(alias="from")] = None,
    to: Instant = None,
    queue: Word | None = None,
    kind: Annotated[
        KindWanted | None,
        Query(
            description="Calls, unless asked otherwise; by agent and team all kinds, as their time is one."
        ),
    ] = None,
    shape: Annotated[Shape, Query(alias="format")] = "json",
) -> Response:
    """Figures of all that began in [from, to): today so far, if neither is given.

    At most 93 days, 31 by agent and team, 8 by interval. Limits of queues (x, s) are those of now.
    """
    if deps.reporting is None:
        raise not_here("read reports")
    site = _site(deps)
    wanted = kind or ("all" if by in _OF_PEOPLE else "call")
    asked = _question(site, by, _span(site, by, from_, to, deps.now_us()), queue, wanted, deps.now_us())
    rows: list[_Row] = []
    for each in await count(deps.reporting, asked):
        rows.append(_row(each, site, asked))
        await asyncio.sleep(0)  # the loop has callers to serve
    if shape == "csv":
        return _as_csv(rows, by)
    answer: dict[str, object] = {
        "by": by.value,
        "from": asked.begin.astimezone(asked.zone).isoformat(),
        "to": asked.end.astimezone(asked.zone).isoformat(),
        "kind": wanted,
        "rows": [_plain(row) for row in rows],
    }
    if queue is not None:
        answer["queue"] = queue
    if by is not By.SKILL and rows:
        whole = Counted(None, None, total(r.counts for r in rows), sum(r.waiting_beyond for r in rows))
        answer["total"] = _figures(whole.counts, whole.waiting_beyond, by)
    return JsonResponse(answer)


# ---- what was asked for ----------------------------------------------------------------------------------------


def _site(deps: RealtimeDeps) -> Site:
    if deps.center is not None:
        return deps.center.site
    if deps.site is None:
        raise not_here("read reports")
    return deps.site()


def _question(
    site: Site, by: By, span: tuple[datetime, datetime], queue: str | None, kind: KindWanted, now_us: int
) -> Question:
    return Question(
        by=by,
        begin=span[0],
        end=span[1],
        now=instant(now_us),
        bounds={
            name: Bounds(int(each.target_s * US_PER_S), int(each.short_abandon_s * US_PER_S))
            for name, each in site.queues.items()
        },
        kind=None if kind == "all" else Kind(kind),
        queue=queue,
        teams={name: agent.team for name, agent in site.agents.items() if agent.team is not None},
        zone=ZoneInfo(site.time_zone),
    )


def _span(site: Site, by: By, begin: str | None, end: str | None, now_us: int) -> tuple[datetime, datetime]:
    zone = ZoneInfo(site.time_zone)
    now = instant(now_us)
    today = datetime.combine(now.astimezone(zone).date(), time(), zone)
    first = today if begin is None else _instant(begin, zone, "from")
    last = now + timedelta(microseconds=1) if end is None else _instant(end, zone, "to")
    if first >= last:
        raise _invalid("from", "`from` must lie before `to`.")
    most = MOST_DAYS.get(by, MOST_DAYS_OTHERWISE)
    if last - first > timedelta(days=most, hours=2):  # a day may have 25 hours
        raise _invalid("to", f"A report by {by.value} is of at most {most} days; ask for fewer at once.")
    return first, last


_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+ -]\d\d:\d\d)?)?", re.ASCII)


def _instant(text: str, zone: ZoneInfo, name: str) -> datetime:
    try:
        if not _WRITTEN.fullmatch(text):
            raise ValueError
        if len(text) == len("2026-11-22"):
            return datetime.combine(date.fromisoformat(text), time(), zone)
        read = datetime.fromisoformat(text.replace(" ", "+"))  # a plus that nobody escaped arrives as a blank
        read = read.replace(tzinfo=zone) if read.tzinfo is None else read
        if not 1990 <= read.year <= 2199:
            raise ValueError
    except (ValueError, OverflowError):
        raise _invalid(name, "Write a day (2026-11-22) or an instant (2026-11-22T08:00:00+03:30).") from None
    return read


def _invalid(name: str, detail: str) -> ApiProblem:
    return ApiProblem(
        422, "invalid", detail, errors=[{"at": f"query.{name}", "what": "value", "detail": detail}]
    )


# ---- what is answered ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """`names`: what the row is of; `figures`: `counts` and `measures`."""

    names: Mapping[str, object]
    label: Label | None
    figures: Mapping[str, Mapping[str, object]]
    counts: Counts
    waiting_beyond: int


def _row(row: Counted, site: Site, asked: Question) -> _Row:
    names: dict[str, object] = {}
    if row.began_at is not None:
        local = row.began_at.astimezone(asked.zone)
        names = {"begins": local.date().isoformat() if asked.by is By.DAY else local.isoformat()}
    else:
        names = {"key": row.key or ""}
    figures = _figures(row.counts, row.waiting_beyond, asked.by)
    return _Row(names, _label(site, asked.by, row.key or ""), figures, row.counts, row.waiting_beyond)


def _label(site: Site, by: By, key: str) -> Label | None:
    known: Mapping[By, Mapping[str, object]] = {
        By.QUEUE: site.queues,
        By.AGENT: site.agents,
        By.TEAM: site.teams,
        By.SKILL: site.skills,
        By.SEGMENT: site.segments,
    }
    label = getattr(known.get(by, {}).get(key), "label", None)
    return label if isinstance(label, Label) else None


def _figures(counts: Counts, waiting_beyond: int, by: By) -> dict[str, dict[str, object]]:
    counted: dict[str, object] = {name: getattr(counts, name) for name in SUMS}
    counted["wait_most_us"] = counts.wait_most_us
    counted["reasons_us"] = dict(sorted(counts.reasons.items()))
    if by not in _OF_PEOPLE:
        counted["waiting"] = counts.open
        counted["waiting_beyond"] = waiting_beyond
    made: dict[str, object] = {
        measure.id: _rounded(measure.of(counts)) for measure in MEASURES.values() if measure.of is not None
    }
    made["service_level"] = _rounded(service_level(counts, waiting_beyond))
    return {"counts": counted, "measures": made}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _plain(row: _Row) -> dict[str, object]:
    label = {} if row.label is None else {"label": {"fa": row.label.fa, "en": row.label.en}}
    return {**row.names, **label, **row.figures}


def _as_csv(rows: Sequence[_Row], by: By) -> Response:
    """One line for each row, a header, and a mark that tells spreadsheets it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    empty = _figures(Counts(), 0, by)
    counted = [name for name in empty["counts"] if name != "reasons_us"]
    names = ["begins"] if by in (By.INTERVAL, By.DAY) else ["key", "label_fa", "label_en"]
    writer.writerow([*names, *counted, *empty["measures"]])
    for row in rows:
        label = [] if len(names) == 1 else ["", ""] if row.label is None else [row.label.fa, row.label.en]
        figures = [row.figures["counts"][name] for name in counted] + list(row.figures["measures"].values())
        writer.writerow([_cell(each) for each in (*row.names.values(), *label, *figures)])
    return Response(
        "\ufeff" + out.getvalue(),
        headers={
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="report-{by.value}.csv"',
        },
        media_type="text/csv; charset=utf-8",
    )


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value
