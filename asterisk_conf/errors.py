"""What can go wrong while Asterisk's files are made. Each class is a reason to catch.

AsteriskConfError
├── Unwritable     a name, address or secret cannot stand in Asterisk's files as it is
└── NotWritten     the files are right, but the folder does not take them
"""

from __future__ import annotations


class AsteriskConfError(Exception):
    """Anything that this room raises on purpose. The message is one sentence with its remedy."""


class Unwritable(AsteriskConfError):
    """Asterisk would read this value as something else; nothing was generated."""


class NotWritten(AsteriskConfError):
    """The files could not be put in place; those that were there are as before, or named in the message."""
