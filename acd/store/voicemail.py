"""Messages of callers: taken over from Asterisk's folder into ours, listed, given to somebody, done; and surveys.

Asterisk records `<contact>~<name>.wav` into a folder that both of us see. A message is taken over when the flow has
said what it is (a note, written before anybody is thanked), or, for a caller who hung up while speaking or a process
that died, by a scan when the call is over. A file is copied first, then its row is written, and only then the
original is removed: whatever moment we die at, the next scan ends with one file and one row. Nothing here is in the
way of a call: the database may be away for hours, the files wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import stat
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Executable, Row, Select, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from acd.store.base import DATABASE_ERRORS, instant, to_us
from acd.store.tables import contact as contact_table
from acd.store.tables import message, survey, visit
from acd.types import US_PER_S, AgentId, ContactId, QueueId

_log = logging.getLogger(__name__)

SAME_NAME_MOST: Final = 20
_WORD = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
_FILE: Final = re.compile(rf"({_WORD})~({_WORD})\.wav")
_HEADER_BYTES, _BYTES_PER_S = 44, 16_000
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class MessageSettings:
    """`inbox`: where Asterisk records, as we see it; `kept`: ours, by date; `asked`: notes that wait for it.

    A file that no note names is left alone for `settle_s` after its last byte; shorter than `shortest_s`, nothing was
    said, and it is thrown away.
    """

    inbox: Path
    kept: Path
    asked: Path
    settle_s: float = 5.0
    scan_s: float = 5.0
    shortest_s: float = 0.5


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a flow says of its caller's words. `kind`: `voicemail` or `survey`; `name`: that of the recording, "" for
    a survey without one."""

    contact: str
    kind: str
    at_us: int
    name: str = ""
    queue: str | None = None
    score: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `state`: `new`, `assigned` (to `agent`) or `done`; `caller`: the number, where it may be shown."""

    id: str
    contact: ContactId
    kind: str
    queue: QueueId | None
    at_us: int
    seconds: float
    state: str
    agent: AgentId | None
    heard: bool
    caller: str | None
    customer: str | None


@dataclass(frozen=True, slots=True)
class MessageFile:
    path: Path
    sha256: str


@dataclass(slots=True)
class MessageCounters:
    adopted: int = 0
    surveys: int = 0
    empty: int = 0
    failures: int = 0


@dataclass(slots=True)
class Messages:
    """`is_live`: whether this contact's call still goes on, so that its file may still grow."""

    writing: AsyncEngine
    reporting: AsyncEngine
    settings: MessageSettings
    now_us: Callable[[], int]
    is_live: Callable[[ContactId], bool]
    counters: MessageCounters = field(default_factory=MessageCounters)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def prepare(self) -> None:
        """Make the folders. Raises OSError."""
        for folder in (self.settings.kept, self.settings.asked):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings.inbox.mkdir(parents=True, exist_ok=True)

    # Taking over -------------------------------------------------------------------------------------------

    async def keep(self, note: Note) -> None:
        """Remember what a flow said, durably; the rest is done behind the call. Raises OSError, ValueError."""
        name = note.name or note.kind
        if _FILE.fullmatch(f"{note.contact}~{name}.wav") is None:
            raise ValueError("A message's contact and name are plain words.")
        path = self.settings.asked / f"{note.contact}~{name}.{note.kind}.json"
        await asyncio.to_thread(_write_durably, path, msgspec.json.encode(note))
        self._wanted.set()

    async def run(self) -> None:
        """Take over what there is, now and then, and at once when a flow asks; until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self.scan()
            except DATABASE_ERRORS as error:
                self.counters.failures += 1
                _log.warning("messages cannot be taken over now (%s); their files wait", type(error).__name__)
            try:
                async with asyncio.timeout(self.settings.scan_s):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def scan(self) -> None:
        """Every message and survey that is complete gets its row; files that nobody may read are left alone."""
        notes = await asyncio.to_thread(self._notes)
        named = {f"{note.contact}~{note.name}.wav": note for _, note in notes if note.name}
        for _, note in notes:
            await asyncio.to_thread(self._drop_earlier, note, named)
        unread: set[str] = set()
        for path, (contact, name) in await asyncio.to_thread(self._files):
            note_of = named.get(path.name)
            if note_of is None and (self.is_live(contact) or await asyncio.to_thread(self._is_young, path)):
                continue
            try:
                await self._adopt(path, contact, name, note_of)
            except PermissionError:
                self.counters.failures += 1
                unread.add(path.name)
                _log.error("a message may not be read or removed; give this user the rights to its folder")
        for path, note in notes:
            if f"{note.contact}~{note.name}.wav" not in unread:
                if note.kind == "survey":
                    await self._keep_survey(note)
                await asyncio.to_thread(path.unlink, True)

    def _drop_earlier(self, note: Note, named: Mapping[str, Note]) -> None:
        """What the caller said before the words that count (`leave-2`) was meant to be replaced (`leave-1`)."""
        base, _, number = note.name.rpartition("-")
        for earlier in range(1, int(number) if base and number.isdecimal() and len(number) < 4 else 1):
            name = f"{note.contact}~{base}-{earlier}.wav"
            if name not in named:
                (self.settings.inbox / name).unlink(missing_ok=True)

    def _notes(self) -> list[tuple[Path, Note]]:
        found = []
        for path in sorted(self.settings.asked.glob("*.json")):
            try:
                found.append((path, msgspec.json.decode(path.read_bytes(), type=Note)))
            except msgspec.MsgspecError:
                path.rename(path.with_suffix(".broken"))
                _log.error("a note on a message cannot be read; it was set aside")
        return sorted(found, key=lambda each: each[1].at_us)

    def _files(self) -> list[tuple[Path, tuple[str, str]]]:
        found = []
        for path in sorted(self.settings.inbox.glob("*.wav")):
            name = _FILE.fullmatch(path.name)
            if name is not None and stat.S_ISREG(path.lstat().st_mode):
                found.append((path, (name[1], name[2])))
        return found

    def _is_young(self, path: Path) -> bool:
        try:
            written_us = path.stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return True
        return self.now_us() - written_us < self.settings.settle_s * US_PER_S

    async def _adopt(self, path: Path, contact: ContactId, name: str, note: Note | None) -> None:
        file = await asyncio.to_thread(self._copy, path)
        if file is None:
            await asyncio.to_thread(path.unlink, True)
            self.counters.empty += 1
            return
        async with self.writing.begin() as connection:
            queue = note.queue if note is not None else await _last_queue(connection, contact)
            kind = note.kind if note is not None else _kind_of(name)
            row = {
                "contact": contact, "kind": kind, "queue": queue, "at": file.at, "length_us": file.length_us,
                "size_bytes": file.size, "sha256": file.sha256, "file": file.name,
            }  # fmt: skip
            await _insert(connection, f"{contact}:{name}", row)
            if note is None and kind == "survey":  # its score was noted before the caller spoke and hung up
                mine = (survey.c.contact == contact) & survey.c.message.is_(None)
                await connection.execute(update(survey).where(mine).values(message=f"{contact}:{name}"))
        await asyncio.to_thread(path.unlink, True)
        self.counters.adopted += 1

    def _copy(self, path: Path) -> _Copied | None:
        """The file among ours, safely on the disk; None when nothing was said."""
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as source:
            about = os.fstat(source.fileno())
            length_us = _length_us(path, about.st_size)
            if length_us < self.settings.shortest_s * US_PER_S:
                return None
            at = datetime.fromtimestamp(about.st_mtime_ns / 1e9, UTC)
            digest = hashlib.sha256()
            folder = self.settings.kept / f"{at:%Y/%m/%d}"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            making = folder / f".{path.name}"
            making.unlink(missing_ok=True)
            with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                while block := source.read(_BLOCK):
                    digest.update(block)
                    target.write(block)
                target.flush()
                os.fsync(target.fileno())
        final = (
            folder / f"{path.stem}-{digest.hexdigest()[:12]}.wav"
        )  # the same words again are the same file
        making.replace(final)
        _sync_folder(folder)
        name = final.relative_to(self.settings.kept).as_posix()
        return _Copied(name, at, length_us, about.st_size, digest.hexdigest())

    async def _keep_survey(self, note: Note) -> None:
        spoken = select(message.c.id).where(message.c.contact == note.contact, message.c.kind == "survey")
        if note.name:
            spoken = spoken.where(message.c.id == f"{note.contact}:{note.name}")
        words = spoken.order_by(message.c.at.desc()).limit(1).scalar_subquery()
        values = {
            "contact": note.contact, "at": instant(note.at_us), "queue": note.queue, "score": note.score,
            "reason": note.reason, "message": words,
        }  # fmt: skip
        async with self.writing.begin() as connection:
            await connection.execute(_survey_row(connection, values))
        self.counters.surveys += 1

    # Listing and fetching ----------------------------------------------------------------------------------

    async def recent(
        self,
        *,
        limit: int,
        before_us: int | None = None,
        kind: str | None = None,
        queue: QueueId | None = None,
        state: str | None = None,
        agent: AgentId | None = None,
    ) -> Sequence[Message]:
        """Newest first."""
        wanted = _selected().order_by(message.c.at.desc(), message.c.id.desc()).limit(limit)
        if before_us is not None:
            wanted = wanted.where(message.c.at < instant(before_us))
        for column, value in ((message.c.kind, kind), (message.c.queue, queue), (message.c.agent, agent)):
            if value is not None:
                wanted = wanted.where(column == value)
        match state:
            case "new":
                wanted = wanted.where(message.c.done_at.is_(None), message.c.agent.is_(None))
            case "assigned":
                wanted = wanted.where(message.c.done_at.is_(None), message.c.agent.is_not(None))
            case "done":
                wanted = wanted.where(message.c.done_at.is_not(None))
        async with self.reporting.connect() as connection:
            return [_read(row) for row in (await connection.execute(wanted)).all()]

    async def one(self, id_: str) -> Message | None:
        async with self.writing.connect() as connection:
            row = (await connection.execute(_selected().where(message.c.id == id_))).first()
        return None if row is None else _read(row)

    async def file(self, id_: str) -> MessageFile | None:
        """Where the words are; None for no such message, a file that is gone, or one that is not among ours."""
        async with self.writing.connect() as connection:
            wanted = select(message.c.file, message.c.sha256).where(message.c.id == id_)
            row = (await connection.execute(wanted)).first()
        if row is None:
            return None
        path = await asyncio.to_thread(confined, self.settings.kept, row.file)
        return None if path is None else MessageFile(path, row.sha256)

    async def assign(self, id_: str, agent: AgentId | None, by: str) -> bool:
        """Give it to an agent, or to nobody. False: there is none, or it is done."""
        at = instant(self.now_us()) if agent is not None else None
        return await self._change(id_, agent=agent, assigned_at=at, assigned_by=by)

    async def done(self, id_: str, by: str) -> bool:
        """False: there is none, or it is done already."""
        return await self._change(id_, done_at=instant(self.now_us()), done_by=by)

    async def heard(self, id_: str, by: str) -> None:
        """Who listened first."""
        async with self.writing.begin() as connection:
            await connection.execute(
                update(message)
                .where(message.c.id == id_, message.c.heard_at.is_(None))
                .values(heard_at=instant(self.now_us()), heard_by=by)
            )

    async def _change(self, id_: str, **values: object) -> bool:
        async with self.writing.begin() as connection:
            done = await connection.execute(
                update(message).where(message.c.id == id_, message.c.done_at.is_(None)).values(**values)
            )
        return done.rowcount == 1


@dataclass(frozen=True, slots=True)
class _Copied:
    name: str
    at: datetime
    length_us: int
    size: int
    sha256: str


# Files and rows --------------------------------------------------------------------------------------------


def confined(folder: Path, name: str) -> Path | None:
    """The file of this name below the folder; None for one that is elsewhere, however that was written."""
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    plain = path == root / name and path.is_relative_to(root)
    return path if plain and stat.S_ISREG(path.lstat().st_mode) else None


async def strays(reporting: AsyncEngine, kept: Path) -> tuple[list[str], list[str]]:
    """Rows without a file (their ids), and files without a row (their names): what a scan could not mend."""
    async with reporting.connect() as connection:
        rows = (await connection.execute(select(message.c.id, message.c.file))).all()
    present = await asyncio.to_thread(_present, kept)
    return (
        sorted(row.id for row in rows if row.file not in present),
        sorted(present - {row.file for row in rows}),
    )


def _present(kept: Path) -> set[str]:
    return {
        path.relative_to(kept).as_posix() for path in kept.rglob("*.wav") if not path.name.startswith(".")
    }


def _length_us(path: Path, size: int) -> int:
    """By its header; by its size where Asterisk died before it had written one."""
    try:
        with wave.open(str(path), "rb") as sound:
            if frames := sound.getnframes():
                return frames * US_PER_S // sound.getframerate()
    except (OSError, EOFError, wave.Error):
        pass  # its size tells as well
    return max(0, size - _HEADER_BYTES) * US_PER_S // _BYTES_PER_S


def _write_durably(path: Path, data: bytes) -> None:
    making = path.with_suffix(".new")
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    making.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _kind_of(name: str) -> str:
    """What a recording is that no note names: flows call a survey's words `survey.<node>-<number>`."""
    return "survey" if name == "survey" or name.startswith("survey.") else "voicemail"


async def _last_queue(connection: AsyncConnection, contact: ContactId) -> QueueId | None:
    wanted = (
        select(visit.c.queue).where(visit.c.contact == contact).order_by(visit.c.began_at.desc()).limit(1)
    )
    return (await connection.execute(wanted)).scalar()


async def _insert(connection: AsyncConnection, id_: str, row: Mapping[str, object]) -> None:
    """A row for this file, once; other words of the same name in the same call get a number of their own."""
    known = select(message.c.id).where(message.c.contact == row["contact"], message.c.sha256 == row["sha256"])
    if (await connection.execute(known)).first() is not None:
        return
    for number in range(1, SAME_NAME_MOST + 1):
        name = id_ if number == 1 else f"{id_}-{number}"
        taken = await connection.execute(select(func.count()).where(message.c.id == name))
        if not taken.scalar_one():
            await connection.execute(insert(message).values(id=name, **row))
            return
    raise OSError(f"The call {row['contact']} has more than {SAME_NAME_MOST} messages of one name.")


def _survey_row(connection: AsyncConnection, values: Mapping[str, object]) -> Executable:
    """The last word counts: a survey may be answered again."""
    insert_into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = insert_into(survey).values(**values)
    rest = {name: row.excluded[name] for name in values if name != "contact"}
    return row.on_conflict_do_update(index_elements=["contact"], set_=rest)


def _selected() -> Select[tuple[object, ...]]:
    known = contact_table.c
    return select(message, known.caller_e164, known.customer).join_from(
        message, contact_table, known.id == message.c.contact, isouter=True
    )


def _read(row: Row[tuple[object, ...]]) -> Message:
    at = row._mapping
    state = "done" if at["done_at"] is not None else "assigned" if at["agent"] is not None else "new"
    return Message(
        id=at["id"],
        contact=at["contact"],
        kind=at["kind"],
        queue=at["queue"],
        at_us=to_us(at["at"]),
        seconds=at["length_us"] / US_PER_S,
        state=state,
        agent=at["agent"],
        heard=at["heard_at"] is not None,
        caller=at["caller_e164"],
        customer=at["customer"],
    )
