"""Connections for httpcore by the loop's own calls, so that services also run on a loop of virtual time.

httpcore brings the HTTP: framing, keep-alive, the pool. Its own way to connections goes through anyio, which
wants a real socket behind each.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

_ENOUGH_BYTES = 262_144


class LoopBackend(httpcore.AsyncNetworkBackend):
    """Time-outs are the asker's (`asyncio.timeout` around the whole question), not those of single reads."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            _, ends = await loop.create_connection(_Ends, host, port)
        except OSError:
            raise httpcore.ConnectError from None  # its text would name the address
        return _Stream(ends)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol("services are asked by TCP")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Ends(asyncio.Protocol):
    """What was received and not read yet, and whether more may come or go."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.over = False
        self.transport: asyncio.Transport | None = None
        self.news = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > _ENOUGH_BYTES and self.transport is not None:
            self.transport.pause_reading()
        self.news.set()

    def eof_received(self) -> bool:
        self.over = True
        self.news.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self.news.set()
        self.writable.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, ends: _Ends) -> None:
        self._ends = ends

    @property
    def _transport(self) -> asyncio.Transport:
        assert self._ends.transport is not None
        return self._ends.transport

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        ends = self._ends
        while not ends.received and not ends.over:
            ends.news.clear()
            await ends.news.wait()
        taken = bytes(ends.received[:max_bytes])
        del ends.received[:max_bytes]
        if not ends.received and not self._transport.is_closing():
            self._transport.resume_reading()
        return taken

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if self._ends.over:
            raise httpcore.WriteError
        self._transport.write(buffer)
        await self._ends.writable.wait()

    async def aclose(self) -> None:
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            self._ends.transport = await loop.start_tls(
                self._transport, self._ends, ssl_context, server_hostname=server_hostname
            )
        except OSError:  # ssl.SSLError is one
            raise httpcore.ConnectError from None
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # while idle: the other side has closed it, or says what nobody asked
            return bool(self._ends.received) or self._ends.over
        if info == "ssl_object":
            return self._transport.get_extra_info("ssl_object")
        return None
