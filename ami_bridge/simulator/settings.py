"""What the simulated PBX is told: where our processes listen, who may manage it, which phones it has."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SoundLength = Callable[[str], float | None]
"""A sound's name, as AGI gives it, to its length in seconds; None when there is no such file."""


@dataclass(frozen=True, slots=True)
class DialplanSettings:
    """Our dialplan's own numbers. `fastagi`: the servers that are tried in turn, host and port."""

    fastagi: tuple[tuple[str, int], ...] = (("127.0.0.1", 4573),)
    secret: str = field(default="", repr=False)
    without_anyone_s: float = 20.0
    young_s: float = 5.0
    retry_s: float = 0.5
    connect_timeout_s: float = 2.0
    music: str = "default"
    queue: str = "pasokh-fallback"
    queue_timeout_s: float = 120.0
    member_ring_s: float = 10.0
    member_retry_s: float = 1.0


@dataclass(frozen=True, slots=True)
class AmiUser:
    """A user of manager.conf. `read`, `write`: permission classes."""

    name: str = "pasokh"
    secret: str = field(default="", repr=False)
    read: frozenset[str] = frozenset({"call", "agent", "user"})
    write: frozenset[str] = frozenset({"call", "originate", "reporting", "agent"})


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """`ami_port` 0 takes a free one. `sound_length` tells how long a file plays; see `SoundFolder`.

    `reply_delay_s` is what a phone needs for its first answer to an INVITE.
    """

    ami_user: AmiUser = AmiUser()
    ami_host: str = "127.0.0.1"
    ami_port: int = 0
    dialplan: DialplanSettings = DialplanSettings()
    phones: tuple[str, ...] = ()
    system_name: str = "pbx1"
    trunk: str = "trunk"
    sound_length: SoundLength = lambda _: 1.0
    reply_delay_s: float = 0.002
    failed_login_delay_s: float = 1.0
    ami_backlog_bytes: int = 8_000_000


class SoundFolder:
    """Lengths read from `.wav` files: absolute names, or names below `folder`.

    A name without a file lasts `otherwise_s` seconds; with None it is missing, as it would be for Asterisk.
    """

    def __init__(self, folder: Path | None = None, otherwise_s: float | None = 1.0) -> None:
        self._folder = folder or Path()
        self._otherwise_s = otherwise_s
        self._known: dict[str, float | None] = {}

    def __call__(self, name: str) -> float | None:
        if name not in self._known:
            self._known[name] = self._read(self._folder / f"{name}.wav")
        return self._known[name]

    def _read(self, path: Path) -> float | None:
        try:
            with wave.open(str(path), "rb") as sound:
                return sound.getnframes() / sound.getframerate()
        except (OSError, EOFError, wave.Error):
            return self._otherwise_s
