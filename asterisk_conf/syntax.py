"""How values stand in Asterisk's configuration files; pure. The one place where text becomes syntax.

A file is a list of sections, a section a list of `key = value`. Asterisk's reader (main/config.c) ends a line
at a line break and a value at `;` unless `\\` stands before it, trims blanks, and takes a line that begins with
`#` for a directive. In a dialplan `,` parts arguments and `${…}`, `$[…]` are evaluated. So a value is written
through `value`, a word of the dialplan through `word`, and nothing else reaches a file.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .errors import Unwritable

VALUE_LIMIT: Final = 512
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DIALLED: Final = re.compile(r"\+?[0-9]{1,20}")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SECRET: Final = re.compile(r"[\x21-\x7e]{1,128}")
_PLAIN_SECRET: Final = re.compile(r"[A-Za-z0-9_.~+/=-]{1,128}")


@dataclass(frozen=True, slots=True)
class Section:
    """`[name]` and its lines; the same key may come again. `comment` is for the person who reads the file."""

    name: str
    lines: Sequence[tuple[str, str]]
    comment: str = ""


def render(head: str, sections: Iterable[Section], *, tail: Sequence[str] = ()) -> str:
    """The text of one file. `tail` are lines that are written as they are (`#include …`)."""
    out = [f"; {line}" for line in head.splitlines()]
    for section in sections:
        out.append("")
        if section.comment:
            out.append(comment(section.comment))
        out.append(f"[{word(section.name, 'the name of a section')}]")
        out += [f"{key} = {value(text, f'{section.name}/{key}')}" for key, text in section.lines]
    return "\n".join([*out, *tail]) + "\n"


def value(text: str, what: str) -> str:
    """The text as the value of a key: `;` escaped. Raises Unwritable for what no value can hold."""
    if any(ord(char) < 0x20 or 0x7F <= ord(char) <= 0x9F or char in "\u2028\u2029" for char in text):
        raise Unwritable(f"{what} holds a control character or a line break; write it on one line.")
    if text != text.strip() or len(text.encode("utf-8", "replace")) > VALUE_LIMIT:
        raise Unwritable(
            f"{what} begins or ends with a blank, or is longer than {VALUE_LIMIT} bytes; shorten it."
        )
    return text.replace(";", "\\;")


def comment(text: str) -> str:
    """The text as a comment line. Whatever it holds, it stays that one comment."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return "; " + printable.replace(";", ",").strip()[:200]


def word(text: str, what: str) -> str:
    """The text, if it can stand as a name in any file, the dialplan included. Raises Unwritable."""
    return _checked(_WORD, text, what, "use 1 to 64 of a-z, A-Z, 0-9, -, _ and .")


def dialled(text: str, what: str) -> str:
    """The text, if it is a dialled number (`+` and digits), so that it is no pattern. Raises Unwritable."""
    return _checked(_DIALLED, text, what, "use digits only, with + in front if the trunk sends it")


def host(text: str, what: str) -> str:
    """A host name, or an address; an IPv6 address comes in brackets, as URIs have it. Raises Unwritable."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return _checked(_HOST, text, what, "write a name such as sip.example.org or an address")
    return f"[{address}]" if address.version == 6 else str(address)


def secret(text: str, what: str) -> str:
    """A password for a `key = value` line. Raises Unwritable, without showing it."""
    if not _SECRET.fullmatch(text):
        raise Unwritable(
            f"{what} is empty, longer than 128 characters, or holds a blank or another character that no "
            "telephone can be given; choose letters, digits and signs."
        )
    return text


def plain_secret(text: str, what: str) -> str:
    """A secret for the middle of a dialplan line, where signs mean something. Raises Unwritable."""
    if not _PLAIN_SECRET.fullmatch(text):
        raise Unwritable(
            f"{what} is empty or holds signs that the dialplan would read; use letters, digits and - _ . ~ + / =."
        )
    return text


def port(number: int, what: str) -> int:
    """The number, if it is a port. Raises Unwritable."""
    if not 1 <= number <= 65_535:
        raise Unwritable(f"{what} is {number}, which is no port; use 1 to 65535.")
    return number


def _checked(pattern: re.Pattern[str], text: str, what: str, remedy: str) -> str:
    if not pattern.fullmatch(text):
        raise Unwritable(f"{what} is {text[:40]!r}, which Asterisk's files cannot hold; {remedy}.")
    return text
