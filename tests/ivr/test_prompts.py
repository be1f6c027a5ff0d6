"""Recorded files win, a voice makes the rest once, and what could not be made is told."""

from __future__ import annotations

import asyncio
from array import array
from pathlib import Path, PurePosixPath

import pytest

from ivr import telephone_wav
from ivr.errors import VoiceError, VoiceMissingError
from ivr.phrase import Phrase
from ivr.prompts import Prepared, Progress, PromptLibrary

HELLO = Phrase("en", "Hello", "hello")
SALAM = Phrase("fa", "سلام", "hello")
PLAIN = Phrase("en", "Plain")


class WritingVoice:
    """A voice that writes the text itself, and can fail."""

    def __init__(self, name: str = "writer", fails: dict[str, Exception] | None = None) -> None:
        self.name = name
        self.fails = fails or {}
        self.spoken: list[str] = []
        self.speaking = self.most_speaking = 0

    def identity(self, language: str) -> str:
        return f"{self.name}/{language}"

    async def speak(self, text: str, language: str, path: Path) -> None:
        self.speaking += 1
        self.most_speaking = max(self.most_speaking, self.speaking)
        try:
            write(path, "half of it")
            await asyncio.sleep(0)
            if text in self.fails:
                raise self.fails[text]
            self.spoken.append(text)
            write(path, text)
        finally:
            self.speaking -= 1


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def made(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "made" in path.parts)


async def test_a_text_is_said_once_and_found_by_its_name(tmp_path: Path) -> None:
    voice = WritingVoice()
    library = PromptLibrary(tmp_path, voice)
    assert await library.prepare([HELLO, SALAM, PLAIN]) == Prepared(3, 0, ())
    assert [path.stem for path in made(tmp_path) if read(path) == "سلام"] == [
        library.sound(SALAM).split("/")[-1]
    ]
    assert library.sound(HELLO).startswith(f"{tmp_path}/made/en/")
    assert await library.prepare([HELLO, SALAM]) == Prepared(0, 2, ())
    assert await PromptLibrary(tmp_path, voice).prepare([PLAIN]) == Prepared(0, 1, ())
    assert sorted(voice.spoken) == ["Hello", "Plain", "سلام"]


async def test_what_is_heard_first_is_made_first(tmp_path: Path) -> None:
    voice = WritingVoice()
    phrases = [Phrase("en", text) for text in ("welcome", "menu", "goodbye", "a number")]
    await PromptLibrary(tmp_path, voice, at_once=1).prepare(phrases)
    assert voice.spoken == ["welcome", "menu", "goodbye", "a number"]


async def test_one_text_under_two_keys_is_made_once(tmp_path: Path) -> None:
    voice = WritingVoice()
    library = PromptLibrary(tmp_path, voice)
    assert await library.prepare([HELLO, Phrase("en", "Hello", "again")]) == Prepared(1, 0, ())
    assert voice.spoken == ["Hello"]


def test_another_voice_is_another_sound(tmp_path: Path) -> None:
    names = {PromptLibrary(tmp_path, WritingVoice(name)).sound(HELLO) for name in ("writer", "typist")}
    assert len(names) == 2


async def test_a_recording_wins(tmp_path: Path) -> None:
    (tmp_path / "recorded" / "fa").mkdir(parents=True)
    (tmp_path / "recorded" / "fa" / "hello.gsm").write_bytes(b"people")
    voice = WritingVoice()
    library = PromptLibrary(tmp_path, voice)
    assert library.sound(SALAM) == str(tmp_path / "recorded" / "fa" / "hello")
    assert "/made/en/" in library.sound(HELLO)
    assert await library.prepare([HELLO, SALAM]) == Prepared(1, 1, ())
    assert voice.spoken == ["Hello"]


def test_a_recording_that_comes_later_is_found_when_looked_for(tmp_path: Path) -> None:
    library = PromptLibrary(tmp_path, WritingVoice())
    (tmp_path / "recorded" / "en").mkdir(parents=True)
    telephone_wav.write(str(tmp_path / "recorded" / "en" / "hello.wav"), array("h", [1, 2, 3]))
    assert "/made/" in library.sound(HELLO)
    library.look_for_recordings()
    assert "/recorded/" in library.sound(HELLO)


@pytest.mark.parametrize("content", [b"", b"people", b"RIFF"])
def test_the_voice_is_heard_in_place_of_a_recording_that_does_not_play(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "recorded" / "en").mkdir(parents=True)
    (tmp_path / "recorded" / "en" / "hello.wav").write_bytes(content)
    assert "/made/" in PromptLibrary(tmp_path, WritingVoice()).sound(HELLO)


def test_asterisk_may_see_the_folder_elsewhere(tmp_path: Path) -> None:
    library = PromptLibrary(tmp_path, WritingVoice(), seen_as=PurePosixPath("/srv/sounds"))
    assert library.sound(HELLO).startswith("/srv/sounds/made/en/")


async def test_a_prompt_that_fails_is_told_and_leaves_nothing_half(tmp_path: Path) -> None:
    library = PromptLibrary(tmp_path, WritingVoice(fails={"Hello": VoiceError("Hoarse.")}))
    prepared = await library.prepare([HELLO, SALAM, PLAIN])
    assert (prepared.made, prepared.present) == (2, 0)
    assert [(m.phrase, m.why) for m in prepared.missing] == [(HELLO, "Hoarse.")]
    assert list(library.without_sound([HELLO, SALAM])) == [HELLO]
    assert [read(path) for path in made(tmp_path)] == ["Plain", "سلام"]


async def test_without_a_voice_everything_is_missing_and_still_has_a_name(tmp_path: Path) -> None:
    for voice in (
        None,
        WritingVoice(fails={t: VoiceMissingError("Not installed.") for t in ("Hello", "سلام")}),
    ):
        library = PromptLibrary(tmp_path, voice)
        prepared = await library.prepare([HELLO, SALAM])
        assert {m.phrase for m in prepared.missing} == {HELLO, SALAM}
        assert library.sound(HELLO).startswith(str(tmp_path))


async def test_a_missing_voice_is_asked_only_once(tmp_path: Path) -> None:
    voice = WritingVoice(fails={"0": VoiceMissingError("Not installed.")})
    many = [Phrase("en", str(n)) for n in range(50)]
    prepared = await PromptLibrary(tmp_path, voice, at_once=1).prepare(many)
    assert len(prepared.missing) == 50
    assert voice.spoken == []


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("a file stands in the way", encoding="utf-8")
    prepared = await PromptLibrary(tmp_path, WritingVoice()).prepare([HELLO])
    assert "A prompt cannot be kept in" in prepared.missing[0].why


async def test_only_so_many_are_made_at_once_and_progress_is_told(tmp_path: Path) -> None:
    voice = WritingVoice()
    told: list[Progress] = []
    many = [Phrase("en", f"text {n}") for n in range(20)]
    await PromptLibrary(tmp_path, voice, at_once=3).prepare(many, told.append)
    assert voice.most_speaking == 3
    assert told == [Progress(n + 1, 20) for n in range(20)]


async def test_cancelled_it_leaves_no_half_made_file(tmp_path: Path) -> None:
    began = asyncio.Event()

    class Endless(WritingVoice):
        async def speak(self, text: str, language: str, path: Path) -> None:
            write(path, "half of it")
            began.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(PromptLibrary(tmp_path, Endless()).prepare([HELLO]))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert made(tmp_path) == []
