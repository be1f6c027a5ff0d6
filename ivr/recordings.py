"""What is wrong with the sounds that people recorded, found before a caller hears it.

A recording is played as it is. A `.wav` of another rate Asterisk does not play at all, so the voice is heard in
its place; silence at an end makes a gap inside a number; a soft recording between loud ones is not understood. Only
wav files are looked into; of the other formats only the name is checked.
"""

from __future__ import annotations

import csv
import io
import math
import sys
import wave
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from acd.common.document import nearest
from ivr.phrase import Phrase
from ivr.prompts import SOUND_SUFFIXES
from ivr.telephone_wav import LEVEL, TELEPHONE_HZ, level

FAINT = 184
"""The level of a frame of silence, at most: -45 dB below full scale."""
FULL_SCALE = 32_767
FRAME_S = 0.01

LONGEST_EDGE_S = 0.3
LONGEST_PAUSE_S = 2.0
MOST_LEVEL_OFF_DB = 9.0
MOST_CLIPPED = 0.001
_LARGEST_BYTES = 100_000_000
_Told = tuple[bool, str]
_WRONG, _DOUBT = True, False
_REMEDY = "convert it: sox IN.wav -r 8000 -c 1 -b 16 OUT.wav"


@dataclass(frozen=True, slots=True)
class Measured:
    """A sound in figures. Silence is what lies 45 dB below full scale; `level` is that of the rest (0 to 32767);
    `clipped` is the share of samples at full scale."""

    length_s: float
    lead_s: float
    tail_s: float
    longest_pause_s: float
    level: float
    peak: int
    clipped: float

    @property
    def is_silent(self) -> bool:
        return self.level == 0


@dataclass(frozen=True, slots=True)
class RecordingProblem:
    """A file of `recorded/`, and a sentence that says what is wrong with it and the remedy. `wrong`: callers hear
    nothing where it should be, or the voice in its place; else it could be better, or is of no use."""

    file: Path
    sentence: str
    wrong: bool

    def __str__(self) -> str:
        return f"{self.file}: {self.sentence}"


def measured(samples: array[int], hz: int = TELEPHONE_HZ) -> Measured:
    """The figures of a 16-bit mono sound."""
    frame = int(FRAME_S * hz)
    levels = [level(samples[at : at + frame]) for at in range(0, len(samples), frame)]
    heard = [at for at, each in enumerate(levels) if each > FAINT]
    if not heard:
        return Measured(len(samples) / hz, 0.0, 0.0, 0.0, 0.0, max(map(abs, samples), default=0), 0.0)
    pauses = (later - earlier - 1 for earlier, later in pairwise(heard))
    return Measured(
        length_s=len(samples) / hz,
        lead_s=heard[0] * FRAME_S,
        tail_s=(len(levels) - 1 - heard[-1]) * FRAME_S,
        longest_pause_s=max(pauses, default=0) * FRAME_S,
        level=level([levels[at] for at in heard]),
        peak=max(map(abs, samples)),
        clipped=sum(abs(sample) >= FULL_SCALE for sample in samples) / len(samples),
    )


def recording_sheet(phrases: Iterable[Phrase]) -> str:
    """What people are to record, as CSV: `file` below `recorded/`, and the `text` to read. One line per file;
    phrases without a key cannot be recorded and are left out."""
    keyed = {(phrase.language, phrase.key): phrase.text for phrase in sorted(phrases) if phrase.key}
    sheet = io.StringIO()
    table = csv.writer(sheet, lineterminator="\n")
    table.writerow(["file", "text"])
    table.writerows([f"{language}/{key}.wav", text] for (language, key), text in sorted(keyed.items()))
    return sheet.getvalue()


def check_recordings(folder: Path, phrases: Iterable[Phrase]) -> list[RecordingProblem]:
    """What is wrong with the recordings below `folder` (the one of `PromptLibrary`), in the order of names.

    `phrases`: all that can be said; a recording with the key of none is told, since nobody will ever hear
    it. Reads every file: not for the loop of a process that serves calls.
    """
    keys: dict[str, set[str]] = {}
    for phrase in phrases:
        if phrase.key is not None:
            keys.setdefault(phrase.language, set()).add(phrase.key)
    files = sorted(file for file in folder.glob("recorded/*/*") if not file.name.startswith("."))
    return [
        RecordingProblem(file, sentence, wrong)
        for file in files
        for wrong, sentence in (*_name_problems(file, keys), *_sound_problems(file))
    ]


def _name_problems(file: Path, keys: dict[str, set[str]]) -> Iterator[_Told]:
    language = file.parent.name
    if file.suffix not in SOUND_SUFFIXES:
        yield _DOUBT, f'Asterisk plays no "{file.suffix}" file from here; {_REMEDY}'
    elif language not in keys:
        yield _DOUBT, f'nothing is said in the language "{language}"; move it to the folder of its language'
    elif file.stem not in keys[language]:
        meant = nearest(file.stem, keys[language])
        hint = (
            f'; rename it if "{meant}" was meant'
            if meant
            else ", so nobody will hear it; remove or rename it"
        )
        yield _DOUBT, f'no prompt has the key "{file.stem}"{hint}'


def _sound_problems(file: Path) -> Iterator[_Told]:
    try:
        if file.stat().st_size == 0:
            yield _WRONG, "the file is empty; record it again"
        elif file.suffix == ".wav":
            yield from _wav_problems(file)
    except OSError as error:
        yield _WRONG, f"it cannot be read ({error.strerror}); make it readable"
    except (EOFError, wave.Error):
        yield _WRONG, f"it is no wav file of plain samples; {_REMEDY}"


def _wav_problems(file: Path) -> Iterator[_Told]:
    if file.stat().st_size > _LARGEST_BYTES:
        yield _WRONG, "it is too large for a prompt; cut it"
        return
    with wave.open(str(file), "rb") as sound:
        form = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth() * 8)
        frames = sound.readframes(sound.getnframes())
    if form != (TELEPHONE_HZ, 1, 16):
        this = f"{form[0]} Hz, {form[1]} channel{'' if form[1] == 1 else 's'}, {form[2]} bit"
        yield (
            _WRONG,
            f"Asterisk plays wav files of 8000 Hz, 1 channel, 16 bit only, this is {this}; {_REMEDY}",
        )
        return
    samples = array("h", frames[: len(frames) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    yield from _figure_problems(measured(samples))


def _figure_problems(found: Measured) -> Iterator[_Told]:
    if found.is_silent:
        yield _WRONG, "it is silent; record it again"
        return
    for edge_s, where in ((found.lead_s, "begins"), (found.tail_s, "ends")):
        if edge_s > LONGEST_EDGE_S:
            yield _DOUBT, f"it {where} with {edge_s:.1f} s of silence; cut it to {LONGEST_EDGE_S} s or less"
    if found.longest_pause_s > LONGEST_PAUSE_S:
        yield (
            _DOUBT,
            f"it is silent for {found.longest_pause_s:.1f} s in the middle; callers take that for its end",
        )
    off_db = 20 * math.log10(found.level / LEVEL)
    if abs(off_db) > MOST_LEVEL_OFF_DB:
        amount = f"{abs(off_db):.0f} dB {'louder' if off_db > 0 else 'softer'}"
        yield _DOUBT, f"it is {amount} than the other prompts; bring it to -20 dB"
    if found.clipped > MOST_CLIPPED:
        yield _DOUBT, "it is distorted (clipped); record it with less gain"
