"""A hand-written FastAGI server and manager, in raw asyncio: nothing of the product stands on this side of the wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import Any

import pytest

from ami_bridge.simulator import AmiUser, DialplanSettings, Simulator, SimulatorSettings

SECRET = "a-secret"
Talk = Callable[["Session"], Awaitable[None]]


class Session:
    """One AGI session, from our end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.env: dict[str, str] = {}
        self.hangups = 0
        self.ended = False

    async def read_env(self) -> None:
        while line := (await self._reader.readline()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            self.env[name] = value

    def send(self, command: str) -> None:
        self.writer.write(command.encode() + b"\n")

    async def line(self) -> str:
        """The next line, HANGUP included; "" when the session ended."""
        return (await self._reader.readline()).decode().rstrip("\n")

    async def reply(self) -> str:
        """The next reply line; "" when the session ended."""
        while line := await self.line():
            if line == "HANGUP":
                self.hangups += 1
                continue
            return line
        self.ended = True
        return ""

    async def ask(self, command: str) -> str:
        self.send(command)
        return await self.reply()

    async def take(self) -> None:
        assert await self.ask('SET VARIABLE PASOKH_TOOK "1"') == "200 result=1"

    async def finish(self) -> None:
        await self.ask('SET VARIABLE PASOKH_DONE "1"')
        self.close()

    def close(self) -> None:
        self.writer.close()


class Backend:
    """A FastAGI listener. `script` runs each session; `sessions` are those it had."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.errors: list[BaseException] = []
        self.script: Talk | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        session = Session(reader, writer)
        self.sessions.append(session)
        try:
            await session.read_env()
            if self.script is not None:
                await self.script(session)
        except ConnectionError:
            session.ended = True
        except (AssertionError, IndexError, KeyError, ValueError) as error:
            self.errors.append(error)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def done(self) -> None:
        """Returns when every session's script has come to its end."""
        async with asyncio.timeout(5):
            await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """As a process that is killed: listener and sessions are gone at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in self.sessions:
            session.writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Manager:
    """A manager client: what it read, as lists of `Name: value` lines."""

    def __init__(self) -> None:
        self.messages: list[dict[str, list[str]]] = []
        self.greeting = ""
        self.ended = False
        self._changed = asyncio.Condition()

    async def open(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self.greeting = (await self._reader.readline()).decode()
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                block = (await self._reader.readuntil(b"\r\n\r\n")).decode()
                message: dict[str, list[str]] = {}
                for line in block.strip("\r\n").split("\r\n"):
                    name, _, value = line.partition(": ")
                    message.setdefault(name, []).append(value)
                async with self._changed:
                    self.messages.append(message)
                    self._changed.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            async with self._changed:
                self.ended = True
                self._changed.notify_all()

    async def until(self, test: Callable[[], bool], timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(test)

    async def ask(self, *, list_end: str = "", **fields: str | list[str]) -> list[dict[str, list[str]]]:
        """An action; its response, and with `list_end` what follows up to that event."""
        mark = str(len(self.messages)) + fields["Action"]  # type: ignore[operator]
        lines = []
        for name, value in {**fields, "ActionID": mark}.items():
            lines.extend(f"{name}: {item}" for item in ([value] if isinstance(value, str) else value))
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        mine: list[dict[str, list[str]]] = []

        def come() -> bool:
            mine[:] = [m for m in self.messages if m.get("ActionID") == [mark]]
            if not mine or not list_end or mine[0]["Response"] == ["Error"]:
                return bool(mine)
            return mine[-1].get("Event") == [list_end]

        await self.until(come)
        return mine

    async def login(self) -> None:
        reply = await self.ask(Action="Login", Username="pasokh", Secret=SECRET)
        assert reply[0]["Message"] == ["Authentication accepted"]

    async def event(self, name: str, **wanted: str) -> dict[str, list[str]]:
        """The first such event, now or soon."""
        found: list[dict[str, list[str]]] = []

        def come() -> bool:
            found[:] = [
                m
                for m in self.messages
                if m.get("Event") == [name] and all(m.get(key) == [value] for key, value in wanted.items())
            ]
            return bool(found)

        await self.until(come)
        return found[0]

    def events(self) -> list[str]:
        return [message["Event"][0] for message in self.messages if "Event" in message]

    async def close(self) -> None:
        self._writer.close()
        await self._task


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    server = Backend()
    await server.start()
    yield server
    await server.stop()
    assert not server.errors, server.errors


@pytest.fixture
def settings(backend: Backend) -> SimulatorSettings:
    return SimulatorSettings(
        ami_user=AmiUser(secret=SECRET),
        dialplan=DialplanSettings(
            fastagi=(("127.0.0.1", backend.port),),
            secret="s",
            retry_s=0.02,
            member_retry_s=0.05,
            member_ring_s=0.2,
        ),
        phones=("101", "102"),
        sound_length=lambda name: None if name == "missing" else 0.1 if name == "short" else 5.0,
        failed_login_delay_s=0.01,
    )


@pytest.fixture
async def simulator(settings: SimulatorSettings) -> AsyncIterator[Simulator]:
    """A PBX whose wall clock runs 20 times as fast as the loop's."""
    began = time.monotonic()
    pbx = Simulator(settings, lambda: 1_800_000_000 + (time.monotonic() - began) * 20, Random(1))
    await pbx.start()
    yield pbx
    await pbx.stop()


@pytest.fixture
async def manager(simulator: Simulator) -> AsyncIterator[Manager]:
    client = Manager()
    await client.open(simulator._ami_port)
    await client.login()
    yield client
    await client.close()
