"""What all HTTP answers share: problem documents (RFC 9457), security headers, a limit for bodies."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.errors import ApiProblem, NotAllowed, NotSignedIn, TooManyTries, UserError

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self), screen-wake-lock=(self)",
}


class JsonResponse(Response):
    """JSON that no cache keeps."""

    media_type = "application/json"

    def __init__(
        self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            msgspec.json.encode(content), status_code, {"cache-control": "no-store", **(headers or {})}
        )


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    retry_after_s: float | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """An error answer. `code` is a stable word for programs; `type` is made of it."""
    body = {
        "type": f"urn:pasokh:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **(more or {}),
    }
    headers = {"cache-control": "no-store", **HEADERS}  # a fault is answered outside of Guardrails
    if retry_after_s is not None:
        headers["retry-after"] = str(max(1, round(retry_after_s)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    return Response(msgspec.json.encode(body), status, headers, PROBLEM)


def add_error_answers(app: FastAPI) -> None:
    app.add_exception_handler(ApiProblem, _api_problem)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(SQLAlchemyError, _database_away)
    app.add_exception_handler(Exception, _fault)


async def _api_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiProblem)
    return problem(error.status, error.code, error.detail, retry_after_s=error.retry_after_s, more=error.more)


async def _not_allowed(_request: Request, error: Exception) -> Response:
    if isinstance(error, TooManyTries):
        return problem(429, "too_many_tries", str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, NotSignedIn):
        return problem(401, "not_signed_in", str(error))
    return problem(403, "not_allowed", str(error))


async def _user_error(_request: Request, error: Exception) -> Response:
    return problem(422, "user", str(error))


async def _http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}
    details = {
        404: "There is nothing here.",
        405: "This cannot be done here with this method.",
        413: "The request is too large.",
        415: "Send JSON, with its content type.",
    }
    answer = problem(
        error.status_code,
        codes.get(error.status_code, "refused"),
        details.get(error.status_code, "The request cannot be served."),
    )
    if error.headers and "allow" in {name.lower() for name in error.headers}:
        answer.headers["allow"] = next(v for k, v in error.headers.items() if k.lower() == "allow")
    return answer


async def _invalid(_request: Request, error: Exception) -> Response:
    """What is wrong and where; never what was sent: it may hold a password or a caller's number."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {"at": ".".join(str(step) for step in each["loc"]), "what": each["type"], "detail": each["msg"]}
        for each in error.errors()[:20]
    ]
    return problem(422, "invalid", "The request is not valid.", more={"errors": errors})


async def _database_away(_request: Request, error: Exception) -> Response:
    log.warning("a request could not reach the database (%s)", type(error).__name__)
    return problem(503, "database_away", "The database does not answer; try again.", retry_after_s=2)


async def _fault(_request: Request, _error: Exception) -> Response:
    """A fault of ours; Starlette raises it again after this answer, so that it is logged once."""
    return problem(500, "fault", "Something went wrong on our side; it has been logged.")


class Guardrails:
    """ASGI middleware: security headers on every answer, 413 for a body over the limit."""

    def __init__(self, app: ASGIApp, body_bytes: int) -> None:
        self._app = app
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        got = 0

        async def limited() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > self._body_bytes:
                raise HTTPException(413)  # FastAPI makes a 400 of any other exception here
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        await self._app(scope, limited, with_headers)
