"""Callers' channels as Asterisk holds them: they answer each command with the reply that Asterisk would give."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ami_bridge.signature import sign
from tests.bench.agi_server import NO_SIGNATURES_YET, SECRET

REPLIES = {
    b"SET": b"200 result=1\n",
    b"STR": b"200 result=0 endpos=12480\n",
    b"WAI": b"200 result=0\n",
    b"GET": b"200 result=1 (ANSWER|16|1795000000.250)\n",
}
_OPENING = """\
agi_network: yes
agi_network_script: call?number=+982191001500&contact={id}&t={at}&attach=1&sig={sig}
agi_request: agi://127.0.0.1:4573/call
agi_channel: PJSIP/trunk-{n:08x}
agi_language: fa
agi_type: PJSIP
agi_uniqueid: {id}
agi_version: 22.10.1
agi_callerid: 09121234567
agi_calleridname: unknown
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: 02191001500
agi_rdnis: unknown
agi_context: pasokh-attach
agi_extension: s
agi_priority: 18
agi_enhanced: 0.0
agi_accountcode:
agi_threadid: 140000000000000

"""


def opening(nth: int) -> bytes:
    """The lines that open a session of a call of its own."""
    contact = f"bench-{NO_SIGNATURES_YET}.{nth}"
    signature = sign(
        number="+982191001500", uniqueid=contact, time_s=NO_SIGNATURES_YET, attach=1, secret=SECRET
    )
    return _OPENING.format(id=contact, at=NO_SIGNATURES_YET, sig=signature, n=nth).encode()


class Channel(asyncio.Protocol):
    """One caller."""

    def __init__(self, hall: Hall, nth: int) -> None:
        self._hall = hall
        self._nth = nth
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(opening(self._nth))

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        for line in data.splitlines():
            self._hall.asked(self, line)

    def reply(self, line: bytes) -> None:
        assert self._transport is not None
        self._transport.write(REPLIES[line[:3]])

    def close(self) -> None:
        assert self._transport is not None
        self._transport.abort()


class Hall:
    """Many channels at one server. They answer as many commands as `answer` says; `heard` are the lines that came."""

    def __init__(self) -> None:
        self.channels: list[Channel] = []
        self.heard: set[bytes] = set()
        self._held: list[tuple[Channel, bytes]] = []
        self._left = 0
        self.idle = asyncio.Event()

    def asked(self, channel: Channel, line: bytes) -> None:
        self.heard.add(line + b"\n")
        if self._left > 0:
            self._left -= 1
            channel.reply(line)
            return
        self._held.append((channel, line))
        if len(self._held) == len(self.channels):
            self.idle.set()

    async def answer(self, commands: int) -> None:
        """Answers so many commands and returns when every session waits for the answer to one more."""
        self.idle.clear()
        held, self._held = self._held, []
        self._left = commands
        for channel, line in held:
            self.asked(channel, line)
        await self.idle.wait()


@dataclass(frozen=True, slots=True)
class Used:
    """What a server has used until now."""

    cpu_s: float
    memory_bytes: int


class Server:
    """The process of tests/bench/agi_server.py."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def used(self) -> Used:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"cpu\n")
        cpu, memory = (await self._process.stdout.readline()).split()
        return Used(float(cpu), int(memory))


@asynccontextmanager
async def server(kind: str, *words: str) -> AsyncIterator[Server]:
    """asyncio reads into a fresh quarter of a megabyte each time; where the heap happens to end then decides whether
    the bare loops pay the system for that at every read. Here they never do, which is to their advantage."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.agi_server", kind, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "MALLOC_TRIM_THRESHOLD_": "100000000", "MALLOC_MMAP_THRESHOLD_": "100000000"},
    )
    try:
        assert process.stdout is not None
        yield Server(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def hall(port: int, sessions: int) -> AsyncIterator[Hall]:
    """So many callers at that port, each with its first command asked and not yet answered."""
    full = Hall()
    loop = asyncio.get_running_loop()
    for nth in range(sessions):
        channel = Channel(full, nth)
        full.channels.append(channel)
        await loop.create_connection(lambda channel=channel: channel, "127.0.0.1", port)  # type: ignore[misc]
    try:
        await full.idle.wait()
        yield full
    finally:
        for channel in full.channels:
            channel.close()
