"""Numbers as phrases, in the grammar of each language: counted, ordered, negative and with a fraction.

Persian joins the parts by «و»: «بیست و پنج» is the two phrases «بیست و» and «پنج», so that no «و» stands
alone with a gap on both sides. The key of a joining form ends in `-va`. Hundreds are words of their own
(«دویست», «پانصد»). One thousand is «هزار», without «یک». Above the milliard Persian counts milliards on
(«هزار میلیارد», 10^12), as Iranian banks and newspapers do. Ordinals change their last part only («بیست و
پنجم»); the first is «اول», but «بیست و یکم».

English follows the British form with "and" after hundreds: "one hundred and one".
"""

from __future__ import annotations

import re

from ivr.phrase import Phrase
from ivr.say.words import all_words, spoken, word

LARGEST = 10**15
MOST_DECIMALS = 3
_DECIMAL = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,12}))?\Z")

_Part = tuple[str, str]  # (key without "number-", text)


def _words(text: str) -> list[str]:
    return text.split()


_FA_ONES = _words(
    "صفر یک دو سه چهار پنج شش هفت هشت نه ده یازده دوازده سیزده چهارده پانزده شانزده هفده هجده نوزده"
)
_FA_TENS = dict(zip(range(20, 100, 10), _words("بیست سی چهل پنجاه شصت هفتاد هشتاد نود"), strict=True))
_FA_HUNDREDS = dict(
    zip(range(100, 1000, 100), _words("صد دویست سیصد چهارصد پانصد ششصد هفتصد هشتصد نهصد"), strict=True)
)
_FA_SCALES = {1_000: "هزار", 1_000_000: "میلیون", 1_000_000_000: "میلیارد"}
_FA_ORDINALS = {"1": "اول", "3": "سوم", "30": "سی\u200cام"}
_FA_FIRST_AFTER_OTHERS = ("1-last", "یکم")

_EN_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_EN_TENS = dict(
    zip(range(20, 100, 10), _words("twenty thirty forty fifty sixty seventy eighty ninety"), strict=True)
)
_EN_SCALES = {
    1_000_000_000_000_000: "quadrillion",
    1_000_000_000_000: "trillion",
    1_000_000_000: "billion",
    1_000_000: "million",
    1_000: "thousand",
}
_EN_ORDINALS = {
    "1": "first",
    "2": "second",
    "3": "third",
    "5": "fifth",
    "8": "eighth",
    "9": "ninth",
    "12": "twelfth",
    **{str(tens): f"{text[:-1]}ieth" for tens, text in _EN_TENS.items()},
}

FIXED = {
    "number-minus": {"fa": "منفی", "en": "minus"},
    "number-point": {"fa": "ممیز", "en": "point"},
    "number-tenths": {"fa": "دهم"},
    "number-hundredths": {"fa": "صدم"},
    "number-thousandths": {"fa": "هزارم"},
}
_FRACTIONS = ("number-tenths", "number-hundredths", "number-thousandths")


def number(value: int, language: str) -> tuple[Phrase, ...]:
    """`value`, -LARGEST to LARGEST, as phrases in `language` (`fa`, else English).

    Raises ValueError for a number beyond that.
    """
    if not -LARGEST <= value <= LARGEST:
        raise ValueError(f"The number {value} cannot be said; it must be from -{LARGEST} to {LARGEST}.")
    minus = (word(FIXED, "number-minus", language),) if value < 0 else ()
    parts = _persian(abs(value)) if language == "fa" else _english(abs(value))
    return (*minus, *_phrases(parts, language))


def ordinal(value: int, language: str) -> tuple[Phrase, ...]:
    """The place of something in an order: «بیست و پنجم», "twenty fifth". `value`: 1 to LARGEST, else
    ValueError."""
    if not 1 <= value <= LARGEST:
        raise ValueError(f"The ordinal of {value} cannot be said; it must be from 1 to {LARGEST}.")
    *before, last = _persian(value) if language == "fa" else _english(value)
    if language == "fa" and before and last[0] == "1":
        closing = _FA_FIRST_AFTER_OTHERS
    else:
        closing = (last[0], _persian_ordinal(*last) if language == "fa" else _english_ordinal(*last))
    key, text = closing
    return (*_phrases(before, language), Phrase(spoken(language), text, f"ordinal-{key}"))


def decimal(written: str, language: str) -> tuple[Phrase, ...]:
    """A number as written in ASCII digits, with an optional sign and a fraction after a dot.

    Persian names the fraction («دو ممیز پنج صدم»), English says its digits. A fraction is cut to
    MOST_DECIMALS digits, without zeros at its end. Raises ValueError for what is no number or too large.
    """
    found = _DECIMAL.match(written.removeprefix("-"))
    if found is None:
        raise ValueError("This is no number in digits.")
    whole, fraction = int(found[1]), (found[2] or "")[:MOST_DECIMALS].rstrip("0")
    said = number(whole, language)
    if fraction:
        said = (*said, word(FIXED, "number-point", language), *_fraction(fraction, language))
    is_negative = written.startswith("-") and (whole or fraction)
    return (word(FIXED, "number-minus", language), *said) if is_negative else said


def digit(value: str, language: str) -> Phrase:
    """One digit, `0` to `9`."""
    return _phrases([(value, (_FA_ONES if language == "fa" else _EN_ONES)[int(value)])], language)[0]


def _fraction(digits: str, language: str) -> tuple[Phrase, ...]:
    if language != "fa":
        return tuple(digit(one, language) for one in digits)
    return (*number(int(digits), language), word(FIXED, _FRACTIONS[len(digits) - 1], language))


def _phrases(parts: list[_Part], language: str) -> tuple[Phrase, ...]:
    return tuple(Phrase(spoken(language), text, f"number-{key}") for key, text in parts)


def _joining(part: _Part) -> _Part:
    return f"{part[0]}-va", f"{part[1]} و"


def _persian(value: int) -> list[_Part]:
    if value == 0:
        return [("0", _FA_ONES[0])]
    milliards, value = divmod(value, 1_000_000_000)
    groups = [[*_persian(milliards), _persian_scale(1_000_000_000)]] if milliards else []
    for size in (1_000_000, 1_000):
        count, value = divmod(value, size)
        if count:
            counted = [] if (size, count) == (1_000, 1) else _persian_below_1000(count)
            groups.append([*counted, _persian_scale(size)])
    if value:
        groups.append(_persian_below_1000(value))
    *before, last = groups
    return [part for group in before for part in (*group[:-1], _joining(group[-1]))] + last


def _persian_scale(size: int) -> _Part:
    return str(size), _FA_SCALES[size]


def _persian_below_1000(value: int) -> list[_Part]:
    """The parts of 1 to 999, every one but the last in its joining form."""
    parts: list[_Part] = []
    hundreds, rest = value // 100 * 100, value % 100
    if hundreds:
        parts.append((str(hundreds), _FA_HUNDREDS[hundreds]))
    tens, ones = (rest // 10 * 10, rest % 10) if rest >= 20 else (0, rest)
    if tens:
        parts.append((str(tens), _FA_TENS[tens]))
    if ones:
        parts.append((str(ones), _FA_ONES[ones]))
    return [_joining(part) for part in parts[:-1]] + parts[-1:]


def _persian_ordinal(key: str, text: str) -> str:
    return _FA_ORDINALS.get(key, f"{text}م")


def _english(value: int) -> list[_Part]:
    if value == 0:
        return [("0", _EN_ONES[0])]
    said: list[_Part] = []
    for size, text in _EN_SCALES.items():
        count, value = divmod(value, size)
        if count:
            said += [*_english_below_1000(count), (str(size), text)]
    if value and said and value < 100:
        said.append(("and", "and"))
    return [*said, *_english_below_1000(value)]


def _english_below_1000(value: int) -> list[_Part]:
    said: list[_Part] = []
    hundreds, rest = divmod(value, 100)
    if hundreds:
        said += [(str(hundreds), _EN_ONES[hundreds]), ("100", "hundred")]
        if rest:
            said.append(("and", "and"))
    tens, ones = (rest // 10 * 10, rest % 10) if rest >= 20 else (0, rest)
    if tens:
        said.append((str(tens), _EN_TENS[tens]))
    if ones:
        said.append((str(ones), _EN_ONES[ones]))
    return said


def _english_ordinal(key: str, text: str) -> str:
    return _EN_ORDINALS.get(key, f"{text}th")


def every_part(language: str) -> frozenset[Phrase]:
    """Every phrase that this file can use in `language` (`fa`, `en`)."""
    if language == "fa":
        plain = [*enumerate(_FA_ONES), *_FA_TENS.items(), *_FA_HUNDREDS.items(), *_FA_SCALES.items()]
        counted = [(str(value), text) for value, text in plain]
        last = [_FA_FIRST_AFTER_OTHERS, *((key, _persian_ordinal(key, text)) for key, text in counted[1:])]
        counted += [_joining((str(value), text)) for value, text in plain if value >= 20]
    else:
        plain = [*enumerate(_EN_ONES), *_EN_TENS.items(), (100, "hundred"), *_EN_SCALES.items()]
        counted = [(str(value), text) for value, text in plain]
        last = [(key, _english_ordinal(key, text)) for key, text in counted[1:]]
        counted.append(("and", "and"))
    ordinals = (Phrase(language, text, f"ordinal-{key}") for key, text in last)
    return frozenset([*_phrases(counted, language), *ordinals, *all_words(FIXED, language)])
