"""Queues with their figures of today, as walls show them, and who waits longest in each, with the cause."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from acd.types import QueueId, VisitState
from acd.view import QueueFigures, SiteView, VisitView
from realtime import reasons
from realtime.access import May, Principal
from realtime.api.shapes import LinesShape
from realtime.api.shared import Deps, allowed, not_here
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/queues", tags=["queues"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_WALL))]
MaySeeContacts = Annotated[Principal, Depends(allowed(May.SEE_CONTACTS))]

MOST_EXPLAINED = 100
"""So many visits are explained in one answer: each takes a look at every agent."""


@router.get("")
async def queues(who: MaySee, deps: Deps) -> Response:
    """Every queue, and the total. A rate that nothing was counted for is left out.

    The process of the center adds what walls have no room for: callbacks taken, callers refused, callbacks and tasks
    that wait, the wait of 90 %, and how far announced waits were off.
    """
    if deps.wall.state is None:
        raise not_here("see the center yet")
    queues, whole = deps.wall.state["queues"], deps.wall.state["total"]
    if deps.center is None or not isinstance(queues, dict) or not isinstance(whole, dict):
        return JsonResponse({"queues": queues, "total": whole})
    view = deps.center.view()
    more = {name: _more(figures) for name, figures in view.queues.items()}
    return JsonResponse(
        {
            "queues": {name: {**shown, **more.get(name, {})} for name, shown in queues.items()},
            "total": {**whole, **_more(view.total)},
        }
    )


@router.get("/waiting", responses={200: {"model": LinesShape}})
async def waiting(
    who: MaySeeContacts,
    deps: Deps,
    each: Annotated[int, Query(ge=1, le=20, description="of every queue")] = 3,
    agents: Annotated[int, Query(ge=0, le=20, description="so many agents who do not get it")] = 3,
) -> Response:
    """Those who wait longest in each queue, and why."""
    center = deps.center
    if center is None:
        raise not_here("say why somebody waits")
    lines: dict[QueueId, list[reasons.Json]] = {}
    for visit in _longest(center.view(), each):
        if (case := center.why(visit.visit)) is not None:
            shown = reasons.waiting(center.site, case, agents)
            known = {"contact": visit.contact, "kind": visit.kind.value}
            lines.setdefault(visit.queue, []).append({**known, **shown})
    return JsonResponse({"queues": lines})


def _longest(view: SiteView, each: int) -> Iterator[VisitView]:
    """Those who wait longest of every queue; of all of them the longest `MOST_EXPLAINED`."""
    lines: dict[QueueId, list[VisitView]] = {}
    for visit in view.visits.values():
        if visit.state in (VisitState.WAITING, VisitState.OFFERED):
            lines.setdefault(visit.queue, []).append(visit)
    first = [visit for line in lines.values() for visit in nsmallest(each, line, key=_entered)]
    yield from sorted(first, key=_entered)[:MOST_EXPLAINED]


def _entered(visit: VisitView) -> tuple[int, str]:
    return visit.entered_us, visit.visit


def _more(figures: QueueFigures) -> dict[str, object]:
    known: dict[str, object] = {
        "callbacks": figures.callbacks,
        "refused": figures.refused,
        "others_waiting": figures.others_waiting,
    }
    for name, value in (
        ("wait_p90_s", figures.wait_p90_s),
        ("wait_estimate_error_s", figures.wait_estimate_error_s),
        ("wait_estimate_close", figures.wait_estimate_close),
    ):
        if value is not None:
            known[name] = round(value, 4)
    return known
