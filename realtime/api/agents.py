"""Agents as they are now, and their status set by a supervisor (or by themselves)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from acd.effects import Refused
from acd.events import SetStatus
from acd.types import Status
from realtime.access import May, Principal
from realtime.api.shared import (
    Body,
    Deps,
    Key,
    Outcome,
    SignedIn,
    Word,
    address_of,
    allowed,
    not_found,
    not_here,
    once,
)
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_AGENTS))]


class StatusWanted(Body):
    status: Status
    reason: Word | None = None


@router.get("")
async def agents(who: MaySee, deps: Deps) -> Response:
    """Every agent with status and activity, as walls show them."""
    if deps.wall.state is None:
        raise not_here("see the center yet")
    return JsonResponse({"agents": deps.wall.state["agents"]})


@router.post("/{agent}/status")
async def set_status(
    agent: Word, body: StatusWanted, who: SignedIn, request: Request, deps: Deps, key: Key = None
) -> Response:
    """Set an agent's status; during a call it becomes the next one. 409 with the center's reason if refused."""
    if agent != who.agent and not who.may(May.STEER_AGENTS):
        deps.audit.note(who.user, "agent.status", agent, "not_allowed", address_of(request))
        raise not_found("agent")
    center = deps.center
    if center is None:
        raise not_here("command agents")
    if agent not in center.site.agents:
        raise not_found("agent")

    async def work() -> Outcome:
        request_id = f"http/{who.user}/{key}" if key is not None else None
        answer = await center.ask(who.user, SetStatus(agent, body.status, body.reason), request_id)
        reason = answer.reason if isinstance(answer, Refused) else None
        deps.audit.note(
            who.user, "agent.status", f"{agent} {body.status}", reason or "ok", address_of(request)
        )
        if reason is not None:
            return 409, {"ok": False, "reason": reason}
        return 200, {"ok": True}

    return await once(deps, who, key, f"agents/{agent}/status", body, work)
