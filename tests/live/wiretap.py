"""Somebody who listens on the wire between our process and a PBX, and writes down what both say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["<", ">"]  # from the PBX, to the PBX


@dataclass(slots=True)
class Connection:
    """`said`: whole lines in the order in which they passed; `over`: both sides have closed."""

    said: list[tuple[Direction, str]] = field(default_factory=list)
    over: bool = False


class Wiretap:
    """One relayed port. `connections` in the order in which they were made."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def until(self, what: str, true: Callable[[], bool], timeout_s: float = 15) -> None:
        """Waits until something that was said makes `true` so; TimeoutError with what was said last."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            last = [line for connection in self.connections[-2:] for line in connection.said[-30:]]
            raise TimeoutError(f"Nobody saw {what} within {timeout_s} s: {last}") from None

    @asynccontextmanager
    async def between(self, port: int, to_port: int, pbx_calls: bool) -> AsyncIterator[None]:
        """Relays `port` to `to_port` of the loopback. `pbx_calls`: the PBX is who connects to `port`."""

        async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await self._relay(reader, writer, to_port, pbx_calls)

        server = await asyncio.start_server(come, "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_port: int, pbx_calls: bool
    ) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
        except ConnectionError:
            writer.close()
            return
        connection = Connection()
        self.connections.append(connection)
        outward: Direction = "<" if pbx_calls else ">"
        inward: Direction = ">" if pbx_calls else "<"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(connection, outward, reader, far_writer))
                group.create_task(self._pass_on(connection, inward, far_reader, writer))
        finally:
            connection.over = True
            for each in (writer, far_writer):
                each.close()
            await self._tell()

    async def _pass_on(
        self,
        connection: Connection,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        rest = b""
        try:
            while data := await reader.read(65_536):
                *whole, rest = (rest + data).split(b"\n")
                connection.said += [
                    (direction, line.decode("utf-8", "replace").rstrip("\r")) for line in whole
                ]
                writer.write(data)
                await writer.drain()
                await self._tell()
            writer.write_eof()
        except (ConnectionError, OSError):
            writer.close()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
