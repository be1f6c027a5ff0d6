"""What a waiting caller is told about the line, and the last word when there is no line to wait in."""

from __future__ import annotations

from ivr.phrase import Phrase
from ivr.say.numbers import LARGEST, number

_NEXT = {"fa": "شما نفر بعدی هستید.", "en": "You are next in line."}
_ONE_AHEAD = {"fa": "یک نفر پیش از شما در صف است.", "en": "There is one caller ahead of you."}
_BEFORE = {"fa": "پیش از شما", "en": "There are"}
_AFTER = {"fa": "نفر در صف هستند.", "en": "callers ahead of you."}
_CANNOT = {
    "fa": "متأسفانه در حال حاضر امکان اتصال تماس شما نیست. لطفاً کمی بعد دوباره تماس بگیرید. خدا نگهدار.",
    "en": "We are sorry, we cannot connect your call right now. Please call again a little later. Goodbye.",
}
FIXED = {
    "line-next": _NEXT,
    "line-one-ahead": _ONE_AHEAD,
    "line-before": _BEFORE,
    "line-after": _AFTER,
    "cannot-connect": _CANNOT,
}


def ahead_in_line(ahead: int, language: str) -> tuple[Phrase, ...]:
    """How many callers are ahead, as phrases. Below 0 counts as 0; a number too large to say is left
    unsaid."""
    if ahead <= 0:
        return (_fixed("line-next", language),)
    if ahead == 1:
        return (_fixed("line-one-ahead", language),)
    if ahead > LARGEST:
        return ()
    return (_fixed("line-before", language), *number(ahead, language), _fixed("line-after", language))


def cannot_connect(language: str) -> Phrase:
    """The last word to a caller for whom there is no line: nobody is hung up on in silence."""
    return _fixed("cannot-connect", language)


def _fixed(key: str, language: str) -> Phrase:
    spoken = language if language in FIXED[key] else "en"
    return Phrase(spoken, FIXED[key][spoken], key)
