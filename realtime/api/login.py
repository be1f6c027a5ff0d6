"""Logging in and out, who I am, and tickets for sockets."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from realtime.access import May, Principal
from realtime.api.shared import COOKIE, Body, Deps, SignedIn, Text, address_of, check_origin
from realtime.deps import RealtimeDeps
from realtime.errors import NotAllowed
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1", tags=["login"])

Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Login(Body):
    name: Text
    password: Password


class TicketWanted(Body):
    scope: Literal["wall", "agent"]


@router.post("/login")
async def login(body: Login, request: Request, deps: Deps) -> Response:
    """Log in. A page gets a cookie it cannot read; a program (no `Origin` header) gets a bearer token."""
    page = "origin" in request.headers
    if page:
        check_origin(request, deps)
    address = address_of(request)
    try:
        done = await deps.access.log_in(body.name, body.password, address, program=not page)
    except NotAllowed as error:
        deps.audit.note(body.name, "login", "", type(error).__name__, address)
        raise
    deps.audit.note(body.name, "login", "", "ok", address)
    answer = _account(done.principal, deps)
    if not page:
        answer["token"] = done.token
        answer["expires_in_s"] = done.life_s
    response = JsonResponse(answer)
    if page:
        response.set_cookie(
            COOKIE,
            done.token,
            max_age=int(done.life_s),
            path="/",
            secure=deps.settings.http.secure_cookies or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
    return response


@router.post("/logout", status_code=204)
async def logout(who: SignedIn, request: Request, deps: Deps) -> Response:
    """Take the token back; its sockets are closed."""
    await deps.access.log_out(who)
    deps.audit.note(who.user, "logout", "", "ok", address_of(request))
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/me")
async def me(who: SignedIn, deps: Deps) -> Response:
    """Who is logged in."""
    return JsonResponse(_account(who, deps))


@router.post("/ws-ticket")
async def ws_ticket(body: TicketWanted, who: SignedIn, deps: Deps) -> Response:
    """A ticket that opens one socket (`/ws/v1/wall` or `/ws/v1/agent`), once, for a short time."""
    if body.scope == "agent" and (not who.may(May.BE_AGENT) or who.agent is None):
        raise NotAllowed("This user is not an agent.")
    if not who.may(May.SEE_WALL):
        raise NotAllowed("You may not do this.")
    text = deps.access.ticket(who, body.scope)
    return JsonResponse({"ticket": text, "expires_in_s": deps.settings.access.ticket_life_s})


@router.get("/demo")
async def demo(deps: Deps) -> Response:
    """The accounts of a demonstration; none anywhere else."""
    return JsonResponse({"accounts": [dict(account) for account in deps.demo_accounts]})


def _account(who: Principal, deps: RealtimeDeps) -> dict[str, object]:
    account: dict[str, object] = {"name": who.user, "role": who.role.value}
    if who.agent is not None:
        account["agent"] = who.agent
    if deps.center is not None:
        account["language"] = deps.center.site.language
    return account
