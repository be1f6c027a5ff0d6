"""How a command reaches the running process: one JSON line over a Unix socket that only its owner may open."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from pasokh.errors import ControlError, NotReadyError

LIMIT_BYTES = 4 * 1024 * 1024

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
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=LIMIT_BYTES)
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
        return await handler(request)


async def ask(path: Path, request: Mapping[str, Any], timeout_s: float = 30.0) -> Mapping[str, Any]:
    """The running process's answer. Raises ControlError when there is none."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(path, limit=LIMIT_BYTES)
            writer.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise ControlError(
            f"No pasokh answers at {path} ({error or 'it took too long'}); start one with `pasokh serve`."
        ) from None
    answer = json.loads(line)
    assert isinstance(answer, dict)
    return answer
