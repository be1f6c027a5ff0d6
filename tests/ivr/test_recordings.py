"""A recording that callers would not hear, or hear badly, is told with its remedy."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from ivr.phrase import Phrase
from ivr.recordings import check_recordings, measured, recording_sheet

HELLO = Phrase("fa", "سلام", "hello")
SECOND = 8_000


def tone(seconds: float, loudness: int = 4_600) -> list[int]:
    return [round(loudness * math.sin(n / 3)) for n in range(int(seconds * SECOND))]


def silence(seconds: float) -> list[int]:
    return [0] * int(seconds * SECOND)


def record(
    folder: Path, samples: list[int], *, name: str = "fa/hello.wav", hz: int = SECOND, channels: int = 1
) -> None:
    path = folder / "recorded" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(hz)
        file.writeframes(array("h", samples).tobytes())


def problems(folder: Path) -> list[str]:
    return [f"{each.file.name}: {each.sentence}" for each in check_recordings(folder, [HELLO])]


def test_a_good_recording_is_not_spoken_of(tmp_path: Path) -> None:
    record(tmp_path, silence(0.2) + tone(1) + silence(1.5) + tone(1) + silence(0.2))
    (tmp_path / "recorded" / "fa" / "hello.gsm").write_bytes(b"not looked into")
    (tmp_path / "recorded" / "fa" / ".hello.wav.part").write_bytes(b"")
    assert problems(tmp_path) == []
    assert problems(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        (silence(1), "it is silent"),
        (silence(0.5) + tone(1), "it begins with 0.5 s of silence"),
        (tone(1) + silence(0.7), "it ends with 0.7 s of silence"),
        (tone(1) + silence(3) + tone(1), "it is silent for 3.0 s in the middle"),
        (tone(1, 800), "it is 15 dB softer than the other prompts"),
        (tone(1, 20_000), "it is 13 dB louder than the other prompts"),
        ([32_767, -32_768] * SECOND, "it is distorted"),
    ],
)
def test_a_sound_that_is_heard_badly(tmp_path: Path, samples: list[int], complaint: str) -> None:
    record(tmp_path, samples)
    assert any(each.startswith(f"hello.wav: {complaint}") for each in problems(tmp_path))


@pytest.mark.parametrize(("hz", "channels"), [(44_100, 1), (16_000, 1), (8_000, 2)])
def test_a_format_that_asterisk_does_not_play(tmp_path: Path, hz: int, channels: int) -> None:
    record(tmp_path, tone(1), hz=hz, channels=channels)
    (told,) = problems(tmp_path)
    assert f"this is {hz} Hz, {channels} channel" in told
    assert "sox IN.wav -r 8000 -c 1 -b 16 OUT.wav" in told


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("fa/helo.wav", 'no prompt has the key "helo"; rename it if "hello" was meant'),
        ("fa/zzz.wav", 'no prompt has the key "zzz", so nobody will hear it'),
        ("de/hello.wav", 'nothing is said in the language "de"'),
        ("fa/hello.mp3", 'Asterisk plays no ".mp3" file'),
    ],
)
def test_a_file_that_nobody_will_hear(tmp_path: Path, name: str, complaint: str) -> None:
    record(tmp_path, tone(1), name=name)
    assert any(complaint in each for each in problems(tmp_path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"", "the file is empty"), (b"ID3 a song", "it is no wav file"), (b"RIFF", "it is no wav file")],
)
def test_a_file_that_is_no_sound(tmp_path: Path, content: bytes, complaint: str) -> None:
    record(tmp_path, tone(1))
    (tmp_path / "recorded" / "fa" / "hello.wav").write_bytes(content)
    assert [each.split(": ", 1)[1][: len(complaint)] for each in problems(tmp_path)] == [complaint]


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "recorded" / "fa" / "hello.wav").mkdir(parents=True)
    assert "it cannot be read" in problems(tmp_path)[0]


def test_a_sound_in_figures() -> None:
    found = measured(array("h", silence(0.3) + tone(1) + silence(0.5) + tone(0.5) + silence(0.2)))
    assert found.length_s == pytest.approx(2.5)
    assert found.lead_s == pytest.approx(0.3, abs=0.011)
    assert found.longest_pause_s == pytest.approx(0.5, abs=0.011)
    assert found.tail_s == pytest.approx(0.2, abs=0.011)
    assert found.level == pytest.approx(4_600 / math.sqrt(2), rel=0.02)
    assert found.peak == 4_600
    assert found.clipped == 0
    assert measured(array("h")).is_silent


def test_what_fails_is_told_from_what_could_be_better(tmp_path: Path) -> None:
    record(tmp_path, silence(0.5) + tone(1))
    record(tmp_path, tone(1), name="fa/helo.wav")
    record(tmp_path, tone(1), name="fa/other.mp3")
    record(tmp_path, tone(1), name="en/hello.wav", hz=16_000)
    found = check_recordings(tmp_path, [HELLO, Phrase("en", "Hello", "hello")])
    assert {each.file.name for each in found if not each.wrong} == {"hello.wav", "helo.wav", "other.mp3"}
    assert [each.file.parent.name for each in found if each.wrong] == ["en"]


def test_what_is_to_be_recorded_is_listed() -> None:
    phrases = [HELLO, Phrase("en", 'Say "one", please.', "one"), Phrase("en", "no key")]
    assert recording_sheet(phrases) == ('file,text\nen/one.wav,"Say ""one"", please."\nfa/hello.wav,سلام\n')
