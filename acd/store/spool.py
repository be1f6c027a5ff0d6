"""The file that keeps records while the database is away: one entry a line, fsynced, read back in order.

A line is `["VisitBegan",{…}]`. The file is 0600, since it may hold callers' numbers, as the database does.
Its functions block (fsync); the writer calls them in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec

from acd.facts import Fact
from acd.store.rows import CallerNoted, Entry

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (*get_args(Fact), CallerNoted)}


def encode(entry: Entry) -> bytes:
    """The entry as one line, with its end."""
    return msgspec.json.encode((type(entry).__name__, entry)) + b"\n"


def decode(line: bytes) -> Entry:
    """The reverse of `encode`. ValueError for anything else."""
    try:
        name, value = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
        kind = _KINDS[name]
        entry: Entry = msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, UnicodeDecodeError) as error:
        raise ValueError("This line of the spool is not a record.") from error
    return entry


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries read from the spool, the lines that were none, and the offset in bytes after both."""

    entries: tuple[Entry, ...]
    damaged: tuple[bytes, ...]
    end: int


class Spool:
    """One file, written at its end and read from an offset. Not to be used by two threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._size = path.stat().st_size if path.exists() else 0

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._size

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep the entries; on return they are on the disk. OSError: none of them counts as kept."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, self._size)  # what an append that failed half-way has left
            data = b"".join(map(encode, entries))
            if self._size and not self._ends_a_line():
                data = b"\n" + data  # a line that a crash has torn stays a damaged line of its own
            end = self._size
            while data:
                written = os.pwrite(descriptor, data, end)
                data, end = data[written:], end + written
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._size = end

    def read(self, offset: int, most: int) -> Stretch:
        """Up to `most` lines from `offset` on."""
        entries: list[Entry] = []
        damaged: list[bytes] = []
        if offset >= self._size:
            return Stretch((), (), offset)
        with self._path.open("rb") as file:
            file.seek(offset)
            for _ in range(most):
                line = file.readline()
                if not line:
                    break
                offset += len(line)
                try:
                    entries.append(decode(line))
                except ValueError:
                    if line.strip():
                        damaged.append(line)
        return Stretch(tuple(entries), tuple(damaged), offset)

    def clear(self) -> None:
        """Forget everything; it has been written to the database."""
        self._path.unlink(missing_ok=True)
        self._size = 0

    def _ends_a_line(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(self._size - 1)
            return file.read(1) == b"\n"
