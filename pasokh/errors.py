"""What can go wrong before or around the running center; each is told to a person as one sentence.

PasokhError
├── SettingsError      pasokh.toml or the environment cannot be used (exit 2)
├── NotReadyError      something the process needs is not there: database, schema, port, folder (exit 2)
└── ControlError       the running process did not do what the command asked (exit 1)
"""

from __future__ import annotations


class PasokhError(Exception):
    """Told to a person, never with a traceback."""

    exit_code = 2


class SettingsError(PasokhError):
    """A setting is wrong: the message names file, line, setting and remedy."""


class NotReadyError(PasokhError):
    """Something is missing from outside; nothing was started."""


class ControlError(PasokhError):
    """The running process refused, or there is none."""

    exit_code = 1
