"""How a command reaches the running process: one JSON line over a Unix socket that only its owner may open."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from acd.store.base import DATABASE_ERRORS
from pasokh.errors import ControlError, NotReadyError

log: structlog.stdlib.BoundLogger = structlog.get_logger("pasokh")

LIMIT_BYTES = 4 * 1024 * 1024
PATH_BYTES = 107

Handler = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class ControlServer:
    """Serves commands by name; an unknown or broken request is answered, never raised."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            with _short(self._path) as path:
                self._server = await asyncio.start_unix_server(self._serve, path, limit=LIMIT_BYTES)
        except OSError as error:
            raise NotReadyError(f"The control socket {self._path} cannot be made: {error}.") from None
        finally:
            os.umask(before)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(await reader.readline())
            writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError):
            pass  # whoever asked has gone, or sent a line over the limit: there is nobody to answer
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            handler = self._handlers[request["command"]]
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": "The running process does not know this command."}
        try:
            return await handler(request)
        except DATABASE_ERRORS:
            return {"ok": False, "error": "The running process's database does not answer; try again later."}
        except Exception:
            log.error("a command of the control socket failed", command=request["command"], exc_info=True)
            return {"ok": False, "error": "The running process failed over this command; its log says why."}


@contextmanager
def _short(path: Path) -> Iterator[Path]:
    """The same place under a short name: a socket's path has at most 107 bytes, a state folder may have more."""
    if len(os.fsencode(path)) <= PATH_BYTES:
        yield path
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Path(f"/proc/self/fd/{folder}") / path.name
    finally:
        os.close(folder)


async def ask(path: Path, request: Mapping[str, Any], timeout_s: float = 30.0) -> Mapping[str, Any]:
    """The running process's answer. Raises ControlError when there is none, or only that it failed."""
    try:
        async with asyncio.timeout(timeout_s):
            with _short(path) as short:
                reader, writer = await asyncio.open_unix_connection(short, limit=LIMIT_BYTES)
            writer.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise ControlError(
            f"No pasokh answers at {path} ({error or 'it took too long'}); start one with `pasokh serve`."
        ) from None
    answer = json.loads(line or b'{"error": "The running process ended before it answered."}')
    assert isinstance(answer, dict)
    if "error" in answer:
        raise ControlError(str(answer["error"]))
    return answer
