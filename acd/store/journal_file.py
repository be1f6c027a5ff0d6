"""The journal on disk: one open segment, written at once, fsynced in batches.

`append` hands the line to the operating system before its effects are performed, so the death of our process loses
nothing; `fsync` follows within `fsync_s`, so the death of the machine loses at most that much, which the callers'
tickets cover.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from acd.errors import JournalError

SEGMENTS_KEPT = 5


@dataclass(frozen=True, slots=True)
class JournalSettings:
    folder: Path
    fsync_s: float = 0.2


class FileJournal:
    """Implements acd.ports.Journal. `failed` is told once when the disk refuses (full, gone)."""

    def __init__(self, settings: JournalSettings, failed: Callable[[OSError], None]) -> None:
        self._settings = settings
        self._failed = failed
        self._fd: int | None = None
        self._syncing: asyncio.Task[None] | None = None
        self._dirty = False
        self.lines = 0
        self.lost = 0

    def last_segment(self) -> Path | None:
        segments = sorted(self._settings.folder.glob("*.journal"))
        return segments[-1] if segments else None

    def begin(self, header: bytes, at_us: int) -> None:
        """Start a new segment with this first line, whole or not at all. Raises JournalError."""
        folder = self._settings.folder
        path = folder / f"{at_us:020d}.journal"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_suffix(".draft")
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            _write_all(fd, header)
            os.fsync(fd)
            draft.rename(path)
        except OSError as error:
            raise JournalError(f"The journal cannot be written in {folder}: {error.strerror}.") from error
        if self._fd is not None:
            os.close(self._fd)
        self._fd = fd
        for old in sorted(folder.glob("*.journal"))[:-SEGMENTS_KEPT]:
            old.unlink()

    def append(self, line: bytes) -> None:
        """Never raises: a full disk must not end a call. What could not be kept is counted and told."""
        if self._fd is None:
            return
        try:
            _write_all(self._fd, line)
            self.lines += 1
        except OSError as error:
            self.lost += 1
            if self.lost == 1:
                self._failed(error)
            return
        self._dirty = True
        if self._syncing is None:
            self._syncing = asyncio.get_running_loop().create_task(self._sync_soon())

    async def _sync_soon(self) -> None:
        try:
            while self._dirty:
                await asyncio.sleep(self._settings.fsync_s)
                self._dirty = False
                if self._fd is not None:
                    await asyncio.get_running_loop().run_in_executor(None, os.fsync, self._fd)
        except OSError as error:
            self._failed(error)
        finally:
            self._syncing = None

    async def close(self) -> None:
        if self._syncing is not None:
            await self._syncing
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_segment(path: Path) -> tuple[bytes, Iterator[bytes]]:
    """The header and the whole lines of a segment; a last line cut short by our death is left out."""
    data = path.read_bytes()
    lines = data.split(b"\n")[:-1]
    if not lines:
        raise JournalError(f"The journal {path} is empty.")
    return lines[0], iter(lines[1:])
