"""An event loop on virtual time, with connections in memory: whole processes run on it, fast and always alike.

Whenever nothing is ready, time jumps to the next timer. `create_connection` and `create_server` (host and port) join
transports in memory; nothing opens a socket, waits for a clock or starts a thread. What asyncio builds on them
(streams, asyncio.timeout, start_server) works unchanged.

    outcome = run(main(), latency_s=0.001)
"""

from __future__ import annotations

import asyncio
import errno
import math
import os
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
Address = tuple[str, int]

_ANY = ("", "0.0.0.0", "::")
_HIGH_WATER = 65_536
_HAIR_S = 1e-9


class Deadlock(RuntimeError):
    """Nothing is ready, and no timer will ever make anything ready."""


def run(main: Coroutine[Any, Any, T], latency_s: float = 0.0) -> T:
    """Runs `main` to its end on a virtual loop of its own. Every byte takes `latency_s` of virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(latency_s)) as runner:
        return runner.run(main)


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module. `connected` counts the connections that were made."""

    def __init__(self, latency_s: float = 0.0) -> None:
        super().__init__()
        self._selector = _Jump(self)
        self._now_s = 1_000.0
        self._servers: dict[Address, MemoryServer] = {}
        self._next_port = 49_152
        self._tick()
        self.latency_s = latency_s
        self.connected = 0

    # ---- time

    def time(self) -> float:
        return self._now_s

    def _jump(self, timeout_s: float | None) -> None:
        if timeout_s is None:
            raise Deadlock("Everybody waits, and nothing is left that could happen.")
        if timeout_s > 0:
            # A hair past the timer, as on every real clock: `began + length` and `now - began < length` may
            # round apart, and who is woken short of their time waits again, for ever on a clock that stands.
            self._now_s = max(self._now_s, self._scheduled[0]._when + _HAIR_S)  # type: ignore[attr-defined]
            self._tick()

    def _tick(self) -> None:
        """A timer is due when its time has come, and not before."""
        self._clock_resolution = math.ulp(self._now_s)

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    # ---- connections

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        backlog: int = 100,
        start_serving: bool = True,
        **options: Any,
    ) -> MemoryServer:
        """Raises OSError (EADDRINUSE) when somebody listens there."""
        _refuse(options)
        address = (_host(host), port or self._port())
        if address in self._servers:
            raise OSError(errno.EADDRINUSE, f"{os.strerror(errno.EADDRINUSE)}: {address}")
        server = MemoryServer(self, protocol_factory, address)
        self._servers[address] = server
        return server

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Raises ConnectionRefusedError when nobody listens there."""
        _refuse(options)
        await asyncio.sleep(self.latency_s)
        server = self._listening(_host(host), port or 0)
        if server is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {host}:{port}")
        self.connected += 1
        theirs, ours = server.protocol_factory(), protocol_factory()
        here = (_host(host), self._port())
        client = MemoryTransport(self, ours, here, server.address)
        accepted = MemoryTransport(self, theirs, server.address, here)
        client.peer, accepted.peer = accepted, client
        self.call_soon(ours.connection_made, client)
        self.call_soon(theirs.connection_made, accepted)
        await asyncio.sleep(0)
        return client, ours

    def _listening(self, host: str, port: int) -> MemoryServer | None:
        for each in (host, *_ANY):
            if (server := self._servers.get((each, port))) is not None:
                return server
        return None

    def _port(self) -> int:
        self._next_port += 1
        return self._next_port

    # ---- threads

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Done at once, here: a thread would make its own time."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the caller's, as from a thread
            future.set_exception(error)
        return future


class _Jump:
    """Stands where a loop asks the system for news: there never is any, so time passes."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout_s: float | None) -> list[Any]:
        self._loop._jump(timeout_s)
        return []


class MemorySocket:
    """As much of a socket as servers show of theirs."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        return self._address


class MemoryServer(asyncio.AbstractServer):
    def __init__(
        self, loop: VirtualLoop, protocol_factory: Callable[[], asyncio.BaseProtocol], address: Address
    ) -> None:
        self.protocol_factory = protocol_factory
        self.address = address
        self._loop = loop

    @property
    def sockets(self) -> tuple[MemorySocket, ...]:
        return (MemorySocket(self.address),) if self.is_serving() else ()

    def is_serving(self) -> bool:
        return self._loop._servers.get(self.address) is self

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    async def start_serving(self) -> None:
        pass

    async def serve_forever(self) -> None:
        await self._loop.create_future()

    def close(self) -> None:
        """Connections that were accepted live on."""
        if self.is_serving():
            del self._loop._servers[self.address]

    async def wait_closed(self) -> None:
        await asyncio.sleep(0)


class MemoryTransport(asyncio.Transport):
    """One end. What it writes is delivered to `peer` in order, after the loop's latency."""

    peer: MemoryTransport

    def __init__(
        self, loop: VirtualLoop, protocol: asyncio.BaseProtocol, here: Address, there: Address
    ) -> None:
        super().__init__({"sockname": here, "peername": there})
        self._loop = loop
        self._protocol = protocol
        self._unsent: deque[tuple[float, bytes]] = deque()
        self._sending = False
        self._reading = True
        self._eof_written = False
        self._closing = False
        self._lost = False
        self._high = _HIGH_WATER
        self._low = _HIGH_WATER // 4
        self._stalled = False

    # ---- protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    # ---- reading

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        if not self._reading:
            self._reading = True
            self.peer._send_soon()

    # ---- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or self._lost or not data:
            return
        self._unsent.append((self._loop.time() + self._loop.latency_s, bytes(data)))
        self._send_soon()
        if not self._stalled and self.get_write_buffer_size() > self._high:
            self._stalled = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._eof_written and not self._closing:
            self._eof_written = True
            self._send_soon()

    def get_write_buffer_size(self) -> int:
        return sum(len(data) for _, data in self._unsent)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = _HIGH_WATER if high is None else high
        self._low = self._high // 4 if low is None else low

    # ---- ends

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """What was written is still delivered; then the other end reads its end."""
        if not self._closing:
            self._closing = True
            self._send_soon()

    def abort(self) -> None:
        """What was not delivered yet is lost."""
        self._unsent.clear()
        self._closing = True
        self._send_soon()

    # ---- delivery

    def _send_soon(self) -> None:
        if self._sending or self._lost:
            return
        self._sending = True
        at_s = self._unsent[0][0] if self._unsent else self._loop.time()
        if at_s > self._loop.time():
            self._loop.call_at(at_s, self._send)
        else:
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        """One piece, then the next in its turn, so that both ends are served alike."""
        self._sending = False
        peer = self.peer
        if self._unsent and not peer._closing and not peer._lost:
            if not peer._reading:
                return  # resume_reading of the other end goes on
            _, data = self._unsent.popleft()
            self._perhaps_go_on()
            peer._protocol.data_received(data)  # type: ignore[attr-defined]
        else:
            self._unsent.clear()
        if self._unsent:
            self._send_soon()
        elif self._closing:
            self._lose(None)
            self._loop.call_soon(peer._read_end)
        elif self._eof_written:
            peer._read_end()

    def _perhaps_go_on(self) -> None:
        if self._stalled and self.get_write_buffer_size() <= self._low:
            self._stalled = False
            self._protocol.resume_writing()

    def _read_end(self) -> None:
        if self._closing or self._lost:
            return
        keep_open = self._protocol.eof_received()  # type: ignore[attr-defined]
        if not keep_open or self.peer._lost:
            self.close()

    def _lose(self, error: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(error)


def _host(host: str | None) -> str:
    return {None: "", "localhost": "127.0.0.1"}.get(host, host or "")


def _refuse(options: dict[str, Any]) -> None:
    """What would need a real socket is not silently left out."""
    for name in ("sock", "ssl"):
        if options.get(name) is not None:
            raise NotImplementedError(f"The virtual loop knows no {name}.")
