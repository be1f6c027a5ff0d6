"""One port for everything staff use: the application, and uvicorn inside the running loop.

`create_app(deps)` is the application; `Server` opens the port and runs what this room does in the background
(ticks of agents' pages, closing of sockets whose token was taken back, the audit trail). It takes no signals:
whoever started it stops it. Stopping tells every socket `{"type":"reconnect"}` and closes it with 1012.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from realtime import http, pages, sockets
from realtime.api import (
    agents,
    alarms,
    audit,
    center,
    contacts,
    customers,
    flows,
    health,
    login,
    queues,
    reports,
    tasks,
    users,
    voicemail,
)
from realtime.deps import RealtimeDeps
from realtime.errors import ServeError
from realtime.outlet import StaffSocket
from realtime.settings import HttpSettings
from realtime.sockets import LiveSockets
from realtime.task_cards import restore

_DESCRIPTION = (
    "Log in at /api/v1/login and send the token as `Authorization: Bearer …`; pages use a cookie instead. "
    "Errors are problem documents (RFC 9457). Commands that start something take `Idempotency-Key`. "
    "Live views: /ws/v1/wall and /ws/v1/agent, opened with a ticket of /api/v1/ws-ticket."
)


def create_app(deps: RealtimeDeps) -> FastAPI:
    app = FastAPI(
        title="Pasokh",
        version=deps.version,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        middleware=[Middleware(http.Guardrails, body_bytes=deps.settings.http.body_bytes)],
    )
    app.state.deps = deps
    app.state.sockets = LiveSockets(deps)
    http.add_error_answers(app)
    for noun in (
        health,
        login,
        agents,
        queues,
        alarms,
        contacts,
        tasks,
        customers,
        reports,
        voicemail,
        center,
        flows,
        users,
        audit,
    ):
        app.include_router(noun.router)
    app.include_router(sockets.router_of(deps, app.state.sockets))
    app.include_router(pages.router_of(app, deps.settings.http.dist))
    return app


class _Uvicorn(uvicorn.Server):
    """uvicorn without signal handlers, that says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Server:
    """Serves one application on one port, until `stop`."""

    def __init__(self, deps: RealtimeDeps, app: ASGIApp | None = None) -> None:
        self._deps = deps
        self.app = create_app(deps) if app is None else app
        self._uvicorn: _Uvicorn | None = None
        self._serving: asyncio.Task[None] | None = None
        self._behind: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 8080) -> int:
        """Open the port (0: any free one) and return it. Raises ServeError."""
        listener = _listen(host, port)
        self.port = listener.getsockname()[1]
        self._uvicorn = _Uvicorn(_config(self.app, self._deps))
        loop = asyncio.get_running_loop()
        self._serving = loop.create_task(self._uvicorn.serve([listener]), name="http server")
        up = loop.create_task(self._uvicorn.up.wait(), name="http server start")
        await asyncio.wait((self._serving, up), return_when=asyncio.FIRST_COMPLETED)
        if not up.done():
            up.cancel()
            await self._serving
            raise ServeError("The HTTP server ended while it started; its log says why.")
        await restore(self._deps)
        self._behind.append(loop.create_task(self._deps.audit.run(), name="audit trail"))
        if self._deps.desk is not None:
            self._behind.append(loop.create_task(self._deps.desk.run(), name="agents' desk"))
        if isinstance(self.app, FastAPI):
            live: LiveSockets = self.app.state.sockets
            self._behind.append(loop.create_task(live.run(), name="socket recheck"))
        return self.port

    async def stop(self) -> None:
        """Send everybody away politely, then end. What the audit trail still holds is written."""
        if self._uvicorn is not None and self._serving is not None:
            self._uvicorn.should_exit = True
            await self._serving
        for task in self._behind:
            task.cancel()
        await asyncio.gather(*self._behind, return_exceptions=True)
        self._behind.clear()
        await self._deps.audit.flush()

    async def ended(self) -> None:
        """Returns, or raises, when serving ends by itself."""
        if self._serving is not None:
            await asyncio.wait([self._serving, *self._behind], return_when=asyncio.FIRST_COMPLETED)
            for task in (self._serving, *self._behind):
                if task.done() and not task.cancelled():
                    task.result()


async def serve(deps: RealtimeDeps, host: str, port: int) -> None:
    """Serve until cancelled."""
    server = Server(deps)
    await server.start(host, port)
    try:
        await server.ended()
    finally:
        await server.stop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(1024)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ServeError(
            f"The HTTP port {host}:{port} cannot be opened ({error.strerror or error}); "
            "stop what uses it, or choose another port."
        ) from error
    listener.setblocking(False)
    return listener


def _config(app: ASGIApp, deps: RealtimeDeps) -> uvicorn.Config:
    settings: HttpSettings = deps.settings.http
    return uvicorn.Config(
        app,
        http="httptools",
        ws=StaffSocket,
        ws_per_message_deflate=False,
        ws_max_size=deps.settings.sockets.message_bytes * 4,
        ws_ping_interval=settings.ping_s,
        ws_ping_timeout=settings.ping_s,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=max(1, round(settings.stop_s)),
    )
