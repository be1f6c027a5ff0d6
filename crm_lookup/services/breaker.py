"""A circuit breaker: who fails again and again is left alone for a while, so that callers do not wait for nothing.

Closed; after n failures in a row, open; after `open_s`, half open: one question is the test, and closes it again when
it goes well, or opens it for as long again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Breaker:
    """Pure: `now_s` is handed in, in seconds of any clock that does not run back."""

    after: int
    open_s: float
    failures: int = 0
    opened: int = 0
    _until_s: float | None = None
    _testing: bool = False

    def may_ask(self, now_s: float) -> bool:
        """Whether to ask now. When half open, true for one question until it is told how that went."""
        if self._until_s is None:
            return True
        if now_s < self._until_s or self._testing:
            return False
        self._testing = True
        return True

    def went_well(self) -> None:
        self.failures, self._until_s, self._testing = 0, None, False

    def went_ill(self, now_s: float) -> bool:
        """True when this failure opened it."""
        self.failures += 1
        was_open, self._testing = self._until_s is not None, False
        if was_open or self.failures >= self.after:
            self._until_s = now_s + self.open_s
            self.opened += 1
            return not was_open
        return False

    def no_word(self) -> None:
        """The question was given up before its end; somebody else may be the test."""
        self._testing = False

    @property
    def is_open(self) -> bool:
        return self._until_s is not None
