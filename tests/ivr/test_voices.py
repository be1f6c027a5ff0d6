"""espeak-ng really speaks, and its absence or failure is one clear sentence."""

from __future__ import annotations

import asyncio
import math
import os
import wave
from array import array
from pathlib import Path

import pytest

from ivr.errors import VoiceError, VoiceMissingError
from ivr.voices import Espeak, Voice


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
