"""The built pages in a real Chromium, with the server's side played by the test.

Files, answers and socket messages come from the test itself, so it decides what the page hears and when, and sees
everything that the page asks for. The page's clock is the test's too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route, WebSocketRoute

from realtime.http import HEADERS
from realtime.settings import HttpSettings

ORIGIN = "http://pasokh.test"
EPOCH = "e1"
AT_US = 1_795_000_000_000_000
"""When the test takes place: the page's clock and the server's agree on it."""

Json = dict[str, Any]


@dataclass
class Server:
    """What the page is answered; nothing while it is `away`.

    `answers`: by path, where it is not the account. `heard`: all that it said on sockets. `outside`: what it asked of
    others.
    """

    page: Page
    dist: Path = field(default_factory=lambda: HttpSettings().dist)
    account: Json | None = None
    accounts: list[Json] = field(default_factory=list)
    state: Json = field(default_factory=dict)
    answers: dict[str, Json] = field(default_factory=dict)
    react: Callable[[Json], None] = lambda message: None
    heard: list[Json] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    away: bool = False
    seq: int = 1
    at_us: int = AT_US
    _socket: WebSocketRoute | None = None

    def start(self) -> None:
        self.page.route("**/*", self._answer)
        self.page.route_web_socket(lambda url: True, self._connected)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if "Content Security" in message.text else None,
        )

    # ---- HTTP ---------------------------------------------------------------------------------------------

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            self.outside.append(route.request.url)
            return route.abort()
        if url.path.startswith("/api/") and self.away:
            return route.abort()
        if url.path.startswith("/api/"):
            return self._api(route, url.path)
        file = self.dist / url.path.lstrip("/")
        return route.fulfill(
            path=file if file.is_file() else self.dist / "index.html", headers={**HEADERS, **_kind(file)}
        )

    def _api(self, route: Route, path: str) -> None:
        if path == "/api/v1/login":
            sent = route.request.post_data_json
            if sent["password"] != "right":
                return _problem(route, 401, "wrong")
            self.account = {"name": sent["name"], "role": "wall"}
            return _json(route, self.account)
        if path == "/api/v1/demo":
            return _json(route, {"accounts": self.accounts})
        if self.account is None:
            return _problem(route, 401, "not signed in")
        if path in self.answers:
            return _json(route, self.answers[path])
        return _json(route, {"ticket": "once"} if path == "/api/v1/ws-ticket" else self.account)

    # ---- the socket ---------------------------------------------------------------------------------------

    def _connected(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.on_message(self._said)

    def _said(self, text: str | bytes) -> None:
        message = json.loads(text)
        self.heard.append(message)
        if message["type"] in ("hello", "resume"):
            self.send({"type": "snapshot", "state": self.state})
        self.react(message)

    def send(self, message: Json) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps({"epoch": EPOCH, "seq": self.seq, "at": self.at_us, **message}))

    def patch(self, patch: Json) -> None:
        self.seq += 1
        self.send({"type": "delta", "patch": patch})

    def said(self, kind: str) -> list[Json]:
        return [message for message in self.heard if kind in (message["type"], message.get("command"))]


def _kind(file: Path) -> dict[str, str]:
    kinds = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
    return {"content-type": kinds.get(file.suffix, "text/html; charset=utf-8")}


def _json(route: Route, body: Json) -> None:
    route.fulfill(json=body)


def _problem(route: Route, status: int, detail: str) -> None:
    route.fulfill(status=status, body=json.dumps({"detail": detail}), content_type="application/problem+json")
