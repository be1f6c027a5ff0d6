"""Messages are taken over once, whatever happens in between, and can be listed, heard, given and done."""

from __future__ import annotations

import hashlib
import os
import stat
import wave
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from acd.store.base import Database, instant
from acd.store.tables import contact, message, survey, visit
from acd.store.voicemail import Messages, MessageSettings, Note, confined, strays

NOW_US = 1_795_000_000_000_000
S = 1_000_000


@pytest.fixture
def messages(database: Database, tmp_path: Path) -> Messages:
    settings = MessageSettings(tmp_path / "inbox", tmp_path / "kept", tmp_path / "asked")
    store = Messages(database.writing, database.reporting, settings, lambda: NOW_US, lambda _: False)
    store.prepare()
    return store


def speak(store: Messages, name: str, seconds: float = 2.0, age_s: float = 60.0) -> Path:
    """What Asterisk has recorded."""
    path = store.settings.inbox / f"{name}.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(name.encode().ljust(16, b".") * round(seconds * 1000))
    at_s = NOW_US / S - age_s
    os.utime(path, (at_s, at_s))
    return path


async def rows(database: Database, table: object = message) -> int:
    async with database.reporting.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


async def test_a_message_is_taken_over_with_its_length_and_checksum(
    messages: Messages, database: Database
) -> None:
    async with database.writing.begin() as connection:
        await connection.execute(
            insert(contact).values(id="c1", began_at=instant(NOW_US), caller_e164="+989121234567")
        )
        await connection.execute(
            insert(visit).values(id="c1.1", contact="c1", queue="loans", began_at=instant(NOW_US))
        )
    original = speak(messages, "c1~voicemail", 2.5)
    words = original.read_bytes()
    await messages.scan()
    [one] = await messages.recent(limit=10)
    assert (one.id, one.kind, one.queue, one.seconds) == ("c1:voicemail", "voicemail", "loans", 2.5)
    assert (one.state, one.heard, one.caller) == ("new", False, "+989121234567")
    assert one.at_us == NOW_US - 60 * S
    file = await messages.file(one.id)
    assert file is not None
    assert file.path.read_bytes() == words
    assert file.sha256 == hashlib.sha256(words).hexdigest()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert not original.exists()
    assert messages.counters.adopted == 1


async def test_a_flow_s_note_takes_it_over_at_once_also_in_a_live_call(messages: Messages) -> None:
    messages.is_live = lambda _: True
    speak(messages, "c1~words", age_s=0)
    speak(messages, "c2~voicemail")
    await messages.scan()
    assert await messages.recent(limit=10) == []
    await messages.keep(Note("c1", "voicemail", NOW_US, "words", "cards"))
    await messages.scan()
    [one] = await messages.recent(limit=10)
    assert (one.id, one.kind, one.queue) == ("c1:words", "voicemail", "cards")
    assert list(messages.settings.asked.iterdir()) == []


async def test_a_file_that_may_still_grow_is_left_alone(messages: Messages) -> None:
    path = speak(messages, "c1~voicemail", age_s=1)
    await messages.scan()
    assert path.exists()
    assert await messages.recent(limit=10) == []


async def test_who_said_nothing_left_no_message(messages: Messages) -> None:
    path = speak(messages, "c1~voicemail", 0.1)
    await messages.scan()
    assert not path.exists()
    assert await messages.recent(limit=10) == []
    assert messages.counters.empty == 1


async def test_a_death_between_copy_and_removal_leaves_one_message(
    messages: Messages, database: Database
) -> None:
    path = speak(messages, "c1~voicemail")
    words, about = path.read_bytes(), path.stat()
    await messages.scan()
    path.write_bytes(words)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    await messages.scan()
    assert await rows(database) == 1
    assert not path.exists()
    assert await strays(database.reporting, messages.settings.kept) == ([], [])


async def test_other_words_of_the_same_name_are_another_message(messages: Messages) -> None:
    speak(messages, "c1~voicemail", 2.0)
    await messages.scan()
    speak(messages, "c1~voicemail", 3.0)
    await messages.scan()
    found = await messages.recent(limit=10)
    assert sorted(one.id for one in found) == ["c1:voicemail", "c1:voicemail-2"]


async def test_a_file_without_a_header_is_measured_by_its_size(messages: Messages) -> None:
    path = speak(messages, "c1~voicemail", 2.0)
    broken = bytearray(path.read_bytes())
    broken[4:8] = broken[40:44] = bytes(4)  # as of an Asterisk that died
    path.write_bytes(broken)
    os.utime(path, (NOW_US / S - 60, NOW_US / S - 60))
    await messages.scan()
    [one] = await messages.recent(limit=10)
    assert one.seconds == 2.0


@pytest.mark.parametrize("name", ["passwd", "~voicemail", "c1~", "c1~../x", "a b~c"])
async def test_what_is_no_message_is_left_alone(messages: Messages, name: str) -> None:
    path = messages.settings.inbox / f"{name.replace('/', '_')}.wav"
    path.write_bytes(b"x" * 64_000)
    os.utime(path, (0, 0))
    await messages.scan()
    assert path.exists()
    assert await messages.recent(limit=10) == []


async def test_a_link_in_asterisk_s_folder_is_not_followed(messages: Messages, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 64_000)
    (messages.settings.inbox / "c1~voicemail.wav").symlink_to(secret)
    await messages.scan()
    assert await messages.recent(limit=10) == []
    assert secret.exists()


async def test_words_that_the_caller_replaced_are_thrown_away(messages: Messages) -> None:
    for name in ("c1~leave-1", "c1~leave-2", "c1~leave-3", "c1~other-1", "c2~leave-1"):
        speak(messages, name)
    await messages.keep(Note("c1", "voicemail", NOW_US, "leave-2", "cards"))
    await messages.scan()
    found = {one.id for one in await messages.recent(limit=10)}
    assert found == {"c1:leave-2", "c1:leave-3", "c1:other-1", "c2:leave-1"}
    assert list(messages.settings.inbox.iterdir()) == []


async def test_a_survey_is_kept_with_its_words(messages: Messages, database: Database) -> None:
    speak(messages, "c1~why")
    await messages.keep(Note("c1", "survey", NOW_US, "why", "cards", 4, "wait"))
    await messages.keep(Note("c2", "survey", NOW_US, score=1))
    await messages.scan()
    async with database.reporting.connect() as connection:
        found = (await connection.execute(select(survey).order_by(survey.c.contact))).all()
    assert [(row.contact, row.score, row.reason, row.message) for row in found] == [
        ("c1", 4, "wait", "c1:why"),
        ("c2", 1, None, None),
    ]
    await messages.keep(Note("c2", "survey", NOW_US, score=5))
    await messages.scan()
    assert await rows(database, survey) == 2
    [one] = await messages.recent(limit=10, kind="survey")
    assert one.id == "c1:why"


@pytest.mark.parametrize("at_once", [True, False], ids=["in one scan", "words later"])
async def test_a_score_is_kept_of_who_hangs_up_while_speaking(
    messages: Messages, database: Database, at_once: bool
) -> None:
    await messages.keep(Note("c1", "survey", NOW_US, "", "cards", 2, "wait"))
    if not at_once:
        await messages.scan()
    speak(messages, "c1~survey.rate-1")
    speak(messages, "c1~survey_of_cars-2")  # a voicemail's node may be called so
    await messages.scan()
    async with database.reporting.connect() as connection:
        [row] = (await connection.execute(select(survey))).all()
    assert (row.score, row.reason, row.message) == (2, "wait", "c1:survey.rate-1")
    kinds = {one.id: one.kind for one in await messages.recent(limit=10)}
    assert kinds == {"c1:survey.rate-1": "survey", "c1:survey_of_cars-2": "voicemail"}


async def test_the_score_and_then_the_words_of_one_caller_are_one_survey(
    messages: Messages, database: Database
) -> None:
    speak(messages, "c1~survey.rate-1")
    await messages.keep(Note("c1", "survey", NOW_US, "", "cards", 2))
    await messages.keep(Note("c1", "survey", NOW_US + S, "survey.rate-1", "cards", 2))
    await messages.scan()
    async with database.reporting.connect() as connection:
        [row] = (await connection.execute(select(survey))).all()
    assert (row.score, row.message) == (2, "c1:survey.rate-1")


async def test_a_message_goes_its_way(messages: Messages) -> None:
    speak(messages, "c1~voicemail")
    await messages.scan()
    assert await messages.assign("c1:voicemail", "sara", "boss")
    [one] = await messages.recent(limit=10, state="assigned", agent="sara")
    assert one.agent == "sara"
    await messages.heard("c1:voicemail", "sara")
    await messages.heard("c1:voicemail", "boss")
    assert await messages.done("c1:voicemail", "sara")
    assert not await messages.done("c1:voicemail", "sara")
    assert not await messages.assign("c1:voicemail", "reza", "boss")
    assert await messages.recent(limit=10, state="new") == []
    [one] = await messages.recent(limit=10, state="done")
    assert one.heard
    assert not await messages.done("nobody:voicemail", "sara")
    assert await messages.file("nobody:voicemail") is None


async def test_files_and_rows_that_have_lost_each_other_are_found(
    messages: Messages, database: Database
) -> None:
    speak(messages, "c1~voicemail")
    await messages.scan()
    file = await messages.file("c1:voicemail")
    assert file is not None
    stray = file.path.with_name("c9~voicemail-0123.wav")
    file.path.rename(stray)
    lost, unlisted = await strays(database.reporting, messages.settings.kept)
    assert lost == ["c1:voicemail"]
    assert unlisted == [stray.relative_to(messages.settings.kept).as_posix()]
    assert await messages.file("c1:voicemail") is None


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "link", "a/../../secret", "", "\0", "a\0b"])
def test_nothing_outside_of_our_folder_is_ever_opened(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "kept"
    (folder / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "own").write_text("own")
    assert confined(folder, name) is None
    assert confined(folder, "own") == folder.resolve() / "own"
