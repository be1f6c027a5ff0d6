"""espeak-ng really speaks, and its absence or failure is one clear sentence."""

from __future__ import annotations

import asyncio
import math
import os
import wave
from array import array
from pathlib import Path

import pytest
from pydantic import ValidationError

from ivr.errors import VoiceError, VoiceMissingError
from ivr.telephone_wav import LEVEL
from ivr.voices import Command, Espeak, RecordedOnly, Voice, VoiceSettings, voice_from


@pytest.mark.needs("espeak")
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fa", "سلام. به مرکز تماس بانک نمونه خوش آمدید."),
        ("en", "Hello, and welcome to Example Bank."),
        ("en", "-w /tmp/x -h"),
    ],
)
async def test_a_text_becomes_a_sound_for_the_telephone(tmp_path: Path, language: str, text: str) -> None:
    voice: Voice = Espeak()
    path = tmp_path / "said.wav"
    await voice.speak(text, language, path)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)
        samples = array("h", file.readframes(file.getnframes()))
    assert 0.8 * 8_000 < len(samples) < 8 * 8_000
    assert math.sqrt(sum(s * s for s in samples) / len(samples)) > 500
    assert any(abs(s) > 250 for s in samples[:200])  # it begins within 25 ms
    assert names_in(tmp_path) == ["said.wav"]


@pytest.mark.needs("espeak")
async def test_a_voice_it_does_not_have_is_said(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match=r"could not say a prompt: .*voice does not exist"):
        await Espeak(voices={"fa": "klingon-9"}).speak("سلام", "fa", tmp_path / "said.wav")
    assert names_in(tmp_path) == []


async def test_no_program_at_all_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(VoiceMissingError, match="install it, or record the prompts"):
        await Espeak(program="no-such-program").speak("Hello", "en", tmp_path / "said.wav")


async def test_a_voice_that_hangs_is_ended(tmp_path: Path) -> None:
    program, born = hanging_program(tmp_path)
    with pytest.raises(VoiceError, match="took longer than"):
        await Espeak(program=program, timeout_s=0.5).speak("Hello", "en", tmp_path / "said.wav")
    with pytest.raises(ProcessLookupError):
        os.kill(await born, 0)


async def test_cancelled_it_leaves_no_process_behind(tmp_path: Path) -> None:
    program, born = hanging_program(tmp_path)
    task = asyncio.create_task(Espeak(program=program).speak("Hello", "en", tmp_path / "said.wav"))
    child = await born
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.needs("espeak")
async def test_any_program_can_be_a_voice(tmp_path: Path) -> None:
    voice: Voice = Command(("espeak-ng", "-v", "{language}", "--stdin", "--stdout"))
    path = tmp_path / "said.wav"
    await voice.speak("Hello, and welcome.", "en", path)
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 8_000)
        samples = array("h", file.readframes(file.getnframes()))
    assert 0.8 * 8_000 < len(samples) < 3 * 8_000
    assert math.sqrt(sum(s * s for s in samples) / len(samples)) > LEVEL / 2
    assert names_in(tmp_path) == ["said.wav"]


async def test_a_program_gets_the_text_and_nothing_is_read_by_a_shell(tmp_path: Path) -> None:
    argv = program(tmp_path, f'echo "$1" > {tmp_path}/asked; cat >> {tmp_path}/asked; exit 3')
    with pytest.raises(VoiceError, match=r"says could not say a prompt: exit code 3"):
        await Command((*argv, "{language};$(id)")).speak("سلام; `id`", "fa", tmp_path / "said.wav")
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "fa;$(id)\nسلام; `id`"


async def test_callers_come_first(tmp_path: Path) -> None:
    argv = program(tmp_path, f"cat; nice > {tmp_path}/nice; exit 1")
    with pytest.raises(VoiceError):
        await Command(argv).speak("Hello", "en", tmp_path / "said.wav")
    assert int((tmp_path / "nice").read_text()) == max(10, os.getpriority(os.PRIO_PROCESS, 0))


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("exit 0", "says gave nothing for a prompt; it must write one wav file"),
        ("echo no sound at all", "could not say a prompt: file does not start with RIFF id"),
        ("echo the model is missing >&2; exit 1", "says could not say a prompt: the model is missing"),
        ("kill -9 $$", "says could not say a prompt: exit code -9"),
        ("printf RIFF", "could not say a prompt"),
    ],
)
async def test_a_program_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path, script: str, complaint: str
) -> None:
    argv = program(tmp_path, script)
    with pytest.raises(VoiceError, match=complaint):
        await Command(argv).speak("Hello", "en", tmp_path / "said.wav")
    assert names_in(tmp_path) == ["says"]


async def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    hanging, born = hanging_program(tmp_path)
    argv = program(tmp_path, f"'{hanging}' & wait")
    task = asyncio.create_task(Command(argv).speak("Hello", "en", tmp_path / "said.wav"))
    grandchild = os.pidfd_open(await born)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(grandchild)


async def test_a_voice_that_is_missing_does_not_hide_that_we_are_cancelled(tmp_path: Path) -> None:
    voice = Command(("no-such-program",))
    task = asyncio.create_task(voice.speak("Hello", "en", tmp_path / "said.wav"))
    await asyncio.sleep(0)  # now it is about to start
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("content", [b"", b"\x7fELF, but no more"])
async def test_a_program_that_cannot_run_is_a_missing_voice(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "says"
    path.write_bytes(content)
    path.chmod(0o755 if content else 0o644)
    with pytest.raises(VoiceMissingError, match="says cannot be started"):
        await Command((str(path),)).speak("Hello", "en", tmp_path / "said.wav")


async def test_a_language_is_never_an_argument_of_its_own_making(tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match="two or three letters"):
        await Command(("true", "{language}")).speak("Hello", "../x", tmp_path / "said.wav")


def test_another_command_or_version_is_another_sound() -> None:
    voices = [
        Command(("a", "b")),
        Command(("a b",)),
        Command(("a", "b"), version="2"),
        Command(("a", "{language}")),
    ]
    assert len({voice.identity("fa") for voice in voices}) == 4
    assert voices[3].identity("fa") != voices[3].identity("en")


def test_settings_choose_the_voice() -> None:
    assert voice_from(VoiceSettings()) == Espeak()
    assert voice_from(VoiceSettings(provider="recorded")) == RecordedOnly()
    command = VoiceSettings(provider="command", command=("say", "it"), version="3", timeout_s=5)
    assert voice_from(command) == Command(("say", "it"), "3", 5)


@pytest.mark.parametrize("command", [(), ("",), ("say", "nul\0")])
def test_a_command_that_cannot_be_run_is_refused(command: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match=r"give the program and its arguments|no program can be given"):
        VoiceSettings(provider="command", command=command)


async def test_recordings_only_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(VoiceMissingError, match="set one, or record the prompts"):
        await RecordedOnly().speak("Hello", "en", tmp_path / "said.wav")
    assert names_in(tmp_path) == []


def program(folder: Path, script: str) -> tuple[str, ...]:
    path = folder / "says"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return (str(path),)


async def gone(process: int) -> None:
    """`process` is a descriptor of it, as pidfd_open gives: readable once the process has ended."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(30):
            await ended.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def hanging_program(folder: Path) -> tuple[str, asyncio.Future[int]]:
    """A program that never ends, and its process id once it runs."""
    fifo, path = folder / "born", folder / "hangs"
    os.mkfifo(fifo)
    path.write_text(f"#!/bin/sh\necho $$ > '{fifo}'\nexec sleep 1000\n")
    path.chmod(0o755)
    loop = asyncio.get_running_loop()
    born: asyncio.Future[int] = loop.create_future()
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def read() -> None:
        loop.remove_reader(reader)
        born.set_result(int(os.read(reader, 32)))
        os.close(reader)

    loop.add_reader(reader, read)
    return str(path), born
