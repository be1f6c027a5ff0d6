"""Messages of callers: who left one, what they said, and who deals with it.

A supervisor sees all of them and gives them to agents; an agent sees those given to them, and no others: for them
another's message does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse

from realtime.access import May, Principal
from realtime.api.shared import (
    Body,
    Deps,
    Key,
    Outcome,
    SignedIn,
    Word,
    address_of,
    not_found,
    not_here,
    once,
)
from realtime.deps import RealtimeDeps
from realtime.errors import ApiProblem, NotAllowed
from realtime.http import JsonResponse
from realtime.ports import Voicemails

router = APIRouter(prefix="/api/v1/voicemails", tags=["voicemails"])


class Assign(Body):
    """`agent` None: nobody deals with it for now."""

    agent: Word | None


class Nothing(Body):
    pass


def _store(deps: RealtimeDeps) -> Voicemails:
    if deps.voicemails is None:
        raise not_here("read messages")
    return deps.voicemails


async def _reader(request: Request, who: SignedIn, deps: Deps) -> Principal:
    if not who.may(May.SEE_CONTACTS) and (who.agent is None or not who.may(May.BE_AGENT)):
        deps.audit.note(who.user, "voicemails", request.url.path, "not_allowed", address_of(request))
        raise NotAllowed("You may not do this.")
    return who


Reader = Annotated[Principal, Depends(_reader)]


async def _found(request: Request, who: Principal, deps: RealtimeDeps, message: str) -> Mapping[str, object]:
    """The message, if they may see it. One they may not see is told as one that is not there."""
    found = await _store(deps).one(message)
    if found is None:
        raise not_found("message")
    if not who.may(May.SEE_CONTACTS) and found.get("agent") != who.agent:
        deps.audit.note(who.user, "voicemails", message, "not_allowed", address_of(request))
        raise not_found("message")
    return found


@router.get("")
async def voicemails(
    who: Reader,
    deps: Deps,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before_us: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    kind: Literal["voicemail", "survey"] | None = None,
    queue: Word | None = None,
    state: Literal["new", "assigned", "done"] | None = None,
    agent: Word | None = None,
) -> Response:
    """Messages, newest first; `before_us` continues a list. An agent gets their own."""
    whose = agent if who.may(May.SEE_CONTACTS) else who.agent
    found = await _store(deps).recent(
        limit=limit, before_us=before_us, kind=kind, queue=queue, state=state, agent=whose
    )
    return JsonResponse({"voicemails": found})


@router.get("/{message}")
async def voicemail(message: Word, who: Reader, request: Request, deps: Deps) -> Response:
    """One message."""
    return JsonResponse(await _found(request, who, deps, message))


@router.get("/{message}/audio", response_class=FileResponse)
async def audio(message: Word, who: Reader, request: Request, deps: Deps) -> Response:
    """What the caller said, as a WAV file. Who listens is in the audit trail; the first of them makes it heard."""
    await _found(request, who, deps, message)
    store = _store(deps)
    path = await store.path(message)
    if path is None:
        raise not_found("recording")
    deps.audit.note(who.user, "voicemails.play", message, "ok", address_of(request))
    await store.heard(message, who.user)
    headers = {"cache-control": "private, no-store"}
    return FileResponse(path, media_type="audio/wav", headers=headers)


@router.post("/{message}/assign")
async def assign(
    message: Word, body: Assign, who: Reader, request: Request, deps: Deps, key: Key = None
) -> Response:
    """Give it to an agent (`{"agent": "sara"}`) or to nobody (`null`). For supervisors."""
    await _found(request, who, deps, message)
    if not who.may(May.STEER_AGENTS):
        deps.audit.note(who.user, "voicemails.assign", message, "not_allowed", address_of(request))
        raise NotAllowed("You may not do this.")
    if body.agent is not None and deps.center is not None and body.agent not in deps.center.site.agents:
        raise not_found("agent")

    async def work() -> Outcome:
        if not await _store(deps).assign(message, body.agent, who.user):
            raise ApiProblem(409, "done", "This message is done already.")
        deps.audit.note(who.user, "voicemails.assign", message, "ok", address_of(request))
        return 200, {"id": message, "agent": body.agent}

    return await once(deps, who, key, f"voicemails.assign {message}", body, work)


@router.post("/{message}/done")
async def done(message: Word, who: Reader, request: Request, deps: Deps, key: Key = None) -> Response:
    """It has been dealt with."""
    await _found(request, who, deps, message)

    async def work() -> Outcome:
        if not await _store(deps).done(message, who.user):
            raise ApiProblem(409, "done", "This message is done already.")
        deps.audit.note(who.user, "voicemails.done", message, "ok", address_of(request))
        return 200, {"id": message, "state": "done"}

    return await once(deps, who, key, f"voicemails.done {message}", Nothing(), work)
