"""`/livez`, `/readyz`, `/metrics`: for machines, without a log-in."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from realtime.api.shared import Deps
from realtime.deps import RealtimeDeps
from realtime.http import JsonResponse
from realtime.ports import Check

router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> Response:
    """The process answers. Depends on nothing else, so that an outage elsewhere restarts nobody."""
    return JsonResponse({"ok": True})


@router.get("/readyz")
async def readyz(deps: Deps) -> Response:
    """Whether work may be given to this process; else 503, and what is missing."""
    sentences = await asyncio.gather(*(_ask(deps, check) for check in deps.checks.values()))
    checks = dict(zip(deps.checks, sentences, strict=True))
    ok = all(sentence is None for sentence in checks.values())
    body = {"ok": ok, "checks": {name: sentence or "ok" for name, sentence in checks.items()}}
    return JsonResponse(body, 200 if ok else 503)


async def _ask(deps: RealtimeDeps, check: Check) -> str | None:
    try:
        async with asyncio.timeout(deps.settings.http.check_s):
            return await check()
    except TimeoutError:
        return f"No answer within {deps.settings.http.check_s:g} s."


@router.get("/metrics")
async def metrics(deps: Deps) -> Response:
    """Prometheus. No caller, number, name or key is ever a label."""
    return Response(generate_latest(deps.metrics), media_type=CONTENT_TYPE_LATEST)
