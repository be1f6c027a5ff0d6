"""What is to be said, before anybody knows which file says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text in one language (`fa`, `en`). `key` names the recording that wins over a synthetic voice, if
    made."""

    language: str
    text: str
    key: str | None = None

    def __lt__(self, other: Phrase) -> bool:
        """By language, text and key; the same text without a key comes first."""
        return (self.language, self.text, self.key or "") < (other.language, other.text, other.key or "")


class SoundOf(Protocol):
    """Knows the sound of a phrase: a name as Asterisk takes it, absolute, without extension. Never fails."""

    def __call__(self, phrase: Phrase) -> str: ...
