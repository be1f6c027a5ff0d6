"""A wall served by another process, through Redis: the same state, also after Redis was killed; calls never notice."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests import parts
from tests.conftest import _until_listening
from tests.e2e.calls import a_line_of, begin, serve
from tests.e2e.house import client, house, log_in, page, pasokh, running, sign_in
from tests.ports import unused_tcp_port


class Redis:
    """One Redis of this test alone, to be killed and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.port = unused_tcp_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen([str(parts.redis_server()), *words], stdout=log, stderr=log)
        _until_listening(self._process, self.port, self.folder / "log")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@asynccontextmanager
async def redis(folder: Path) -> AsyncIterator[Redis]:
    server = Redis(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.mark.needs("redis")
async def test_a_wall_of_another_process(tmp_path: Path, postgres_url: str) -> None:
    async with (
        redis(tmp_path / "redis") as server,
        house(tmp_path / "site", database_url=postgres_url, redis_url=server.url) as at,
        running(at),
    ):
        port = unused_tcp_port()
        env = {"PASOKH_ROLE": "web", "PASOKH_WEB__PORT": str(port)}
        async with (
            pasokh("serve", "--config", at.write_config(), env=env) as other,
            page(at, "sara", "agent") as sara,
            page(at, "wall", "wall") as here,
        ):
            await other.until_says("serves http")
            async with page(at, "wall", "wall", port=port) as there:
                line = await a_line_of(at, there, 2)
                await there.until("both walls the same", lambda: there.state == here.state)

                server.kill()
                line.append(begin(at, "1", 99, talk_s=0.1))
                await here.until("the leader goes on", lambda: here.state["queues"]["cards"]["waiting"] == 3)
                await sign_in(sara)
                served = [await serve(sara, 1)]
                assert there.state["queues"]["cards"]["waiting"] == 2, "nobody told it, it shows what it knew"

                server.start()
                await there.until(
                    "the other wall has caught up", lambda: there.state["total"]["answered"] >= 1
                )
                served += [await serve(sara, number) for number in (2, 3)]
                assert served == [(await call).contact for call in line]
                await there.until(
                    "both walls the same at the end",
                    lambda: there.state == here.state and here.state["total"]["answered"] == 3,
                )
            async with client(at, port) as http:
                await log_in(http, "supervisor")
                assert (await http.get("/api/v1/queues")).json()["total"]["answered"] == 3
                refused = await http.post("/api/v1/agents/sara/status", json={"status": "available"})
                assert refused.status_code == 503, "commands are the leader's"
            other.process.terminate()
            async with asyncio.timeout(20):
                assert await other.process.wait() == 0
