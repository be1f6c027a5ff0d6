"""center.yaml: its versions, checking one, applying one in a single step."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from realtime.access import May, Principal
from realtime.api.shared import (
    Body,
    Deps,
    Key,
    LongText,
    Outcome,
    address_of,
    allowed,
    not_found,
    not_here,
    once,
)
from realtime.deps import RealtimeDeps
from realtime.http import JsonResponse
from realtime.ports import Documents, DocumentVersion

router = APIRouter(prefix="/api/v1/center", tags=["center"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_CENTER))]
MayChange = Annotated[Principal, Depends(allowed(May.CHANGE_CENTER))]


class Document(Body):
    text: LongText


def _documents(deps: RealtimeDeps) -> Documents:
    if deps.documents is None:
        raise not_here("change the center")
    return deps.documents


@router.get("")
async def current(who: MaySee, deps: Deps) -> Response:
    """The version that is in force, with its text."""
    version = await _documents(deps).current()
    if version is None:
        raise not_found("version")
    return JsonResponse({**_version(version), "text": version.text})


@router.get("/history")
async def history(who: MaySee, deps: Deps, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Response:
    """Versions, newest first, without their texts."""
    versions = await _documents(deps).history(limit=limit)
    return JsonResponse({"versions": [_version(version) for version in versions]})


@router.post("/check")
async def check(body: Document, who: MaySee, deps: Deps) -> Response:
    """What is wrong with a text; nothing is applied."""
    found = await _documents(deps).check(body.text)
    return JsonResponse({"ok": found.ok, "version": found.version, "problems": found.problems})


@router.post("/apply")
async def apply(body: Document, who: MayChange, request: Request, deps: Deps, key: Key = None) -> Response:
    """Check a text and put it in force in one step, all or nothing. 422 with every problem if it cannot be."""
    documents = _documents(deps)

    async def work() -> Outcome:
        done = await documents.apply(body.text, who.user)
        outcome = "ok" if done.ok else "refused"
        deps.audit.note(who.user, "center.apply", done.version or "", outcome, address_of(request))
        answer: dict[str, object] = {"ok": done.ok, "problems": list(done.problems)}
        if done.version is not None:
            answer["version"] = done.version
        return (200 if done.ok else 422), answer

    return await once(deps, who, key, "center/apply", body, work)


def _version(version: DocumentVersion) -> dict[str, object]:
    return {"version": version.version, "at_us": version.at_us, "by": version.by}
