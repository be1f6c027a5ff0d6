"""The product as a process that dies and lives again, what a witness hears meanwhile, and what stands in the records.

    async with Lives(place) as lives:
        await lives.begin()
        await lives.kill()                       # SIGKILL, by its pid
        await lives.begin()                      # `lives.ready_s`: from the start of the process to /readyz

`Witness` is a second manager of Asterisk: it sees tickets and music. `Wire` stands between us and the manager's
port, and can be cut. `records` reads contacts and visits as they were written, in microseconds.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import select

from acd.store.base import to_us
from acd.store.tables import contact, offer, visit
from acd.ticket import Ticket, decode
from ami_bridge.ami import Ami, AmiSettings
from ami_bridge.wire import AmiMessage
from tests.live.center import Place


class Lives:
    """One process of the product after another, never two."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: asyncio.subprocess.Process | None = None
        self.ready_s = 0.0

    async def begin(self) -> None:
        assert self._process is None
        started = time.monotonic()
        self._process = await self._place.serve()
        await self._place.until_ready(self._process)
        self.ready_s = time.monotonic() - started

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self._process = None

    async def end(self) -> int:
        """SIGTERM, as an operator does; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = await self._process.wait()
        self._process = None
        return code

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._process is not None:
            await self.end()
        if error is not None:
            print(self._place.log_text()[-6000:])

    # What it says of itself --------------------------------------------------------------------------------

    async def attached(self, count: int, timeout_s: float = 10) -> float:
        """Waits until so many callers have a session; how long that took, in seconds."""
        began = time.monotonic()
        while (found := await asyncio.to_thread(self._metric, "pasokh_agi_live")) != count:
            if time.monotonic() - began > timeout_s:
                raise TimeoutError(f"{found:g} instead of {count} callers are attached")
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    def _metric(self, name: str) -> float:
        with urllib.request.urlopen(f"{self._place.url}/metrics", timeout=3) as answer:
            text: str = answer.read().decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


class Witness:
    """Another manager of the same Asterisk, which outlives us."""

    def __init__(self, ami: Ami, events: list[tuple[int, AmiMessage]]) -> None:
        self.ami = ami
        self._events = events

    def heard(self, name: str, since_us: int = 0) -> list[AmiMessage]:
        return [event for at_us, event in self._events if event.event == name and at_us >= since_us]

    async def hang_up(self, phones: Iterable[str]) -> None:
        """Ends the calls of these phones: their talks end when the test says so, however long a machine takes."""
        names = tuple(f"PJSIP/{phone}-" for phone in phones)
        for channel in await self.ami.status():
            if channel.channel.startswith(names):
                await self.ami.hangup(channel.channel)

    async def tickets(self) -> dict[str, Ticket]:
        """Of every caller who has one, by contact."""
        found = {}
        for channel in await self.ami.status(["PASOKH_ID", "PASOKH_TICKET"]):
            text = channel.variables.get("PASOKH_TICKET")
            if text and channel.variables.get("PASOKH_ID") == channel.uniqueid:
                found[channel.uniqueid] = decode(text)
        return found


@asynccontextmanager
async def witness(place: Place) -> AsyncIterator[Witness]:
    events: list[tuple[int, AmiMessage]] = []
    wrong: list[Exception] = []

    async def on_up() -> None:
        return None

    ami = Ami(
        AmiSettings(
            username="pasokh",
            secret=place.settings.secret("ami"),
            port=place.ports.asterisk.ami,
            backoff_first_s=0.05,
        ),
        random=random.Random(1),
        on_event=lambda event: events.append((time.time_ns() // 1000, event)),
        on_up=on_up,
        on_down=lambda _reason: None,
        on_error=wrong.append,
    )
    ami.start()
    try:
        async with asyncio.timeout(10):
            await ami.wait_up()
        yield Witness(ami, events)
    finally:
        await ami.stop()
    assert not wrong


class Wire:
    """A TCP path to a port of this machine that can be cut and mended."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._transports: set[asyncio.StreamWriter] = set()
        self._whole = True
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        self._whole = False
        for writer in self._transports:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        ends = {writer, far_writer}
        self._transports |= ends
        ways = [
            asyncio.create_task(_copy(reader, far_writer)),
            asyncio.create_task(_copy(far_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for end in ends:
            end.transport.abort()
        self._transports -= ends
        await asyncio.gather(*ways, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return  # cut


# ---- records -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VisitKept:
    visit: str
    queue: str
    began_us: int
    outcome: str | None
    wait_us: int | None
    agent: str | None
    answered_us: int | None
    talk_us: int | None
    acw_us: int | None
    disposition: str | None
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class ContactKept:
    contact: str
    caller: str | None
    began_us: int
    ended_us: int | None
    handled_by: str | None
    visits: tuple[VisitKept, ...]


async def records(place: Place) -> dict[str, ContactKept]:
    """Every contact with its visits in order, by contact."""
    async with place.database.writing.connect() as connection:
        visits: dict[str, list[VisitKept]] = {}
        for row in (await connection.execute(select(visit).order_by(visit.c.began_at))).mappings():
            visits.setdefault(row["contact"], []).append(
                VisitKept(
                    row["id"],
                    row["queue"],
                    to_us(row["began_at"]),
                    row["outcome"],
                    row["wait_us"],
                    row["agent"],
                    _us(row["answered_at"]),
                    row["talk_us"],
                    row["acw_us"],
                    row["disposition"],
                    _us(row["ended_at"]),
                )
            )
        rows = (await connection.execute(select(contact))).mappings()
        return {
            row["id"]: ContactKept(
                row["id"],
                row["caller_e164"],
                to_us(row["began_at"]),
                _us(row["ended_at"]),
                row["handled_by"],
                tuple(visits.get(row["id"], ())),
            )
            for row in rows
        }


async def complete_records(place: Place, count: int, timeout_s: float = 10) -> dict[str, ContactKept]:
    """The records when there are so many contacts and all of them have ended."""
    end = time.monotonic() + timeout_s
    while True:
        found = await records(place)
        open_ones = [kept for kept in found.values() if kept.ended_us is None]
        if len(found) == count and not open_ones:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{len(found)} contacts instead of {count}, and without an end: {open_ones}")
        await asyncio.sleep(0.05)


async def offers_in_order(place: Place, visits: Iterable[str]) -> list[str]:
    """The visits in the order in which they were first held out to an agent."""
    async with place.database.writing.connect() as connection:
        rows = (await connection.execute(select(offer).order_by(offer.c.made_at, offer.c.id))).mappings()
        wanted = set(visits)
        return list(dict.fromkeys(row["visit"] for row in rows if row["visit"] in wanted))


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)
