"""What can go wrong while listening to callers. Each class is a reason to catch.

    IvrError
    ├── UnknownNumberError       no flow answers this dialled number: the dialplan's fallback has the call
    ├── UnknownFlowError         a number names a flow that is not among the loaded ones: the same
    └── VoiceError               a text did not become a sound file; the flow plays on without it
        └── VoiceMissingError    the voice itself is not on this machine: nothing can be said by it

A flow that cannot be used is an `acd.errors.DocumentError`, which holds every problem with its place.
"""

from __future__ import annotations


class IvrError(Exception):
    """Anything that this room raises on purpose."""


class UnknownNumberError(IvrError):
    """The site has no such number."""


class UnknownFlowError(IvrError):
    """No flow of this name is loaded."""


class VoiceError(IvrError):
    """A voice could not say a text."""


class VoiceMissingError(VoiceError):
    """The program that speaks is not installed."""
