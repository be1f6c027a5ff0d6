"""What Asterisk needs, generated from the site and settings, and checked against a real Asterisk."""

from __future__ import annotations

from .check import check_against
from .errors import AsteriskConfError, NotWritten, Unwritable
from .generate import complete, includes
from .pjsip import Secrets
from .settings import AsteriskConfSettings, LoopSettings
from .writing import readable_by_all, write

__all__ = [
    "AsteriskConfError",
    "AsteriskConfSettings",
    "LoopSettings",
    "NotWritten",
    "Secrets",
    "Unwritable",
    "check_against",
    "complete",
    "includes",
    "readable_by_all",
    "write",
]
