"""Sounds become fit for a telephone line: the voice stays, what lies above it does not fold back."""

from __future__ import annotations

import math
import wave
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from ivr.telephone_wav import TELEPHONE_HZ, convert, resampled, trimmed


def tone(hz: float, rate_hz: int = 22_050, seconds: float = 0.2) -> list[int]:
    return [round(10_000 * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(int(rate_hz * seconds))]


def loudness(samples: array[int]) -> float:
    """Root mean square, without the edges."""
    inner = samples[100:-100]
    return math.sqrt(sum(s * s for s in inner) / len(inner))


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
def test_a_tone_of_the_voice_keeps_length_loudness_and_pitch(rate_hz: int) -> None:
    out = resampled(tone(1_000, rate_hz), rate_hz)
    assert abs(len(out) - 0.2 * TELEPHONE_HZ) <= 1
    assert loudness(out) == pytest.approx(10_000 / math.sqrt(2), rel=0.01)
    crossings = sum(1 for a, b in pairwise(out) if a < 0 <= b)
    assert crossings == pytest.approx(200, abs=2)


def test_a_tone_above_the_line_is_gone() -> None:
    assert loudness(resampled(tone(6_000), 22_050)) < 100  # it would be heard at 2 kHz


def test_8_khz_stays_as_it_is() -> None:
    assert resampled([1, 2, 3], TELEPHONE_HZ) == array("h", [1, 2, 3])


def test_a_full_wave_never_wraps_around() -> None:
    square = [32_767 if n // 20 % 2 else -32_768 for n in range(4_000)]
    out = resampled(square, 22_050)
    assert max(out) == 32_767
    assert max(abs(a - b) for a, b in pairwise(out)) < 60_000


def test_silence_around_the_words_is_cut_to_a_breath() -> None:
    quiet = array("h", [0] * 4_000)
    said = array("h", [9_000, -9_000] * 400)
    assert len(trimmed(quiet + said + quiet)) == 80 + 800 + 400
    assert trimmed(quiet) == quiet


def test_a_file_is_converted(tmp_path: Path) -> None:
    write(tmp_path / "in.wav", channels=1, samples=tone(500))
    convert(str(tmp_path / "in.wav"), str(tmp_path / "out.wav"))
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert file.getparams()[:3] == (1, 2, TELEPHONE_HZ)
        assert file.getnframes() == pytest.approx(1_600, abs=3)


def test_what_is_no_voice_recording_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "in.wav", channels=2, samples=tone(500))
    with pytest.raises(ValueError, match="not 16-bit mono"):
        convert(str(tmp_path / "in.wav"), str(tmp_path / "out.wav"))
    assert not (tmp_path / "out.wav").exists()


def write(path: Path, *, channels: int, samples: list[int]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(array("h", samples).tobytes())
