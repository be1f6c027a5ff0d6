"""What every noun needs: who asks, what they may, safe words, and a command that is carried out only once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, ClassVar

import msgspec
from fastapi import Depends, Header, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from acd.types import US_PER_S
from realtime.access import May, Principal
from realtime.deps import RealtimeDeps
from realtime.errors import ApiProblem, NotAllowed, NotSignedIn
from realtime.http import JsonResponse
from realtime.origin import is_ours
from realtime.store import queries

COOKIE = "pasokh_session"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def printable(text: str) -> str:
    """NUL cannot be kept by PostgreSQL, and the rest of them is nobody's name."""
    if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in text):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(printable)]
LongText = Annotated[str, StringConstraints(max_length=1_000_000), AfterValidator(printable)]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,128}$")]


class Body(BaseModel):
    """`secret` names fields that must not reach what is kept of a request, not even hashed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    secret: ClassVar[frozenset[str]] = frozenset()


def deps_of(request: Request) -> RealtimeDeps:
    deps: RealtimeDeps = request.app.state.deps
    return deps


Deps = Annotated[RealtimeDeps, Depends(deps_of)]


def address_of(request: Request) -> str:
    return request.client.host if request.client is not None else "-"


def check_origin(request: Request, deps: RealtimeDeps) -> None:
    """A page of somebody else must not use our cookie. Browsers send `Origin` with everything but GET."""
    origin = request.headers.get("origin")
    if origin is None or not is_ours(origin, request.headers.get("host"), deps.settings.http.public_origins):
        raise NotAllowed("This page may not do that: its origin is not ours.")


async def signed_in(request: Request, deps: Deps) -> Principal:
    """Who asks: by bearer token, or by cookie from a page of ours. Raises NotSignedIn, NotAllowed."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return await deps.access.principal(bearer.strip())
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        raise NotSignedIn("Log in first.")
    if request.method not in _SAFE_METHODS:
        check_origin(request, deps)
    return await deps.access.principal(cookie)


SignedIn = Annotated[Principal, Depends(signed_in)]


def allowed(what: May) -> Callable[[Request, Principal, RealtimeDeps], Awaitable[Principal]]:
    """A dependency: the one who asks, if they may do this."""

    async def guard(request: Request, who: SignedIn, deps: Deps) -> Principal:
        if not who.may(what):
            deps.audit.note(who.user, what.value, request.url.path, "not_allowed", address_of(request))
            raise NotAllowed("You may not do this.")
        return who

    return guard


def not_found(what: str) -> ApiProblem:
    return ApiProblem(404, "not_found", f"There is no such {what}.")


def not_here(what: str) -> ApiProblem:
    return ApiProblem(503, "not_here", f"This process cannot {what}; ask the leader.", retry_after_s=2)


Outcome = tuple[int, dict[str, object]]


async def once(
    deps: RealtimeDeps,
    who: Principal,
    key: str | None,
    what: str,
    body: Body,
    work: Callable[[], Awaitable[Outcome]],
) -> Response:
    """Carry a command out, with `Idempotency-Key` only the first time: later ones get the first answer.

    409 for the same key with another request, or while the first is still at work.
    """
    if key is None:
        status, answer = await work()
        return JsonResponse(answer, status)
    sent = body.model_dump_json(exclude=set(body.secret))
    digest = hashlib.sha256(f"{what}\n{sent}".encode()).hexdigest()
    http = deps.settings.http
    kept = await queries.claim(
        deps.database,
        who.user,
        key,
        digest,
        deps.now_us(),
        int(http.idempotency_stale_s * US_PER_S),
        int(http.idempotency_life_s * US_PER_S),
    )
    if kept is not None:
        return _again(kept, digest)
    try:
        status, answer = await work()
    except BaseException:
        await queries.give_back(deps.database, who.user, key)
        raise
    await queries.finish(deps.database, who.user, key, status, msgspec.json.encode(answer).decode())
    return JsonResponse(answer, status)


def _again(kept: queries.Kept, digest: str) -> Response:
    if kept.digest != digest:
        raise ApiProblem(409, "key_used", "This Idempotency-Key was used for another request.")
    if kept.status is None or kept.body is None:
        raise ApiProblem(409, "at_work", "The first request is still at work.", retry_after_s=1)
    return JsonResponse(msgspec.json.decode(kept.body), kept.status, {"idempotency-replayed": "true"})
