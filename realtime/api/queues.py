"""Queues with their figures of today, as walls show them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from realtime.access import May, Principal
from realtime.api.shared import Deps, allowed, not_here
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/queues", tags=["queues"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_WALL))]


@router.get("")
async def queues(who: MaySee, deps: Deps) -> Response:
    """Every queue, and the total. A rate that nothing was counted for is left out."""
    if deps.wall.state is None:
        raise not_here("see the center yet")
    return JsonResponse({"queues": deps.wall.state["queues"], "total": deps.wall.state["total"]})
