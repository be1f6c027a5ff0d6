"""What somebody should look at now, as the center found it by itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from realtime.access import May, Principal
from realtime.api.shapes import AlarmsShape
from realtime.api.shared import Deps, allowed, not_here
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/alarms", tags=["alarms"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_WALL))]


@router.get("", responses={200: {"model": AlarmsShape}})
async def alarms(who: MaySee, deps: Deps) -> Response:
    """Alarms that are on, oldest first. `unroutable`: in these queues somebody waits whom nobody who is signed in can
    answer."""
    if deps.wall.state is None:
        raise not_here("see the center yet")
    on = deps.wall.state["alarms"]
    assert isinstance(on, dict)
    shown = [{"alarm": name, **alarm} for name, alarm in on.items()]
    return JsonResponse({"alarms": sorted(shown, key=lambda alarm: (alarm["since_us"], alarm["alarm"]))})
