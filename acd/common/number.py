"""A telephone number, however it was written, as one key.

`parse_number` never rejects a caller: what is no number of the network keeps an honest key of its own kind
(`short:1500`, `ext:12`, `raw:alice`), and a withheld number has none (the empty key), so that two strangers
are never taken for one customer. The E.164 rules and plans are those of phonenumbers (libphonenumber).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from acd.common.text import ascii_digits, clean_label, persian_digits

Kind = Literal["e164", "short", "extension", "withheld", "raw"]

WRITTEN_LIMIT = 64
SHORT_LIMIT_DIGITS = 6
ABROAD_LEAST_DIGITS = 11
SECRET_LEAST_BYTES = 16

_WITHHELD = frozenset(
    [
        "anonymous",
        "unknown",
        "unavailable",
        "restricted",
        "private",
        "withheld",
        "blocked",
        "invalid",
        "none",
        "null",
        "asterisk",
        "s",
        "nonumber",
        "notavailable",
        "ناشناس",
        "نامشخص",
        "پنهان",
        "خصوصی",
    ]
)
_NOISE = re.compile(r"[\s\-.()/_‐-―]+")
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:;?ext=?|extension|x|داخلی)[.:]?([0-9]{1,6})\Z", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"<([^<>]+)>\s*\Z")
_DIGITS = re.compile(r"\+?[0-9]+\Z")
_LETTERS_FOR_HEX = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")


@dataclass(frozen=True, slots=True)
class Number:
    """A caller's or a customer's number. `key` is what it is found by: E.164 (`+98…`) for kind "e164", else
    with the kind in front; empty for a withheld number, which must never be used as a key. `written` is what
    came in, cleaned. Both are personal, so neither shows in `repr`.
    """

    kind: Kind
    key: str = field(repr=False)
    written: str = field(repr=False)

    @property
    def is_known(self) -> bool:
        """Whether there is a key to look a customer up by."""
        return self.kind != "withheld"


def parse_number(
    written: str | None, country: str = "IR", area_code: str = "", extensions: Collection[str] = ()
) -> Number:
    """The number that was written, read as if dialled in `country` (ISO 3166) and `area_code`.

    Takes Persian and Arabic digits, `0912…`, `912…`, `98912…`, `0098912…`, `+98912…`, local numbers (with
    the area code), short codes (up to six digits), `ext 12`, `tel:` and `sip:` addresses. Never raises.
    `extensions` are the site's own numbers: one that matches exactly is an extension, not a short code.
    """
    shown = clean_label(ascii_digits(unicodedata.normalize("NFKC", (written or "")[: WRITTEN_LIMIT * 4])))
    shown = shown[:WRITTEN_LIMIT]
    bare = _bare(shown)
    if bare.lower() in _WITHHELD or not bare.strip("0+<>\"'"):
        return Number("withheld", "", "")
    extension = _EXTENSION.search(bare)
    if extension is not None:
        if extension.start() == 0:
            return Number("extension", f"ext:{extension[1]}", shown)
        bare = bare[: extension.start()]
    if not _DIGITS.match(bare):
        return Number("raw", f"raw:{shown.casefold()}", shown)
    if bare in extensions:
        return Number("extension", f"ext:{bare}", shown)
    if len(bare) <= SHORT_LIMIT_DIGITS and not bare.startswith("+"):
        return Number("short", f"short:{bare}", shown)
    return _network_number(bare, shown, country, area_code)


def _bare(shown: str) -> str:
    """Without scheme, host, display quotes and the marks people put between digits."""
    bracketed = _IN_BRACKETS.search(shown)
    address = _SCHEME.sub("", (bracketed[1] if bracketed else shown).strip().strip("<>\"'"), count=1)
    before_host = address.split("@", 1)[0]
    joined = _NOISE.sub("", before_host)
    return "".join(c for c in joined if unicodedata.category(c) != "Cf").strip("<>\"'")


def _network_number(bare: str, shown: str, country: str, area_code: str) -> Number:
    readings = list(_readings(bare, country, area_code))
    chosen = next((r for r in readings if phonenumbers.is_valid_number(r)), None)
    if chosen is None and (short := _short_code(readings, country)):
        return Number("short", f"short:{short}", shown)
    if chosen is None:
        chosen = next((r for r in readings if _is_possible(r)), None)
    if chosen is None:
        return Number("raw", f"raw:{bare}", shown)
    return Number("e164", phonenumbers.format_number(chosen, PhoneNumberFormat.E164), shown)


def _short_code(readings: Iterable[PhoneNumber], country: str) -> str | None:
    """The short code behind a country code that some trunks put before it (+98110)."""
    home = phonenumbers.country_code_for_region(country)
    for reading in readings:
        national = phonenumbers.national_significant_number(reading)
        if reading.country_code == home and 2 < len(national) <= SHORT_LIMIT_DIGITS:
            return str(national)
    return None


def _readings(bare: str, country: str, area_code: str) -> Iterator[PhoneNumber]:
    """What the digits may mean, likeliest first. A `+` is believed before anything else."""
    digits = bare.lstrip("+")
    home = str(phonenumbers.country_code_for_region(country))
    candidates = [bare]
    if digits.startswith("00"):
        candidates.append("+" + digits[2:])
    if bare.startswith("+0"):
        candidates.append(digits)
    if area_code.lstrip("0") and not bare.startswith(("+", "0")):
        candidates.append(f"+{home}{area_code.lstrip('0')}{digits}")
    if digits.startswith(home) or len(digits) >= ABROAD_LEAST_DIGITS:
        candidates.append("+" + digits)
    for candidate in candidates:
        try:
            yield phonenumbers.parse(candidate, country)
        except NumberParseException:
            continue


def _is_possible(reading: PhoneNumber) -> bool:
    """By its length only: a number too new for our copy of the plan must still have its own key."""
    if len(phonenumbers.national_significant_number(reading)) <= SHORT_LIMIT_DIGITS:
        return False
    return phonenumbers.is_possible_number_with_reason(reading) == ValidationResult.IS_POSSIBLE


def display(number: Number, language: str, country: str = "IR") -> str:
    """The number as a person reads it: national within `country`, else international; digits by language."""
    text = _display_text(number, language, country)
    return persian_digits(text) if language == "fa" else text


def _display_text(number: Number, language: str, country: str) -> str:
    persian = language == "fa"
    if number.kind == "withheld":
        return "شماره پنهان" if persian else "number withheld"
    if number.kind == "extension":
        return ("داخلی " if persian else "ext. ") + number.key.removeprefix("ext:")
    if number.kind == "short":
        return number.key.removeprefix("short:")
    if number.kind == "raw":
        return clean_label(number.written)
    parsed = phonenumbers.parse(number.key)
    at_home = parsed.country_code == phonenumbers.country_code_for_region(country)
    form = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(parsed, form))


def number_token(key: str, secret: bytes) -> str:
    """What stands for a number in the journal and in logs: 16 letters, the same for the same key and secret.

    Keyed BLAKE2b of 64 bits, written in letters only, so that it never looks like a number. The empty key
    of a withheld number gives an empty token. Raises ValueError if the secret is shorter than 16 bytes.
    """
    if len(secret) < SECRET_LEAST_BYTES:
        raise ValueError(
            f"The secret for number tokens is too short; give {SECRET_LEAST_BYTES} bytes or more."
        )
    if not key:
        return ""
    short_secret = hashlib.blake2b(secret, digest_size=32).digest()
    digest = hashlib.blake2b(key.encode(), digest_size=8, key=short_secret, person=b"pasokh-number")
    return digest.hexdigest().translate(_LETTERS_FOR_HEX)
