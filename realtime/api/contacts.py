"""Records of contacts, and why each of them waited.

Why a contact waits is told by the center while it is open, and from the records for as long as they are kept: every
stretch of the wait with its cause, every offer with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from acd.site import Site
from acd.types import ContactId
from realtime import reasons
from realtime.access import May, Principal
from realtime.api.shapes import WhyShape
from realtime.api.shared import Deps, SignedIn, Word, address_of, allowed, not_found, not_here
from realtime.deps import RealtimeDeps
from realtime.http import JsonResponse
from realtime.reasons import Json

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


@router.get("/{contact}/why", responses={200: {"model": WhyShape}})
async def why(
    contact: Word,
    who: SignedIn,
    request: Request,
    deps: Deps,
    agents: Annotated[int, Query(ge=0, le=200, description="so many agents who do not get it")] = 20,
) -> Response:
    """Why this contact waits (`now`, as long as it does), and why it waited and who was offered it: every stretch of
    each wait with its cause, every offer with its reason."""
    if not who.may(May.SEE_CONTACTS):
        deps.audit.note(who.user, "contacts.why", contact, "not_allowed", address_of(request))
        raise not_found("contact")
    site = _site(deps)
    now = _now(deps, site, contact, agents)
    past = await deps.contacts.waits(contact, deps.now_us()) if deps.contacts is not None else ()
    if now is None and not past:
        raise not_found("contact")
    answer: Json = {"contact": contact, "visits": [_past(site, each) for each in past]}
    return JsonResponse(answer if now is None else {**answer, "now": now})


def _site(deps: RealtimeDeps) -> Site:
    if deps.center is not None:
        return deps.center.site
    if deps.site is None:
        raise not_here("see the center")
    return deps.site()


def _now(deps: RealtimeDeps, site: Site, contact: ContactId, agents: int) -> Json | None:
    if deps.center is None:
        return None
    open_visits = deps.center.view().visits.values()
    visit = next((each.visit for each in open_visits if each.contact == contact), None)
    case = deps.center.why(visit) if visit is not None else None
    return reasons.waiting(site, case, agents) if case is not None else None


def _past(site: Site, wait: Mapping[str, object]) -> Json:
    kept = {name: wait[name] for name in ("queue", "began_at_us", "to_us", "outcome") if name in wait}
    return {
        "visit": wait["id"],
        **kept,
        "stretches": [
            {**each, "requirement_label": reasons.requirement_label(site, str(each["requirement"]))}
            for each in _rows(wait["stretches"])
        ],
        "offers": [_offer(site, each) for each in _rows(wait["offers"])],
    }


def _offer(site: Site, made: Mapping[str, object]) -> Json:
    names = ("agent", "made_at_us", "ended_at_us", "state", "why")
    shown: Json = {"offer": made["id"], **{name: made[name] for name in names if name in made}}
    if (who := site.agents.get(str(made["agent"]))) is not None:
        shown["name"] = reasons.label(who.label)
    if isinstance(chosen := made.get("chosen"), str):
        shown["chosen"] = reasons.chosen(chosen)
    return shown


def _rows(value: object) -> Sequence[Mapping[str, object]]:
    return value if isinstance(value, list) else ()
