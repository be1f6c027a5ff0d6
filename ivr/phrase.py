"""What is to be said, before anybody knows which file says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, order=True)
class Phrase:
    """A text in one language (`fa`, `en`). `key` names the recording that wins over a synthetic voice, if
    made."""

    language: str
    text: str
    key: str | None = None


class SoundOf(Protocol):
    """Knows the sound of a phrase: a name as Asterisk takes it, absolute, without extension. Never fails."""

    def __call__(self, phrase: Phrase) -> str: ...
