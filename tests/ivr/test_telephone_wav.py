"""Sounds become fit for a telephone line: the voice stays, what lies above it does not fold back."""

from __future__ import annotations

import math
import wave
from array import array
from itertools import pairwise
from operator import mul
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.recordings import measured
from ivr.telephone_wav import (
    _BIAS,
    _UNIT,
    LEVEL,
    PEAK,
    TELEPHONE_HZ,
    _filtered,
    _kernel,
    convert,
    faded,
    for_telephone,
    level,
    leveled,
    resampled,
    trimmed,
)


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


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
@pytest.mark.parametrize("hz", [500, 1_500, 3_000])
def test_nothing_is_added_to_a_tone(hz: int, rate_hz: int) -> None:
    out = resampled(tone(hz, rate_hz, 1.0), rate_hz)[500:-500]
    angles = [2 * math.pi * hz * n / TELEPHONE_HZ for n in range(len(out))]
    cosine = 2 * sum(s * math.cos(a) for s, a in zip(out, angles, strict=True)) / len(out)
    sine = 2 * sum(s * math.sin(a) for s, a in zip(out, angles, strict=True)) / len(out)
    rest = [s - cosine * math.cos(a) - sine * math.sin(a) for s, a in zip(out, angles, strict=True)]
    assert level(rest) < level(out) / 30


@given(st.lists(st.integers(-32_768, 32_767), max_size=40))
def test_the_product_of_two_integers_is_a_filter(samples: list[int]) -> None:
    kernel = _kernel(22_050)
    half = len(kernel) // 2
    padded = [0] * half + samples + [0] * half
    slowly = [sum(map(mul, kernel, padded[at : at + len(kernel)])) for at in range(len(samples))]
    assert [each - _BIAS for each in _filtered(samples, kernel)] == slowly
    assert sum(kernel) == _UNIT


def test_8_khz_stays_as_it_is() -> None:
    assert resampled([1, 2, 3], TELEPHONE_HZ) == array("h", [1, 2, 3])


@pytest.mark.parametrize("samples", [[], [5], [5, 6]])
def test_next_to_nothing_becomes_nothing(samples: list[int]) -> None:
    assert len(resampled(samples, 22_050)) == 0


def test_a_full_wave_never_wraps_around() -> None:
    square = [32_767 if n // 20 % 2 else -32_768 for n in range(4_000)]
    out = resampled(square, 22_050)
    assert max(out) == 32_767
    assert max(abs(a - b) for a, b in pairwise(out)) < 60_000


def test_silence_around_the_words_is_cut_to_a_breath() -> None:
    quiet = array("h", [0] * 4_000)
    said = array("h", [9_000, -9_000] * 400)
    assert len(trimmed(quiet + said + quiet)) == 80 + 800 + 240
    assert trimmed(quiet) == quiet


def test_faint_ends_are_kept_in_part() -> None:
    faint = array("h", [175, -175] * 2_000)
    said = array("h", [9_000, -9_000] * 400)
    assert len(trimmed(faint + said + faint)) == 400 + 800 + 480


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(3, 60)), min_size=1, max_size=6))
def test_no_two_sounds_join_with_a_gap(pieces: list[tuple[int, int]]) -> None:
    """Whatever the sound: its loudness by pieces of 30 to 600 ms."""
    made = array("h", [(-1) ** at * loud for loud, length in pieces for at in range(length * 80)])
    sound = measured(for_telephone(made, TELEPHONE_HZ))
    assert sound.lead_s + sound.tail_s <= 0.150
    assert sound.peak <= PEAK


@pytest.mark.parametrize("loudness_before", [600, 3_000, 12_000, 25_000])
def test_all_sounds_are_equally_loud(loudness_before: int) -> None:
    word = array("h", [round(loudness_before * math.sin(n / 3)) for n in range(2_000)])
    pause = array("h", [0] * 3_000)
    for sound in (word, word + pause + word):  # a pause does not make the words louder
        assert level(leveled(sound)[:2_000]) == pytest.approx(LEVEL, rel=0.02)


def test_a_sound_is_not_made_louder_than_the_line_can_carry() -> None:
    cracks = array("h", ([20_000] + [0] * 199) * 40)
    assert max(leveled(cracks)) == PEAK
    assert max(leveled(array("h", [200, -200] * 400))) == 1_600
    assert leveled(array("h", [0, 1, -1])) == array("h", [0, 1, -1])


def test_no_end_clicks() -> None:
    out = faded(array("h", [10_000] * 400))
    assert (out[0], out[20], out[40], out[-41], out[-21], out[-1]) == (0, 5_000, 10_000, 10_000, 5_000, 0)
    assert len(faded(array("h", [5]))) == 1


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
    write(tmp_path / "in.wav", channels=1, samples=[])
    with pytest.raises(ValueError, match="is empty"):
        convert(str(tmp_path / "in.wav"), str(tmp_path / "out.wav"))


def test_a_header_that_promises_more_than_there_is_costs_nothing(tmp_path: Path) -> None:
    """Programs that write to a pipe do not know the length beforehand."""
    write(tmp_path / "in.wav", channels=1, samples=tone(500))
    whole = bytearray((tmp_path / "in.wav").read_bytes())
    whole[4:8] = whole[40:44] = b"\xff\xff\xff\x7f"
    (tmp_path / "in.wav").write_bytes(whole + b"\x01")
    convert(str(tmp_path / "in.wav"), str(tmp_path / "out.wav"))
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert file.getnframes() == pytest.approx(1_600, abs=3)


def write(path: Path, *, channels: int, samples: list[int]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(array("h", samples).tobytes())
