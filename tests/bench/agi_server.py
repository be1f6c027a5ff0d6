"""A FastAGI server in a process of its own, so that its CPU time is told apart from its callers': `ours`, which is
the product's listener and session, or one of two bare loops that write the same bytes and check nothing.

    python -m tests.bench.agi_server ours|streams|protocol [PORT SOUND]

With a port and a sound it serves a menu to a real Asterisk instead: plays the sound until a key is pressed, and ends.
Its first line tells the port. Each line `cpu` on its input is answered by the CPU seconds it has used until now,
and the memory it holds in bytes.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
import time
from collections.abc import Iterable

from ami_bridge.agi import AgiSession
from ami_bridge.fastagi import FastAgiServer, FastAgiSettings
from ami_bridge.signature import CallRequest

SECRET = "a-secret-of-the-bench"
NO_SIGNATURES_YET = 1_795_000_000
LINES = (
    b'SET VARIABLE "PASOKH_TICKET" "{\\"c\\":\\"1795000000.1\\",\\"q\\":\\"cards\\",\\"n\\":\\"main\\"}"\n',
    b'STREAM FILE pasokh/fa/welcome-3f2a "0123456789*#" 0\n',
    b"WAIT FOR DIGIT 5000\n",
    b'GET FULL VARIABLE "${DIALSTATUS}|${HANGUPCAUSE}|${PA_TALK}"\n',
)
"""What `ours` writes in each round; tests/bench/test_agi.py sees to it that they are the same."""

TICKET = '{"c":"1795000000.1","q":"cards","n":"main"}'
OUTCOME = "${DIALSTATUS}|${HANGUPCAUSE}|${PA_TALK}"


async def commands(session: AgiSession, _request: CallRequest) -> None:
    """The commands of a menu's step, again and again, until the caller is gone."""
    while True:
        await session.set_variable("PASOKH_TICKET", TICKET)
        await session.stream_file("pasokh/fa/welcome-3f2a", "0123456789*#", deadline_s=30)
        await session.wait_for_digit(5000)
        await session.get_full_variable(OUTCOME)


async def menu(session: AgiSession, _request: CallRequest) -> None:
    """Answers a call with a menu, and is done with it when a key is pressed."""
    await session.set_variable("PASOKH_TOOK", 1)
    await session.stream_file(sys.argv[3], "0123456789*#", deadline_s=30)
    await session.set_variable("PASOKH_DONE", 1)


def menu_lines() -> Iterable[bytes]:
    """What `menu` writes."""
    yield b'SET VARIABLE "PASOKH_TOOK" "1"\n'
    yield f'STREAM FILE {sys.argv[3]} "0123456789*#" 0\n'.encode()
    yield b'SET VARIABLE "PASOKH_DONE" "1"\n'


def to_asterisk() -> bool:
    return len(sys.argv) > 3


async def serve_ours(port: int) -> FastAgiServer:
    server = FastAgiServer(
        FastAgiSettings(secret=SECRET, port=port),
        menu if to_asterisk() else commands,
        clock=time.time if to_asterisk() else lambda: NO_SIGNATURES_YET,
        on_error=lambda _contact, error: print(repr(error), file=sys.stderr),
    )
    await server.start()
    return server


def lines_for_ever() -> Iterable[bytes]:
    while True:
        yield from LINES


async def on_streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline() != b"\n":
        pass
    for line in menu_lines() if to_asterisk() else lines_for_ever():
        writer.write(line)
        if not await reader.readline():
            break
    writer.close()


class OnProtocol(asyncio.Protocol):
    """The barest: a future for each reply."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.reply: asyncio.Future[bytes] | None = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.reply is None:
            if self.buffer.endswith(b"\n\n"):
                self.buffer = b""
                self.task = asyncio.ensure_future(self.run())
        elif self.buffer.endswith(b"\n"):
            line, self.buffer = self.buffer, b""
            self.reply.set_result(line)

    def connection_lost(self, exc: Exception | None) -> None:
        self.task.cancel()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for line in LINES:
                self.reply = loop.create_future()
                self.transport.write(line)
                await self.reply


async def serve_bare(kind: str, port: int) -> asyncio.Server:
    if kind == "streams":
        return await asyncio.start_server(on_streams, "127.0.0.1", port, backlog=2000)
    return await asyncio.get_running_loop().create_server(OnProtocol, "127.0.0.1", port, backlog=2000)


def memory_bytes() -> int:
    """Resident in this process."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


async def main(kind: str) -> None:
    port = int(sys.argv[2]) if to_asterisk() else 0
    server = await (serve_ours(port) if kind == "ours" else serve_bare(kind, port))
    bound = server.address[1] if isinstance(server, FastAgiServer) else server.sockets[0].getsockname()[1]
    print(bound, flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(time.process_time(), memory_bytes(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
