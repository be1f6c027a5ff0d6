"""The listener against hostile peers over real sockets: who is let in, who is closed, and both counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ami_bridge.agi import NO_LIMIT, AgiSession
from ami_bridge.errors import AgiGone, AgiHangup, AgiMalformed
from ami_bridge.fastagi import FastAgiServer, FastAgiSettings
from ami_bridge.signature import CallRequest, sign
from ami_bridge.wire import AgiLimits

SECRET = "a secret of the dialplan"
NOW_S = 1_700_000_000
SETTINGS = FastAgiSettings(secret=SECRET, port=0, header_idle_s=5.0, header_total_s=5.0)

Handler = Callable[[AgiSession, CallRequest], Awaitable[None]]


def opening(
    uniqueid: str = "sys-1.1",
    *,
    attach: int = 1,
    t: int = NOW_S,
    secret: str = SECRET,
    extra: bytes = b"",
    number: str = "+982191000000",
) -> bytes:
    sig = sign(number=number, uniqueid=uniqueid, time_s=t, attach=attach, secret=secret)
    script = f"call?number={number}&t={t}&attach={attach}&sig={sig}"
    lines = [
        "agi_network: yes",
        f"agi_network_script: {script}",
        f"agi_request: agi://127.0.0.1/{script}",
        "agi_channel: PJSIP/trunk-00000001",
        f"agi_uniqueid: {uniqueid}",
    ]
    return "\n".join(lines).encode() + b"\n" + extra + b"\n"


class Asterisk:
    """The side that connects: an Asterisk, or somebody who is none."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def line(self) -> str:
        async with asyncio.timeout(5):
            return (await self.reader.readline()).decode().removesuffix("\n")

    async def closed(self) -> bool:
        """Waits for the other side to close; true when nothing more was said."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


class Site:
    """A listener with its handler's calls, and peers that connect to it."""

    def __init__(self, settings: FastAgiSettings, handler: Handler | None) -> None:
        self.requests: list[CallRequest] = []
        self.sessions: list[AgiSession] = []
        self.errors: list[tuple[str, Exception]] = []
        self.failed = asyncio.Event()
        self.taken = asyncio.Event()
        self.now_s = float(NOW_S)
        self._handler = handler
        self.server = FastAgiServer(settings, self._handle, clock=lambda: self.now_s, on_error=self._on_error)
        self._peers: list[Asterisk] = []

    async def _handle(self, session: AgiSession, request: CallRequest) -> None:
        self.requests.append(request)
        self.sessions.append(session)
        self.taken.set()
        if self._handler is not None:
            await self._handler(session, request)

    def _on_error(self, uniqueid: str, error: Exception) -> None:
        self.errors.append((uniqueid, error))
        self.failed.set()

    async def connect(self, data: bytes = b"") -> Asterisk:
        peer = Asterisk(*await asyncio.open_connection(*self.server.address))
        self._peers.append(peer)
        peer.send(data)
        return peer

    async def leave(self) -> None:
        for peer in self._peers:
            await peer.close()
        await self.server.stop(0.0)


@asynccontextmanager
async def site(settings: FastAgiSettings = SETTINGS, handler: Handler | None = None) -> AsyncIterator[Site]:
    place = Site(settings, handler)
    await place.server.start()
    try:
        yield place
    finally:
        await place.leave()


async def until(condition: Callable[[], bool]) -> None:
    """Gives the loop turns until something is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - counters have no event, and the bound is above
            await asyncio.sleep(0.001)


async def idle(session: AgiSession, _request: CallRequest) -> None:
    await session.ended.wait()


# ---------------------------------------------------------------- a call


async def test_a_call_is_handled_and_its_socket_closed() -> None:
    async def handler(session: AgiSession, _request: CallRequest) -> None:
        await session.set_variable("PASOKH_TOOK", 1)
        await session.exec("Dial", "PJSIP/a,20,g", deadline_s=NO_LIMIT)
        await session.set_variable("PASOKH_DONE", 1)

    async with site(handler=handler) as place:
        peer = await place.connect(opening())
        for expected in (
            'SET VARIABLE "PASOKH_TOOK" "1"',
            'EXEC Dial "PJSIP/a,20,g"',
            'SET VARIABLE "PASOKH_DONE" "1"',
        ):
            assert await peer.line() == expected
            peer.send(b"200 result=0\n")
        assert await peer.closed()
        assert place.requests[0].number == "+982191000000"
        assert place.sessions[0].channel == "PJSIP/trunk-00000001"
        await until(lambda: place.server.counters.live == 0)
        assert place.server.counters.accepted == 1


async def test_opening_lines_and_a_hangup_in_one_packet() -> None:
    async with site(handler=idle) as place:
        peer = await place.connect(opening() + b"HANGUP\n")
        assert await peer.closed()
        assert isinstance(place.sessions[0].end_reason(), AgiHangup)


async def test_an_idle_session_notices_that_the_socket_closed() -> None:
    async with site(handler=idle) as place:
        peer = await place.connect(opening())
        await place.taken.wait()
        await peer.close()
        await until(lambda: place.server.counters.live == 0)
        assert isinstance(place.sessions[0].end_reason(), AgiGone)


# ---------------------------------------------------------------- those who are not let in


async def test_silence_is_closed_after_the_idle_deadline() -> None:
    async with site(replace(SETTINGS, header_idle_s=0.02)) as place:
        peer = await place.connect()
        assert await peer.closed()
        assert place.server.counters.header_timeouts == 1
        assert place.requests == []


async def test_dribbled_lines_are_closed_after_the_total_deadline() -> None:
    async with site(replace(SETTINGS, header_idle_s=5.0, header_total_s=0.1)) as place:
        peer = await place.connect()
        dribble = asyncio.create_task(_dribble(peer))
        assert await peer.closed()
        dribble.cancel()
        await asyncio.wait([dribble])
        assert place.server.counters.header_timeouts == 1
        assert place.server.counters.accepted == 0


async def _dribble(peer: Asterisk) -> None:
    while True:
        peer.send(b"a")
        await asyncio.sleep(0.005)


async def test_a_health_check_that_connects_and_closes() -> None:
    async with site() as place:
        for _ in range(20):
            await (await place.connect()).close()
        await until(lambda: place.server.counters.closed_early == 20)
        peer = await place.connect(opening())
        await place.taken.wait()
        assert await peer.closed()


async def test_other_addresses_are_closed_at_once() -> None:
    async with site(replace(SETTINGS, allow=("10.0.0.0/8",))) as place:
        peer = await place.connect(opening())
        assert await peer.closed()
        assert place.server.counters.refused_address == 1
        assert place.requests == []


@pytest.mark.parametrize(
    "data",
    [
        opening(secret="another"),
        opening(t=NOW_S - 31),
        opening(t=NOW_S + 31),
        opening().replace(b"agi_uniqueid: sys-1.1", b"agi_uniqueid: sys-1.2"),
    ],
    ids=["wrong secret", "old", "future", "another call"],
)
async def test_bad_signatures_are_closed(data: bytes) -> None:
    async with site() as place:
        peer = await place.connect(data)
        assert await peer.closed()
        assert place.server.counters.refused_signature == 1
        assert place.requests == []


async def test_a_request_is_taken_once() -> None:
    async with site(handler=idle) as place:
        await place.connect(opening())
        await place.taken.wait()
        assert await (await place.connect(opening())).closed()
        assert place.server.counters.refused_signature == 1
        await place.connect(opening(attach=2))
        await until(lambda: len(place.requests) == 2)
        await place.connect(opening(t=NOW_S + 1))
        await until(lambda: len(place.requests) == 3)


async def test_the_contact_is_signed_in_the_channels_place() -> None:
    ours = opening("contact-1").replace(b"?number", b"?contact=contact-1&number")
    async with site(handler=idle) as place:
        await place.connect(ours.replace(b"agi_uniqueid: contact-1", b"agi_uniqueid: sys-9.9"))
        await place.taken.wait()
        assert place.requests[0].contact == "contact-1"
        assert place.sessions[0].uniqueid == "sys-9.9"
        other = opening("contact-1", attach=2).replace(b"?number", b"?contact=contact-2&number")
        assert await (await place.connect(other)).closed()
        assert place.server.counters.refused_signature == 1


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\n\n",
        b"\n",
        b"agi_uniqueid: 1\n\n",
        b"agi_uniqueid: 1\nagi_network_script: call\n\n",
        b"agi_x: " + b"y" * 70_000,
        b"agi_x: y\n" * 300,
    ],
)
async def test_those_who_do_not_speak_agi_are_closed(data: bytes) -> None:
    async with site() as place:
        peer = await place.connect(data)
        assert await peer.closed()
        assert place.server.counters.malformed == 1
        assert place.requests == []


async def test_a_full_house_closes_the_next_one() -> None:
    async with site(replace(SETTINGS, max_sessions=2), idle) as place:
        first = await place.connect(opening("a"))
        await place.connect(opening("b"))
        await until(lambda: place.server.counters.live == 2)
        assert await (await place.connect(opening("c"))).closed()
        assert place.server.counters.refused_full == 1
        await first.close()
        await until(lambda: place.server.counters.live == 1)
        await place.connect(opening("d"))
        await until(lambda: place.server.counters.live == 2)


# ---------------------------------------------------------------- hostile callers that are let in


async def test_a_name_with_a_line_break_is_taken_and_flagged() -> None:
    forged = b"agi_calleridname: x\nagi_uniqueid: 9.9\nagi_network_script: call?number=1\n"
    async with site(handler=idle) as place:
        await place.connect(opening(extra=forged))
        await place.taken.wait()
        session = place.sessions[0]
        assert session.uniqueid == "sys-1.1"
        assert place.requests[0].number == "+982191000000"
        assert session.opening.suspect
        assert place.server.counters.suspect_headers == 1


async def test_a_name_that_is_not_utf8_is_taken() -> None:
    async with site(handler=idle) as place:
        await place.connect(opening(extra=b"agi_calleridname: \xd8\xb2\xd8\n"))
        await place.taken.wait()
        assert place.sessions[0].env["agi_calleridname"] == "ز\ufffd"


async def test_a_long_name_is_taken() -> None:
    async with site(handler=idle) as place:
        await place.connect(opening(extra=b"agi_calleridname: " + b"n" * 4096 + b"\n"))
        await place.taken.wait()
        assert not place.sessions[0].opening.suspect


async def test_rubbish_instead_of_a_reply_closes_the_session() -> None:
    seen: list[Exception] = []

    async def handler(session: AgiSession, _request: CallRequest) -> None:
        try:
            await session.noop()
        except AgiMalformed as error:
            seen.append(error)

    async with site(replace(SETTINGS, limits=AgiLimits(reply_bytes=1000)), handler) as place:
        for n, rubbish in enumerate((b"what?\n", b"200 result=1 (" + b"x" * 2000)):
            peer = await place.connect(opening(f"u{n}"))
            assert await peer.line() == "NOOP"
            peer.send(rubbish)
            assert await peer.closed()
        await until(lambda: len(seen) == 2)
        assert place.server.counters.malformed == 2


# ---------------------------------------------------------------- our own faults, and the end


async def test_a_handlers_fault_closes_its_session_only() -> None:
    async def handler(session: AgiSession, _request: CallRequest) -> None:
        if session.uniqueid == "poison":
            raise ZeroDivisionError("a fault of ours")
        await session.ended.wait()

    async with site(handler=handler) as place:
        await place.connect(opening("good"))
        await place.taken.wait()
        bad = await place.connect(opening("poison"))
        assert await bad.closed()
        await place.failed.wait()
        [(uniqueid, error)] = place.errors
        assert (uniqueid, type(error)) == ("poison", ZeroDivisionError)
        assert place.server.counters.handler_errors == 1
        assert place.server.counters.live == 1


async def test_a_handler_that_lets_the_hangup_through_is_no_fault() -> None:
    async def handler(session: AgiSession, _request: CallRequest) -> None:
        await session.wait_for_digit()

    async with site(handler=handler) as place:
        peer = await place.connect(opening())
        assert await peer.line() == "WAIT FOR DIGIT -1"
        peer.send(b"200 result=-1\nHANGUP\n")
        assert await peer.closed()
        await until(lambda: place.server.counters.live == 0)
        assert place.errors == []


async def test_stopping_lets_sessions_end_then_closes_them() -> None:
    async def handler(session: AgiSession, _request: CallRequest) -> None:
        await session.wait_for_digit()
        await session.noop()

    async with site(handler=handler) as place:
        address = place.server.address
        ending = await place.connect(opening("a"))
        staying = await place.connect(opening("b"))
        waiting = await place.connect(b"agi_network: yes\n")
        assert await ending.line() == await staying.line() == "WAIT FOR DIGIT -1"
        stopping = asyncio.create_task(place.server.stop(0.2))
        assert await waiting.closed()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(*address)
        ending.send(b"200 result=0\n")
        assert await ending.line() == "NOOP"
        ending.send(b"200 result=0\n")
        assert await ending.closed()
        assert not stopping.done()
        await stopping
        assert await staying.closed()
        assert place.server.counters.live == 0
        assert place.errors == []


async def test_stopping_twice_is_harmless() -> None:
    async with site() as place:
        await place.server.stop(0.0)
        await place.server.stop(0.0)


@pytest.mark.parametrize(
    "change", [{"secret": ""}, {"allow": ("10.0.0.5/8",)}, {"allow": ("asterisk.example",)}]
)
def test_wrong_settings_say_what_to_do(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="FastAGI"):
        replace(SETTINGS, **change)  # type: ignore[arg-type]


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(SETTINGS)
