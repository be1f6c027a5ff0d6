"""The sending side of one socket: never waited for, so a client that does not read harms only itself.

`FrameOutlet` writes frames made once for all straight to the transport of our own uvicorn protocol
(`StaffSocket`); it leans on four attributes of uvicorn's `WebSocketsSansIOProtocol` that are not promised
(`conn`, `writable`, `close_sent`, `disconnected`), which is why pyproject.toml keeps uvicorn in a range and a
test holds them. Under another server, or without them, `TaskOutlet` sends by a task with a mailbox of one.
All of it is used from the loop's thread only.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Protocol

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.http11 import Request

from realtime import wire
from realtime.wire import Encoded

EXTENSION = "pasokh.socket"
QUERY = "pasokh.query"
_NEEDED = ("conn", "writable", "close_sent", "disconnected", "transport")
_RECONNECT = wire.encode({"type": "reconnect"})


class Outlet(Protocol):
    @property
    def writable(self) -> bool:
        """Whether the client keeps up: what is written now is on its way at once."""
        ...

    def write(self, message: Encoded) -> None:
        """Send. Only while `writable`; else the message is lost."""
        ...

    def when_writable(self, call: Callable[[], None]) -> None:
        """`call` each time the client has caught up after being behind."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close with a code, also a client that does not read."""
        ...

    async def ended(self) -> None:
        """Let go of what sends."""
        ...


class StaffSocket(WebSocketsSansIOProtocol):
    """uvicorn's websocket protocol, with a door for frames made in advance.

    The query (it holds a ticket) is moved out of the scope, from where uvicorn would log it.
    """

    close_s = 5.0
    caught_up: Callable[[], None] | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.conn.debug = False  # it would log every line, the ticket among them

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is None:
            return
        extensions = scope["extensions"]
        if all(hasattr(self, name) for name in _NEEDED):
            extensions[EXTENSION] = self
        extensions[QUERY] = scope["query_string"]
        scope["query_string"] = b""

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.caught_up is not None:
            self.caught_up()

    @property
    def open(self) -> bool:
        return self.handshake_complete and not (
            self.close_sent or self.disconnected or self.transport.is_closing()
        )

    def close_now(self, code: int, reason: str) -> None:
        """Close from our side without waiting for the buffer; cut it off if it does not drain in time."""
        if not self.open:
            return
        with contextlib.suppress(InvalidState):  # the client's own close frame crossed ours
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.writable.set()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_s, self.transport.abort)

    def shutdown(self) -> None:
        if self.open and self.writable.is_set():
            self.transport.write(_RECONNECT.frame)
        super().shutdown()
        self.loop.call_later(self.close_s, self.transport.abort)


class FrameOutlet:
    def __init__(self, socket: StaffSocket, close_s: float) -> None:
        self._socket = socket
        socket.close_s = close_s

    @property
    def writable(self) -> bool:
        return self._socket.writable.is_set() and self._socket.open

    def write(self, message: Encoded) -> None:
        if self.writable:
            self._socket.transport.write(message.frame)

    def when_writable(self, call: Callable[[], None]) -> None:
        self._socket.caught_up = call

    def close(self, code: int, reason: str) -> None:
        self._socket.close_now(code, reason)

    async def ended(self) -> None:
        self._socket.caught_up = None


class TaskOutlet:
    def __init__(self, socket: WebSocket, close_s: float) -> None:
        self._socket = socket
        self._close_s = close_s
        self._mail: Encoded | None = None
        self._close: tuple[int, str] | None = None
        self._news = asyncio.Event()
        self._caught_up: Callable[[], None] | None = None
        self._busy = False
        self._over = False
        self._task = asyncio.get_running_loop().create_task(self._send(), name="socket outlet")

    @property
    def writable(self) -> bool:
        return not self._busy and not self._over

    def write(self, message: Encoded) -> None:
        if self.writable:
            self._mail = message
            self._busy = True
            self._news.set()

    def when_writable(self, call: Callable[[], None]) -> None:
        self._caught_up = call

    def close(self, code: int, reason: str) -> None:
        if self._over:
            return
        self._over = True
        self._close = (code, reason)
        self._news.set()

    async def ended(self) -> None:
        if self._close is not None:
            await asyncio.wait((self._task,), timeout=self._close_s)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _send(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # Starlette: it is closed already
            while True:
                await self._news.wait()
                self._news.clear()
                if self._mail is not None:
                    message, self._mail = self._mail, None
                    await self._socket.send_text(message.text.decode())
                    self._busy = False
                    if self._caught_up is not None and not self._over:
                        self._caught_up()
                if self._close is not None:
                    await self._socket.close(*self._close)
                    return


def outlet_for(socket: WebSocket, close_s: float) -> Outlet:
    """The best way to send on this (accepted) socket."""
    own = socket.scope.get("extensions", {}).get(EXTENSION)
    return FrameOutlet(own, close_s) if isinstance(own, StaffSocket) else TaskOutlet(socket, close_s)


def query_of(socket: WebSocket) -> str:
    """The query string of the handshake, also where `StaffSocket` has moved it."""
    moved = socket.scope.get("extensions", {}).get(QUERY)
    raw: bytes = moved if moved is not None else socket.scope.get("query_string", b"")
    return raw.decode("latin-1")
