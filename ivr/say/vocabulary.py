"""Everything this package can say, so that it is made into sound before a caller needs it."""

from __future__ import annotations

from collections.abc import Iterable

from ivr.phrase import Phrase
from ivr.say.line import FIXED
from ivr.say.numbers import every_part


def vocabulary(languages: Iterable[str]) -> frozenset[Phrase]:
    """Every phrase of numbers and of the line in these languages (`fa`, `en`)."""
    found: set[Phrase] = set()
    for language in languages:
        found |= every_part(language)
        found |= {Phrase(language, texts[language], key) for key, texts in FIXED.items() if language in texts}
    return frozenset(found)
