"""Customers, for those who may look them up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from realtime.access import May, Principal
from realtime.api.shared import Deps, Text, Word, address_of, allowed, not_found, not_here
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_CUSTOMERS))]


@router.get("")
async def customers(
    who: MaySee,
    request: Request,
    deps: Deps,
    search: Annotated[Text, Query(min_length=2)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Customers whose name or number fits. Every search is in the audit trail, without its words."""
    if deps.customers is None:
        raise not_here("search customers")
    found = await deps.customers.search(search, limit=limit)
    deps.audit.note(who.user, "customers.search", f"{len(found)} found", "ok", address_of(request))
    return JsonResponse({"customers": found})


@router.get("/{customer}")
async def customer(customer: Word, who: MaySee, request: Request, deps: Deps) -> Response:
    """One customer."""
    if deps.customers is None:
        raise not_here("read customers")
    found = await deps.customers.one(customer)
    if found is None:
        raise not_found("customer")
    deps.audit.note(who.user, "customers.read", customer, "ok", address_of(request))
    return JsonResponse(found)
