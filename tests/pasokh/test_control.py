"""Commands reach the running process, through folders of any length, and nobody else may send them."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pasokh.control import ControlServer, ask
from pasokh.errors import ControlError


async def _echo(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"ok": True, "said": request["text"]}


@pytest.mark.parametrize("depth", [1, 8])
async def test_a_command_and_its_answer(tmp_path: Path, depth: int) -> None:
    path = tmp_path.joinpath(*["a-folder-of-the-state"] * depth) / "control.sock"
    server = ControlServer(path, {"echo": _echo})
    await server.start()
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = "متن" * 50_000
        assert await ask(path, {"command": "echo", "text": text}) == {"ok": True, "said": text}
        with pytest.raises(ControlError, match="does not know this command"):
            await ask(path, {"command": "other"})
    finally:
        await server.stop()
    assert not path.exists()
    with pytest.raises(ControlError, match="pasokh serve"):
        await ask(path, {"command": "echo"})


async def test_a_handler_that_fails_is_told_and_the_next_one_served(tmp_path: Path) -> None:
    async def fails(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ConnectionRefusedError

    server = ControlServer(tmp_path / "control.sock", {"fails": fails, "echo": _echo})
    await server.start()
    try:
        with pytest.raises(ControlError, match="database does not answer"):
            await ask(tmp_path / "control.sock", {"command": "fails"})
        with pytest.raises(ControlError, match="its log says why"):
            await ask(tmp_path / "control.sock", {"command": "echo"})
        assert (await ask(tmp_path / "control.sock", {"command": "echo", "text": "x"}))["ok"] is True
    finally:
        await server.stop()


async def test_rubbish_is_answered(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "control.sock", {"echo": _echo})
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control.sock")
        writer.write(b"\xff\x00 not JSON\n")
        assert b'"ok": false' in await reader.readline()
        writer.close()
        await writer.wait_closed()
    finally:
        await server.stop()
