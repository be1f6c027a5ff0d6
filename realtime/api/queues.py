"""Queues with their figures of today, as walls show them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from acd.view import QueueFigures
from realtime.access import May, Principal
from realtime.api.shared import Deps, allowed, not_here
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/queues", tags=["queues"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_WALL))]


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
