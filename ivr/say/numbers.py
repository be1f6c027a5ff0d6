"""Whole numbers as phrases, in the grammar of each language.

Persian joins the parts by «و»: «بیست و پنج» is the two phrases «بیست و» and «پنج», so that no «و» stands
alone with a gap on both sides. The key of a joining form ends in `-va`. Hundreds are words of their own
(«دویست», «پانصد»). A thousand is said with its number («یک هزار»), as banks read amounts. English follows
the British form with "and" after hundreds: "one hundred and one".
"""

from __future__ import annotations

from ivr.phrase import Phrase

LARGEST = 999_999_999_999


def _words(text: str) -> list[str]:
    return text.split()


_FA_ONES = _words(
    "صفر یک دو سه چهار پنج شش هفت هشت نه ده یازده دوازده سیزده چهارده پانزده شانزده هفده هجده نوزده"
)
_FA_TENS = dict(zip(range(20, 100, 10), _words("بیست سی چهل پنجاه شصت هفتاد هشتاد نود"), strict=True))
_FA_HUNDREDS = dict(
    zip(range(100, 1000, 100), _words("صد دویست سیصد چهارصد پانصد ششصد هفتصد هشتصد نهصد"), strict=True)
)
_EN_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_EN_TENS = dict(
    zip(range(20, 100, 10), _words("twenty thirty forty fifty sixty seventy eighty ninety"), strict=True)
)
_SCALES = (
    (1_000_000_000, "میلیارد", "billion"),
    (1_000_000, "میلیون", "million"),
    (1_000, "هزار", "thousand"),
)


def number(value: int, language: str) -> tuple[Phrase, ...]:
    """`value`, 0 to LARGEST, as phrases in `language` (`fa`, else English).

    Raises ValueError for a negative or larger number: how those are said depends on what they count.
    """
    if not 0 <= value <= LARGEST:
        raise ValueError(f"The number {value} cannot be said; it must be from 0 to {LARGEST}.")
    return _persian(value) if language == "fa" else _english(value)


def spell(phrases: tuple[Phrase, ...]) -> str:
    """The phrases as one line of text."""
    return " ".join(phrase.text for phrase in phrases)


def _persian(value: int) -> tuple[Phrase, ...]:
    if value == 0:
        return (_fa("0", _FA_ONES[0]),)
    groups: list[list[tuple[str, str]]] = []
    for size, word, _ in _SCALES:
        count, value = divmod(value, size)
        if count:
            groups.append([*_persian_below_1000(count), (str(size), word)])
    if value:
        groups.append(_persian_below_1000(value))
    said: list[Phrase] = []
    for at, group in enumerate(groups):
        *inner, last = group
        said += [_fa(*part) for part in inner]
        said.append(_fa_va(*last) if at < len(groups) - 1 else _fa(*last))
    return tuple(said)


def _persian_below_1000(value: int) -> list[tuple[str, str]]:
    """(key, text) of each part of 1 to 999, every part but the last in its joining form."""
    parts: list[tuple[str, str]] = []
    hundreds, rest = value // 100 * 100, value % 100
    if hundreds:
        parts.append((str(hundreds), _FA_HUNDREDS[hundreds]))
    tens, ones = (rest // 10 * 10, rest % 10) if rest >= 20 else (0, rest)
    if tens:
        parts.append((str(tens), _FA_TENS[tens]))
    if ones:
        parts.append((str(ones), _FA_ONES[ones]))
    return [(f"{key}-va", f"{text} و") for key, text in parts[:-1]] + parts[-1:]


def _fa(key: str, text: str) -> Phrase:
    return Phrase("fa", text, f"number-{key}")


def _fa_va(key: str, text: str) -> Phrase:
    return _fa(f"{key}-va", f"{text} و")


def _english(value: int) -> tuple[Phrase, ...]:
    if value == 0:
        return (_en("0", _EN_ONES[0]),)
    said: list[Phrase] = []
    for size, _, word in _SCALES:
        count, value = divmod(value, size)
        if count:
            said += [*_english_below_1000(count), _en(str(size), word)]
    if value and said and value < 100:
        said.append(_en("and", "and"))
    return (*said, *_english_below_1000(value))


def _english_below_1000(value: int) -> list[Phrase]:
    said: list[Phrase] = []
    hundreds, rest = divmod(value, 100)
    if hundreds:
        said += [_en(str(hundreds), _EN_ONES[hundreds]), _en("100", "hundred")]
        if rest:
            said.append(_en("and", "and"))
    tens, ones = (rest // 10 * 10, rest % 10) if rest >= 20 else (0, rest)
    if tens:
        said.append(_en(str(tens), _EN_TENS[tens]))
    if ones:
        said.append(_en(str(ones), _EN_ONES[ones]))
    return said


def _en(key: str, text: str) -> Phrase:
    return Phrase("en", text, f"number-{key}")


def every_part(language: str) -> frozenset[Phrase]:
    """Every phrase that `number` can use in `language`."""
    if language != "fa":
        parts = [*range(20), *range(20, 100, 10), 100, 101, *(size for size, *_ in _SCALES)]
        return frozenset(phrase for value in parts for phrase in _english(value))
    plain = [*enumerate(_FA_ONES), *_FA_TENS.items(), *_FA_HUNDREDS.items(), *((s, w) for s, w, _ in _SCALES)]
    joining = [(value, word) for value, word in plain if value >= 20]
    return frozenset(
        [_fa(str(value), word) for value, word in plain]
        + [_fa_va(str(value), word) for value, word in joining]
    )
