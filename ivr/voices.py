"""Voices: whatever turns a text into a sound file. espeak-ng is the one that is always at hand.

Another engine is another class with the two methods of `Voice`. A voice works in child processes or over
the network, never in the loop's own thread.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ivr import telephone_wav
from ivr.errors import VoiceError, VoiceMissingError


class Voice(Protocol):
    """Says texts in some languages."""

    def identity(self, language: str) -> str:
        """Engine, voice and settings as one text: the same identity and text always give the same sound."""
        ...

    async def speak(self, text: str, language: str, path: Path) -> None:
        """Write `text` to `path` as wav, 8 kHz, mono, 16 bit. Raises VoiceError, or VoiceMissingError if no
        text can be said at all. Cancelled, it leaves no process behind."""
        ...


@dataclass(frozen=True, slots=True)
class Espeak:
    """espeak-ng, brought to 8 kHz by `ivr.telephone_wav`. `voices`: its name of a voice for each language."""

    program: str = "espeak-ng"
    voices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"fa": "fa", "en": "en-gb"}))
    words_per_min: int = 150
    timeout_s: float = 30.0

    def identity(self, language: str) -> str:
        return f"espeak-ng/{self.voices.get(language, language)}/{self.words_per_min}/1"

    async def speak(self, text: str, language: str, path: Path) -> None:
        raw = path.with_name(f"{path.name}.raw")
        voice = self.voices.get(language, language)
        options = ("-v", voice, "-s", str(self.words_per_min), "-w", str(raw), "--stdin")
        try:
            await self._run([self.program, *options], text.encode())  # by stdin: a text is never an option
            await self._run([sys.executable, "-I", telephone_wav.__file__, str(raw), str(path)], b"")
        finally:
            raw.unlink(missing_ok=True)

    async def _run(self, command: Sequence[str], given: bytes) -> None:
        pipe = asyncio.subprocess.PIPE
        name = Path(command[0]).name
        try:
            child = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=asyncio.subprocess.DEVNULL, stderr=pipe
            )
        except (FileNotFoundError, PermissionError):
            raise VoiceMissingError(
                f"{name} cannot be started, so texts cannot be spoken; install it, or record the prompts."
            ) from None
        try:
            async with asyncio.timeout(self.timeout_s):
                _, said = await child.communicate(given)
        except TimeoutError:
            raise VoiceError(f"{name} took longer than {self.timeout_s} s over one prompt.") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode != 0:
            why = " ".join(said.decode(errors="replace").split())[-200:] or f"exit code {child.returncode}"
            raise VoiceError(f"{name} could not say a prompt: {why}")
