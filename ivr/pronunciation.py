"""How a text must be written for espeak-ng to say it right; people are shown and record the ordinary form.

Persian writes no short vowels, and espeak-ng guesses: «نه» comes out as "no" instead of "nine", «سنت» as "custom"
instead of "cent". The «و» between the parts of a number is a short `o` at the end of the word before it
(«بیستُ پنج»), not a word of its own. Found by reading its phonemes (`espeak-ng -v fa -q --ipa`) for every
phrase of the stock, version 1.51.
"""

from __future__ import annotations

import re

VERSION = 1
"""Changes with the rules below, so that sounds made by older ones are made anew."""

_WHOLE = {
    "نه": "نُه",
    "نهِ": "نُهِ",
    "نه و": "نُهُ",
    "دوی": "دویِ",
    "سی\u200cام": "سیئُم",
    "سی\u200cامِ": "سیئُمِ",
    "چهلم": "چِهِلُم",
    "شصتم": "شَصْتُم",
    "دویستم": "دِویسْتُم",
    "سنت": "سِنت",
    "پنی": "پِنی",
    "فلس": "فِلس",
    "درهم": "دِرهم",
    "درهم و": "دِرهمُ",
}
_JOINED = re.compile(
    r"(?<!\w)(بیست|سی|چهل|پنجاه|شصت|هفتاد|هشتاد|نود|صد|(?:سی|چهار|پان|شش|هفت|هشت|نه)صد|دویست|هزار|میلیون|میلیارد"
    r"|یک|چهار|پنج|شش|هفت|هشت|ده|یازده|دوازده|ساعت|دلار|پوند) و(?!\w)"
)
_NINE = re.compile(r"(?<=عدد )نه(?!\w)|(?<=ُ )نه(?!\w)")


def for_espeak(text: str, language: str) -> str:
    """`text` as espeak-ng says it right in `language`; only Persian needs help."""
    if language != "fa":
        return text
    whole = _WHOLE.get(text)
    if whole is not None:
        return whole
    return _NINE.sub("نُه", _JOINED.sub("\\1\u064f", text))
