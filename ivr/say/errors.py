"""What can be wrong with a value that is to be spoken.

ivr.errors.IvrError
└── InvalidSlot      the kind or the value of a slot cannot be spoken as meant; raised by `check_slot` only
"""

from __future__ import annotations

from ivr.errors import IvrError


class InvalidSlot(IvrError):
    """A slot of a flow names an unknown kind, or a value does not fit its kind."""
