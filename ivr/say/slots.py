"""Values that a flow fills in while a call runs, as phrases: `{balance:money}` is `speak("money", value, …)`.

`speak` is used in a call and therefore never raises: what cannot be said as meant is said to be unknown.
`check_slot` is used when a flow is loaded and raises InvalidSlot with a sentence.
"""

from __future__ import annotations

from ivr.phrase import Phrase
from ivr.say.errors import InvalidSlot
from ivr.say.numbers import LARGEST, number

KINDS = ("card", "date", "digits", "duration", "money", "number", "ordinal", "phone", "time", "toman")


def speak(kind: str, value: str, language: str) -> tuple[Phrase, ...]:
    """`value` as it is spoken in `language` (`fa`, else English). Never raises."""
    unknown = Phrase("fa", "نامشخص", "unknown") if language == "fa" else Phrase("en", "unknown", "unknown")
    if not value.isascii() or not value.isdigit() or int(value[:20]) > LARGEST:
        return (unknown,)
    return number(int(value), language)


def check_slot(kind: str, value: str | None = None) -> None:
    """Raises InvalidSlot if `kind` is none of KINDS, or if `value` is given and cannot be said as that
    kind."""
    if kind not in KINDS:
        raise InvalidSlot(f'"{kind}" is no way to say a value; use one of {", ".join(KINDS)}.')
