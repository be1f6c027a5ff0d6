"""Menus: their versions, what callers do in them, publishing one."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import model_validator

from realtime.access import May, Principal
from realtime.api.shared import (
    Body,
    Deps,
    Key,
    LongText,
    Outcome,
    Word,
    address_of,
    allowed,
    not_found,
    not_here,
    once,
)
from realtime.deps import RealtimeDeps
from realtime.http import JsonResponse
from realtime.ports import Flows

router = APIRouter(prefix="/api/v1/flows", tags=["flows"])

MaySee = Annotated[Principal, Depends(allowed(May.SEE_CENTER))]
MayPublish = Annotated[Principal, Depends(allowed(May.PUBLISH_FLOWS))]
Days = Annotated[int, Query(ge=1, le=14)]

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


class Publish(Body):
    """Either the text of a flow, or an earlier version of it, to which one goes back."""

    text: LongText | None = None
    version: Word | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.text is None) == (self.version is None):
            raise ValueError("send either text or version")
        return self


def _flows(deps: RealtimeDeps) -> Flows:
    if deps.flows is None:
        raise not_here("see menus")
    return deps.flows


@router.get("")
async def flows(who: MaySee, deps: Deps) -> Response:
    """Every menu with the version in force and how many callers are in it now."""
    return JsonResponse({"flows": await _flows(deps).all()})


@router.get("/{flow}")
async def flow(flow: Word, who: MaySee, deps: Deps) -> Response:
    """One menu: its text, and its versions, newest first."""
    found = await _flows(deps).one(flow)
    if found is None:
        raise not_found("flow")
    return JsonResponse(found)


@router.get("/{flow}/counters")
async def counters(
    flow: Word, who: MaySee, deps: Deps, version: Word | None = None, days: Days = 1
) -> Response:
    """By node: callers who entered it, left it, dropped out in it, and are in it now."""
    found = await _flows(deps).figures(flow, version, days)
    if found is None:
        raise not_found("flow")
    return JsonResponse({"flow": flow, "version": version, "days": days, "nodes": found})


@router.get("/{flow}/graph.svg")
async def graph(
    flow: Word,
    who: MaySee,
    deps: Deps,
    version: Word | None = None,
    language: Literal["fa", "en"] = "fa",
    counts: bool = True,
    days: Days = 1,
) -> Response:
    """The menu as a picture, with the callers of the last `days` days unless `counts=false`."""
    svg = await _flows(deps).graph(flow, version, language, days if counts else None)
    if svg is None:
        raise not_found("flow")
    return Response(
        svg, 200, {"content-security-policy": _policy(svg), "cache-control": "no-store"}, "image/svg+xml"
    )


@router.post("/{flow}/publish")
async def publish(
    flow: Word, body: Publish, who: MayPublish, request: Request, deps: Deps, key: Key = None
) -> Response:
    """Check a text and put it in force, or an earlier version again. 422 with every problem if it cannot be.

    Callers keep the version they are in.
    """
    menus = _flows(deps)

    async def work() -> Outcome:
        if body.text is not None:
            done = await menus.publish(flow, body.text, who.user)
        else:
            rolled_back = await menus.roll_back(flow, body.version, who.user)
            if rolled_back is None:
                raise not_found("version")
            done = rolled_back
        outcome = "ok" if done.ok else "refused"
        about = f"{flow} {done.version}" if done.version is not None else flow
        deps.audit.note(who.user, "flow.publish", about, outcome, address_of(request))
        answer: dict[str, object] = {"ok": done.ok, "problems": list(done.problems)}
        if done.version is not None:
            answer["version"] = done.version
        return (200 if done.ok else 422), answer

    return await once(deps, who, key, f"flows/{flow}/publish", body, work)


def _policy(svg: str) -> str:
    """A picture opened by itself may use its own style, and nothing else."""
    style = _STYLE.search(svg)
    digest = hashlib.sha256(style[1].encode() if style is not None else b"").digest()
    return (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(digest).decode()}'; frame-ancestors 'self'"
    )
