"""Users: list, add, change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from realtime.access import May, Principal, Role
from realtime.api.login import Password
from realtime.api.shared import Body, Deps, Key, Outcome, Text, Word, address_of, allowed, once
from realtime.http import JsonResponse

router = APIRouter(prefix="/api/v1/users", tags=["users"])

MayManage = Annotated[Principal, Depends(allowed(May.MANAGE_USERS))]


class NewUser(Body):
    secret = frozenset({"password"})

    name: Text
    password: Password
    role: Role
    agent: Word | None = None


class UserChange(Body):
    """What is left out stays as it is. Every change logs the user out everywhere."""

    password: Password | None = None
    active: bool | None = None


@router.get("")
async def users(who: MayManage, deps: Deps) -> Response:
    """Every user, without what they prove themselves with."""
    return JsonResponse(
        {
            "users": [
                {
                    "name": user.name,
                    "role": user.role,
                    "agent": user.agent,
                    "active": user.active,
                    "created_us": user.created_us,
                }
                for user in await deps.access.users()
            ]
        }
    )


@router.post("", status_code=201)
async def add(body: NewUser, who: MayManage, request: Request, deps: Deps, key: Key = None) -> Response:
    """Add a user."""

    async def work() -> Outcome:
        await deps.access.add_user(body.name, body.password, body.role, body.agent)
        deps.audit.note(who.user, "users.add", f"{body.name} {body.role}", "ok", address_of(request))
        return 201, {"name": body.name, "role": body.role.value}

    return await once(deps, who, key, "users", body, work)


@router.patch("/{name}")
async def change(name: Text, body: UserChange, who: MayManage, request: Request, deps: Deps) -> Response:
    """Set a password, or let a user in or out."""
    if body.password is not None:
        await deps.access.set_password(name, body.password)
        deps.audit.note(who.user, "users.password", name, "ok", address_of(request))
    if body.active is not None:
        await deps.access.set_active(name, body.active)
        deps.audit.note(who.user, "users.active", f"{name} {body.active}", "ok", address_of(request))
    return JsonResponse({"name": name})
