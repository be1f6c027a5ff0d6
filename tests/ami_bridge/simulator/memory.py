"""A loop whose time runs only when nobody has anything to do, with connections that never leave memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class MemoryTransport(asyncio.Transport):
    """One end; what is written arrives at the other end in the loop's next turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("127.0.0.1", 40_000)})
        self._loop = loop
        self._protocol = protocol
        self._closing = False
        self.other: MemoryTransport | None = None

    def write(self, data: Any) -> None:
        if not self._closing and self.other is not None:
            self._loop.call_soon(self.other._arrive, bytes(data))

    def _arrive(self, data: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    def close(self) -> None:
        if not self._closing and self.other is not None:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)
            self._loop.call_soon(self.other._far_end_closed)

    abort = close

    def _far_end_closed(self) -> None:
        if not self._closing:
            self._protocol.eof_received()
            self.close()

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class MemoryServer:
    def __init__(self, close: Callable[[], None], port: int) -> None:
        self.sockets = ()
        self.port = port
        self.close = close

    async def wait_closed(self) -> None: ...


class MemoryLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        select = self._selector.select  # type: ignore[attr-defined]
        # A cancelled timer may stand first, so that the next one seems to be far off: never wait for it.
        self._selector.select = lambda timeout=None: select(0)  # type: ignore[attr-defined]
        self._servers: dict[tuple[str, int], Callable[[], asyncio.Protocol]] = {}

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]

    async def create_server(self, factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        self._servers[host, port] = factory
        return MemoryServer(lambda: self._servers.pop((host, port), None) and None, port)

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        if (host, port) not in self._servers:
            raise ConnectionRefusedError(f"nobody listens at {host}:{port}")
        protocols = factory(), self._servers[host, port]()
        ends = [MemoryTransport(self, protocol) for protocol in protocols]
        ends[0].other, ends[1].other = ends[1], ends[0]
        for end, protocol in zip(ends, protocols, strict=True):
            protocol.connection_made(end)
        return ends[0], protocols[0]
