"""What can go wrong with customers. Each class is a reason to catch.

CrmError                 (an AcdError)
├── SourceError             a source of customers answered with nonsense, or not at all
├── CustomerError           what was to be stored is no customer: say so to who sent it
├── ServiceError            a service cannot give this answer now; `why` is one of a few words
├── ServiceSettingError     services cannot be used as pasokh.toml has them: every problem is a line of it
└── PinError                a PIN cannot be kept as given: say so to who chose it
"""

from __future__ import annotations

from acd.errors import AcdError


class CrmError(AcdError):
    """Anything that this room raises on purpose."""


class SourceError(CrmError):
    """A source of customers cannot be used now."""


class CustomerError(CrmError):
    """A customer cannot be stored as given."""


class ServiceError(CrmError):
    """A service cannot give this answer now. `why` is a plain word for counters and logs, and never holds what
    was asked or answered; `again`: the same question may succeed at once; `theirs`: it is the service that is ill,
    not the question."""

    def __init__(self, why: str, *, again: bool = False, theirs: bool = False) -> None:
        self.why = why
        self.again = again
        self.theirs = theirs
        super().__init__(f"A service cannot be used ({why}).")


class ServiceSettingError(CrmError):
    """Services cannot be used as they are set; the message has a sentence for each problem."""


class PinError(CrmError):
    """A PIN cannot be kept as given."""
