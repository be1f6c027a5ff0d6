"""Opening and closing the port."""

from __future__ import annotations

import asyncio
import signal
import socket

import pytest

from realtime.errors import ServeError
from realtime.server import Server, serve
from tests.realtime.house import House


async def test_a_port_that_is_taken_is_one_clear_sentence(a_house: House) -> None:
    with pytest.raises(ServeError, match=rf"The HTTP port 127.0.0.1:{a_house.port} cannot be opened"):
        await Server(a_house.deps).start("127.0.0.1", a_house.port)


async def test_signals_stay_with_whoever_started_it(a_house: House) -> None:
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


async def test_serving_ends_when_cancelled_and_frees_the_port(a_house: House, free_port: int) -> None:
    serving = asyncio.get_running_loop().create_task(serve(a_house.deps, "127.0.0.1", free_port))
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", free_port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                break
    writer.close()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", free_port)) != 0
