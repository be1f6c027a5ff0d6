"""Records of contacts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from realtime.access import May, Principal
from realtime.api.shared import Deps, Word, allowed, not_found, not_here
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_CONTACTS))]


@router.get("")
async def contacts(
    who: MaySee,
    deps: Deps,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before_us: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    queue: Word | None = None,
    agent: Word | None = None,
) -> Response:
    """Contacts, newest first; `before_us` continues a list."""
    if deps.contacts is None:
        raise not_here("read records")
    found = await deps.contacts.recent(limit=limit, before_us=before_us, queue=queue, agent=agent)
    return JsonResponse({"contacts": found})


@router.get("/{contact}")
async def contact(contact: Word, who: MaySee, deps: Deps) -> Response:
    """One contact with its visits and offers."""
    if deps.contacts is None:
        raise not_here("read records")
    found = await deps.contacts.one(contact)
    if found is None:
        raise not_found("contact")
    return JsonResponse(found)
