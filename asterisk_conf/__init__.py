"""What Asterisk needs, generated from the site and settings, and checked against a real Asterisk."""

from __future__ import annotations

from .errors import AsteriskConfError, NotWritten, Unwritable
from .generate import complete, includes
from .pjsip import Secrets
from .settings import AsteriskConfSettings, LoopSettings

__all__ = [
    "AsteriskConfError",
    "AsteriskConfSettings",
    "LoopSettings",
    "NotWritten",
    "Secrets",
    "Unwritable",
    "complete",
    "includes",
]
