"""Voices: whatever turns a text into a sound file. Three come with Pasokh; docs/voices.md tells how to add one.

    Espeak          espeak-ng, which is always at hand, in Persian and English
    Command         any program that takes a text and gives a wav file: a better voice, or a service's client
    RecordedOnly    no synthesis: people have recorded every prompt

A voice works in child processes or over the network, never in the loop's own thread, and never during a call:
`ivr.prompts` makes every sound before it is needed. Whatever a voice gives is brought to the telephone's rate
and level by `ivr.telephone_wav`, so that voices and pieces can be mixed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr import pronunciation, telephone_wav
from ivr.errors import VoiceError, VoiceMissingError

_LARGEST_RAW_BYTES = 50_000_000
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")
_DONE_WITHIN_S = 30.0
_NICE = 10  # callers come first


class Voice(Protocol):
    """Says texts in some languages."""

    def identity(self, language: str) -> str:
        """Engine, voice and settings as one text: the same identity and text always give the same sound."""
        ...

    async def speak(self, text: str, language: str, path: Path) -> None:
        """Write `text` to `path` as wav, 8 kHz, mono, 16 bit. Raises VoiceError, or VoiceMissingError if no
        text can be said at all. Cancelled, it leaves no process behind."""
        ...


class VoiceSettings(BaseModel):
    """Which voice a process uses. `command` and `version` are for provider "command": see `Command`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Literal["espeak-ng", "command", "recorded"] = "espeak-ng"
    command: tuple[str, ...] = ()
    version: str = "1"
    timeout_s: float = Field(default=_DONE_WITHIN_S, gt=0, le=600)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.provider == "command" and not (self.command and self.command[0].strip()):
            raise ValueError(
                'the provider "command" has no command; give the program and its arguments as a list'
            )
        if any("\0" in argument for argument in self.command):
            raise ValueError("an argument of the command has a character that no program can be given")
        return self


def voice_from(settings: VoiceSettings) -> Voice:
    """The voice of these settings."""
    if settings.provider == "recorded":
        return RecordedOnly()
    if settings.provider == "command":
        return Command(settings.command, settings.version, settings.timeout_s)
    return Espeak(timeout_s=settings.timeout_s)


@dataclass(frozen=True, slots=True)
class Espeak:
    """espeak-ng, brought to 8 kHz by `ivr.telephone_wav`. `voices`: its name of a voice for each language."""

    program: str = "espeak-ng"
    voices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"fa": "fa", "en": "en-gb"}))
    words_per_min: int = 150
    timeout_s: float = _DONE_WITHIN_S

    def identity(self, language: str) -> str:
        made_by = f"{telephone_wav.VERSION}.{pronunciation.VERSION}"
        return f"espeak-ng/{self.voices.get(language, language)}/{self.words_per_min}/{made_by}"

    async def speak(self, text: str, language: str, path: Path) -> None:
        raw = _raw(path)
        voice = self.voices.get(language, language)
        options = ("-v", voice, "-s", str(self.words_per_min), "-w", str(raw), "--stdin")
        said = pronunciation.for_espeak(text, language).encode()
        try:
            await _run([self.program, *options], said, self.timeout_s)  # by stdin: a text is never an option
            await _to_telephone(raw, path, self.timeout_s)
        finally:
            raw.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Command:
    """Any program: the text comes on its standard input in UTF-8, a wav file (16-bit mono, 8 kHz or more) is
    expected on its standard output, exit code 0.

    `argv` is run as it stands, without a shell; `{language}` in an argument becomes `fa` or `en`. `version` is
    the operator's own mark: with another one, every prompt is made anew.
    """

    argv: tuple[str, ...]
    version: str = "1"
    timeout_s: float = _DONE_WITHIN_S

    def identity(self, language: str) -> str:
        arguments = "\0".join(self._argv(language))
        return f"command/{self.version}/{telephone_wav.VERSION}/{arguments}"

    async def speak(self, text: str, language: str, path: Path) -> None:
        if not _LANGUAGE.match(language):
            raise VoiceError("A language is two or three letters, as fa.")
        raw = _raw(path)
        name = Path(self.argv[0]).name
        try:
            with raw.open("wb") as output:
                await _run(self._argv(language), text.encode(), self.timeout_s, output)
            size = raw.stat().st_size
            if not 0 < size <= _LARGEST_RAW_BYTES:
                given = "nothing" if not size else f"{size} bytes"
                raise VoiceError(
                    f"{name} gave {given} for a prompt; it must write one wav file to its output."
                )
            await _to_telephone(raw, path, self.timeout_s)
        finally:
            raw.unlink(missing_ok=True)

    def _argv(self, language: str) -> list[str]:
        return [argument.replace("{language}", language) for argument in self.argv]


@dataclass(frozen=True, slots=True)
class RecordedOnly:
    """Says nothing: what has no recording stays without a sound, and is told as missing."""

    def identity(self, language: str) -> str:
        return ""

    async def speak(self, text: str, language: str, path: Path) -> None:
        raise VoiceMissingError("No voice is set, so texts cannot be spoken; set one, or record the prompts.")


def _raw(path: Path) -> Path:
    return path.with_name(f"{path.name}.raw")


async def _to_telephone(raw: Path, path: Path, timeout_s: float) -> None:
    # -I and -S: neither the working folder nor site packages matter to it, and it starts in half the time.
    program = [sys.executable, "-I", "-S", telephone_wav.__file__, str(raw), str(path)]
    await _run(program, b"", timeout_s)


async def _run(argv: Sequence[str], given: bytes, timeout_s: float, output: IO[bytes] | None = None) -> None:
    """Run a program to its end; it and what it started are gone afterwards, also if we are cancelled."""
    name = Path(argv[0]).name
    starting = asyncio.create_task(_started(argv, output))
    try:
        child = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(VoiceError):
            await _end(await starting)  # asyncio itself would end the program, but not what it started
        raise
    try:
        async with asyncio.timeout(timeout_s):
            _, said = await child.communicate(given)
    except BaseException as ended:
        await _end(child)
        if isinstance(ended, TimeoutError):
            raise VoiceError(f"{name} took longer than {timeout_s} s over one prompt.") from None
        raise
    if child.returncode != 0:
        why = " ".join(said.decode(errors="replace").split())[-200:] or f"exit code {child.returncode}"
        raise VoiceError(f"{name} could not say a prompt: {why}")


async def _started(argv: Sequence[str], output: IO[bytes] | None) -> asyncio.subprocess.Process:
    name = Path(argv[0]).name
    pipe = asyncio.subprocess.PIPE
    try:
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=pipe,
            stdout=output if output is not None else asyncio.subprocess.DEVNULL,
            stderr=pipe,
            start_new_session=True,  # a group of its own, so that all of it can be ended
        )
    except OSError as error:
        if not isinstance(error, FileNotFoundError | PermissionError) and error.errno != errno.ENOEXEC:
            raise VoiceError(f"{name} could not be started for a prompt: {error.strerror}.") from error
        raise VoiceMissingError(
            f"{name} cannot be started, so texts cannot be spoken; install it, or record the prompts."
        ) from None
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, child.pid, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    return child


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill a program and all that it started; it may be gone itself, and what it started still hold our
    pipe."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    await child.wait()
