"""Tables of spoken words in both languages: a key for the recording, a text for the voice.

In Persian an ending is heard that is seldom written: the linking `e` of «اولِ آذر». The words here carry it as
a kasra, since a word recorded or made without it joins badly; `spell` leaves it out again, as people do when
they write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ivr.phrase import Phrase

KASRA = "\u0650"

Texts = Mapping[str, str]
"""The same word by language."""


def spoken(language: str) -> str:
    """The language that is really spoken: English for one that nobody wrote."""
    return "fa" if language == "fa" else "en"


def word(table: Mapping[str, Texts], key: str, language: str) -> Phrase:
    """The phrase of this key. Raises KeyError for a key that is not in the table."""
    language = spoken(language)
    return Phrase(language, table[key][language], key)


def all_words(table: Mapping[str, Texts], language: str) -> Iterable[Phrase]:
    """Every phrase that a table has in `language`; none for a language nobody wrote."""
    return (Phrase(language, texts[language], key) for key, texts in table.items() if language in texts)


def spell(phrases: Iterable[Phrase]) -> str:
    """The phrases as one line of text, in ordinary writing."""
    return " ".join(phrase.text for phrase in phrases).replace(KASRA, "")
