"""What can go wrong in planning; each is told to a person as one sentence.

AcdError
└── PlanningError    what was given cannot be planned with
    └── InputError   a file or a line of it cannot be used: names file, line and remedy
"""

from __future__ import annotations

from acd.errors import AcdError


class PlanningError(AcdError):
    """A figure that no plan can be made with: the message says which, and what would do."""


class InputError(PlanningError):
    """A file cannot be used. `line` counts from 1; None when the file as a whole is meant."""

    def __init__(self, file: str, line: int | None, message: str, fix: str) -> None:
        self.file, self.line = file, line
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {message}; {fix}.")
