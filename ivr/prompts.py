"""From a phrase to the sound that says it: recorded files win, a voice makes the rest, nothing is made twice.

    FOLDER/recorded/<language>/<key>.wav     made by people; any format Asterisk plays (`ivr.recordings` checks)
    FOLDER/made/<language>/<hash>.wav        made by a voice; the hash is over voice and text

The name of a sound depends on the phrase alone, so a flow plays before its sounds are made; what is missing
is then skipped by Asterisk, and `Prepared.missing` says so. Making happens in the background, a few at a
time.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import wave
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ivr.errors import VoiceError, VoiceMissingError
from ivr.phrase import Phrase
from ivr.telephone_wav import TELEPHONE_HZ
from ivr.voices import RecordedOnly, Voice

SOUND_SUFFIXES = frozenset({".wav", ".wav16", ".sln", ".sln16", ".gsm", ".ulaw", ".alaw", ".g722", ".ogg"})


@dataclass(frozen=True, slots=True)
class Missing:
    """A phrase without a sound, and the sentence that says why."""

    phrase: Phrase
    why: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the making is; `done` counts those that failed, too."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare` found and did: sounds made now, sounds that were there, phrases left without one."""

    made: int
    present: int
    missing: tuple[Missing, ...]


class PromptLibrary:
    """The sounds of one site. `voice`: None is the same as `RecordedOnly`. `seen_as`: the folder as Asterisk
    sees it, if that is another path than ours. `at_once`: how many prompts are made at the same time."""

    def __init__(
        self, folder: Path, voice: Voice | None, *, seen_as: PurePosixPath | None = None, at_once: int = 2
    ) -> None:
        self._folder = folder.absolute()
        self._voice = voice if voice is not None else RecordedOnly()
        self._seen_as = seen_as if seen_as is not None else PurePosixPath(self._folder)
        self._at_once = at_once
        self._recorded = frozenset[tuple[str, str]]()
        self._temporary = itertools.count()
        self.look_for_recordings()

    def look_for_recordings(self) -> None:
        """Take note of recordings that came or went since the last look. One that Asterisk cannot play does not
        count, so that the voice is heard in its place; `ivr.recordings` tells of it."""
        found = self._folder.glob("recorded/*/*")
        self._recorded = frozenset((f.parent.name, f.stem) for f in found if _is_playable(f))

    def sound(self, phrase: Phrase) -> str:
        """The sound's name as Asterisk takes it: absolute, without extension. Whether or not it is made
        yet."""
        return str(self._seen_as / self._place(phrase))

    def without_sound(self, phrases: Iterable[Phrase]) -> Iterator[Phrase]:
        """Those for which there is neither a recording nor a made sound."""
        return (phrase for phrase in phrases if not self._is_there(phrase))

    async def prepare(
        self, phrases: Iterable[Phrase], on_progress: Callable[[Progress], None] = lambda _: None
    ) -> Prepared:
        """Make what has no sound yet, a list in its order, so that what callers hear first is made first.

        Never raises for a prompt that fails: it is in `missing`.
        """
        in_order = sorted(phrases) if isinstance(phrases, Set) else phrases
        wanted = {self._place(phrase): phrase for phrase in in_order}
        todo = list(self.without_sound(wanted.values()))
        making = _Making(iter(todo), len(todo), on_progress)
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self._at_once, len(todo))):
                workers.create_task(self._work(making))
        missing = tuple(sorted(making.missing, key=lambda m: m.phrase))
        return Prepared(len(todo) - len(missing), len(wanted) - len(todo), missing)

    async def _work(self, making: _Making) -> None:
        for phrase in making.todo:
            try:
                if making.voiceless is not None:
                    raise making.voiceless
                await self._make(phrase)
            except VoiceMissingError as error:
                making.voiceless = error
                making.missing.append(Missing(phrase, str(error)))
            except VoiceError as error:
                making.missing.append(Missing(phrase, str(error)))
            making.done += 1
            making.on_progress(Progress(making.done, making.total))

    async def _make(self, phrase: Phrase) -> None:
        target = self._folder / f"{self._place(phrase)}.wav"
        temporary = target.with_name(f".{target.stem}-{os.getpid()}-{next(self._temporary)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                await self._voice.speak(phrase.text, phrase.language, temporary)
                temporary.chmod(0o644)  # Asterisk is another user
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            why = error.strerror or "unknown error"
            raise VoiceError(f"A prompt cannot be kept in {target.parent}: {why}.") from error

    def _is_there(self, phrase: Phrase) -> bool:
        return self._is_recorded(phrase) or (self._folder / f"{self._place(phrase)}.wav").exists()

    def _is_recorded(self, phrase: Phrase) -> bool:
        return phrase.key is not None and (phrase.language, phrase.key) in self._recorded

    def _place(self, phrase: Phrase) -> str:
        """The sound below the folder, without extension."""
        if self._is_recorded(phrase):
            return f"recorded/{phrase.language}/{phrase.key}"
        voice = self._voice.identity(phrase.language)
        digest = hashlib.sha256(f"{voice}\n{phrase.text}".encode()).hexdigest()
        return f"made/{phrase.language}/{digest[:32]}"


def _is_playable(file: Path) -> bool:
    """Whether Asterisk plays it, as far as its name and the head of a wav file tell."""
    if file.suffix != ".wav":
        return file.suffix in SOUND_SUFFIXES
    try:
        with wave.open(str(file), "rb") as sound:
            return (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (TELEPHONE_HZ, 1, 2)
    except (OSError, EOFError, wave.Error):
        return False


@dataclass(slots=True)
class _Making:
    """What the workers of one `prepare` share."""

    todo: Iterator[Phrase]
    total: int
    on_progress: Callable[[Progress], None]
    done: int = 0
    voiceless: VoiceMissingError | None = None
    missing: list[Missing] = field(default_factory=list)
