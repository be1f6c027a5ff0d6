"""What can go wrong in the center. Each class is a reason to catch.

    AcdError
    ├── DocumentError    what a person wrote (center.yaml, a flow) cannot be used: holds every Problem
    ├── IllegalTransition a state was asked to go where its table has no way: a fault of ours, nothing was changed
    ├── Overloaded        more inputs wait than can be handled: take nobody new in for now
    └── JournalError     a line of the journal, or a stored site, cannot be read back

Messages are one clear sentence that says where, what, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document, with its place (line and column count from 1) and its remedy.

    `message` and `fix` are halves of one sentence, without a full stop; `str(problem)` joins them.
    """

    file: str
    line: int
    column: int
    message: str
    fix: str
    severity: Severity = "error"

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        kind = "warning: " if self.severity == "warning" else ""
        return f"{self.place}: {kind}{self.message}; {self.fix}."


class AcdError(Exception):
    """Anything that the center's own code raises on purpose."""


class DocumentError(AcdError):
    """A document cannot be used. `problems` holds all that is wrong with it, in the order of its lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class JournalError(AcdError):
    """Something that we wrote ourselves cannot be read back: a damaged file, or one of another version."""


class IllegalTransition(AcdError):
    """A state cannot go there (acd/transitions.py). Raised before anything was changed."""


class Overloaded(AcdError):
    """Nothing is wrong with the input; there is no room for it now."""
