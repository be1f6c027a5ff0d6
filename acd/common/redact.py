"""The one place that takes personal digits out of what is logged.

In any text: telephone numbers, national IDs, account and card numbers in ASCII, Persian or Arabic digits,
joined or in groups. In structured values also: fields whose name says that they are personal or secret.
Ids of our own (contacts, versions, tokens), instants and channel suffixes stay, or logs could not be
followed. In doubt a run of digits is redacted. Redacting twice changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, MutableMapping
from typing import Any

from acd.common.checks import luhn, national_id

HIDDEN = "[hidden]"
NUMBER = "[number]"
ID = "[id]"

# What looks like a number and is none, tried first at each place.
_KEPT = r"""
    (?<![^\W_])[A-Za-z][A-Za-z0-9_-]{0,31}-[1-4][0-9]{9}\.[0-9]{1,9}(?:\.[0-9]{1,6}){0,2}(?![^\W_]|\.?\d)
  | (?<!\d)[12][0-9]{3}-[0-9]{2}-[0-9]{2}(?:[T\ ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?(?!\d)
  | (?<![^\W_])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![^\W_])
  | (?<![^\W_])(?=[0-9]*[a-f])[0-9a-f]{16,64}(?![^\W_])
  | \bPJSIP/(?:[A-Za-z][A-Za-z_]*[0-9]{0,4}|[0-9]{1,6})-[0-9a-f]{8}(?![^\W_])
"""
# Digit groups joined by one mark or two (as ") "); a run of seven or more is one group already.
_MARK = r"[\s\-()\u200b-\u200f\u2010-\u2015\u2066-\u2069]"
_GROUPED = rf"\d(?:{_MARK}{{0,2}}\d){{6,}}"
_PATTERN = re.compile(rf"(?P<kept>{_KEPT})|(?P<digits>(?:\+{_MARK}?)?{_GROUPED})", re.VERBOSE)

_SECRET_FIELDS = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "bearer",
        "authorization",
        "cookie",
        "set_cookie",
        "api_key",
        "pin",
        "cvv",
        "cvv2",
        "otp",
        "digits",
        "dtmf",
        "keyed",
        "caller",
        "caller_id",
        "callerid",
        "caller_name",
        "callerid_name",
        "caller_number",
        "number",
        "phone_number",
        "mobile",
        "msisdn",
        "ani",
        "customer_name",
        "first_name",
        "last_name",
        "full_name",
        "national_id",
        "card",
        "card_number",
        "pan",
        "sheba",
        "iban",
        "birth_date",
        "email",
        "address_line",
    ]
)
_UNITS = ("_us", "_ms", "_s", "_ns", "_bytes", "_count", "_seq", "_port", "_pid")
_PLAIN_NUMBER_FIELDS = frozenset(
    ["seq", "at", "epoch", "count", "port", "pid", "line", "size", "timestamp", "lineno", "process", "thread"]
)


def redact_text(text: str) -> str:
    """`text` with every number of a person replaced by `[number]`, `[id]` or `[card 1234]` (last four)."""
    return _PATTERN.sub(_replacement, text)


def _replacement(found: re.Match[str]) -> str:
    if found["kept"] is not None:
        return found["kept"]
    written = found["digits"]
    digits = "".join(str(unicodedata.digit(c)) for c in written if c.isdigit() and c.isdecimal())
    if len(digits) == 16 and luhn(digits):
        return f"[card {digits[-4:]}]"
    if len(digits) == 10 and national_id(digits) is not None:
        return ID
    return NUMBER


def redact(value: object, name: str = "") -> object:
    """A log value (text, number, or dicts and lists of them) without personal digits; `name` is its field.

    Whole numbers stay if their field names a unit (`at_us`, `size_bytes`); other objects become their text.
    """
    if name.lower().replace("-", "_") in _SECRET_FIELDS and value not in (None, "", HIDDEN):
        return HIDDEN
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        if name in _PLAIN_NUMBER_FIELDS or name.endswith(_UNITS):
            return value
        shown = redact_text(str(value))
        return value if shown == str(value) else shown
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray):
        return redact_text(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, Mapping):
        return {redact_text(str(key)): redact(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner, name) for inner in value]
    return redact_text(str(value))


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the last one before rendering."""
    return {key: redact(value, key) for key, value in event.items()}
