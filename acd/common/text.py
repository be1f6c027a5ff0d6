"""Persian text: one form for matching, another for showing.

For matching (`matching_key`), what people type in different ways becomes one string: Arabic and Persian
letters, digits, the zero-width non-joiner, vowel marks, case. For showing (`clean_label`), the text stays as
it was written, less what could break a line, a log or a screen: control characters, characters that turn the
reading direction, invisible ones. ZWNJ (U+200C) is kept there, since Persian needs it.
"""

from __future__ import annotations

import re
import unicodedata

_PERSIAN_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
_ARABIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
_TO_ASCII = str.maketrans(_PERSIAN_DIGITS + _ARABIC_DIGITS, "0123456789" * 2)
_TO_PERSIAN = str.maketrans("0123456789" + _ARABIC_DIGITS, _PERSIAN_DIGITS * 2)

ZWNJ = "\u200c"
ZWJ = "\u200d"

_LETTERS = str.maketrans(
    {
        "ي": "ی",
        "ى": "ی",
        "ئ": "ی",
        "ك": "ک",
        "ۀ": "ه",
        "ة": "ه",
        "ە": "ه",
        "ہ": "ه",
        "ھ": "ه",
        "أ": "ا",
        "إ": "ا",
        "ٱ": "ا",
        "آ": "ا",
        "ؤ": "و",
        "ـ": None,
        ZWNJ: " ",
        ZWJ: None,
    }
)
_SPACES = re.compile(r"\s+")
_LINE_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
_GRAPHEME_LIMIT = 16
_MODIFIERS = range(0x1F3FB, 0x1F400)
_FLAGS = range(0x1F1E6, 0x1F200)


def ascii_digits(text: str) -> str:
    """Persian (۰-۹) and Arabic (٠-٩) digits become 0-9; everything else stays."""
    return text.translate(_TO_ASCII)


def persian_digits(text: str) -> str:
    """ASCII and Arabic digits become ۰-۹; everything else stays."""
    return text.translate(_TO_PERSIAN)


def matching_key(text: str) -> str:
    """One form of a name or a word for search and comparison; never for showing. Idempotent."""
    decomposed = unicodedata.normalize("NFKC", text).translate(_LETTERS)
    kept = "".join(
        c
        for c in unicodedata.normalize("NFKD", decomposed.casefold())
        if unicodedata.category(c) not in ("Mn", "Cf", "Cc", "Cs") or c.isspace()
    )
    return _SPACES.sub(" ", ascii_digits(unicodedata.normalize("NFC", kept)).translate(_LETTERS)).strip()


def clean_label(text: str, limit: int = 80) -> str:
    """`text` made fit for a screen or a log field: one line, at most `limit` code points, whole graphemes.

    Removed: C0 and C1 controls, bidirectional controls, zero-width characters but ZWNJ (and the ZWJ that
    joins an emoji), lone surrogates, private and unassigned code points. Line breaks and tabs become a space.
    """
    one_line = _LINE_BREAKS.sub(" ", text[: limit * 16])
    kept = "".join(c for c in one_line if _is_shown(c))
    return "".join(_whole_graphemes(_SPACES.sub(" ", kept).strip(), limit)).rstrip(" " + ZWNJ + ZWJ)


def _is_shown(c: str) -> bool:
    if c in (ZWNJ, ZWJ):
        return True
    return unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _whole_graphemes(text: str, limit: int) -> list[str]:
    whole: list[str] = []
    used = 0
    for grapheme in graphemes(text):
        if used + len(grapheme) > limit:
            break
        whole.append(grapheme)
        used += len(grapheme)
    return whole


def graphemes(text: str) -> list[str]:
    """Split into what a reader sees as one character: a base with its marks, an emoji with its joins, a flag.

    The part of Unicode's UAX 29 that names in Persian and English need; a grapheme has at most seventeen code
    points, so that a stack of thousands does not count as one character.
    """
    found: list[str] = []
    for c in text:
        if found and _continues(found[-1], c):
            found[-1] += c
        else:
            found.append(c)
    return found


def _continues(grapheme: str, c: str) -> bool:
    if len(grapheme) > _GRAPHEME_LIMIT:
        return False
    if unicodedata.category(c) in ("Mn", "Mc", "Me") or c in (ZWNJ, ZWJ) or ord(c) in _MODIFIERS:
        return True
    if grapheme[-1] == ZWJ:
        return unicodedata.category(c) == "So"
    return ord(c) in _FLAGS and len(grapheme) == 1 and ord(grapheme) in _FLAGS
