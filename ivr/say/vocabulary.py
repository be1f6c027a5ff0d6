"""Everything this package can say, so that it is made into sound before a caller needs it.

The stock is finite: whatever `speak` is given, it answers with phrases from here. Nothing is made during a call.
"""

from __future__ import annotations

from collections.abc import Iterable

from ivr.phrase import Phrase
from ivr.say import amounts, clock, dates, digit_groups, line, numbers, slots
from ivr.say.words import all_words


def vocabulary(languages: Iterable[str]) -> frozenset[Phrase]:
    """Every phrase of numbers, values and the line in these languages (`fa`, `en`)."""
    found: set[Phrase] = set()
    for language in set(languages) & {"fa", "en"}:
        for part in (numbers, amounts, dates, clock, digit_groups):
            found |= part.every_part(language)
        found.update(all_words(line.FIXED, language), all_words(slots.FIXED, language))
    return frozenset(found)
