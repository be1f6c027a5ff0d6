"""The audit trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from realtime.access import May, Principal
from realtime.api.shared import Deps, Text, allowed
from realtime.http import JsonResponse
from realtime.store import queries

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_AUDIT))]


@router.get("")
async def audit(
    who: MaySee,
    deps: Deps,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before_us: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    user: Text | None = None,
) -> Response:
    """Who did what, newest first; what was done a moment ago is in it."""
    await deps.audit.flush()
    rows = await queries.read_audit(deps.database, limit=limit, before_us=before_us, who=user)
    names = queries.AuditRow.__slots__
    return JsonResponse({"audit": [{name: getattr(row, name) for name in names} for row in rows]})
