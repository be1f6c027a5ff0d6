"""Sounds last as long as their files."""

from __future__ import annotations

import wave
from pathlib import Path

from ami_bridge.simulator import SoundFolder


def test_a_sound_lasts_as_long_as_its_file(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "hello.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\0\0" * 12_000)
    (tmp_path / "broken.wav").write_bytes(b"not a sound")
    known = SoundFolder(tmp_path, otherwise_s=None)
    assert known("hello") == 1.5
    assert known(str(tmp_path / "hello")) == 1.5
    assert known("missing") is None
    assert known("broken") is None
    assert SoundFolder(tmp_path, otherwise_s=2.0)("missing") == 2.0
