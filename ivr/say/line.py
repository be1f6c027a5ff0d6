"""What a waiting caller is told about the line, and the last word when there is no line to wait in."""

from __future__ import annotations

from ivr.phrase import Phrase
from ivr.say.clock import duration
from ivr.say.numbers import LARGEST, number
from ivr.say.words import word

FIXED = {
    "line-next": {"fa": "شما نفر بعدی هستید.", "en": "You are next in line."},
    "line-one-ahead": {"fa": "یک نفر پیش از شما در صف است.", "en": "There is one caller ahead of you."},
    "line-before": {"fa": "پیش از شما", "en": "There are"},
    "line-after": {"fa": "نفر در صف هستند.", "en": "callers ahead of you."},
    "line-wait-before": {"fa": "زمان انتظار شما", "en": "Your wait is"},
    "line-wait-after": {"fa": "است."},
    "cannot-connect": {
        "fa": "متأسفانه در حال حاضر امکان اتصال تماس شما نیست. لطفاً کمی بعد دوباره تماس بگیرید. خدا نگهدار.",
        "en": "We are sorry, we cannot connect your call right now. Please call again a little later. Goodbye.",
    },
}


def ahead_in_line(ahead: int, language: str) -> tuple[Phrase, ...]:
    """How many callers are ahead, as phrases. Below 0 counts as 0; a number too large to say is left
    unsaid."""
    if ahead <= 0:
        return (word(FIXED, "line-next", language),)
    if ahead == 1:
        return (word(FIXED, "line-one-ahead", language),)
    if ahead > LARGEST:
        return ()
    count = number(ahead, language)
    return (word(FIXED, "line-before", language), *count, word(FIXED, "line-after", language))


def estimated_wait(wait_s: int, language: str) -> tuple[Phrase, ...]:
    """About how long the caller will wait: "Your wait is about three minutes". Below 0 counts as 0."""
    wait = duration(max(0, min(wait_s, LARGEST)), language)
    end = (word(FIXED, "line-wait-after", "fa"),) if language == "fa" else ()
    return (word(FIXED, "line-wait-before", language), *wait, *end)


def cannot_connect(language: str) -> Phrase:
    """The last word to a caller for whom there is no line: nobody is hung up on in silence."""
    return word(FIXED, "cannot-connect", language)
