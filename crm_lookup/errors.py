"""What can go wrong with customers. Each class is a reason to catch.

CrmError                 (an AcdError)
├── SourceError             a source of customers answered with nonsense, or not at all
└── CustomerError           what was to be stored is no customer: say so to who sent it
"""

from __future__ import annotations

from acd.errors import AcdError


class CrmError(AcdError):
    """Anything that this room raises on purpose."""


class SourceError(CrmError):
    """A source of customers cannot be used now."""


class CustomerError(CrmError):
    """A customer cannot be stored as given."""
