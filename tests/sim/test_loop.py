"""The virtual loop behaves as asyncio's own does, only that time costs nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.sim.loop import Deadlock, VirtualLoop, run


def test_timers_fire_in_order_and_exactly_on_time() -> None:
    fired: list[tuple[str, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def fire(name: str) -> None:
            fired.append((name, loop.time() - began))

        for name, after_s in (("c", 86_400.0), ("a", 0.1), ("b", 0.3), ("never", 5.0)):
            handle = loop.call_later(after_s, fire, name)
            if name == "never":
                handle.cancel()
        await asyncio.sleep(100_000)
        fired.append(("end", loop.time() - began))

    began = time.monotonic()
    run(main())
    assert [name for name, _ in fired] == ["a", "b", "c", "end"]
    assert [at for _, at in fired] == pytest.approx([0.1, 0.3, 86_400, 100_000])
    assert time.monotonic() - began < 2


def test_a_timer_is_never_early_not_by_a_hair() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        rounds = 0
        for number in range(200):
            until = loop.time() + number * 1e-10
            while loop.time() < until:
                woken = loop.create_future()
                loop.call_at(until, woken.set_result, None)
                await woken
                rounds += 1
        return rounds

    assert 0 < run(main()) <= 199


def test_who_counts_from_their_beginning_is_not_woken_short_of_their_time() -> None:
    """The two ways to say when something is over round apart; nobody may spin between them."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        rounds = 0
        for number in range(300):
            await asyncio.sleep(number / 7)
            began, length_s = loop.time(), 2.0 + number / 3
            while loop.time() - began < length_s:
                woken = loop.create_future()
                loop.call_at(began + length_s, woken.set_result, None)
                await woken
                rounds += 1
        return rounds

    assert run(main()) == 300


def test_a_deadline_cancels_what_takes_longer() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2.5):
                await asyncio.Event().wait()
        return loop.time() - began

    assert run(main()) == pytest.approx(2.5)


def test_when_nothing_can_happen_any_more_it_says_so() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        run(main())


@pytest.mark.parametrize("latency_s", [0.0, 0.01])
def test_streams_talk_in_memory(latency_s: float) -> None:
    async def main() -> tuple[list[bytes], float, tuple[str, int], tuple[str, int]]:
        ended = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
            writer.close()
            await writer.wait_closed()
            ended.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        began = asyncio.get_running_loop().time()
        reader, writer = await asyncio.open_connection(host, port)
        heard = []
        for word in (b"one\n", b"two\n"):
            writer.write(word[:1])
            writer.write(word[1:])
            heard.append(await reader.readline())
        writer.write_eof()
        heard.append(await reader.read())
        await ended.wait()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        took_s = asyncio.get_running_loop().time() - began
        return heard, took_s, writer.get_extra_info("peername"), (host, port)

    heard, took_s, peer, address = run(main(), latency_s)
    assert heard == [b"ONE\n", b"TWO\n", b""]
    assert took_s == pytest.approx(5 * latency_s)
    assert peer == address


class Listener(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.heard.append("made")

    def data_received(self, data: bytes) -> None:
        self.heard.append(data.decode() if len(data) < 20 else "much")

    def eof_received(self) -> None:
        self.heard.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.append("lost")

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")


async def joined() -> tuple[Listener, Listener]:
    loop = asyncio.get_running_loop()
    theirs, ours = Listener(), Listener()
    await loop.create_server(lambda: theirs, "127.0.0.1", 5038)
    await loop.create_connection(lambda: ours, "localhost", 5038)
    return ours, theirs


async def settled() -> None:
    await asyncio.sleep(1)


def test_what_was_written_before_a_close_arrives_and_each_end_is_lost_once() -> None:
    async def main() -> tuple[list[str], list[str]]:
        ours, theirs = await joined()
        ours.transport.write(b"bye")
        ours.transport.close()
        ours.transport.write(b"too late")
        await settled()
        theirs.transport.write(b"to nobody")
        await settled()
        return ours.heard, theirs.heard

    assert run(main()) == (["made", "lost"], ["made", "bye", "eof", "lost"])


def test_what_was_written_before_an_abort_may_be_lost() -> None:
    async def main() -> tuple[list[str], list[str]]:
        ours, theirs = await joined()
        ours.transport.write(b"bye")
        ours.transport.abort()
        await settled()
        return ours.heard, theirs.heard

    assert run(main()) == (["made", "lost"], ["made", "eof", "lost"])


def test_who_does_not_read_holds_the_writer_up() -> None:
    async def main() -> tuple[list[str], list[str]]:
        ours, theirs = await joined()
        theirs.transport.pause_reading()
        for _ in range(3):
            ours.transport.write(b"x" * 30_000)
        await settled()
        assert theirs.heard == ["made"]
        assert ours.heard == ["made", "pause"]
        theirs.transport.resume_reading()
        await settled()
        return ours.heard, theirs.heard

    assert run(main()) == (["made", "pause", "resume"], ["made", "much", "much", "much"])


def test_nobody_answers_where_nobody_listens() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 4573)
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 4573)
        with pytest.raises(OSError, match="in use"):
            await loop.create_server(asyncio.Protocol, "127.0.0.1", 4573)
        await loop.create_connection(asyncio.Protocol, "127.0.0.1", 4573)
        server.close()
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 4573)

    run(main())


def test_threads_are_not_started() -> None:
    async def main() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        return await asyncio.to_thread(lambda: 6 * 7), loop.time() - began

    assert run(main()) == (42, 0)


def test_it_is_a_loop_like_any_other() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_soon_threadsafe(lambda: None)
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(queue.put(number))
            group.create_task(asyncio.wait_for(asyncio.sleep(3), 5))
            assert [await queue.get() for _ in range(3)] == [0, 1, 2]

    run(main())
